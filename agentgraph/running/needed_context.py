"""Whether the context of a run is the one that its agents and tools declare.

Rule: only a class can be missed. A protocol fits objects by their methods, a mock fits everything,
and what is not a class is believed. So is a tool that decides itself whether it is on offer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import NoneType
from typing import TYPE_CHECKING, Any, Final, get_args, get_origin, is_typeddict

from agentgraph.exceptions import UserError
from agentgraph.frontend.origins import allowed_on

if TYPE_CHECKING:
    from agentgraph.agent import Agent

__all__ = ["check_context"]

_RULE: Final = frozenset({"context-type-mismatch", "AG301"})
"""The rule that a user may suppress on an agent or tool, by name or code."""


def check_context(agents: Iterable[Any], context: object) -> None:
    """Refuse a run whose agents or tools need another context than it gets.

    Args:
        agents: The agents that the run may reach.
        context: The context object of the run.

    Raises:
        UserError: It is not of the declared class; the message names the part and the class.
    """
    for agent in agents:
        for part, declared in _declarations(agent):
            needed = _class_of(declared)
            if needed is None or isinstance(context, needed) or _is_mock(context):
                continue
            kind = type(context).__name__
            passed = "none" if context is None else f"one of type {kind}"
            raise UserError(
                f"{part} needs a context of type {needed.__name__}, and the run gets {passed}. "
                "Pass it to the runner: Runner.run(…, context=…)."
            )


def _declarations(agent: Agent[Any]) -> Iterator[tuple[str, object]]:
    if not _RULE.isdisjoint(allowed_on(agent)):
        return
    arguments = get_args(getattr(agent, "__orig_class__", None))
    if arguments:
        yield f"Agent {agent.name!r}", arguments[0]
    for tool in agent.tools:
        declared = getattr(tool, "_context", None)
        if declared is None or getattr(tool, "is_enabled", True) is not True:
            continue
        if _RULE.isdisjoint(allowed_on(tool)):
            yield f"Tool {tool.name!r} of agent {agent.name!r}", declared


def _class_of(declared: object) -> type | None:
    cls = get_origin(declared) or declared
    if not isinstance(cls, type) or cls in (object, NoneType) or _fits_by_methods(cls):
        return None
    return dict if is_typeddict(cls) else cls


def _fits_by_methods(cls: type) -> bool:
    return getattr(cls, "_is_protocol", False) or cls.__module__ in ("typing", "types")


def _is_mock(context: object) -> bool:
    return any(base.__module__ == "unittest.mock" for base in type(context).__mro__)
