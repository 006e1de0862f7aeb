"""The interpreter: ``(machine, state, outcome) -> (state', commands)``, pure and without any I/O.

Read ``step.py`` first. ``state`` is where a run is, ``outcomes`` what it was told, ``commands``
what it asks for (docs/design/architecture.md, rules 2 and 7).
"""
