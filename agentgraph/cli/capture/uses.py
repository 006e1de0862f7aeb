"""How the code of a file uses its agents: which it runs, and which its functions mention.

This is read from the syntax tree, for code that did not run when the file was loaded.
"""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from agentgraph.agent import Agent
from agentgraph.cli.capture.imported_names import LibraryNames
from agentgraph.cli.capture.kinds import agents_led_to, as_source, is_workflow_source
from agentgraph.cli.capture.last_agents import LastAgents
from agentgraph.cli.capture.values import Function, calls_in
from agentgraph.workflow import Source

__all__ = ["Uses", "WrittenRun", "covered_by", "written_runs"]

_LOOP: Final = "run_demo_loop"
"""A chat in the terminal, which goes on with the agent that was last."""
_RUNS: Final = frozenset({"Runner.run", "Runner.run_sync", "Runner.run_streamed", _LOOP})
_METHODS: Final = frozenset({"run", "run_sync", "run_streamed"})
_STARTS: Final = frozenset({"starting_agent", "agent"})


@dataclass(frozen=True, slots=True)
class WrittenRun:
    """A call in the source that begins a run.

    Args:
        call: The call.
        start: The expression of the agent that it starts with.
        method: Its name: `run`, `run_sync`, `run_streamed` or `run_demo_loop`.
        is_certain: Whether the call is one of `Runner`, and not of some object with such a method.
        function: The function around it, if it is in one.
        goes_on: Whether it may start with the agent that was last in another run.
    """

    call: ast.Call
    start: ast.expr
    method: str
    is_certain: bool
    function: Function | None
    goes_on: bool = False


def written_runs(tree: ast.Module, names: LibraryNames) -> Iterator[WrittenRun]:
    """The calls of a file that begin a run, in the order of the file.

    Args:
        tree: The syntax tree of the file.
        names: The library's names in it.
    """
    last = LastAgents(tree)
    for call, function in calls_in(tree):
        start = _start_of(call)
        if start is None:
            continue
        name = names.public_name(call.func)
        method = (name if name in _RUNS else getattr(call.func, "attr", "")).rpartition(".")[2]
        if name in _RUNS or method in _METHODS:
            yield WrittenRun(
                call,
                start,
                method,
                is_certain=name in _RUNS,
                function=function,
                goes_on=name == _LOOP or last.may_be(start),
            )


def _start_of(call: ast.Call) -> ast.expr | None:
    if call.args:
        return call.args[0]
    return next((one.value for one in call.keywords if one.arg in _STARTS), None)


def covered_by(source: Source) -> set[int]:
    """The ids of all agents that the chart of an agent or workflow holds, beside itself."""
    return _closure(source, agents_led_to)


class Uses:
    """The agents that an agent leads to, those that its functions mention included.

    The agents live and stay as they are as long as this object: it knows them by identity.

    Args:
        namespace: The names of the file.
        tree: Its syntax tree.
    """

    def __init__(self, namespace: Mapping[str, Any], tree: ast.Module) -> None:
        self._namespace = namespace
        self._reached: dict[int, set[int]] = {}
        # The names that each top-level function mentions, by the id of the object behind the name
        # of the function: a decorator may have turned the function into a tool or a guardrail.
        self._mentions = {
            id(namespace[node.name]): _names_loaded(node)
            for node in tree.body
            if isinstance(node, Function) and node.name in namespace
        }

    def reached(self, source: Source) -> set[int]:
        """The ids of all agents that a run of an agent or workflow may come to."""
        if id(source) not in self._reached:
            self._reached[id(source)] = _closure(source, self._directly)
        return self._reached[id(source)]

    def _directly(self, source: Source) -> Iterator[Agent[Any]]:
        yield from agents_led_to(source)
        if not is_workflow_source(source):
            yield from self._mentioned_by(_functions_of(source))

    def _mentioned_by(self, functions: Iterable[object]) -> Iterator[Agent[Any]]:
        waiting = deque(functions)
        seen: set[int] = set()
        while waiting:
            function = waiting.popleft()
            if id(function) in seen:
                continue
            seen.add(id(function))
            for name in self._mentions.get(id(function), ()):
                value = self._namespace.get(name)
                source = as_source(value)
                if source is not None and not is_workflow_source(source):
                    yield source
                elif id(value) in self._mentions:
                    waiting.append(value)


def _closure(source: Source, directly: Callable[[Source], Iterator[Agent[Any]]]) -> set[int]:
    reached: set[int] = set()
    waiting = deque(directly(source))
    while waiting:
        successor = waiting.popleft()
        if id(successor) not in reached:
            reached.add(id(successor))
            waiting.extend(directly(successor))
    return reached


def _functions_of(agent: Agent[Any]) -> Iterator[object]:
    guardrails = (
        *getattr(agent, "input_guardrails", ()),
        *getattr(agent, "output_guardrails", ()),
    )
    yield from guardrails
    yield from (getattr(guardrail, "guardrail_function", None) for guardrail in guardrails)
    yield from agent.tools
    yield from (
        getattr(agent, "instructions", None),
        getattr(agent, "tool_use_behavior", None),
    )


def _names_loaded(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
