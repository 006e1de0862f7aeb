"""Placeholder until the lazy public names are in place."""
