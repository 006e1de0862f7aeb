"""`route(...).cases({...})`: a route in two calls, so that type checkers compare the keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Literal

from typing_extensions import TypedDict, TypeVar

from agentgraph.workflow.keys import Interval

__all__ = ["Cases", "Route", "TKey"]

TKey = TypeVar("TKey", default=Any)
"""The type of the value that decides."""


class Cases(TypedDict):
    """The cases of a route, as `Route.cases` hands them on."""

    cases: Mapping[Any, Any]
    default: object
    give: Mapping[Any, object]
    carry: object
    at_most: Mapping[Any, object]
    exhausted: object


class Route(Generic[TKey]):
    """A route that has no cases yet; `cases` adds them.

    `Workflow.route` makes it if it is called without cases. A route that stays without cases is an
    error (AG239).
    """

    __slots__ = ("_complete",)

    def __init__(self, complete: Callable[..., None]) -> None:
        self._complete = complete

    def cases(
        self,
        cases: Mapping[TKey | Interval | type[Any], object],
        *,
        default: object = None,
        give: Mapping[Any, Any | Sequence[Any]] | None = None,
        carry: Literal["conversation"] | None = None,
        at_most: Mapping[TKey | Interval | type[Any], int] | None = None,
        exhausted: object = None,
    ) -> None:
        """Choose the step that comes next. The arguments are those of `Workflow.route`.

        Raises:
            AgentDefinitionError: What it is called with cannot be a route, or the route has cases.
            UserError: The workflow has run.
        """
        self._complete(
            cases=cases,
            default=default,
            give=give or {},
            carry=carry,
            at_most=at_most or {},
            exhausted=exhausted,
        )
