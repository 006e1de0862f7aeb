"""What all definitions share: the line that constructs them, the rules allowed on them, names that
are derived from agents, and checks of the amounts and pydantic fields that they accept."""
