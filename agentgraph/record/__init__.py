"""The record: everything that a run knows, as a fold of its outcomes.

``facts`` are the frozen inputs of a run, ``payloads`` what an outcome brings, as data without a
live object. ``fold`` writes the ``record`` and nothing else does; work reads it through a ``view``.
"""
