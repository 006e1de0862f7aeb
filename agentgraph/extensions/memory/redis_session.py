"""A session in Redis: a list of items and a hash about the session, under the SDK's keys.

    {prefix}:{session id}            hash: session_id, created_at, updated_at
    {prefix}:{session id}:messages   list: one JSON text per item

Each write is one MULTI/EXEC, so its items are stored together or not at all. A write without an
answer is not repeated: Redis may have done it, and to store a turn twice is worse than an error.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self, cast

from agentgraph.extensions.memory.client_session import ClientSession
from agentgraph.memory.encoding import (
    check_session_id,
    check_ttl,
    decode_item,
    decode_items,
    encode_items,
)
from agentgraph.memory.errors import InvalidSessionInput, MissingExtra, SessionError
from agentgraph.memory.loops import in_its_loop
from agentgraph.memory.runs.blocks import Block, ConcurrentWrite
from agentgraph.memory.runs.marks import WRITE_LENGTH, MarkedTexts, marked_texts, next_write
from agentgraph.memory.session import Accept
from agentgraph.memory.session_settings import (
    SessionSettings,
    own_session_settings,
    resolve_session_limit,
)

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

_CONCURRENT = -1
"""The script's answer if texts with the run's mark come from a write that the run did not make."""

# If no other run wrote, the list ends with the run's items, so the script looks only at its end.
# Otherwise it pushes the items again before it removes the old ones: a list that is empty for a
# moment would lose its time to live. Of equal texts LREM removes the first.
_APPEND = f"""
local key, mark, write, count = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
local known = {{}}
for index = 4, count + 3 do known[ARGV[index]] = true end
local function is_mine(text)
  return text and string.sub(text, -#mark - {WRITE_LENGTH}, -{WRITE_LENGTH} - 1) == mark
end
local function is_written(text)
  return text and string.sub(text, -#mark - #write) == mark .. write
end
local function is_unknown(text) return not known[string.sub(text, -{WRITE_LENGTH})] end
local last = redis.call('LINDEX', key, -1)
if is_written(last) then
  return 0
elseif count == 0 then
  -- the first write of the run: it has no items in the list yet
elseif is_mine(last) then
  if is_unknown(last) then return {_CONCURRENT} end
else
  local mine = {{}}
  for _, text in ipairs(redis.call('LRANGE', key, 0, -1)) do
    if is_written(text) then return 0 end
    if is_mine(text) then
      if is_unknown(text) then return {_CONCURRENT} end
      mine[#mine + 1] = text
    end
  end
  for _, text in ipairs(mine) do
    redis.call('RPUSH', key, text)
    redis.call('LREM', key, 1, text)
  end
end
for index = count + 4, #ARGV do redis.call('RPUSH', key, ARGV[index]) end
return 0
"""
"""Append texts to those with a run's mark, wherever they are, unless this write was done before."""


class RedisSession(ClientSession):
    """A conversation in Redis.

    Args:
        session_id: The name of the conversation.
        redis_client: The client. The caller closes it. A client that retries by itself can store a
            turn twice if a connection breaks and another process writes before the retry; the
            client that `from_url` makes does not retry.
        key_prefix: The beginning of the keys.
        ttl: Seconds without a write after which Redis deletes the conversation; None for never.
        session_settings: Defaults for reads, as settings or as a dict.

    Raises:
        InvalidSessionInput: The session id is empty, or `ttl` is not a positive whole number.
    """

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

    async def get_items(self, limit: int | None = None) -> list[TResponseInputItem]:
        """Return the latest items, oldest first, without damaged texts.

        Args:
            limit: The largest number of items; None means the session's own limit, or all items if
                it has none.

        Raises:
            SessionError: Redis cannot be read.
        """
        limit = resolve_session_limit(limit, self.session_settings)
        if limit == 0:
            self._check_open()
            return []
        with self._errors():
            count = limit
            while True:
                start = 0 if count is None else -count
                texts = await _done(self._redis.lrange(self._messages_key, start, -1))
                items = decode_items(texts)
                if limit is None:
                    return items
                # Damaged texts do not count: read further back until there are enough items.
                if count is None or len(items) >= limit or len(texts) < count:
                    return items[-limit:]
                count *= 4

    async def add_items(self, items: list[TResponseInputItem]) -> None:
        """Append items in one transaction.

        Raises:
            InvalidSessionInput: An element of `items` is not an item; nothing was stored.
            SessionError: Redis did not confirm the write; all items were stored or none.
        """
        self._check_open()
        if encode_items(items, self._label):
            await self.append_to_block(items)

    async def append_to_block(
        self, items: list[TResponseInputItem], block: Block = None
    ) -> MarkedTexts:
        """Append items to a run's block; first move the block to the end if others wrote after it.

        A script does this, because writers that watch a key would have to try again.

        Args:
            items: Input items as dicts.
            block: The block, as the latest call returned it; None begins one.

        Returns:
            The block with the items.

        Raises:
            ConcurrentWrite: Another run has continued the block; nothing was stored.
            InvalidSessionInput: An element of `items` is not an item; nothing was stored.
            SessionError: Redis did not confirm the write; all items were stored or none.
        """
        after = next_write(block)
        texts = [text + after.mark for text in encode_items(items, self._label)]
        *earlier, write = after.writes
        marks = (after.run, write, str(len(earlier)), *earlier)
        answer = await self._store("EVAL", _APPEND, "1", self._messages_key, *marks, *texts)
        if answer == _CONCURRENT:
            raise ConcurrentWrite
        return after

    async def adopt_block(self, items: list[TResponseInputItem]) -> MarkedTexts | None:
        """Return the latest items as a block if they equal `items` and are of one run, else None.

        Raises:
            SessionError: Redis cannot be read.
        """
        with self._errors():
            stored = await _done(self._redis.lrange(self._messages_key, -len(items), -1))
        texts = [text.decode() if isinstance(text, bytes) else text for text in stored]
        return marked_texts(texts) if decode_items(texts) == items else None

    async def _store(self, *command: str) -> Any:
        """Carry out a command that stores items, in one transaction with the session's hash and
        times to live; return its answer."""
        now = str(int(time.time()))
        with self._errors():
            await self._check_keys()
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.execute_command(*command)
                pipe.hset(self._session_key, "session_id", self.session_id)
                pipe.hsetnx(self._session_key, "created_at", now)
                pipe.hset(self._session_key, "updated_at", now)
                if self._ttl is not None:
                    pipe.expire(self._session_key, self._ttl)
                    pipe.expire(self._messages_key, self._ttl)
                answer, *_ = await pipe.execute()
        return answer

    async def pop_item(self) -> TResponseInputItem | None:
        """Remove the latest item and damaged texts after it; return the item, or None."""
        with self._errors():
            while True:
                text = await _done(self._redis.rpop(self._messages_key))
                if text is None:
                    return None
                item = decode_item(text)
                if item is not None:
                    return item

    async def pop_latest(self, accept: Accept) -> TResponseInputItem | None:
        """Remove and return the latest item that `accept` accepts; None if there is none.

        Args:
            accept: Decides whether to remove an item.
        """
        count = 1
        with self._errors():
            while True:
                texts = await _done(self._redis.lrange(self._messages_key, -count, -1))
                for text in reversed(texts):
                    item = decode_item(text)
                    if item is not None and accept(item):
                        # Another process may have removed it since it was read.
                        if await _done(self._redis.lrem(self._messages_key, -1, text)):
                            return item
                        break
                else:
                    if len(texts) < count:
                        return None
                    count *= 4

    async def clear_session(self) -> None:
        """Remove the session and its items."""
        with self._errors():
            await self._check_keys()
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.delete(self._session_key)
                pipe.delete(self._messages_key)
                await pipe.execute()

    async def ping(self) -> bool:
        """Return whether Redis answers."""
        try:
            return bool(await _done(self._redis.ping()))
        except (RedisError, OSError):
            return False

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

    @contextmanager
    def _errors(self) -> Iterator[None]:
        self._check_open()
        try:
            with in_its_loop(self._label):
                yield
        except RedisClusterException as error:
            raise SessionError(
                f"{self._label}: the Redis cluster refused the command ({error}); the keys of a "
                "session must be in one slot: give a key_prefix in braces, such as '{agents}'"
            ) from error
        except (RedisError, OSError) as error:
            raise SessionError(
                f"{self._label} at {_place(self._redis)}: Redis did not confirm ({error}); "
                "check that it can be reached; a write was done completely or not at all"
            ) from error


async def _done(reply: object) -> Any:
    """Await a reply. By the client's types it might also be a plain value; it never is."""
    return await cast("Awaitable[Any]", reply)


def _place(client: Redis | RedisCluster) -> str:
    pool = getattr(client, "connection_pool", None)
    arguments = getattr(pool, "connection_kwargs", {})
    if "path" in arguments:
        return str(arguments["path"])
    return f"{arguments.get('host', 'Redis')}:{arguments.get('port', '')}".rstrip(":")
