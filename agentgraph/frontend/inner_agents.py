"""Agents that the code of a tool or a guardrail runs by itself: ``Runner.run(NAME, …)``.

The compiler sees no such run, because only a call of the function starts it. Its source still names
the agent, so a drawing can show the agent and a note can say that nothing checks its run.
The source is read only if the code of the function names a method of ``Runner``.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import textwrap
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import CodeType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from agentgraph.frontend.discover import is_agent

if TYPE_CHECKING:
    from agentgraph.agent import Agent

_RUNS = frozenset({"run", "run_sync", "run_streamed"})
_RUNNER = "Runner"
_START = "starting_agent"
_UNKNOWN = object()
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_CONDITIONAL = (ast.IfExp, ast.BoolOp, ast.Lambda, *_COMPREHENSIONS)
_Scope = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class InnerRun:
    """A run that a function starts.

    Args:
        text: The expression for the agent, as the source has it.
        agent: The agent; ``None`` if only the call knows it.
        certain: Whether each call of the function starts it, and does so once.
    """

    text: str
    agent: Agent[Any] | None = None
    certain: bool = False


def inner_runs(*functions: object) -> tuple[InnerRun, ...]:
    """The runs that functions of the user start, themselves or through functions of the same module
    that they call by name; each agent once.

    Args:
        functions: Functions or methods; any other object starts no run.
    """
    runs: dict[object, InnerRun] = {}
    waiting, seen = [(function, True) for function in functions], set[int]()
    while waiting:
        callable_, is_called = waiting.pop()
        function, scope = opened(callable_)
        if function is None or id(function) in seen:
            continue
        seen.add(id(function))
        names = set(names_in(function.__code__))
        waiting.extend(
            (other, False)
            for name in sorted(names)
            if isinstance(other := scope.get(name), FunctionType)
            and other.__module__ == function.__module__
        )
        if not _RUNS.isdisjoint(names):
            for run in _runs_in(function, scope, is_called):
                runs.setdefault(run.text if run.agent is None else id(run.agent), run)
    return tuple(runs.values())


def opened(function: object) -> tuple[FunctionType | None, _Scope]:
    """The plain function behind a callable, and the values that it takes from outside."""
    scope: dict[str, object] = {}
    while isinstance(function, partial):
        function = function.func
    if callable(function):
        function = inspect.unwrap(function)
    call = inspect.getattr_static(type(function), "__call__", None)
    if isinstance(call, FunctionType):  # an object of a class with a method of that name
        function = MethodType(call, function)
    if isinstance(function, MethodType):
        receiver, function = function.__self__, function.__func__
        if isinstance(function, FunctionType):
            scope[function.__code__.co_varnames[0]] = receiver
    if not isinstance(function, FunctionType):
        return None, scope
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):  # not assigned yet
            scope[name] = cell.cell_contents
    # A name that the function itself assigns is not the one outside.
    local = dict.fromkeys(function.__code__.co_varnames, _UNKNOWN)
    return function, ChainMap(scope, local, function.__globals__)


def names_in(code: CodeType) -> Iterator[str]:
    """The names that code mentions, also in the functions inside it."""
    yield from code.co_names
    yield from code.co_freevars
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_in(constant)


def tree_of(function: FunctionType) -> ast.Module | None:
    """The syntax tree of a function's source; ``None`` if the source is not at hand."""
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError, SystemError):
        # Python 3.11 raises SystemError where greenlets have changed its depth of recursion.
        return None


def _runs_in(function: FunctionType, scope: _Scope, is_called: bool) -> Iterator[InnerRun]:
    tree = tree_of(function)
    if tree is None:
        return
    match tree.body:
        case [ast.FunctionDef() | ast.AsyncFunctionDef() as definition] if is_called:
            certain = set(_certain_calls(definition.body))
        case _:
            certain = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _is_run(node.func, scope):
            started = node.args[0] if node.args else _keyword(node, _START)
            if started is not None:
                value = _value(started, scope)
                agent = value if is_agent(value) else None
                yield InnerRun(ast.unparse(started), agent, certain=node in certain)


def _certain_calls(body: Iterable[ast.stmt]) -> Iterator[ast.Call]:
    """The calls that a function makes whatever happens, unless it raises."""
    for statement in body:
        match statement:
            case ast.With(body=inner) | ast.AsyncWith(body=inner):
                yield from _certain_calls(inner)
            case ast.Expr() | ast.Assign() | ast.AnnAssign() | ast.AugAssign() | ast.Return():
                yield from _calls_in(statement)
            case _:
                pass
        if any(isinstance(node, ast.Return) for node in ast.walk(statement)):
            return


def _calls_in(node: ast.AST) -> Iterator[ast.Call]:
    """The calls in a node, without those that depend on a condition or that come later."""
    if isinstance(node, ast.Call):
        yield node
    if not isinstance(node, _CONDITIONAL):
        for child in ast.iter_child_nodes(node):
            yield from _calls_in(child)


def _is_run(called: ast.expr, scope: _Scope) -> bool:
    """Whether an expression is a method of ``Runner`` that runs an agent, under any name of it."""
    if not isinstance(called, ast.Attribute) or called.attr not in _RUNS:
        return False
    runner = _value(called.value, scope)
    return isinstance(runner, type) and any(base.__name__ == _RUNNER for base in runner.__mro__)


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((word.value for word in call.keywords if word.arg == name), None)


def _value(node: ast.expr, scope: _Scope) -> object:
    """The value of a name or of attributes of one. Reading it runs no code of the user."""
    if isinstance(node, ast.Name):
        return scope.get(node.id, _UNKNOWN)
    if isinstance(node, ast.Attribute):
        return inspect.getattr_static(_value(node.value, scope), node.attr, _UNKNOWN)
    return _UNKNOWN
