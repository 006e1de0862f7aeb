"""`agentgraph mutate`: which faults of a workflow do its tests notice?

`mutating` is the command. It asks a child process of `capture` for the mutants of the file, and
`test_runs` runs the tests once for each, as a process that gets its order in an environment
variable (`orders`). There `plugin` is loaded into pytest: it changes the agents of the file after
`executions` has seen the file executed, when one of its functions returns, or when a run begins
(`planting`). No file is changed. `scores` counts, `reports` writes.
"""
