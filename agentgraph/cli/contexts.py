"""The context object of a run: which one a workflow needs, and what of its file makes one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from agentgraph.cli.faults import CommandFault
from agentgraph.cli.source_spans import parsed
from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.types import ANY, Type

__all__ = ["check_context"]

_NOTHING = Type("NoneType")


def check_context(chart: Chart, path: Path) -> None:
    """See to it that a run without a context needs none.

    Args:
        chart: The workflow.
        path: Its file.

    Raises:
        CommandFault: A part of the workflow declares a context.
    """
    for context, part in _declarations(chart):
        if context not in (ANY, _NOTHING):
            name = context.name.rpartition(".")[2]
            raise CommandFault(
                f"{part} needs a context of type {name}", help=_ways_to_give(name, path)
            )


def _declarations(chart: Chart) -> Iterator[tuple[Type, str]]:
    """The contexts that parts declare, with the words for each part: the start agent first."""
    for one in chart.walk():
        for agent in sorted(one.agents, key=lambda agent: agent.id != one.start):
            yield agent.context, f"agent '{agent.name}'"
            for reader in agent.readers:
                yield reader.context, f"{reader.what} of agent '{agent.name}'"


def _ways_to_give(context: str, path: Path) -> str:
    names = list(dict.fromkeys(_makers(parsed(path), context)))
    if names:
        return f"the file makes one: give --context {' or --context '.join(names)}"
    return (
        f"write a function in {path} that returns a {context}, such as `def make_context()`, and "
        "give --context make_context"
    )


def _makers(tree: ast.Module, context: str) -> Iterator[str]:
    """The names at the top of a file of an object of a class, or of a function that makes one."""
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name, returns=ast.expr() as returns, args=arguments):
                needed = len(arguments.posonlyargs + arguments.args) - len(arguments.defaults)
                if _last_name(returns) == context and not needed:
                    yield name
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=function)):
                if _last_name(function) == context:
                    yield name
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=ast.expr()):
                if _last_name(annotation) == context:
                    yield name


def _last_name(expression: ast.expr) -> str:
    return ast.unparse(expression).strip("'\"").partition("[")[0].rpartition(".")[2]
