"""The protocol of session stores that the runner uses, and a base class for stores.

A session is an ordered list of input items (dicts) under one id. The rule for every store: one call
of `add_items` is one transaction, so its items are stored together and in order, or not at all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, TypeGuard, runtime_checkable

from typing_extensions import TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentgraph.items import TResponseInputItem
    from agentgraph.memory.session_settings import SessionSettings

__all__ = [
    "Accept",
    "OpenAIResponsesCompactionArgs",
    "OpenAIResponsesCompactionAwareSession",
    "Session",
    "SessionABC",
    "any_item",
    "is_openai_responses_compaction_aware_session",
    "offers",
]

Accept: TypeAlias = "Callable[[TResponseInputItem], bool]"
"""Tells whether an item matches."""


@runtime_checkable
class Session(Protocol):
    """A store in which the runner can keep a conversation; no base class is needed.

    Attributes:
        session_id: The name under which the conversation is stored.
        session_settings: The defaults for reads.
    """

    if TYPE_CHECKING:
        # The runner only reads them, so that a store may declare them in narrower types.
        @property
        def session_id(self) -> str: ...
        @property
        def session_settings(self) -> SessionSettings | None: ...
    else:
        session_id: str
        session_settings: SessionSettings | None = None

    async def get_items(self, limit: int | None = None) -> list[TResponseInputItem]:
        """Return the latest `limit` items, oldest first; all of them when `limit` is None."""
        ...

    async def add_items(self, items: list[TResponseInputItem]) -> None:
        """Append `items` in order, all or none."""
        ...

    async def pop_item(self) -> TResponseInputItem | None:
        """Remove and return the latest item, or return None when there is none."""
        ...

    async def clear_session(self) -> None:
        """Remove every item of this session."""
        ...


class SessionABC(ABC):
    """The base class of this package's stores, which other stores may use as well.

    Attributes:
        session_id: The name under which the conversation is stored.
        session_settings: The defaults for reads.
    """

    session_id: str
    session_settings: SessionSettings | None = None

    @abstractmethod
    async def get_items(self, limit: int | None = None) -> list[TResponseInputItem]:
        """Return the latest items of the session, oldest first.

        Args:
            limit: The maximum number of items. None takes the limit of `session_settings`, or all
                items if that has none. 0 returns an empty list.
        """

    @abstractmethod
    async def add_items(self, items: list[TResponseInputItem]) -> None:
        """Append items to the session in one transaction.

        Args:
            items: Input items as dicts, oldest first. An empty list changes nothing.
        """

    @abstractmethod
    async def pop_item(self) -> TResponseInputItem | None:
        """Remove and return the latest item; None if the session is empty."""

    @abstractmethod
    async def clear_session(self) -> None:
        """Remove every item of this session; other sessions of the same store stay."""


class OpenAIResponsesCompactionArgs(TypedDict, total=False):
    """The options of one compaction of a session.

    Attributes:
        response_id: The response after which to compact.
        compaction_mode: What the API gets: the id of a response, the stored items, or whichever of
            the two fits.
        store: Whether that response was stored by the API.
        force: Whether to compact even if the session's own rule would wait.
    """

    response_id: str
    compaction_mode: Literal["previous_response_id", "input", "auto"]
    store: bool
    force: bool


@runtime_checkable
class OpenAIResponsesCompactionAwareSession(Session, Protocol):
    """A session that can replace its history by a shorter one that the Responses API made of it."""

    async def run_compaction(self, args: OpenAIResponsesCompactionArgs | None = None) -> None:
        """Compact the stored history if the session's rule or `args` asks for it."""
        ...


def is_openai_responses_compaction_aware_session(
    session: Session | None,
) -> TypeGuard[OpenAIResponsesCompactionAwareSession]:
    """Tell whether a session offers `run_compaction`."""
    return session is not None and callable(getattr(session, "run_compaction", None))


def offers(session: Session, method: str, instead_of: Sequence[str]) -> bool:
    """Tell whether a session has a method that may be called in place of others.

    It may not if a subclass of the store, or the object itself, overrides one of those others: then
    the override must run. Only classes are searched, because a session that wraps another forwards
    every attribute that it does not define.

    Args:
        session: The session.
        method: The method, which no session needs to have.
        instead_of: Methods that every session has.
    """
    if getattr(session, "__dict__", {}).keys() & set(instead_of):
        return False
    for cls in type(session).__mro__:
        if method in vars(cls):
            return True
        if any(name in vars(cls) for name in instead_of):
            return False
    return False


def any_item(_item: TResponseInputItem) -> bool:
    """Accept every item."""
    return True
