"""The command `agentgraph`: run, check, draw, explain and rehearse workflows from a terminal.

`app` and `sessions` read arguments; `ending` ends the process; `target` turns `FILE:NAME` into
a workflow; each command has a module of its own. No other package imports this one, so only the
command line loads typer and rich.
"""

from agentgraph.cli.app import app, main

__all__ = ["app", "main"]
