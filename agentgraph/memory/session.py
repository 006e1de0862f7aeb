"""What a session store is: the protocol the runner speaks, and a base class for own stores.

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
"""Tells whether an item is one that is looked for."""


@runtime_checkable
class Session(Protocol):
    """Anything the runner can keep a conversation in; no base class is needed.

    Attributes:
        session_id: The name under which the conversation is stored.
        session_settings: What holds for reads that do not say otherwise.
    """

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
    """The base class of the stores of this package, and a convenient one for own stores.

    Attributes:
        session_id: The name under which the conversation is stored.
        session_settings: What holds for reads that do not say otherwise.
    """

    session_id: str
    session_settings: SessionSettings | None = None

    @abstractmethod
    async def get_items(self, limit: int | None = None) -> list[TResponseInputItem]:
        """Return the latest items of the session, oldest first.

        Args:
            limit: How many items at most; None takes the default of `session_settings`, and without
                one every item. 0 gives an empty list.
        """

    @abstractmethod
    async def add_items(self, items: list[TResponseInputItem]) -> None:
        """Append items to the session in one transaction.

        Args:
            items: Input items as dicts, in the order in which they happened. An empty list changes
                nothing.
        """

    @abstractmethod
    async def pop_item(self) -> TResponseInputItem | None:
        """Remove the latest item and return it; None when the session is empty."""

    @abstractmethod
    async def clear_session(self) -> None:
        """Remove every item of this session; other sessions of the same store stay."""


class OpenAIResponsesCompactionArgs(TypedDict, total=False):
    """How one compaction of a session is to be done.

    Attributes:
        response_id: The response after which to compact.
        compaction_mode: What the API is given: the id of a response, the stored items, or whichever
            of the two fits.
        store: Whether that response was stored by the API.
        force: Compact even if the session's own rule would not do so yet.
    """

    response_id: str
    compaction_mode: Literal["previous_response_id", "input", "auto"]
    store: bool
    force: bool


@runtime_checkable
class OpenAIResponsesCompactionAwareSession(Session, Protocol):
    """A session that can replace its history by a shorter one that the Responses API made of it."""

    async def run_compaction(self, args: OpenAIResponsesCompactionArgs | None = None) -> None:
        """Compact the stored history if it is time to, or if `args` demands it."""
        ...


def is_openai_responses_compaction_aware_session(
    session: Session | None,
) -> TypeGuard[OpenAIResponsesCompactionAwareSession]:
    """Tell whether a session offers `run_compaction`."""
    return session is not None and callable(getattr(session, "run_compaction", None))


def offers(session: Session, method: str, instead_of: Sequence[str]) -> bool:
    """Tell whether a session has a method that may be called in place of others.

    Not where a subclass of the store that has it, or the object, replaces one of those others: then
    it does something of its own there. The class is asked, because a session that wraps another
    passes on whatever it does not know.

    Args:
        session: The session.
        method: The method, which no session needs to have.
        instead_of: What every session has.
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
