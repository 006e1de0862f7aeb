"""The callables of an agent that read the context of a run, and the contexts that they expect."""

from __future__ import annotations

from abc import ABCMeta
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from inspect import isclass
from types import FunctionType
from typing import Any, Final, get_args

from agentgraph.exceptions import UserError
from agentgraph.frontend.context_use import ContextUse, use_of_context
from agentgraph.frontend.lower_types import class_of_hooks, nominal
from agentgraph.frontend.origins import allowed_on
from agentgraph.frontend.scope import plain
from agentgraph.schemas.type_hints import context_type, is_context_annotation, resolve_hints
from agentgraph_compiler.diagnostics import Origin
from agentgraph_compiler.ir.chart import Reader
from agentgraph_compiler.types import ANY, Type

_OF_TOOLS: Final = {
    "_function": "",
    "is_enabled": "is_enabled",
    "needs_approval": "needs_approval",
    "_failure_error_function": "failure_error_function",
    "timeout_error_function": "timeout_error_function",
}
_OF_HANDOFFS: Final = {"_on_handoff": "on_handoff", "is_enabled": "is_enabled"}
_OF_GUARDRAILS: Final = {"guardrail_function": ""}
_OF_AGENTS: Final = {"instructions": "instructions", "tool_use_behavior": "tool_use_behavior"}


class Readers:
    """Makes the readers of one workflow.

    A class with which others are registered (`ABC.register`) fits objects whose class does not name
    it as a base, so the classes of contexts are remembered.
    """

    def __init__(self) -> None:
        self._classes: list[type[Any]] = []
        self._uses: dict[FunctionType, tuple[type[Any] | None, ContextUse]] = {}

    def begin_with(self, agent: object) -> None:
        """Remember the context class of the agent with which runs start."""
        for declared in get_args(getattr(agent, "__orig_class__", None)):
            if isclass(declared):
                self._remember(declared)

    def of_tool(self, tool: object, name: str, origin: Origin) -> tuple[Reader, ...]:
        """The readers of a tool."""
        return tuple(self._readers(tool, _OF_TOOLS, f"tool '{name}'", origin))

    def of_handoff(self, handoff: object, target: str, origin: Origin) -> tuple[Reader, ...]:
        """The readers of a handoff."""
        what = f"the handoff to '{target}'"
        return tuple(self._readers(handoff, _OF_HANDOFFS, what, origin))

    def of_guardrail(self, guardrail: object, name: str, origin: Origin) -> tuple[Reader, ...]:
        """The reader of a guardrail."""
        return tuple(self._readers(guardrail, _OF_GUARDRAILS, f"guardrail '{name}'", origin))

    def of_agent(self, agent: object, origin: Origin) -> Iterator[Reader]:
        """The readers of an agent itself: instructions, behaviour after tools, hooks."""
        for reader in self._readers(agent, _OF_AGENTS, "", origin):
            yield replace(reader, allowed=())  # whatever is allowed on the agent is in the chart
        hooks = getattr(agent, "hooks", None)
        if hooks is None:
            return
        use, context = ContextUse(), nominal(class_of_hooks(hooks))
        for method in _methods_of(hooks):
            use.add(use_of_context(method))
            expected = self._expected(context_type(method))
            context = context if expected == ANY else expected
        if use:
            yield from _reader("hooks", context, use, origin, ())

    def _readers(
        self, part: object, fields: Mapping[str, str], what: str, origin: Origin
    ) -> Iterator[Reader]:
        for field, role in fields.items():
            function = getattr(part, field, None)
            if not callable(function) or isclass(function):
                continue
            cls, use = self._use(function)
            context = self._expected(cls)
            if use and (context != ANY or role or _takes_context(function)):
                words = plain(" of ".join(filter(None, (role, what))))
                yield from _reader(words, context, use, origin, allowed_on(part))

    def _use(self, function: Callable[..., Any]) -> tuple[type[Any] | None, ContextUse]:
        """The context that a function expects, and its use of it. Most tools share a function that
        words their errors."""
        if not isinstance(function, FunctionType):
            return context_type(function), use_of_context(function)
        if function not in self._uses:
            self._uses[function] = context_type(function), use_of_context(function)
        return self._uses[function]

    def _expected(self, cls: type[Any] | None) -> Type:
        term = nominal(cls)
        if term != ANY and isinstance(cls, ABCMeta):
            registered = (
                cls not in other.__mro__ for other in self._classes if issubclass(other, cls)
            )
            term = ANY if any(registered) else term
        self._remember(cls)
        return term

    def _remember(self, cls: type[Any] | None) -> None:
        if cls is not None and cls not in self._classes:
            self._classes.append(cls)


def _reader(
    what: str, context: Type, use: ContextUse, origin: Origin, allowed: tuple[str, ...]
) -> Iterator[Reader]:
    if context != ANY or use.reads or use.writes:
        yield Reader(
            what,
            context,
            reads=tuple(sorted(use.reads)),
            writes=tuple(sorted(use.writes)),
            whole=use.whole,
            origin=origin,
            allowed=allowed,
        )


def _takes_context(function: object) -> bool:
    """Whether the first parameter of a tool's function is the context: any other is an argument."""
    try:
        hints = resolve_hints(function) if callable(function) else {}
    except UserError:
        return False
    return any(is_context_annotation(hint) for hint in list(hints.values())[:1])


def _methods_of(hooks: object) -> Iterator[Callable[..., Any]]:
    """The methods of hooks. Those of our own base class use no argument."""
    names = {name for cls in type(hooks).__mro__ for name in vars(cls) if name.startswith("on_")}
    for name in sorted(names):
        method = getattr(hooks, name)
        if callable(method):
            yield method
