"""A session that encrypts its items before another session stores them.

Each session id has its own key, derived from the program's key, so that items cannot be moved from
one session to another. A row has a seal (`encrypted_seals`) that binds its version, the id of its
key, its place and the number of rows. A row of version 1 has none: the published SDK and older
versions of this package write such rows, which are read as before and bound to their session only.
A row of version 2 is not read as one of version 1.

A row that is too old, that the key does not decrypt or whose seal is broken is left out of every
result but stays in the store: a wrong key can never destroy a conversation.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NotRequired, cast

from typing_extensions import TypedDict

from agentgraph.extensions.memory.encrypted_seals import misplaced, seal_of, sealed
from agentgraph.logger import logger
from agentgraph.memory.encoding import (
    ENVELOPE_MARK,
    check_session_id,
    decode_item,
)
from agentgraph.memory.errors import InvalidSessionInput, MissingExtra
from agentgraph.memory.runs.blocks import (
    adopt_block,
    append_to_block,
    keeps_blocks,
    release_block,
)
from agentgraph.memory.runs.saves import Block
from agentgraph.memory.runs.shielded import shielded
from agentgraph.memory.session import Accept, SessionABC, offers
from agentgraph.memory.session_settings import SessionSettings
from agentgraph.memory.store import StoreSession

try:
    from cryptography.fernet import InvalidToken
except ImportError as error:
    raise MissingExtra("EncryptedSession", "encrypt") from error

from agentgraph.extensions.memory.encryption_keys import (
    INLINE_CHARACTERS,
    KEY_ID,
    cipher,
    derived_key,
    is_secret,
)

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = ["EncryptedEnvelope", "EncryptedSession"]

# The published SDK's values, so that each package decrypts the other's items.
_HKDF_INFO = b"agents.session-store.hkdf.v1"
_SEAL_INFO = b"agentgraph.session-store.seal.v1"

_WITHOUT_SEAL = 1
_VERSION = 2

_SEALED = b" "
"""Ends the text of a row with a seal, under the encryption; JSON ignores it. So a row of version 2
whose seal was taken away is not taken for one of version 1."""

_ALL = 2**31 - 1
"""More rows than any session has."""

EncryptedEnvelope = TypedDict(
    "EncryptedEnvelope",
    {"__enc__": Literal[1], "v": int, "kid": str, "payload": str, "seal": NotRequired[list[Any]]},
)
"""The item that the underlying session stores in place of an item."""


class EncryptedSession(StoreSession):
    """A session that stores only ciphertext, in another session.

    An attribute that this class does not have is that of the underlying session.

    Args:
        session_id: The name of the conversation; the key derives from it.
        underlying_session: The session that stores the encrypted items; any session.
        encryption_key: A Fernet key, or any other secret text.
        ttl: How long an item can be read, in whole seconds; None for no limit.
        max_scan_items: The largest number of underlying items that one read with a limit decrypts.

    Raises:
        InvalidSessionInput: The id or the key is empty or not a text, `ttl` is negative or
            `max_scan_items` is below 1.
    """

    def __init__(
        self,
        session_id: str,
        underlying_session: SessionABC,
        encryption_key: str,
        ttl: int | None = 600,
        max_scan_items: int | None = None,
    ) -> None:
        self.session_id = check_session_id(session_id, type(self).__name__)
        name = self._label
        if not is_secret(encryption_key):
            # The message does not quote the value: it may be the secret.
            raise InvalidSessionInput(
                f"{name} needs an encryption_key that is a non-empty text, such as "
                "Fernet.generate_key().decode()"
            )
        if not _is_duration(ttl):
            raise InvalidSessionInput(
                f"{name}: ttl is in seconds and must be 0 or more, got {ttl!r}; None means no limit"
            )
        if max_scan_items is not None and max_scan_items < 1:
            raise InvalidSessionInput(
                f"{name}: max_scan_items must be 1 or more, got {max_scan_items!r}"
            )
        self.underlying_session = underlying_session
        self.ttl = ttl
        self.max_scan_items = max_scan_items
        self.cipher = cipher(encryption_key, session_id, _HKDF_INFO)
        self._seal_key = derived_key(encryption_key, session_id, _SEAL_INFO)

    def __getattr__(self, name: str) -> Any:
        if name == "underlying_session":
            raise AttributeError(name)
        return getattr(self.underlying_session, name)

    @property
    def session_settings(self) -> SessionSettings | None:
        """The settings of the underlying session."""
        return self.underlying_session.session_settings

    @session_settings.setter
    def session_settings(self, value: SessionSettings | None) -> None:
        self.underlying_session.session_settings = value

    @property
    def _closed(self) -> bool:  # type: ignore[override]  # the underlying session sets it
        return bool(getattr(self.underlying_session, "_closed", False))

    async def damaged_rows(self) -> list[int]:
        """Return the places of the rows of the underlying session that cannot be read, were moved
        or repeated, or are next to rows that were left out; the oldest row has place 0."""
        _, damaged = await self._decrypted(await self._rows(), whole=True)
        return damaged

    async def append_to_block(
        self, items: list[TResponseInputItem], block: Block | None = None
    ) -> Block:
        """Do what the base class does; return None if the underlying session has no blocks."""
        saved = await super().append_to_block(items, block)
        return cast("Block", saved if keeps_blocks(self.underlying_session) else None)

    async def _get(self, limit: int | None) -> list[TResponseInputItem]:
        """Return the latest readable items, reading further back until there are enough."""
        count = limit
        while True:
            if count is not None and self.max_scan_items is not None:
                count = min(count, self.max_scan_items)
            stored = await self.underlying_session.get_items(count)
            is_all = count is None or len(stored) < count
            items, damaged = await self._decrypted(stored, whole=is_all)
            if limit is None or len(items) >= limit or is_all or count == self.max_scan_items:
                self._report(len(damaged))
                return items if limit is None else items[-limit:]
            count = 4 * len(stored)

    async def _texts(self) -> list[bytes | None]:
        return [self._text_of(cast("Any", row)) for row in await self._rows()]

    async def _add(self, texts: list[str], block: Block | None) -> None:
        rows = await self._encrypted(texts)
        if block is None:
            await self.underlying_session.add_items(rows)
            return
        # Each encryption of an item is another one, so the items themselves name the save.
        named = block._replace(write=self._signed(block.write_of(texts)))
        await append_to_block(self.underlying_session, rows, named)

    async def _adopt(self, items: list[TResponseInputItem], own: Block) -> Block | None:
        stored = await self.underlying_session.get_items(len(items))
        if (await self._decrypted(stored))[0] != items:
            return None
        if not keeps_blocks(self.underlying_session):
            return own.saved()
        return await adopt_block(self.underlying_session, stored, own)

    async def _release(self, block: Block) -> None:
        await release_block(self.underlying_session, block)

    async def _pop(self, accept: Accept) -> TResponseInputItem | None:
        item: TResponseInputItem | None = None
        passed: list[TResponseInputItem] = []

        def readable(envelope: TResponseInputItem) -> bool:
            nonlocal item
            item = self._unwrap(envelope)
            item = item if item is not None and accept(item) else None
            if item is None:
                passed.append(envelope)
            return item is not None

        store: Any = self.underlying_session
        if not offers(store, "pop_latest", ("pop_item",)):
            # A cancellation in the middle would lose items that have yet to be put back.
            if await self._get(1):
                await shielded(self._pop_one_by_one(readable, passed))
            return item
        popped = await store.pop_latest(readable)
        _, damaged = await self._decrypted(passed[::-1])
        self._report(len(damaged))
        return None if popped is None else item

    async def _pop_one_by_one(self, accept: Accept, passed: list[TResponseInputItem]) -> None:
        """Pop rows up to the latest accepted one, and put those back that were passed."""
        while (stored := await self.underlying_session.pop_item()) is not None:
            if accept(stored):
                break
        if passed:
            await self.underlying_session.add_items(passed[::-1])

    async def _clear(self) -> None:
        await self.underlying_session.clear_session()

    async def _rows(self) -> list[TResponseInputItem]:
        limit = (self.session_settings or SessionSettings()).limit
        return await self.underlying_session.get_items(None if limit is None else _ALL)

    def _signed(self, name: str) -> str:
        """Return a name that tells nothing about the items without the key."""
        return hmac.digest(self._seal_key, name.encode(), "sha256").hex()[:32]

    def _report(self, damaged: int) -> None:
        if damaged:
            logger.warning(
                "%s: %d rows cannot be read, were moved or repeated, or are next to rows that were"
                " left out; damaged_rows() returns their places",
                self._label,
                damaged,
            )

    async def _encrypted(self, texts: list[str]) -> list[TResponseInputItem]:
        stored = cast("Any", await self.underlying_session.get_items(1))
        latest = seal_of(self._seal_key, stored[0]) if stored else None
        if sum(map(len, texts)) <= INLINE_CHARACTERS:
            envelopes = [self._wrap(text) for text in texts]
        else:
            envelopes = await asyncio.to_thread(lambda: [self._wrap(text) for text in texts])
        return cast("list[TResponseInputItem]", sealed(self._seal_key, envelopes, latest))

    async def _decrypted(
        self, stored: list[TResponseInputItem], *, whole: bool = False
    ) -> tuple[list[TResponseInputItem], list[int]]:
        """Return the readable items of rows, and the places of rows with a fault.

        Args:
            stored: The rows.
            whole: Whether these are all rows of the session.
        """
        if len(stored) * 500 <= INLINE_CHARACTERS:
            return self._unwrap_all(stored, whole)
        return await asyncio.to_thread(self._unwrap_all, stored, whole)

    def _wrap(self, text: str) -> EncryptedEnvelope:
        payload = self.cipher.encrypt(text.encode() + _SEALED).decode()
        return {"__enc__": 1, "v": _VERSION, "kid": KEY_ID, "payload": payload}

    def _unwrap_all(
        self, stored: list[TResponseInputItem], whole: bool
    ) -> tuple[list[TResponseInputItem], list[int]]:
        envelopes = cast("list[Mapping[str, Any]]", stored)
        seals = [seal_of(self._seal_key, envelope) for envelope in envelopes]
        damaged = set(misplaced(seals, whole=whole))
        items, seen = [], set()
        for place, (envelope, seal) in enumerate(zip(envelopes, seals, strict=True)):
            text = self._text_of(envelope)
            item = None if text is None else decode_item(text)
            if item is None:
                damaged.add(place)
            elif not self._is_too_old(envelope) and (seal is None or seal[:2] not in seen):
                items.append(item)
            seen.add(None if seal is None else seal[:2])
        return items, sorted(damaged)

    def _unwrap(self, envelope: TResponseInputItem) -> TResponseInputItem | None:
        """Return the item in an envelope; None if it is too old or cannot be read."""
        fields = cast("Mapping[str, Any]", envelope)
        text = self._text_of(fields)
        return None if text is None or self._is_too_old(fields) else decode_item(text)

    def _text_of(self, envelope: Mapping[str, Any]) -> bytes | None:
        """Return the text in an envelope; None if the key does not decrypt it or its seal is
        broken."""
        payload = envelope.get("payload")
        if envelope.get(ENVELOPE_MARK) != 1 or not isinstance(payload, str):
            return None
        has_seal = envelope.get("v") != _WITHOUT_SEAL or "seal" in envelope
        if has_seal and seal_of(self._seal_key, envelope) is None:
            return None
        try:
            text = self.cipher.decrypt(payload)
        except (InvalidToken, ValueError):
            return None
        return text if has_seal or not text.endswith(_SEALED) else None

    def _is_too_old(self, envelope: Mapping[str, Any]) -> bool:
        """Tell whether the time of a genuine row is over.

        The age is checked here and not by Fernet, because Fernet also refuses items from the
        future: an item must not vanish because a clock was set back.
        """
        if self.ttl is None:
            return False
        # The timestamp of a token is in whole seconds.
        return self.cipher.extract_timestamp(envelope["payload"]) + self.ttl < int(time.time())


def _is_duration(ttl: object) -> bool:
    return ttl is None or (isinstance(ttl, int | float) and ttl >= 0)
