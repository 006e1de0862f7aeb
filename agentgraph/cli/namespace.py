"""The names of a file that a command can take, and the one that it takes by default.

The default is the only `Workflow`, else the only start agent. An agent is not a start agent if
another agent hands off to it, uses it as a tool, or runs it from one of its own functions, such as
a guardrail. If all agents of a cycle could be the start, the one that the file itself passes to
`Runner` is.
"""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from agentgraph.cli.faults import CommandFault
from agentgraph.cli.source_spans import parsed
from agentgraph.frontend.discover import is_agent, is_workflow, target_of
from agentgraph.frontend.lower_tools import agent_of
from agentgraph.program import Program

__all__ = ["find_start", "names_in"]

_RUNS: Final = frozenset({"run", "run_sync", "run_streamed", "run_demo_loop"})


def find_start(namespace: Mapping[str, Any], path: Path) -> Any:
    """The agent or workflow that a command takes from a file by default.

    Args:
        namespace: The names of the file.
        path: The file.

    Raises:
        CommandFault: The file has none, or more than one.
    """
    workflows = _named(namespace, is_workflow)
    if len(workflows) == 1:
        return next(iter(workflows.values()))
    if workflows:
        raise _ambiguous(path, "workflows", workflows)
    agents = _named(namespace, is_agent)
    if not agents:
        raise CommandFault(
            f"{path} has no agent and no workflow at its top level",
            help=f"name a function of it that returns one: {path}:make_workflow",
        )
    tree = parsed(path)
    starts = _starts(agents, _Uses(namespace, tree))
    if len(starts) > 1 and all(starts):
        raise _ambiguous(path, "agents that a run could start with", _merged(starts))
    (start,) = starts
    if len(start) > 1:
        run = {name: start[name] for name in _names_run(tree) if name in start}
        if len(run) != 1:
            raise _ambiguous(path, "agents in a cycle of handoffs", start)
        start = run
    return next(iter(start.values()))


def names_in(namespace: Mapping[str, Any]) -> str:
    """The names of a file that a command can take, in words; empty if there are none."""
    names = [*_named(namespace, is_workflow), *_named(namespace, is_agent)]
    return f"the file has the names {', '.join(names)}" if names else ""


def _ambiguous(path: Path, what: str, values: Mapping[str, Any]) -> CommandFault:
    names = ", ".join(values)
    return CommandFault(
        f"{path} has {len(values)} {what}: {names}", help=f"name one: {path}:{next(iter(values))}"
    )


def _merged(groups: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {name: value for group in groups for name, value in group.items()}


def _named(namespace: Mapping[str, Any], predicate: Callable[[Any], bool]) -> dict[str, Any]:
    """The objects for which a predicate holds, by their first name, in the order of the file; a
    program counts as its source."""
    entries: dict[int, tuple[str, Any]] = {}
    for name, value in namespace.items():
        value = value.source if isinstance(value, Program) else value
        if not isinstance(value, type) and predicate(value):
            entries.setdefault(id(value), (name, value))
    return dict(entries.values())


class _Uses:
    """The agents that an agent leads to."""

    def __init__(self, namespace: Mapping[str, Any], tree: ast.Module) -> None:
        self._namespace = namespace
        # The names that each top-level function mentions, by the id of the object behind the name
        # of the function: a decorator may have turned the function into a tool or a guardrail.
        self._mentions = {
            id(namespace[node.name]): _names_loaded(node)
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in namespace
        }

    def of(self, agent: Any) -> Iterator[Any]:
        """The agents that one agent leads to directly."""
        yield from filter(None, map(target_of, agent.handoffs))
        yield from filter(None, map(agent_of, agent.tools))
        yield from self._mentioned_by(_functions_of(agent))

    def _mentioned_by(self, functions: Iterable[Any]) -> Iterator[Any]:
        waiting = deque(functions)
        seen: set[int] = set()
        while waiting:
            function = waiting.popleft()
            if id(function) in seen:
                continue
            seen.add(id(function))
            for name in self._mentions.get(id(function), ()):
                value = self._namespace.get(name)
                if is_agent(value) and not isinstance(value, type):
                    yield value
                elif id(value) in self._mentions:
                    waiting.append(value)


def _functions_of(agent: Any) -> Iterator[Any]:
    guardrails = (
        *getattr(agent, "input_guardrails", ()),
        *getattr(agent, "output_guardrails", ()),
    )
    yield from guardrails
    yield from (guardrail.guardrail_function for guardrail in guardrails)
    yield from agent.tools
    yield from (agent.instructions, agent.tool_use_behavior)


def _names_loaded(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _starts(agents: Mapping[str, Any], uses: _Uses) -> list[dict[str, Any]]:
    """The agents to which no other agent leads, grouped by cycle."""
    reach = {name: _reached(agent, uses) for name, agent in agents.items()}
    starts: dict[frozenset[str], dict[str, Any]] = {}
    for name, agent in agents.items():
        before = {other for other in agents if other != name and id(agent) in reach[other]}
        cycle = {other for other in before if id(agents[other]) in reach[name]}
        if before == cycle:
            group = frozenset((name, *cycle))
            starts.setdefault(group, {other: agents[other] for other in agents if other in group})
    return list(starts.values())


def _reached(agent: Any, uses: _Uses) -> set[int]:
    reached: set[int] = set()
    waiting = deque(uses.of(agent))
    while waiting:
        successor = waiting.popleft()
        if id(successor) not in reached:
            reached.add(id(successor))
            waiting.extend(uses.of(successor))
    return reached


def _names_run(tree: ast.Module) -> set[str]:
    """The names that the file passes to a runner as the start agent."""
    return {
        call.args[0].id
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and call.args
        and isinstance(call.args[0], ast.Name)
        and ast.unparse(call.func).rpartition(".")[2] in _RUNS
    }
