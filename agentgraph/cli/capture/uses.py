"""How the code of a file uses its agents: which it runs, and which its functions mention.

This is read from the syntax tree, for code that did not run when the file was loaded.
"""

from __future__ import annotations

import ast
import inspect
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from agentgraph.agent import Agent
from agentgraph.cli.capture.imported_names import LibraryNames
from agentgraph.cli.capture.kinds import agents_led_to, as_source, is_workflow_source
from agentgraph.workflow import Source

__all__ = ["Uses", "WrittenRun", "covered_by", "resolved", "written_runs"]

_RUNS: Final = frozenset({"Runner.run", "Runner.run_sync", "Runner.run_streamed", "run_demo_loop"})
_METHODS: Final = frozenset({"run", "run_sync", "run_streamed"})
_STARTS: Final = frozenset({"starting_agent", "agent"})
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class WrittenRun:
    """A call in the source that begins a run.

    Args:
        start: The expression of the agent that it starts with.
        line: The line of the call.
        is_certain: Whether the call is one of `Runner`, and not of some object with such a method.
        function: The function around it, if it is in one.
    """

    start: ast.expr
    line: int
    is_certain: bool
    function: _Function | None


def written_runs(tree: ast.Module, names: LibraryNames) -> Iterator[WrittenRun]:
    """The calls of a file that begin a run, in the order of the file.

    Args:
        tree: The syntax tree of the file.
        names: The library's names in it.
    """
    yield from _runs_below(tree, None, names)


def _runs_below(
    node: ast.AST, function: _Function | None, names: LibraryNames
) -> Iterator[WrittenRun]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call) and (start := _start_of(child)) is not None:
            is_certain = names.public_name(child.func) in _RUNS
            if is_certain or getattr(child.func, "attr", "") in _METHODS:
                yield WrittenRun(start, child.lineno, is_certain, function)
        inner = child if isinstance(child, _Function) else function
        yield from _runs_below(child, inner, names)


def _start_of(call: ast.Call) -> ast.expr | None:
    if call.args:
        return call.args[0]
    return next((one.value for one in call.keywords if one.arg in _STARTS), None)


def resolved(
    expression: ast.expr,
    namespace: Mapping[str, Any],
    function: _Function | None = None,
    variables: Mapping[str, Any] | None = None,
) -> Any:
    """The object that an expression of names, dots and constant keys stands for; no code runs.

    Args:
        expression: The expression.
        namespace: The names of the file.
        function: The function in which the expression stands; its assignments of one name to
            another are followed.
        variables: The local variables of that function, if they are known.

    Returns:
        The object; `None` if the source does not say.
    """
    match expression:
        case ast.Name(id=name):
            if variables and name in variables:
                return variables[name]
            value = _assigned(name, function)
            if value is not None:
                return resolved(value, namespace)
            return namespace.get(name)
        case ast.Attribute(value=base, attr=attribute):
            holder = resolved(base, namespace, function, variables)
            return None if holder is None else inspect.getattr_static(holder, attribute, None)
        case ast.Subscript(value=base, slice=ast.Constant(value=key)):
            holder = resolved(base, namespace, function, variables)
            return _element(holder, key)
        case _:
            return None


def _element(holder: object, key: Any) -> Any:
    try:
        return holder[key] if isinstance(holder, dict | list | tuple) else None
    except (LookupError, TypeError):
        return None


def _assigned(name: str, function: _Function | None) -> ast.expr | None:
    """What a function first assigns to a name, if that is another name."""
    value = None if function is None else _assignments(function).get(name)
    return None if isinstance(value, ast.Name) and value.id == name else value


@lru_cache(maxsize=16)
def _assignments(function: _Function) -> Mapping[str, ast.expr]:
    """The name or attribute that a function first assigns to each name."""
    assigned: dict[str, ast.expr] = {}
    for node in ast.walk(function):
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=target)], value=value)
                | ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value)
            ) if isinstance(value, ast.Name | ast.Attribute):
                assigned.setdefault(target, value)
    return assigned


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
            if isinstance(node, _Function) and node.name in namespace
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
