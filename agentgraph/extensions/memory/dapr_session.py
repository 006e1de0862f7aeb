"""A session in a Dapr state store, under the SDK's keys.

    {session id}:messages   a JSON list of JSON texts, one per item
    {session id}:metadata   session_id, created_at, updated_at

The first entry of the list may be our record of the saves of runs (`dapr_list`). Dapr has no lists,
so a write reads the list, changes it and saves it under the etag that it read. If another writer
was faster, it tries again. A value that cannot be read is never overwritten.
"""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeVar

from agentgraph.extensions.memory.client_session import ClientSession, Texts, in_its_loop
from agentgraph.extensions.memory.dapr_list import SessionList
from agentgraph.memory.encoding import check_session_id, check_ttl, decode_item, decode_items
from agentgraph.memory.errors import InvalidSessionInput, MissingExtra, SessionError
from agentgraph.memory.runs.saves import Block
from agentgraph.memory.session_settings import SessionSettings, own_session_settings

try:
    from dapr.aio.clients import DaprClient
    from dapr.clients.exceptions import DaprInternalError
    from dapr.clients.grpc._state import Concurrency, Consistency, StateOptions
    from grpc import RpcError, StatusCode
except ImportError as error:
    raise MissingExtra("DaprSession", "dapr") from error

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = [
    "DAPR_CONSISTENCY_EVENTUAL",
    "DAPR_CONSISTENCY_STRONG",
    "ConsistencyLevel",
    "DaprSession",
]

ConsistencyLevel = Literal["eventual", "strong"]
DAPR_CONSISTENCY_EVENTUAL: Final[ConsistencyLevel] = "eventual"
DAPR_CONSISTENCY_STRONG: Final[ConsistencyLevel] = "strong"

_ATTEMPTS = 60
"""The largest number of attempts of a write; of concurrent writers, one succeeds in each round."""

_LONGEST_PAUSE = 0.25
"""The longest pause between two attempts, in seconds."""

_T = TypeVar("_T")


class DaprSession(ClientSession):
    """A conversation in a state store of Dapr.

    Args:
        session_id: The name of the conversation.
        state_store_name: The name of the state store component.
        dapr_client: The client. The caller closes it.
        ttl: Seconds without a write after which the store deletes the conversation, if it can.
        consistency: The consistency of reads and writes: `eventual` or `strong`.
        session_settings: Defaults for reads, as settings or as a dict.

    Raises:
        InvalidSessionInput: The session id or the store's name is empty, or `ttl` is not a positive
            whole number.
    """

    _failures = (DaprInternalError, RpcError, OSError)

    def __init__(
        self,
        session_id: str,
        *,
        state_store_name: str,
        dapr_client: DaprClient,
        ttl: int | None = None,
        consistency: ConsistencyLevel = DAPR_CONSISTENCY_EVENTUAL,
        session_settings: SessionSettings | dict[str, Any] | None = None,
    ) -> None:
        self.session_id = check_session_id(session_id, type(self).__name__)
        self.session_settings = own_session_settings(session_settings)
        if not state_store_name.strip():
            raise InvalidSessionInput(f"{self._label} needs the name of a state store")
        if consistency not in (DAPR_CONSISTENCY_EVENTUAL, DAPR_CONSISTENCY_STRONG):
            raise InvalidSessionInput(
                f"{self._label}: consistency is 'eventual' or 'strong', got {consistency!r}"
            )
        check_ttl(ttl, self._label)
        self._store = state_store_name
        self._client = dapr_client
        self._ttl = ttl
        self._consistency = consistency
        self._messages_key = f"{session_id}:messages"
        self._metadata_key = f"{session_id}:metadata"
        # Without the lock, concurrent calls on one object would make each other try again.
        self._writing = asyncio.Lock()

    @classmethod
    def from_address(
        cls,
        session_id: str,
        *,
        state_store_name: str,
        dapr_address: str = "localhost:50001",
        session_settings: SessionSettings | dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Self:
        """Make a session with a client of its own, which `close` closes.

        Dapr's client waits here until the sidecar is healthy (`DAPR_HEALTH_TIMEOUT` seconds).

        Args:
            session_id: The name of the conversation.
            state_store_name: The name of the state store component.
            dapr_address: Host and port of the sidecar's gRPC interface.
            session_settings: Defaults for reads.
            kwargs: Arguments for the class.

        Raises:
            SessionError: The sidecar does not answer.
        """
        label = f"{cls.__name__} {session_id!r}"
        try:
            with in_its_loop(label):
                client = DaprClient(address=dapr_address)
        except (OSError, ValueError, DaprInternalError) as error:
            raise SessionError(
                f"{label}: no Dapr sidecar answers at {dapr_address} "
                f"({error}); start one with `dapr run`, and give its host:port"
            ) from error
        session = cls(
            session_id,
            state_store_name=state_store_name,
            dapr_client=client,
            session_settings=session_settings,
            **kwargs,
        )
        session._owns_client = True
        return session

    async def _latest(self, count: int | None) -> tuple[Texts, bool]:
        with self._errors():
            entries, _ = await self._read()
        return SessionList.read(entries).texts, True

    async def _add(self, texts: list[str], block: Block | None) -> None:
        # First: if this fails, nothing may have been stored.
        await self._record_times()
        if block is not None:
            await self._change(lambda stored: stored.save(texts, block))
            return
        # A client-side retry of our write can report a conflict with its own first attempt.
        write = secrets.token_hex(8)
        await self._change(lambda stored: stored.append(texts, write))
        await self._change(_without_writes)

    async def _adopt(self, items: list[TResponseInputItem], own: Block) -> Block | None:
        def adopt(stored: SessionList) -> Block | None:
            if decode_items(stored.texts[-len(items) :]) != items:
                return None
            return stored.adopt(len(items), own)

        return await self._change(adopt)

    async def _release(self, block: Block) -> None:
        def release(stored: SessionList) -> None:
            if stored.runs.get(block.run_id, (0, "", ""))[2] == block.owner:
                stored.set_owner(block.run_id, "")

        await self._change(release)

    async def _remove(self, place: int, text: str | bytes) -> bool:
        return await self._change(lambda stored: stored.remove(place, text))

    async def _clear(self) -> None:
        with self._errors():
            async with self._writing:
                for key in (self._messages_key, self._metadata_key):
                    await self._client.delete_state(
                        store_name=self._store, key=key, options=self._options(None)
                    )

    async def _ping(self) -> object:
        return await self._client.get_state(store_name=self._store, key="__ping__") is not None

    async def _close_client(self) -> None:
        close: Callable[[], Awaitable[None]] = self._client.close
        await close()

    async def _change(self, change: Callable[[SessionList], _T]) -> _T:
        """Apply `change` to the list, save it if it is another one now, and return the result."""
        with self._errors():
            async with self._writing:
                for attempt in range(_ATTEMPTS):
                    entries, etag = await self._read()
                    stored = SessionList.read(entries)
                    result = change(stored)
                    new = stored.stored()
                    if new == entries or await self._save(
                        self._messages_key, json.dumps(new), etag
                    ):
                        return result
                    pause = min(_LONGEST_PAUSE, 0.005 * 2**attempt)
                    await asyncio.sleep(random.uniform(0, pause))
        raise SessionError(
            f"{self._label} in the state store {self._store!r}: other writers were faster "
            f"{_ATTEMPTS} times in a row; nothing was stored"
        )

    async def _state(self, key: str) -> Any:
        return await self._client.get_state(
            store_name=self._store,
            key=key,
            state_metadata={"consistency": self._consistency},
        )

    async def _read(self) -> tuple[list[Any], str]:
        state = await self._state(self._messages_key)
        if not state.data:
            return [], state.etag
        try:
            stored: object = json.loads(state.data)
        except ValueError:
            stored = None
        if not isinstance(stored, list):
            raise SessionError(
                f"{self._label} in the state store {self._store!r}: {self._messages_key!r} holds "
                "no list of items, so it is damaged or belongs to another program; nothing was "
                "changed; clear_session() removes it"
            )
        return stored, state.etag

    async def _save(self, key: str, value: str, etag: str) -> bool:
        """Write a value unless another writer has written since `etag`; return whether it did."""
        try:
            await self._client.save_state(
                store_name=self._store,
                key=key,
                value=value,
                etag=etag,
                options=self._options(Concurrency.first_write),
                state_metadata={} if self._ttl is None else {"ttlInSeconds": str(self._ttl)},
            )
        except (DaprInternalError, RpcError) as error:
            if _is_conflict(error):
                return False
            raise
        return True

    async def _record_times(self) -> None:
        """Store when the session was made and changed; on a conflict the other's times stand."""
        with self._errors():
            state = await self._state(self._metadata_key)
            now = str(int(time.time()))
            stored: Mapping[str, Any] = decode_item(state.data) or {}
            times = {
                "session_id": self.session_id,
                "created_at": stored.get("created_at", now),
                "updated_at": now,
            }
            await self._save(self._metadata_key, json.dumps(times), state.etag)

    def _options(self, concurrency: Concurrency | None) -> StateOptions:
        strong = self._consistency == DAPR_CONSISTENCY_STRONG
        return StateOptions(
            consistency=Consistency.strong if strong else Consistency.eventual,
            concurrency=concurrency or Concurrency.unspecified,
        )

    def _failure(self, error: Exception) -> str:
        return (
            f" in the state store {self._store!r}: Dapr did not confirm "
            f"({_reason(error)}); check the sidecar and the component; "
            "a write was done completely or not at all"
        )


def _without_writes(stored: SessionList) -> None:
    """Forget the names of writes, so that a list without runs has no record."""
    if not stored.runs:
        stored.writes.clear()


def _reason(error: BaseException) -> str:
    """Return the message of an error without the long details of gRPC's own text."""
    details = getattr(error, "details", None)
    return str(details()) if callable(details) else str(error)


def _is_conflict(error: BaseException) -> bool:
    cause = error if isinstance(error, RpcError) else error.__cause__
    code = getattr(cause, "code", None)
    return (callable(code) and code() == StatusCode.ABORTED) or "etag mismatch" in str(error)
