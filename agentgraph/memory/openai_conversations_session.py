"""A session that OpenAI's Conversations API keeps.

The API takes 20 items per request. A list of more is still stored as a whole or not at all: when a
later request fails, what the earlier ones stored is deleted again. A request whose answer is lost
is not sent again, though the client would: it may have been done, and a turn stored twice is worse
than an error.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, cast

from agentgraph.memory.encoding import check_session_id, encode_items
from agentgraph.memory.errors import InvalidSessionInput, MissingExtra, SessionError
from agentgraph.memory.runs.prior_attempt import says
from agentgraph.memory.runs.shielded import shielded
from agentgraph.memory.session import SessionABC
from agentgraph.memory.session_settings import (
    SessionSettings,
    own_session_settings,
    resolve_session_limit,
)
from agentgraph.models.fake_id import PLACEHOLDER_IDS
from agentgraph.openai_defaults import openai_defaults

try:
    from openai import APIConnectionError, APIStatusError, AsyncOpenAI, NotFoundError, OpenAIError
except ImportError as error:
    raise MissingExtra("OpenAIConversationsSession", "openai") from error

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = ["OpenAIConversationsSession", "start_openai_conversations_session"]

_ITEMS_PER_REQUEST = 20
_ITEMS_PER_PAGE = 100

_FIRST_PAUSE = 0.5
"""Seconds before a request that was certainly not done is sent again; then twice as long."""

_LONGEST_PAUSE = 60
"""Seconds that the API may ask for."""

_NOT_SENT = ("ConnectError", "ConnectTimeout", "PoolTimeout")
"""What the client's transport raises where no connection was there to send anything by."""


async def start_openai_conversations_session(openai_client: AsyncOpenAI | None = None) -> str:
    """Create an empty conversation and return its id.

    Args:
        openai_client: The client; by default that of the process, or one from the environment.

    Raises:
        openai.OpenAIError: The API refused, or the environment holds no key.
    """
    client = openai_client or _default_client()
    conversation = await client.conversations.create(items=[])
    return conversation.id


class OpenAIConversationsSession(SessionABC):
    """A conversation at OpenAI.

    Args:
        conversation_id: An existing conversation; by default one is created on first use.
        openai_client: The client; by default that of the process, or one from the environment.
        session_settings: Defaults for reads, as settings or as a dict.

    Raises:
        InvalidSessionInput: The conversation id is empty.
    """

    def __init__(
        self,
        *,
        conversation_id: str | None = None,
        openai_client: AsyncOpenAI | None = None,
        session_settings: SessionSettings | dict[str, Any] | None = None,
    ) -> None:
        if conversation_id is not None:
            check_session_id(conversation_id, type(self).__name__)
        self._conversation_id = conversation_id
        self._client = openai_client
        self._creating = asyncio.Lock()
        self.session_settings = own_session_settings(session_settings)

    @property
    def session_id(self) -> str:
        """The id of the conversation.

        Raises:
            InvalidSessionInput: The conversation does not exist yet.
        """
        if self._conversation_id is None:
            raise InvalidSessionInput(
                "OpenAIConversationsSession has no id yet: the conversation is created by the "
                "first call that reads or stores; give conversation_id to use an existing one"
            )
        return self._conversation_id

    @session_id.setter
    def session_id(self, value: str) -> None:
        self._conversation_id = check_session_id(value, type(self).__name__)

    async def get_items(self, limit: int | None = None) -> list[TResponseInputItem]:
        """Return the latest items, oldest first.

        Args:
            limit: How many at most; None takes the session's own limit, and without one every item.

        Raises:
            SessionError: The API cannot be read.
        """
        limit = resolve_session_limit(limit, self.session_settings)
        if limit == 0:
            return []
        with self._errors():
            conversation = await self._conversation()
            if limit is None:
                listed = self._openai().conversations.items.list(
                    conversation, order="asc", limit=_ITEMS_PER_PAGE
                )
                return [_as_input(item) async for item in listed]
            newest_first: list[TResponseInputItem] = []
            listed = self._openai().conversations.items.list(
                conversation, order="desc", limit=min(limit, _ITEMS_PER_PAGE)
            )
            async for item in listed:
                newest_first.append(_as_input(item))
                if len(newest_first) == limit:
                    break
        return newest_first[::-1]

    async def add_items(self, items: list[TResponseInputItem]) -> None:
        """Append items, all or none.

        What only other providers know is not sent, since the API refuses it: their reasoning, their
        notes on items, and ids that stand where they gave none.

        Raises:
            InvalidSessionInput: Something in `items` is no item; nothing was stored.
            SessionError: The API did not store them.
        """
        encode_items(items, self._label, ensure_ascii=False)
        items = _known_to_the_api(items)
        if not items:
            return
        with self._errors():
            conversation = await self._conversation()
            adding = self._add(conversation, items)
            # One request is done as a whole by the API.
            await (shielded(adding) if len(items) > _ITEMS_PER_REQUEST else adding)

    async def pop_item(self) -> TResponseInputItem | None:
        """Remove and return the latest item; None when there is none."""
        with self._errors():
            conversation = await self._conversation()
            client = self._openai().with_options(max_retries=0)
            while True:
                latest = await self._openai().conversations.items.list(
                    conversation, order="desc", limit=1
                )
                if not latest.data:
                    return None
                (item,) = latest.data
                # Where it is not found, somebody else has popped it since it was read.
                with suppress(NotFoundError):
                    if item.id is not None:
                        await client.conversations.items.delete(
                            item.id, conversation_id=conversation
                        )
                    return _as_input(item)

    async def clear_session(self) -> None:
        """Delete the conversation, if there is one; the next call creates a new one."""
        if self._conversation_id is None:
            return
        # Who stores something from now on needs another one.
        conversation, self._conversation_id = self._conversation_id, None
        try:
            with self._errors(conversation), suppress(NotFoundError):
                await self._openai().conversations.delete(conversation)
        except BaseException:
            self._keep(conversation)
            raise

    def _keep(self, conversation: str) -> None:
        """Go on with a conversation that could not be deleted, if there is no other one yet."""
        if self._conversation_id is None:
            self._conversation_id = conversation

    @property
    def _label(self) -> str:
        return f"{type(self).__name__} {self._conversation_id or '(not created yet)'!r}"

    def _openai(self) -> AsyncOpenAI:
        if self._client is None:
            self._client = _default_client()
        return self._client

    async def _conversation(self) -> str:
        async with self._creating:
            if self._conversation_id is None:
                self._conversation_id = await start_openai_conversations_session(self._openai())
            return self._conversation_id

    async def _add(self, conversation: str, items: list[TResponseInputItem]) -> None:
        stored: list[str] = []
        try:
            for start in range(0, len(items), _ITEMS_PER_REQUEST):
                sent = items[start : start + _ITEMS_PER_REQUEST]
                stored.extend(await self._send(conversation, sent))
        except BaseException:
            # Also at the end of the program: half a turn must not stay behind.
            if len(items) > _ITEMS_PER_REQUEST:
                await asyncio.shield(self._take_back(conversation, stored, sent))
            raise

    async def _send(self, conversation: str, items: list[TResponseInputItem]) -> list[str]:
        """Store what fits one request, once, and return the ids."""
        client = self._openai().with_options(max_retries=0)
        for attempt in range(self._openai().max_retries + 1):
            try:
                added = await client.conversations.items.create(conversation, items=items)
                return [item.id for item in added.data if item.id is not None]
            except (APIStatusError, APIConnectionError) as error:
                if not _was_not_done(error) or attempt == self._openai().max_retries:
                    raise
                pause = _pause(error, attempt)
            await asyncio.sleep(pause)
        raise AssertionError("an attempt returns or raises")

    async def _take_back(
        self, conversation: str, stored: list[str], sent: list[TResponseInputItem]
    ) -> None:
        """Delete what was stored, and what was sent last if it was stored and only the answer is
        lost."""
        api = self._openai().conversations.items
        listed = await api.list(conversation, order="desc", limit=len(sent))
        latest = [] if stored and stored[-1] in [it.id for it in listed.data] else listed.data[::-1]
        if says([_as_input(item) for item in latest], [_without_id(item) for item in sent]):
            stored = [*stored, *(item.id for item in latest if item.id is not None)]
        for item_id in reversed(stored):
            with suppress(NotFoundError):
                await api.delete(item_id, conversation_id=conversation)

    @contextmanager
    def _errors(self, conversation: str | None = None) -> Iterator[None]:
        label = self._label if conversation is None else f"{type(self).__name__} {conversation!r}"
        try:
            yield
        except OpenAIError as error:
            raise SessionError(
                f"{label}: the Conversations API did not do it ({error}); "
                "check the key, the conversation's id and the connection"
            ) from error
        except (AttributeError, TypeError, ValueError) as error:
            # The client hands on what it gets, and takes any JSON for what it asked for.
            raise SessionError(
                f"{label}: what answers at {_place(self._openai())} is not the Conversations API; "
                "check the base_url of the client and what is between"
            ) from error


def _known_to_the_api(items: list[TResponseInputItem]) -> list[TResponseInputItem]:
    """Leave out what has no meaning to the API."""
    known: list[Any] = []
    for item in items:
        fields = {name: value for name, value in item.items() if name != "provider_data"}
        if fields.get("id") in PLACEHOLDER_IDS:
            del fields["id"]
        foreign = "provider_data" in item or not ("id" in fields or "encrypted_content" in fields)
        if not (fields.get("type") == "reasoning" and foreign):
            known.append(fields)
    return known


def _without_id(item: TResponseInputItem) -> dict[str, Any]:
    """Return what the API keeps of an item; it may give it an id of its own."""
    return {name: value for name, value in item.items() if name != "id"}


def _was_not_done(error: APIStatusError | APIConnectionError) -> bool:
    """Whether a request may be sent again: it was not sent, or the API had no room for it."""
    if isinstance(error, APIStatusError):
        return error.status_code in (429, 503)
    return type(error.__cause__).__name__ in _NOT_SENT


def _pause(error: APIStatusError | APIConnectionError, attempt: int) -> float:
    """Return how many seconds to wait: as many as the API asks for, if that is reasonable."""
    asked = (
        error.response.headers.get("retry-after", "") if isinstance(error, APIStatusError) else ""
    )
    if asked.isdecimal() and int(asked) <= _LONGEST_PAUSE:
        return int(asked)
    return float(_FIRST_PAUSE * 2**attempt)


def _place(client: AsyncOpenAI) -> str:
    """Say where a client connects to, without what may be a secret."""
    return f"{client.base_url.scheme}://{client.base_url.host}"


def _default_client() -> AsyncOpenAI:
    return openai_defaults.client or AsyncOpenAI(api_key=openai_defaults.key)


def _as_input(item: Any) -> TResponseInputItem:
    return cast("TResponseInputItem", item.model_dump(exclude_unset=True))
