"""The stored form of what a run records: values of user code, exceptions, items, rows, journals.

Nothing here knows how a run moves. A class is named by its path and never imported because a stored
text says so; what has no stored form is named, never dropped.
"""
