"""`agentgraph check --fix`: safe changes of the source.

A finding says what to change in terms of agents and their arguments (`agentgraph_compiler.
diagnostics.Fix`). `source` reads a file and edits its text by the spans of its syntax tree, so that
formatting and comments stay; `placing` turns a fix into edits; `plan` takes the fixes that do not
touch each other, and writes the files; `rounds` repeats check and fix until nothing changes.
"""
