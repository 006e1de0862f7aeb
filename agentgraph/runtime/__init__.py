"""The interpreter: ``(machine, state, outcome) -> (state', commands)``, pure and without any I/O.

Read ``step.py`` first. ``state`` holds where a run is, ``outcomes`` what the driver reports to it,
``commands`` what the run asks the driver to do (docs/design/architecture.md, rules 2 and 7).
"""
