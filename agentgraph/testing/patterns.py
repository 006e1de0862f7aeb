"""Patterns: which decisions of a route an assertion is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, TypeAlias

from agentgraph.exceptions import UserError
from agentgraph.testing.routes import Decision

if TYPE_CHECKING:
    from agentgraph.frontend.part_names import PartNames

__all__ = ["Pattern", "matcher", "unknown_part"]

Pattern: TypeAlias = str | Callable[[Decision], bool]
"""Which decisions are meant: the name of a tool (it runs), an agent (its model is called), a
handoff (it is called), a guardrail (it judges), a function of the edges (it is called), a question
to a person (it is answered), or `answer`; `tool:…`, `agent:…`, `handoff:…`, `guardrail:…`,
`function:…`, `question:…` and `answer:AGENT` say which of them; or a function of a decision."""

_SORTS: Final = ("agent", "tool", "handoff", "guardrail", "function", "question", "answer")


def matcher(pattern: Pattern, names: PartNames) -> Callable[[Decision], bool]:
    """The function behind a pattern.

    Raises:
        UserError: The workflow has no part of that name, or several sorts of parts have it.
    """
    if callable(pattern):
        return pattern
    if pattern == "answer":
        return lambda one: one.by == "model" and one.kind == "answer"
    sort, colon, name = pattern.partition(":")
    by_sort: Mapping[str, frozenset[str]] = {
        "agent": names.agents,
        "tool": names.tools,
        "handoff": names.handoffs,
        "guardrail": names.guardrails,
        "function": names.functions,
        "question": names.questions,
        "answer": names.agents,
    }
    if colon and sort in by_sort:
        if name not in by_sort[sort]:
            raise unknown_part(name, "agent" if sort == "answer" else sort, by_sort[sort])
        return _of(sort, name, names)
    sorts = [one for one in _SORTS[:-1] if pattern in by_sort[one]]
    if not sorts:
        of_edges = [one for one in ("function", "question") if by_sort[one]]
        *kinds, last = "agent", "tool", "handoff", "guardrail", *of_edges
        every = names.every | names.questions
        raise unknown_part(pattern, f"{', '.join(kinds)} or {last}", every)
    if len(sorts) > 1:
        either = " or ".join(repr(f"{one}:{pattern}") for one in sorts)
        raise UserError(f"{pattern!r} names several parts of the workflow; write {either}.")
    return _of(sorts[0], pattern, names)


def unknown_part(name: str, sort: str, names: frozenset[str]) -> UserError:
    """The error about a name that no part of the workflow has.

    Args:
        name: The name.
        sort: What is sought.
        names: The names of the parts of that sort.
    """
    close = get_close_matches(name, names, n=1)
    hint = (
        f"Did you mean {close[0]!r}?" if close else f"It has {', '.join(sorted(names)) or 'none'}."
    )
    return UserError(f"The workflow has no {sort} named {name!r}. {hint}")


def _of(sort: str, name: str, names: PartNames) -> Callable[[Decision], bool]:
    match sort:
        case "agent":
            return lambda one: one.by == "model" and one.agent == name
        case "tool" if name in names.agent_tools:
            return lambda one: one.by == "model" and one.name == name and one.kind == "call"
        case "handoff":
            # A handoff that returns is a call to the model.
            return lambda one: (
                one.by == "model" and one.kind in ("handoff", "call") and one.name == name
            )
        case "answer":
            return lambda one: one.kind == "answer" and one.agent == name
        case "question":
            return lambda one: (one.by, one.kind, one.name) == ("person", "return", name)
        case _:
            return lambda one: one.by == sort and one.name == name
