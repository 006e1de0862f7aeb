"""Transcripts: which items may stand in a history, and in which order."""
