"""Additions on top of the package: stores, models, drawings, and ready filters and prompts."""
