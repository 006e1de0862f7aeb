"""What all definitions share: where they were written, what may be allowed on them, which amounts
and pydantic fields they accept."""
