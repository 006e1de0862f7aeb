"""Analyses of a chart that several checks or drawings use. Nothing here reports anything."""
