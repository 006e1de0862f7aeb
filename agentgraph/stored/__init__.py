"""The stored form of a run's records: values of user code, exceptions, items, rows, journals.

Nothing here knows how a run moves. A stored text names classes by path, and reading it never
imports one. A value without a stored form is an error that names it; it is never dropped.
"""
