"""The record: everything that a run knows, as a fold of its outcomes.

``facts`` holds the frozen inputs of a run, ``payloads`` the content of its outcomes, as data
without live objects. Only ``fold`` writes the ``record``; work reads it through a ``view``.
"""
