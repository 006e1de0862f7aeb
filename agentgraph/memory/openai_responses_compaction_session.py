"""A session that lets the Responses API shorten its history when it has grown long.

After a turn is saved, the stored items are replaced by those that `responses.compact` returns. If
the API or the store fails, the earlier history stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, cast

from agentgraph.logger import logger
from agentgraph.memory.openai_conversations_session import (
    OpenAIConversationsSession,
    default_client,
)
from agentgraph.memory.runs.shielded import shielded
from agentgraph.memory.session import (
    OpenAIResponsesCompactionArgs,
    OpenAIResponsesCompactionAwareSession,
    Session,
    SessionABC,
)
from agentgraph.memory.transcripts.automaton import without_id
from agentgraph.models.gate.counts import usage_of

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from pydantic import BaseModel

    from agentgraph.items import TResponseInputItem
    from agentgraph.memory.session_settings import SessionSettings
    from agentgraph.run_context import RunContextWrapper

__all__ = [
    "DEFAULT_COMPACTION_THRESHOLD",
    "OpenAIResponsesCompactionMode",
    "OpenAIResponsesCompactionSession",
    "default_should_trigger_compaction",
    "is_openai_model_name",
    "select_compaction_candidate_items",
]

DEFAULT_COMPACTION_THRESHOLD: Final = 10
"""How many candidates start a compaction by default."""

OpenAIResponsesCompactionMode: TypeAlias = Literal["previous_response_id", "input", "auto"]

_ALL: Final = 2_147_483_647
_FILE_SOURCES: Final = ("file_data", "file_url", "file_id")
_IMAGE_SOURCES: Final = ("image_url", "file_id")


def select_compaction_candidate_items(items: list[TResponseInputItem]) -> list[TResponseInputItem]:
    """Return the items that a compaction would shorten.

    Args:
        items: The items of a session.

    Returns:
        All but the messages of users and the results of earlier compactions.
    """
    return [item for item in items if not _is_of_user(item) and item.get("type") != "compaction"]


def default_should_trigger_compaction(context: dict[str, Any]) -> bool:
    """Whether there are `DEFAULT_COMPACTION_THRESHOLD` candidates or more.

    Args:
        context: What `OpenAIResponsesCompactionSession` says of its `should_trigger_compaction`.
    """
    return len(context["compaction_candidate_items"]) >= DEFAULT_COMPACTION_THRESHOLD


def is_openai_model_name(model: str) -> bool:
    """Whether a name is that of a model of OpenAI: `gpt-…`, `o3`, or one tuned from these.

    Args:
        model: The name, perhaps with a provider in front (`openai/gpt-5`).
    """
    root = model.strip().rpartition("/")[2].removeprefix("ft:")
    return root.startswith("gpt-") or (root.startswith("o") and root[1:2].isdigit())


class OpenAIResponsesCompactionSession(SessionABC, OpenAIResponsesCompactionAwareSession):
    """A session around another one, whose history it compacts.

    Attributes:
        session_id: The name of the session.
        underlying_session: The session that stores the items.
        model: The model that compacts.
        compaction_mode: What the API gets: the id of the last response, the stored items, or, with
            `"auto"`, the id if the response was stored there.
        should_trigger_compaction: Decides on a dictionary with `response_id`, `compaction_mode`,
            `compaction_candidate_items` and `session_items`.
        max_rollback_items: The most items that a history to be replaced may have.
    """

    def __init__(
        self,
        session_id: str,
        underlying_session: Session,
        *,
        client: AsyncOpenAI | None = None,
        model: str = "gpt-4.1",
        compaction_mode: OpenAIResponsesCompactionMode = "auto",
        should_trigger_compaction: Callable[[dict[str, Any]], bool] | None = None,
        max_rollback_items: int | None = None,
    ) -> None:
        """Make the session.

        Args:
            session_id: The name of the session.
            underlying_session: The session that stores the items.
            client: The client; by default that of the process, or one from the environment.
            model: The model that compacts; one of OpenAI.
            compaction_mode: What the API gets.
            should_trigger_compaction: Decides; by default `default_should_trigger_compaction`.
            max_rollback_items: The most items that a history to be replaced may have; `None` means
                no limit. A longer one stays, with a `ValueError`.

        Raises:
            ValueError: The conversation is kept by the Conversations API, the model is not one of
                OpenAI, or `max_rollback_items` is not positive.
        """
        if isinstance(underlying_session, OpenAIConversationsSession):
            raise ValueError(
                "OpenAIResponsesCompactionSession cannot wrap OpenAIConversationsSession: the "
                "server manages that history itself."
            )
        if not is_openai_model_name(model):
            raise ValueError(f"Responses compaction needs a model of OpenAI, not {model!r}.")
        if max_rollback_items is not None and max_rollback_items <= 0:
            raise ValueError("max_rollback_items must be positive or None.")
        self.session_id = session_id
        self.underlying_session = underlying_session
        self.model = model
        self.compaction_mode: OpenAIResponsesCompactionMode = compaction_mode
        self.should_trigger_compaction = (
            should_trigger_compaction or default_should_trigger_compaction
        )
        self.max_rollback_items = max_rollback_items
        self._client = client
        self._response_id: str | None = None
        self._unstored_response_id: str | None = None
        self._deferred_response_id: str | None = None
        # A write waits for a compaction, which would else replace what it has not read.
        self._changing = asyncio.Lock()

    @property
    def session_settings(self) -> SessionSettings | None:  # type: ignore[override]
        """The settings of the session around which this one stands."""
        return getattr(self.underlying_session, "session_settings", None)

    @property
    def client(self) -> AsyncOpenAI:
        """The client for compactions."""
        if self._client is None:
            self._client = default_client()
        return self._client

    async def get_items(self, limit: int | None = None) -> list[TResponseInputItem]:
        """Return the latest items of the underlying session, oldest first."""
        return await self.underlying_session.get_items(limit)

    async def add_items(self, items: list[TResponseInputItem]) -> None:
        """Append items to the underlying session."""
        async with self._changing:
            await self.underlying_session.add_items(items)

    async def pop_item(self) -> TResponseInputItem | None:
        """Remove and return the latest item of the underlying session."""
        async with self._changing:
            item = await self.underlying_session.pop_item()
            if item:
                self._forget()
            return item

    async def clear_session(self) -> None:
        """Remove all items of the underlying session."""
        async with self._changing:
            await self.underlying_session.clear_session()
            self._forget()

    async def run_compaction(
        self,
        args: OpenAIResponsesCompactionArgs | None = None,
        *,
        wrapper: RunContextWrapper[Any] | None = None,
    ) -> None:
        """Replace the stored history by a shorter one if `should_trigger_compaction` says so.

        Args:
            args: The options.
            wrapper: The context of a run, in which the usage of the compaction counts.

        Raises:
            ValueError: The mode needs the id of a response and there is none, the history is
                longer than `max_rollback_items`, or an image or file of the result has no source.
            openai.OpenAIError: The API refused.
            SessionError: The underlying session cannot be read or written.
        """
        async with self._changing:
            await self._compact(args or {}, wrapper)

    async def _compact(
        self, args: OpenAIResponsesCompactionArgs, wrapper: RunContextWrapper[Any] | None
    ) -> None:
        self._response_id = args.get("response_id") or self._response_id
        store = args.get("store")
        if store is False:
            self._unstored_response_id = self._response_id
        elif store is True and self._response_id == self._unstored_response_id:
            self._unstored_response_id = None
        mode = self._mode(args.get("compaction_mode"), self._response_id, store)
        if mode == "previous_response_id" and not self._response_id:
            raise ValueError("run_compaction needs a response_id in mode previous_response_id.")
        before = await self._all_items()
        if not args.get("force") and not self._is_due(before, mode, self._response_id):
            return
        request: dict[str, Any] = {"input": before}
        if mode == "previous_response_id":
            request = {"previous_response_id": self._response_id}
        compacted = await self.client.responses.compact(model=cast("Any", self.model), **request)
        if wrapper is not None and compacted.usage is not None:
            wrapper.usage.add(usage_of(compacted.usage))
        after = _without_orphaned_ids([_input_form(item) for item in compacted.output or []])
        await shielded(self._replace(before, after))
        self._deferred_response_id = None
        logger.debug("The history of session %r was compacted", self.session_id)

    async def _replace(
        self, before: list[TResponseInputItem], after: list[TResponseInputItem]
    ) -> None:
        store = self.underlying_session
        try:
            await store.clear_session()
            await store.add_items(after)
        except Exception:
            # Half of a replacement would lose the conversation.
            if await store.get_items(_ALL) != before:
                await store.clear_session()
                await store.add_items(before)
                logger.warning(
                    "The compaction of session %r failed; its history is as before",
                    self.session_id,
                )
            raise

    async def _all_items(self) -> list[TResponseInputItem]:
        most = self.max_rollback_items
        items = await self.underlying_session.get_items(_ALL if most is None else most + 1)
        if most is not None and len(items) > most:
            raise ValueError("The history has more than max_rollback_items items and stays.")
        return items

    def _is_due(self, items: list[TResponseInputItem], mode: str, response_id: str | None) -> bool:
        return self.should_trigger_compaction(
            {
                "response_id": response_id,
                "compaction_mode": mode,
                "compaction_candidate_items": select_compaction_candidate_items(items),
                "session_items": list(items),
            }
        )

    def _mode(
        self,
        mode: OpenAIResponsesCompactionMode | None,
        response_id: str | None,
        store: bool | None,
    ) -> OpenAIResponsesCompactionMode:
        mode = mode or self.compaction_mode
        if mode != "auto":
            return mode
        unstored = store is None and response_id == self._unstored_response_id
        if store is False or not response_id or unstored:
            return "input"
        return "previous_response_id"

    async def _defer_compaction(self, response_id: str, store: bool | None = None) -> None:
        """Note that a compaction is due once the outputs of tools have reached the model."""
        async with self._changing:
            if self._deferred_response_id is None:
                mode = self._mode(None, response_id, store)
                items = await self.underlying_session.get_items(_ALL)
                if self._is_due(items, mode, response_id):
                    self._deferred_response_id = response_id

    def _get_deferred_compaction_response_id(self) -> str | None:
        return self._deferred_response_id

    def _clear_deferred_compaction(self) -> None:
        self._deferred_response_id = None

    def _forget(self) -> None:
        self._response_id = self._unstored_response_id = self._deferred_response_id = None


def _is_of_user(item: Mapping[str, Any]) -> bool:
    return item.get("role") == "user" and item.get("type", "message") == "message"


def _input_form(item: dict[str, Any] | BaseModel) -> TResponseInputItem:
    """An item of the result in the form in which a model accepts it as input."""
    # The result may have the parts of users' messages inside messages of the output type.
    form = item if isinstance(item, dict) else item.model_dump(exclude_unset=True, warnings=False)
    if _is_of_user(form):
        content = form.get("content")
        if isinstance(content, list):
            form = {**form, "content": [_part(part) for part in content]}
    return cast("TResponseInputItem", form)


def _part(part: Any) -> Any:
    match part:
        case {"type": "input_image"}:
            return _with_one_source(part, _IMAGE_SOURCES, ("detail",))
        case {"type": "input_file"}:
            return _with_one_source(part, _FILE_SOURCES, ("filename", "detail"))
    return part


def _with_one_source(
    part: Mapping[str, Any], sources: Sequence[str], more: Sequence[str]
) -> dict[str, Any]:
    """A part with the first of its sources, since the API refuses empty ones."""
    source = next((name for name in sources if _is_text(part.get(name))), None)
    if source is None:
        raise ValueError(f"An {part['type']} of the compaction has no {' or '.join(sources)}.")
    kept = ("type", source, *(name for name in more if _is_text(part.get(name))))
    return {name: part[name] for name in kept}


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _without_orphaned_ids(items: list[TResponseInputItem]) -> list[TResponseInputItem]:
    """Items without the ids of answers whose reasoning is gone, which the API would refuse."""
    if any(item.get("type") == "reasoning" for item in items):
        return items
    return [without_id(item) if item.get("role") == "assistant" else item for item in items]
