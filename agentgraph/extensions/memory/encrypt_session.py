"""A session that encrypts its items before another session stores them.

Each session id has its own key, derived from the program's key, so that items cannot be moved from
one session to another. An item that is too old, or that the key does not decrypt, is left out of
every result but stays in the store: a wrong key can never destroy a conversation.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, cast

from typing_extensions import TypedDict

from agentgraph.memory.encoding import (
    ENVELOPE_MARK,
    check_session_id,
    decode_item,
    encode_items,
    is_text,
)
from agentgraph.memory.errors import InvalidSessionInput, MissingExtra
from agentgraph.memory.runs.blocks import Block, adopt_block, append_to_block
from agentgraph.memory.runs.shielded import shielded
from agentgraph.memory.session import SessionABC, offers
from agentgraph.memory.session_settings import SessionSettings, resolve_session_limit

try:
    from cryptography.fernet import Fernet, InvalidToken
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF
except ImportError as error:
    raise MissingExtra("EncryptedSession", "encrypt") from error

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = ["EncryptedEnvelope", "EncryptedSession"]

# The published SDK's values, so that each package decrypts the other's items.
_HKDF_INFO = b"agents.session-store.hkdf.v1"
_KEY_ID = "hkdf-v1"
_VERSION = 1

# Larger inputs are encrypted in a thread, because they would block the event loop.
_INLINE_CHARACTERS = 50_000

EncryptedEnvelope = TypedDict(
    "EncryptedEnvelope", {"__enc__": Literal[1], "v": int, "kid": str, "payload": str}
)
"""The item that the underlying session stores in place of an item."""


class EncryptedSession(SessionABC):
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
        name = f"EncryptedSession {session_id!r}"
        if not _is_secret(encryption_key):
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
        self.cipher = _cipher(encryption_key, session_id)

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

    async def get_items(self, limit: int | None = None) -> list[TResponseInputItem]:
        """Return the latest readable items, oldest first.

        Args:
            limit: The largest number of items; None means the underlying session's own limit, or
                all items if it has none.
        """
        limit = resolve_session_limit(limit, self.session_settings)
        if limit == 0:
            return await self.underlying_session.get_items(0)
        if limit is None:
            return await self._decrypted(await self.underlying_session.get_items())
        return await self._scan(limit)

    async def add_items(self, items: list[TResponseInputItem]) -> None:
        """Encrypt items and store them, in one transaction of the underlying session.

        Raises:
            InvalidSessionInput: An element of `items` is not an item; nothing was stored.
        """
        await self.underlying_session.add_items(await self._encrypted(items))

    async def append_to_block(self, items: list[TResponseInputItem], block: Block = None) -> Block:
        """Encrypt items and append them to a run's block, if the underlying session has blocks.

        Args:
            items: Input items as dicts.
            block: The block, as the latest call returned it; None begins one.

        Returns:
            The underlying session's block with the items.

        Raises:
            InvalidSessionInput: An element of `items` is not an item; nothing was stored.
        """
        return await append_to_block(self.underlying_session, await self._encrypted(items), block)

    async def adopt_block(self, items: list[TResponseInputItem]) -> Block:
        """Return the latest items as a block if they equal `items`, else None."""
        stored = await self.underlying_session.get_items(len(items))
        if await self._decrypted(stored) != items:
            return None
        return await adopt_block(self.underlying_session, stored)

    async def pop_item(self) -> TResponseInputItem | None:
        """Remove and return the latest readable item; None if there is none.

        Later items that are too old, or that the key does not decrypt, stay in the store.
        """
        store: Any = self.underlying_session
        if not offers(store, "pop_latest", ("pop_item",)):
            # A cancellation in the middle would lose items that `_pop` has yet to put back.
            return await shielded(self._pop()) if await self._scan(1) else None
        item: TResponseInputItem | None = None

        def readable(envelope: TResponseInputItem) -> bool:
            nonlocal item
            item = self._unwrap(envelope)
            return item is not None

        popped = await store.pop_latest(readable)
        return None if popped is None else item

    async def _pop(self) -> TResponseInputItem | None:
        unreadable: list[TResponseInputItem] = []
        item = None
        while item is None:
            stored = await self.underlying_session.pop_item()
            if stored is None:
                break
            item = self._unwrap(stored)
            if item is None:
                unreadable.append(stored)
        if unreadable:
            await self.underlying_session.add_items(unreadable[::-1])
        return item

    async def clear_session(self) -> None:
        """Remove every item, readable or not."""
        await self.underlying_session.clear_session()

    async def _scan(self, limit: int) -> list[TResponseInputItem]:
        """Return the latest readable items, reading further back until there are enough."""
        count = limit
        while True:
            if self.max_scan_items is not None:
                count = min(count, self.max_scan_items)
            stored = await self.underlying_session.get_items(count)
            items = await self._decrypted(stored)
            exhausted = len(stored) < count or count == self.max_scan_items
            if len(items) >= limit or exhausted:
                return items[-limit:]
            count *= 4

    async def _encrypted(self, items: list[TResponseInputItem]) -> list[TResponseInputItem]:
        texts = encode_items(items, f"EncryptedSession {self.session_id!r}")
        if sum(map(len, texts)) <= _INLINE_CHARACTERS:
            envelopes = [self._wrap(text) for text in texts]
        else:
            envelopes = await asyncio.to_thread(lambda: [self._wrap(text) for text in texts])
        return cast("list[TResponseInputItem]", envelopes)

    async def _decrypted(self, stored: list[TResponseInputItem]) -> list[TResponseInputItem]:
        if len(stored) * 500 <= _INLINE_CHARACTERS:
            return self._unwrap_all(stored)
        return await asyncio.to_thread(self._unwrap_all, stored)

    def _wrap(self, text: str) -> EncryptedEnvelope:
        payload = self.cipher.encrypt(text.encode()).decode()
        return {"__enc__": 1, "v": _VERSION, "kid": _KEY_ID, "payload": payload}

    def _unwrap_all(self, stored: list[TResponseInputItem]) -> list[TResponseInputItem]:
        return [item for envelope in stored if (item := self._unwrap(envelope)) is not None]

    def _unwrap(self, envelope: TResponseInputItem) -> TResponseInputItem | None:
        """Return the item in an envelope; None if it is too old or the key does not decrypt it.

        The age is checked here and not by Fernet, because Fernet also refuses items from the
        future: an item must not vanish because a clock was set back.
        """
        fields = cast("Mapping[str, Any]", envelope)
        payload = fields.get("payload")
        if fields.get(ENVELOPE_MARK) != 1 or not isinstance(payload, str):
            return None
        try:
            text = self.cipher.decrypt(payload)
            timestamp = self.cipher.extract_timestamp(payload)
        except (InvalidToken, ValueError):
            return None
        # The timestamp of a token is in whole seconds.
        too_old = self.ttl is not None and timestamp + self.ttl < int(time.time())
        return None if too_old else decode_item(text)


def _is_secret(key: object) -> bool:
    return isinstance(key, str) and bool(key) and is_text(key)


def _is_duration(ttl: object) -> bool:
    return ttl is None or (isinstance(ttl, int | float) and ttl >= 0)


def _cipher(key: str, session_id: str) -> Fernet:
    kdf = HKDF(algorithm=SHA256(), length=32, salt=session_id.encode(), info=_HKDF_INFO)
    return Fernet(base64.urlsafe_b64encode(kdf.derive(_key_material(key))))


def _key_material(key: str) -> bytes:
    """Return the bytes that a Fernet key encodes, or the UTF-8 bytes of any other text."""
    try:
        material = base64.urlsafe_b64decode(key)
    except (binascii.Error, ValueError):
        return key.encode()
    return material if len(material) == 32 else key.encode()
