"""Reading: what a model may use in a turn, and what its reply asks for. Pure."""
