"""The command `agentgraph`: run, check, draw, explain and rehearse workflows from a terminal.

`app` and `sessions` read arguments, `ending` ends the process; `target` turns `FILE:NAME` into
a workflow; each command has a module of its own. Nothing outside this package imports it, so typer
and rich are loaded by the command line alone.
"""

from agentgraph.cli.app import app, main

__all__ = ["app", "main"]
