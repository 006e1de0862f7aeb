"""A session in Redis: a list of items and a hash about the session, under the SDK's keys.

    {prefix}:{session id}            hash: session_id, created_at, updated_at
    {prefix}:{session id}:messages   list: one JSON text per item

Each write is one MULTI/EXEC, so its items are stored together or not at all. A write whose answer
is lost is not sent again: it may have been done, and a turn stored twice is worse than an error.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self, cast

from agentgraph.memory.encoding import (
    check_session_id,
    check_ttl,
    decode_item,
    decode_items,
    encode_items,
)
from agentgraph.memory.errors import (
    InvalidSessionInput,
    MissingExtra,
    SessionClosedError,
    SessionError,
)
from agentgraph.memory.loops import in_its_loop
from agentgraph.memory.runs.blocks import Block, ConcurrentWrite
from agentgraph.memory.runs.marks import WRITE_LENGTH, MarkedTexts, marked_texts, next_write
from agentgraph.memory.session import Accept, SessionABC
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

_TAKEN = -1
"""The answer of the script where texts have the mark that are of a write the run did not make."""

# The items of a run that is alone end the list, so only its end is looked at. Otherwise they are
# pushed again before the old ones go: a list that was empty for a moment would lose its time to
# live. Of equal texts LREM takes the first.
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
  -- nothing can be anywhere else yet
elseif is_mine(last) then
  if is_unknown(last) then return {_TAKEN} end
else
  local mine = {{}}
  for _, text in ipairs(redis.call('LRANGE', key, 0, -1)) do
    if is_written(text) then return 0 end
    if is_mine(text) then
      if is_unknown(text) then return {_TAKEN} end
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
"""Append texts to those of a mark, wherever those are, unless this write was done already."""


class RedisSession(SessionABC):
    """A conversation in Redis.

    Args:
        session_id: The name of the conversation.
        redis_client: The client, which stays the caller's to close. One that retries by itself can
            store a turn twice when a connection breaks and somebody else writes before it does;
            `from_url` makes one that does not.
        key_prefix: What the keys begin with.
        ttl: After how many seconds without a write Redis forgets the conversation; None: never.
        session_settings: Defaults for reads, as settings or as a dict.

    Raises:
        InvalidSessionInput: The session id is empty, or `ttl` is no positive whole number.
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
        self._owns_client = False
        self._closed = False
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
            url: Such as `redis://localhost:6379/0`.
            redis_kwargs: Arguments for `redis.asyncio.from_url`.
            session_settings: Defaults for reads.
            kwargs: Arguments for the class.

        Raises:
            InvalidSessionInput: The URL is none of Redis, or an argument is none of its client.
        """
        arguments: dict[str, Any] = {"retry": Retry(NoBackoff(), 0), **(redis_kwargs or {})}
        try:
            client = Redis.from_url(url, **arguments)
            # Arguments are looked at when a connection is made; this one is never opened.
            make_connection: Callable[[], object] = client.connection_pool.make_connection
            make_connection()
        except (ValueError, TypeError) as error:
            # What is said of a URL that is not understood may quote a piece of the password.
            said = f" ({error})" if isinstance(error, TypeError) else ""
            raise InvalidSessionInput(
                f"{cls.__name__} {session_id!r}: this is no URL of Redis, or an option of it or of "
                f"redis_kwargs is wrong{said}; write redis://host:6379/0 or "
                "redis://name:password@host:6379/0, or rediss:// for TLS, with : / @ # and % in "
                "name and password percent-encoded (urllib.parse.quote_plus)"
            ) from None
        session = cls(session_id, redis_client=client, session_settings=session_settings, **kwargs)
        session._owns_client = True
        return session

    async def get_items(self, limit: int | None = None) -> list[TResponseInputItem]:
        """Return the latest items, oldest first; texts that are damaged are left out.

        Args:
            limit: How many at most; None takes the session's own limit, and without one every item.

        Raises:
            SessionError: Redis cannot be read.
        """
        limit = resolve_session_limit(limit, self.session_settings)
        if limit == 0:
            self._check_open()
            return []
        with self._errors():
            wanted = limit
            while True:
                start = 0 if wanted is None else -wanted
                texts = await _done(self._redis.lrange(self._messages_key, start, -1))
                items = decode_items(texts)
                if limit is None:
                    return items
                # Damaged texts must not take the places of items: look further back.
                if wanted is None or len(items) >= limit or len(texts) < wanted:
                    return items[-limit:]
                wanted *= 4

    async def add_items(self, items: list[TResponseInputItem]) -> None:
        """Append items in one transaction.

        Raises:
            InvalidSessionInput: Something in `items` is no item; nothing was stored.
            SessionError: Redis did not confirm; all or none of it was stored.
        """
        self._check_open()
        if encode_items(items, self._label):
            await self.append_to_block(items)

    async def append_to_block(
        self, items: list[TResponseInputItem], block: Block = None
    ) -> MarkedTexts:
        """Append items to the block of a run, and the block to the end if others wrote after it.

        That is a script and not a watched key, so that nobody has to try again.

        Args:
            items: Input items as dicts.
            block: What a method for blocks returned before; None begins a block.

        Returns:
            The block with the items.

        Raises:
            ConcurrentWrite: Another run has gone on with the block; nothing was stored.
            InvalidSessionInput: Something in `items` is no item; nothing was stored.
            SessionError: Redis did not confirm; all or none of it was stored.
        """
        after = next_write(block)
        texts = [text + after.mark for text in encode_items(items, self._label)]
        *known, write = after.writes
        marks = (after.run, write, str(len(known)), *known)
        if await self._store("EVAL", _APPEND, "1", self._messages_key, *marks, *texts) == _TAKEN:
            raise ConcurrentWrite
        return after

    async def adopt_block(self, items: list[TResponseInputItem]) -> MarkedTexts | None:
        """Return the latest items as a block if they are these and one run stored them, else None.

        Raises:
            SessionError: Redis cannot be read.
        """
        with self._errors():
            stored = await _done(self._redis.lrange(self._messages_key, -len(items), -1))
        texts = [text.decode() if isinstance(text, bytes) else text for text in stored]
        return marked_texts(texts) if decode_items(texts) == items else None

    async def _store(self, *command: str) -> Any:
        """Carry out a command that stores items, in one transaction with what is known of them;
        return its answer."""
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
        """Remove and return the latest item, and damaged texts after it; None without one."""
        with self._errors():
            while True:
                text = await _done(self._redis.rpop(self._messages_key))
                if text is None:
                    return None
                item = decode_item(text)
                if item is not None:
                    return item

    async def pop_latest(self, accept: Accept) -> TResponseInputItem | None:
        """Remove and return the latest item that is accepted; None, and nothing done, without one.

        Args:
            accept: Tells which item is meant.
        """
        wanted = 1
        with self._errors():
            while True:
                texts = await _done(self._redis.lrange(self._messages_key, -wanted, -1))
                for text in reversed(texts):
                    item = decode_item(text)
                    if item is not None and accept(item):
                        # Somebody else may have taken it away since it was read.
                        if await _done(self._redis.lrem(self._messages_key, -1, text)):
                            return item
                        break
                else:
                    if len(texts) < wanted:
                        return None
                    wanted *= 4

    async def clear_session(self) -> None:
        """Remove the session and its items."""
        with self._errors():
            await self._check_keys()
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.delete(self._session_key)
                pipe.delete(self._messages_key)
                await pipe.execute()

    async def ping(self) -> bool:
        """Tell whether Redis answers."""
        try:
            return bool(await _done(self._redis.ping()))
        except (RedisError, OSError):
            return False

    async def close(self) -> None:
        """Close the client, if the session made it; closing again does nothing."""
        if not self._closed:
            self._closed = True
            if self._owns_client:
                with in_its_loop(self._label):
                    await self._redis.aclose()

    @property
    def _label(self) -> str:
        return f"{type(self).__name__} {self.session_id!r}"

    async def _check_keys(self) -> None:
        """Refuse keys that something else uses, before a command that fits any key touches them."""
        if self._keys_checked:
            return
        for key, wanted in ((self._messages_key, "list"), (self._session_key, "hash")):
            kind = await _done(self._redis.type(key))
            found = kind.decode() if isinstance(kind, bytes) else kind
            if found not in ("none", wanted):
                raise SessionError(
                    f"{self._label}: the key {key!r} of Redis holds a {found} of another program; "
                    "choose another session id or key_prefix; nothing was changed"
                )
        self._keys_checked = True

    def _check_open(self) -> None:
        if self._closed:
            raise SessionClosedError(f"{self._label} is closed; make a new session object")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        self._check_open()
        try:
            with in_its_loop(self._label):
                yield
        except RedisClusterException as error:
            raise SessionError(
                f"{self._label}: the cluster of Redis did not do it ({error}); the keys of a "
                "session must be in one slot: give a key_prefix in braces, such as '{agents}'"
            ) from error
        except (RedisError, OSError) as error:
            raise SessionError(
                f"{self._label} at {_place(self._redis)}: Redis did not confirm ({error}); "
                "check that it can be reached; a write was done completely or not at all"
            ) from error


async def _done(reply: object) -> Any:
    """Await a reply; the client's types say that it may also be the value itself."""
    return await cast("Awaitable[Any]", reply)


def _place(client: Redis | RedisCluster) -> str:
    pool = getattr(client, "connection_pool", None)
    arguments = getattr(pool, "connection_kwargs", {})
    if "path" in arguments:
        return str(arguments["path"])
    return f"{arguments.get('host', 'Redis')}:{arguments.get('port', '')}".rstrip(":")
