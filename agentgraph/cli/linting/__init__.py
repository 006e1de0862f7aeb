"""`agentgraph check` as a linter of a repository: which files, which rules, and how to report.

`files` finds the files; `settings` reads `pyproject.toml`; `selection` says which findings count;
`baseline` leaves out findings that were there before; `outcome` is the result for one file;
`formats` writes a report, `statistics` counts the findings of each rule.
"""
