"""Assertions about one route: what never comes, always holds, comes first, is reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from agentgraph.testing.patterns import Pattern, matcher
from agentgraph.testing.routes import Decision, Route

__all__ = [
    "assert_always",
    "assert_answers_within",
    "assert_at_most",
    "assert_never",
    "assert_precedes",
    "assert_reaches",
]


def assert_never(route: Route, pattern: Pattern, *, after: Pattern | None = None) -> None:
    """Assert that something does not come.

    Args:
        route: The route.
        pattern: What must not come, as `Pattern` says.
        after: Only counts what comes after this; everything counts if left out.

    Raises:
        AssertionError: It comes; the message shows the route.
        UserError: A pattern names a part that the workflow does not have.
    """
    unwanted, begins = matcher(pattern, route.names), _optional(after, route)
    counts = begins is None
    for place, one in enumerate(route.decisions, 1):
        if counts and unwanted(one):
            behind = "" if after is None else f" after {_word(after)}"
            _fail(route, f"{_word(pattern)} comes{behind}, as move {place}")
        counts = counts or (begins is not None and begins(one))


def assert_always(
    route: Route, condition: Callable[[Decision], object], *, when: Pattern | None = None
) -> None:
    """Assert that a condition holds of each decision.

    Args:
        route: The route.
        condition: Takes a decision; what it returns must be true.
        when: The decisions that it must hold of; all if left out.

    Raises:
        AssertionError: It does not hold of one; the message shows the route.
        UserError: The pattern names a part that the workflow does not have.
    """
    counts = _optional(when, route)
    for place, one in enumerate(route.decisions, 1):
        if (counts is None or counts(one)) and not condition(one):
            _fail(route, f"the condition does not hold of move {place}")


def assert_precedes(route: Route, first: Pattern, then: Pattern, *, each: bool = False) -> None:
    """Assert that something comes only after something else.

    Args:
        route: The route.
        first: What must come first.
        then: What must come only after it.
        each: Whether each `then` needs a `first` of its own, since the `then` before.

    Raises:
        AssertionError: It comes before; the message shows the route.
        UserError: A pattern names a part that the workflow does not have.
    """
    opens, needs = matcher(first, route.names), matcher(then, route.names)
    is_open = False
    for place, one in enumerate(route.decisions, 1):
        if needs(one):
            if not is_open:
                before = " of its own" if each else ""
                _fail(
                    route,
                    f"{_word(then)} comes as move {place}, without {_word(first)}{before} before",
                )
            is_open = not each
        is_open = is_open or opens(one)


def assert_reaches(route: Route, pattern: Pattern, *, after: Pattern | None = None) -> None:
    """Assert that something comes.

    A run that is cut at its bound, blocked or waiting has not ended by itself, so nothing is
    asserted of it.

    Args:
        route: The route.
        pattern: What must come.
        after: What it must come after, each time; a route without it passes.

    Raises:
        AssertionError: The run ended without it; the message shows the route.
        UserError: A pattern names a part that the workflow does not have.
    """
    wished, begins = matcher(pattern, route.names), _optional(after, route)
    is_due = begins is None
    for one in route.decisions:
        if wished(one):
            is_due = False
        elif begins is not None and begins(one):
            is_due = True
    is_reached = begins is None and any(wished(one) for one in route.decisions)
    if is_due and not is_reached and route.end in ("answered", "failed"):
        behind = "" if after is None else f" after {_word(after)}"
        _fail(route, f"the run ends without {_word(pattern)}{behind}")


def assert_at_most(route: Route, pattern: Pattern, count: int) -> None:
    """Assert that something comes at most so many times.

    Raises:
        AssertionError: It comes more often; the message shows the route.
        UserError: The pattern names a part that the workflow does not have.
    """
    counted = sum(map(matcher(pattern, route.names), route.decisions))
    if counted > count:
        _fail(route, f"{_word(pattern)} comes {counted} times, more than {count}")


def assert_answers_within(route: Route, calls: int) -> None:
    """Assert that the run answers after at most so many model calls.

    A run that a guardrail blocked or that waits for a person passes if it made no more calls.

    Raises:
        AssertionError: It made more calls, or failed; the message shows the route.
    """
    if len(route.agents) > calls:
        _fail(route, f"the run makes {len(route.agents)} model calls, more than {calls}")
    if route.end in ("failed", "cut"):
        _fail(route, f"the run is {route.end}, without an answer")


def _optional(pattern: Pattern | None, route: Route) -> Callable[[Decision], bool] | None:
    return None if pattern is None else matcher(pattern, route.names)


def _word(pattern: Pattern) -> str:
    return repr(pattern) if isinstance(pattern, str) else getattr(pattern, "__name__", "it")


def _fail(route: Route, fault: str) -> NoReturn:
    __tracebackhide__ = True
    raise AssertionError(f"{fault}:\n\n{route}")
