"""A session that OpenAI's Conversations API keeps.

The API takes 20 items per request. A longer list is still stored as a whole or not at all: if a
later request fails, the session deletes the items of the earlier ones. A request whose answer is
lost is not repeated, although the client would: it may have succeeded, and a turn stored twice is
worse than an error.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, cast

from agentgraph.memory.encoding import check_session_id, encode_items
from agentgraph.memory.errors import InvalidSessionInput, MissingExtra, SessionError
from agentgraph.memory.runs.prior_attempt import is_stored_form
from agentgraph.memory.runs.shielded import shielded
from agentgraph.memory.session import SessionABC
from agentgraph.memory.session_settings import (
    SessionSettings,
    own_session_settings,
    resolve_session_limit,
)
from agentgraph.memory.transcripts.automaton import without_id
from agentgraph.models.fake_id import has_placeholder_id
from agentgraph.openai_defaults import openai_defaults

try:
    from openai import APIConnectionError, APIStatusError, AsyncOpenAI, NotFoundError, OpenAIError
except ImportError as error:
    raise MissingExtra("OpenAIConversationsSession", "openai") from error

if TYPE_CHECKING:
    from openai.types.conversations import ConversationItem

    from agentgraph.items import TResponseInputItem

__all__ = ["OpenAIConversationsSession", "start_openai_conversations_session"]

_ITEMS_PER_REQUEST = 20
_ITEMS_PER_PAGE = 100

_FIRST_PAUSE = 0.5
"""Seconds before a request that certainly failed is repeated; each further pause is doubled."""

_LONGEST_PAUSE = 60
"""The longest pause, in seconds, that the API may ask for."""

_NOT_SENT = ("ConnectError", "ConnectTimeout", "PoolTimeout")
"""The exceptions of the client's transport that mean that nothing was sent."""


async def start_openai_conversations_session(openai_client: AsyncOpenAI | None = None) -> str:
    """Create an empty conversation and return its id.

    Args:
        openai_client: The client; by default that of the process, or one from the environment.

    Raises:
        openai.OpenAIError: The API refused, or the environment has no key.
    """
    client = openai_client or default_client()
    conversation = await client.conversations.create(items=[])
    return conversation.id


class OpenAIConversationsSession(SessionABC):
    """A conversation at OpenAI.

    Args:
        conversation_id: An existing conversation; by default a new one, created on first use.
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
            limit: The maximum number of items; None takes the session's own limit, or all items if
                it has none.

        Raises:
            SessionError: The API cannot be read.
        """
        limit = resolve_session_limit(limit, self.session_settings)
        if limit == 0:
            return []
        with self._errors():
            conversation = await self._conversation()
            if limit is None:
                pages = self._openai().conversations.items.list(
                    conversation, order="asc", limit=_ITEMS_PER_PAGE
                )
                return [_as_input(item) async for item in pages]
            newest_first: list[TResponseInputItem] = []
            pages = self._openai().conversations.items.list(
                conversation, order="desc", limit=min(limit, _ITEMS_PER_PAGE)
            )
            async for item in pages:
                newest_first.append(_as_input(item))
                if len(newest_first) == limit:
                    break
        return newest_first[::-1]

    async def add_items(self, items: list[TResponseInputItem]) -> None:
        """Append items, all or none.

        Data that only other providers understand is not sent, since the API refuses it: their
        reasoning, their notes on items, and placeholder ids.

        Raises:
            InvalidSessionInput: A member of `items` is not an item; nothing was stored.
            SessionError: The API did not store them.
        """
        encode_items(items, self._label, ensure_ascii=False)
        items = _for_the_api(items)
        if not items:
            return
        with self._errors():
            conversation = await self._conversation()
            adding = self._add(conversation, items)
            # The API performs a single request as a whole.
            await (shielded(adding) if len(items) > _ITEMS_PER_REQUEST else adding)

    async def pop_item(self) -> TResponseInputItem | None:
        """Remove and return the latest item; None if the conversation is empty."""
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
                # If it is not found, another caller has popped it since the read.
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
        # A call that stores items from now on needs a new conversation.
        conversation, self._conversation_id = self._conversation_id, None
        try:
            with self._errors(conversation), suppress(NotFoundError):
                await self._openai().conversations.delete(conversation)
        except BaseException:
            self._keep(conversation)
            raise

    def _keep(self, conversation: str) -> None:
        """Use a conversation that could not be deleted again, unless there is a new one already."""
        if self._conversation_id is None:
            self._conversation_id = conversation

    @property
    def _label(self) -> str:
        return f"{type(self).__name__} {self._conversation_id or '(not created yet)'!r}"

    def _openai(self) -> AsyncOpenAI:
        if self._client is None:
            self._client = default_client()
        return self._client

    async def _conversation(self) -> str:
        async with self._creating:
            if self._conversation_id is None:
                self._conversation_id = await start_openai_conversations_session(self._openai())
            return self._conversation_id

    async def _add(self, conversation: str, items: list[TResponseInputItem]) -> None:
        stored_ids: list[str] = []
        try:
            for start in range(0, len(items), _ITEMS_PER_REQUEST):
                sent = items[start : start + _ITEMS_PER_REQUEST]
                stored_ids.extend(await self._send(conversation, sent))
        except BaseException:
            # Also at the end of the program: no half turn may stay behind.
            if len(items) > _ITEMS_PER_REQUEST:
                await asyncio.shield(self._take_back(conversation, stored_ids, sent))
            raise

    async def _send(self, conversation: str, items: list[TResponseInputItem]) -> list[str]:
        """Store the items of one request, once, and return their ids."""
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
        self, conversation: str, stored_ids: list[str], sent: list[TResponseInputItem]
    ) -> None:
        """Delete the stored items, and those of the last request if only its answer was lost."""
        api = self._openai().conversations.items
        page = await api.list(conversation, order="desc", limit=len(sent))
        latest = (
            [] if stored_ids and stored_ids[-1] in [it.id for it in page.data] else page.data[::-1]
        )
        # The API may have replaced the ids.
        if is_stored_form(
            [_as_input(item) for item in latest], [without_id(item) for item in sent]
        ):
            stored_ids = [*stored_ids, *(item.id for item in latest if item.id is not None)]
        for item_id in reversed(stored_ids):
            with suppress(NotFoundError):
                await api.delete(item_id, conversation_id=conversation)

    @contextmanager
    def _errors(self, conversation: str | None = None) -> Iterator[None]:
        label = self._label if conversation is None else f"{type(self).__name__} {conversation!r}"
        try:
            yield
        except OpenAIError as error:
            raise SessionError(
                f"{label}: the Conversations API failed ({error}); "
                "check the key, the conversation's id and the connection"
            ) from error
        except (AttributeError, TypeError, ValueError) as error:
            # The client does not validate answers: it takes any JSON for the expected object.
            raise SessionError(
                f"{label}: the server at {_place(self._openai())} is not the Conversations API; "
                "check the base_url of the client and any proxy in between"
            ) from error


def _for_the_api(items: list[TResponseInputItem]) -> list[TResponseInputItem]:
    """Remove data that the API does not understand."""
    cleaned: list[Any] = []
    for item in items:
        fields = {name: value for name, value in item.items() if name != "provider_data"}
        if has_placeholder_id(fields):
            del fields["id"]
        foreign = "provider_data" in item or not ("id" in fields or "encrypted_content" in fields)
        if not (fields.get("type") == "reasoning" and foreign):
            cleaned.append(fields)
    return cleaned


def _was_not_done(error: APIStatusError | APIConnectionError) -> bool:
    """Whether a request may be repeated: it was not sent, or the API was too busy for it."""
    if isinstance(error, APIStatusError):
        return error.status_code in (429, 503)
    return type(error.__cause__).__name__ in _NOT_SENT


def _pause(error: APIStatusError | APIConnectionError, attempt: int) -> float:
    """Return the seconds to wait: as long as the API asks for, if that is reasonable."""
    retry_after = (
        error.response.headers.get("retry-after", "") if isinstance(error, APIStatusError) else ""
    )
    if retry_after.isdecimal() and int(retry_after) <= _LONGEST_PAUSE:
        return int(retry_after)
    return float(_FIRST_PAUSE * 2**attempt)


def _place(client: AsyncOpenAI) -> str:
    """Name the server of a client, without parts of the address that may be secret."""
    return f"{client.base_url.scheme}://{client.base_url.host}"


def default_client() -> AsyncOpenAI:
    return openai_defaults.client or AsyncOpenAI(api_key=openai_defaults.key)


def _as_input(item: ConversationItem) -> TResponseInputItem:
    return cast("TResponseInputItem", item.model_dump(exclude_unset=True))
