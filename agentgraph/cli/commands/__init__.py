"""The commands of `agentgraph`, one in each file: its arguments, and the function that does the
work.

`agentgraph.cli.app` imports a command when it is called, or when the help lists it.
"""
