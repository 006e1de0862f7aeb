"""Reading: what a model is offered, and what its reply amounts to. Pure."""
