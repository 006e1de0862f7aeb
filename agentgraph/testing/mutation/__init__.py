"""Mutants of a workflow: small faults that its tests should notice.

`changes` says what an operator may change; one file is one family of operators, and `operators`
holds `OPERATORS`, the only list. An operator is a pure function: it reads agents and describes
changes. `mutants` makes them and takes them back; `equivalence` compares the compiled tables.
"""
