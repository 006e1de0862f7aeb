"""The commands of `agentgraph`, one a file: its arguments, and what they are given to.

Each is imported when it is called, or when the help lists it (`agentgraph.cli.app`).
"""
