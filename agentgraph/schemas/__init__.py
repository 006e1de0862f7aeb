"""Schemas: from a function's signature and docstring to the description that a model sees, and from
the JSON that a model writes back to arguments."""
