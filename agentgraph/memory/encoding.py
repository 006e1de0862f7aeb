"""Items to stored text and back; every store keeps one JSON object per item.

A value that is not an item is refused before anything is written. A stored text that is not an item
is skipped when reading, because one damaged row must not make a whole conversation unreadable. A
half of a surrogate pair in a stored text, which no request can carry, is read as U+FFFD.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, cast

from agentgraph.items.text import mended
from agentgraph.memory.errors import InvalidSessionInput

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = [
    "ENVELOPE_MARK",
    "MARK_LENGTH",
    "WHITE_SPACE",
    "check_session_id",
    "check_table_names",
    "check_ttl",
    "decode_item",
    "decode_items",
    "encode_items",
    "is_marked",
    "is_text",
    "without_mark",
]

ENVELOPE_MARK = "__enc__"
"""The key that marks an encrypted item, which has no type or role of its own."""

WHITE_SPACE = " \t\n\r"
"""The white space of JSON."""

MARK_LENGTH = 24
"""The least white space after a text that an older version of this package has marked."""

_decode = json.JSONDecoder().raw_decode

_MARKS = ("type", "role", "id")


def check_session_id(session_id: object, store: str) -> str:
    """Return a usable session id.

    Args:
        session_id: The id to check.
        store: The class name of the store, for the message.

    Raises:
        InvalidSessionInput: The id is not a string, is empty, or UTF-8 cannot encode it.
    """
    if isinstance(session_id, str) and session_id.strip() and is_text(session_id):
        return session_id
    raise InvalidSessionInput(
        f"{store} needs a session id that is a non-empty string, got {session_id!r}; "
        "choose one per conversation, such as 'user_123'"
    )


def check_table_names(sessions: str, messages: str, store: str) -> None:
    """Refuse table names that are empty or equal.

    Args:
        sessions: The name of the table of sessions.
        messages: The name of the table of items.
        store: The class name of the store, for the message.

    Raises:
        InvalidSessionInput: A name is empty, or both are equal.
    """
    if not sessions or not messages or sessions.casefold() == messages.casefold():
        raise InvalidSessionInput(
            f"{store} needs two tables of different names, got sessions_table={sessions!r} and "
            f"messages_table={messages!r}"
        )


def check_ttl(ttl: object, session: str) -> None:
    """Refuse a time to live that a server would refuse too late: after it has stored the items.

    Args:
        ttl: The time to live in seconds; None: for ever.
        session: The name of the session in messages.

    Raises:
        InvalidSessionInput: It is not a positive whole number.
    """
    if ttl is None or (isinstance(ttl, int) and not isinstance(ttl, bool) and ttl > 0):
        return
    raise InvalidSessionInput(
        f"{session}: ttl is in seconds and must be a whole number that is more than 0, got {ttl!r}"
    )


def is_text(value: str) -> bool:
    """Tell whether UTF-8 can encode a string, which lone surrogates prevent."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def encode_items(
    items: Iterable[TResponseInputItem], session: str, *, ensure_ascii: bool = True
) -> list[str]:
    """Return the stored form of items: one JSON text each.

    Args:
        items: Input items as dicts.
        session: The name of the session in messages.
        ensure_ascii: Whether to escape all characters that are not ASCII.

    Raises:
        InvalidSessionInput: `items` is not a list of items, or one of them is not JSON.
    """
    if isinstance(items, str | bytes | Mapping) or not isinstance(items, Sequence):
        raise InvalidSessionInput(
            f"{session}: add_items takes a list of input items, got {type(items).__name__}; "
            "nothing was stored"
        )
    return [_encode(item, index, session, ensure_ascii) for index, item in enumerate(items)]


def _encode(item: object, index: int, session: str, ensure_ascii: bool) -> str:
    if not isinstance(item, Mapping):
        hint = " (use .model_dump(exclude_unset=True))" if hasattr(item, "model_dump") else ""
        raise InvalidSessionInput(
            f"{session}: items[{index}] is {type(item).__name__}, not an input item: "
            f"give a dict such as {{'role': 'user', 'content': '…'}}{hint}; nothing was stored"
        )
    marked = any(isinstance(item.get(mark), str) for mark in _MARKS) or ENVELOPE_MARK in item
    if not marked:
        raise InvalidSessionInput(
            f"{session}: items[{index}] is a dict without 'type', 'role' or 'id', "
            "so it is not an input item; nothing was stored"
        )
    try:
        plain = item if isinstance(item, dict) else dict(item)
        text = json.dumps(plain, ensure_ascii=ensure_ascii, allow_nan=False)
        if not ensure_ascii:
            # A lone surrogate is valid only in escaped form.
            text.encode()
        return text
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidSessionInput(
            f"{session}: items[{index}] cannot be written as JSON ({error}); nothing was stored"
        ) from error


def is_marked(text: str) -> bool:
    """Tell whether a stored text has the white space by which older versions marked runs' texts."""
    return not text[-MARK_LENGTH:].strip(WHITE_SPACE) and len(text) >= MARK_LENGTH


def without_mark(text: str) -> str:
    """Return a stored text without such a mark."""
    return text.rstrip(WHITE_SPACE) if is_marked(text) else text


# An escaped half of a surrogate pair without the other half.
_HALF: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    r"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]"
)


def _has_half(text: str) -> bool:
    # Searching for plain text first takes a hundredth of the time.
    return ("\\ud" in text or "\\uD" in text) and _HALF.search(text) is not None


def decode_item(text: str | bytes | None) -> TResponseInputItem | None:
    """Return the item in one stored text, or None if the text is damaged or not an item."""
    if text is None:
        return None
    try:
        # `json.loads` costs four times as much for a short text, most of it before it parses.
        plain = text if isinstance(text, str) else text.decode()
        value, end = _decode(plain)
        # White space after the JSON may be a mark of an older version.
        if plain[end:].strip(WHITE_SPACE):
            return None
        if _has_half(plain):
            value = mended(value)
    except (ValueError, RecursionError):
        return None
    return cast("TResponseInputItem", value) if isinstance(value, dict) else None


def decode_items(texts: Iterable[str | bytes | None]) -> list[TResponseInputItem]:
    """Return the items in stored texts, in the same order, without the damaged ones."""
    texts = list(texts)
    try:
        # Parsing all texts as one list takes half the time of parsing them one by one.
        joined = ",".join(cast("list[str]", texts))
        whole = json.loads(f"[{joined}]")
        if _has_half(joined):
            whole = mended(whole)
    except (TypeError, ValueError, RecursionError):
        whole = []
    if len(whole) == len(texts) and all(isinstance(item, dict) for item in whole):
        return cast("list[TResponseInputItem]", whole)
    return [item for text in texts if (item := decode_item(text)) is not None]
