"""Schemas: from a Python signature and its docstring to what a model sees, and from what a model
writes back to arguments."""
