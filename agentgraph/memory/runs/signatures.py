"""Sessions whose methods have other parameters than the protocol: no `limit`, or a `wrapper`.

The protocol needs no base class, so programs have sessions like these. A run uses each as one that
has the usual parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any

from agentgraph.memory.runs.blocks import keeps_blocks
from agentgraph.memory.session import Session
from agentgraph.user_code.arity import accepts
from agentgraph.user_code.callbacks import resolve

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = ["takes", "usual"]

_METHODS = ("get_items", "add_items", "pop_item", "clear_session")
_BY_KEYWORD = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


def usual(session: Session, context: object) -> Session:
    """Return a session that has the parameters of the protocol.

    Args:
        session: The session of a run.
        context: The context of the run. The methods of the session receive it as `wrapper` if all
            four have a parameter of this name, as in the published SDK.

    Returns:
        The session itself if its methods have the usual parameters.
    """
    if keeps_blocks(session):
        return session  # a store of this package; reading signatures takes time
    with_context = all(takes(getattr(session, name), "wrapper") for name in _METHODS)
    if not with_context and accepts(session.get_items, 1):
        return session
    return _Adapted(session, {"wrapper": context} if with_context else {})


def takes(method: Callable[..., object], name: str) -> bool:
    """Whether a method has a parameter that can be passed by this name."""
    try:
        parameter = signature(method).parameters.get(name)
    except (TypeError, ValueError):  # a builtin without a signature
        return False
    return parameter is not None and parameter.kind in _BY_KEYWORD


class _Adapted:
    """A session with the usual parameters, around one with others.

    Args:
        session: The other session.
        more: What its methods receive besides.
    """

    def __init__(self, session: Session, more: dict[str, object]) -> None:
        self._session: Any = session
        self._more = more
        self.session_id = getattr(session, "session_id", type(session).__name__)
        self.session_settings = getattr(session, "session_settings", None)

    async def get_items(self, limit: int | None = None) -> list[TResponseInputItem]:
        read = self._session.get_items
        if limit is not None and takes(read, "limit"):
            return list(await resolve(read(limit=limit, **self._more)) or ())
        items = list(await resolve(read(**self._more)) or ())
        return items if limit is None else items[max(0, len(items) - limit) :]

    async def add_items(self, items: list[TResponseInputItem]) -> None:
        await resolve(self._session.add_items(items, **self._more))

    async def pop_item(self) -> TResponseInputItem | None:
        item: TResponseInputItem | None = await resolve(self._session.pop_item(**self._more))
        return item

    async def clear_session(self) -> None:
        await resolve(self._session.clear_session(**self._more))
