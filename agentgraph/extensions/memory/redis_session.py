"""A session in Redis: a list of items and a hash about the session, under the SDK's keys.

    {prefix}:{session id}            hash: session_id, created_at, updated_at
    {prefix}:{session id}:messages   list: one JSON text per item

Two keys of our own record the saves of runs:

    {prefix}:{session id}:runs       hash: the latest save of each run
    {prefix}:{session id}:rows       string: whose each text of the list is (`redis_scripts`)

Each write is one MULTI/EXEC, so its items are stored together or not at all.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Self, cast

from agentgraph.extensions.memory.client_session import ClientSession, Texts
from agentgraph.extensions.memory.redis_scripts import (
    APPEND,
    CLAIM,
    CONCURRENT,
    REMOVE,
    SAVE,
    SET_OWNER,
    WIDTH,
    record_of,
)
from agentgraph.memory.encoding import check_session_id, check_ttl, decode_items
from agentgraph.memory.errors import InvalidSessionInput, MissingExtra, SessionError
from agentgraph.memory.runs.saves import Block, ConcurrentWrite, adopted
from agentgraph.memory.session_settings import SessionSettings, own_session_settings

try:
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.exceptions import RedisClusterException, RedisError
except ImportError as error:
    raise MissingExtra("RedisSession", "redis") from error

if TYPE_CHECKING:
    from redis.asyncio import RedisCluster

    from agentgraph.items import TResponseInputItem

__all__ = ["RedisSession"]


class RedisSession(ClientSession):
    """A conversation in Redis.

    Args:
        session_id: The name of the conversation.
        redis_client: The client. The caller closes it. A client that retries by itself can store
            what `add_items` gets twice if a connection breaks and another process writes before the
            retry; the client that `from_url` makes does not retry. A save of a run is stored once.
        key_prefix: The beginning of the keys.
        ttl: Seconds without a write after which Redis deletes the conversation; None for never.
        session_settings: Defaults for reads, as settings or as a dict.

    Raises:
        InvalidSessionInput: The session id is empty, or `ttl` is not a positive whole number.
    """

    _failures = (RedisClusterException, RedisError, OSError)

    def __init__(
        self,
        session_id: str,
        *,
        redis_client: Redis | RedisCluster,
        key_prefix: str = "agents:session",
        ttl: int | None = None,
        session_settings: SessionSettings | dict[str, Any] | None = None,
    ) -> None:
        self.session_id = check_session_id(session_id, type(self).__name__)
        self.session_settings = own_session_settings(session_settings)
        check_ttl(ttl, self._label)
        self._redis = redis_client
        self._ttl = ttl
        self._session_key = f"{key_prefix}:{session_id}"
        self._messages_key = f"{self._session_key}:messages"
        self._rows_key = f"{self._session_key}:rows"
        self._runs_key = f"{self._session_key}:runs"
        self._list_keys = (self._messages_key, self._rows_key, self._runs_key)
        self._keys_checked = False

    @classmethod
    def from_url(
        cls,
        session_id: str,
        *,
        url: str,
        redis_kwargs: dict[str, Any] | None = None,
        session_settings: SessionSettings | dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Self:
        """Make a session with a client of its own, which `close` closes.

        Args:
            session_id: The name of the conversation.
            url: A URL such as `redis://localhost:6379/0`.
            redis_kwargs: Arguments for `redis.asyncio.from_url`.
            session_settings: Defaults for reads.
            kwargs: Arguments for the class.

        Raises:
            InvalidSessionInput: The URL is not one of Redis, or the client does not have an
                argument.
        """
        arguments: dict[str, Any] = {"retry": Retry(NoBackoff(), 0), **(redis_kwargs or {})}
        try:
            client = Redis.from_url(url, **arguments)
            # Making a connection checks the arguments. This one is never opened.
            make_connection: Callable[[], object] = client.connection_pool.make_connection
            make_connection()
        except (ValueError, TypeError) as error:
            # The error about an invalid URL may quote a part of the password.
            reason = f" ({error})" if isinstance(error, TypeError) else ""
            raise InvalidSessionInput(
                f"{cls.__name__} {session_id!r}: this is no URL of Redis, or an option of it or of "
                f"redis_kwargs is wrong{reason}; write redis://host:6379/0 or "
                "redis://name:password@host:6379/0, or rediss:// for TLS, with : / @ # and % in "
                "name and password percent-encoded (urllib.parse.quote_plus)"
            ) from None
        session = cls(session_id, redis_client=client, session_settings=session_settings, **kwargs)
        session._owns_client = True
        return session

    async def _latest(self, count: int | None) -> tuple[Texts, bool]:
        with self._errors():
            texts = await _done(self._redis.lrange(self._messages_key, -(count or 0), -1))
        return texts, count is None or len(texts) < count

    async def _add(self, texts: list[str], block: Block | None) -> None:
        # A time that no other write has, by which a write that is sent again is known.
        now = f"{int(time.time())}.{secrets.randbelow(10**12):012}"
        if block is None:
            keys = (self._messages_key, self._session_key)
            await self._store(now, "EVAL", APPEND, "2", *keys, now, *texts)
            return
        key = (block.run_id, str(block.position), block.write_of(texts), block.owner)
        answer = await self._store(now, "EVAL", SAVE, "3", *self._list_keys, *key, *texts)
        if answer == CONCURRENT:
            raise ConcurrentWrite

    async def _adopt(self, items: list[TResponseInputItem], own: Block) -> Block | None:
        while True:
            with self._errors():
                async with self._redis.pipeline(transaction=True) as pipe:
                    pipe.lrange(self._messages_key, -len(items), -1)
                    pipe.llen(self._messages_key)
                    pipe.getrange(self._rows_key, 0, -1)
                    pipe.hgetall(self._runs_key)
                    texts, length, rows, runs = await pipe.execute()
            if decode_items(texts) != items:
                return None
            first = (length - len(texts)) * WIDTH
            records = _text(rows)[first : length * WIDTH]
            saves = []
            for run, saved in runs.items():
                count, _, owner = _text(saved).split(" ")
                its_rows = [record_of(run, text) for text in texts]
                saves.append((_text(run), int(count) - 1, owner, its_rows))
            each = [records[at : at + WIDTH] for at in range(0, len(texts) * WIDTH, WIDTH)]
            block = adopted(saves, each, own)
            if block is not None:
                await self._set_owner(block.run_id, "*", own.owner)
                return block
            claim = (*self._list_keys, own.run_id, own.owner, records, *texts)
            with self._errors():
                # If the end of the list has changed since, look again.
                if await _done(self._redis.eval(CLAIM, 3, *claim)):
                    return own.saved()

    async def _release(self, block: Block) -> None:
        await self._set_owner(block.run_id, block.owner, "")

    async def _set_owner(self, run_id: str, before: str, owner: str) -> None:
        with self._errors():
            await _done(self._redis.eval(SET_OWNER, 1, self._runs_key, run_id, before, owner))

    async def _store(self, now: str, *command: str) -> Any:
        """Carry out a command that stores items, in one transaction with the session's hash and
        times to live; return its answer."""
        with self._errors():
            await self._check_keys()
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.execute_command(*command)
                pipe.hset(self._session_key, "session_id", self.session_id)
                pipe.hsetnx(self._session_key, "created_at", now.partition(".")[0])
                pipe.hset(self._session_key, "updated_at", now)
                if self._ttl is not None:
                    for key in (self._session_key, *self._list_keys):
                        pipe.expire(key, self._ttl)
                answer, *_ = await pipe.execute()
        return answer

    async def _remove(self, place: int, text: str | bytes) -> bool:
        keys = (self._messages_key, self._rows_key)
        with self._errors():
            return bool(await _done(self._redis.eval(REMOVE, 2, *keys, str(-place), text)))

    async def _clear(self) -> None:
        with self._errors():
            await self._check_keys()
            async with self._redis.pipeline(transaction=True) as pipe:
                for key in (self._session_key, *self._list_keys):
                    pipe.delete(key)
                await pipe.execute()

    async def _ping(self) -> object:
        return await _done(self._redis.ping())

    async def _close_client(self) -> None:
        await self._redis.aclose()

    async def _check_keys(self) -> None:
        """Refuse keys of another program before a command that accepts any type changes them."""
        if self._keys_checked:
            return
        for key, expected in ((self._messages_key, "list"), (self._session_key, "hash")):
            answer = await _done(self._redis.type(key))
            kind = answer.decode() if isinstance(answer, bytes) else answer
            if kind not in ("none", expected):
                raise SessionError(
                    f"{self._label}: the key {key!r} of Redis holds a {kind} of another program; "
                    "choose another session id or key_prefix; nothing was changed"
                )
        self._keys_checked = True

    def _failure(self, error: Exception) -> str:
        if isinstance(error, RedisClusterException):
            return (
                f": the Redis cluster refused the command ({error}); the keys of a session must be "
                "in one slot: give a key_prefix in braces, such as '{agents}'"
            )
        return (
            f" at {_place(self._redis)}: Redis did not confirm ({error}); "
            "check that it can be reached; a write was done completely or not at all"
        )


async def _done(reply: object) -> Any:
    """Await a reply. By the client's types it might also be a plain value; it never is."""
    return await cast("Awaitable[Any]", reply)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _place(client: Redis | RedisCluster) -> str:
    pool = getattr(client, "connection_pool", None)
    arguments = getattr(pool, "connection_kwargs", {})
    if "path" in arguments:
        return str(arguments["path"])
    return f"{arguments.get('host', 'Redis')}:{arguments.get('port', '')}".rstrip(":")
