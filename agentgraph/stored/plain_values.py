"""The short way for JSON values, nearly all that a run stores: a copy is their stored form.

`values` takes it first, and the long way for everything else: that one knows other classes and says
where a value stands that it refuses.
"""

from __future__ import annotations

from typing import Any, Final

from agentgraph.stored.leaf_forms import is_plain_number

__all__ = ["DEEPEST", "TAG", "NotPlain", "copied"]

TAG: Final = "$type"
"""The key of forms that stand for other values."""

DEEPEST: Final = 100
"""The most levels of a value."""


class NotPlain(Exception):
    """A value is more than JSON, is deeper than values may be, or contains itself."""


def copied(value: object, deepest: int = DEEPEST) -> Any:
    """A copy of a JSON value: texts that UTF-8 can carry, finite numbers, lists, dictionaries.

    Args:
        value: The value.
        deepest: How many levels it may have.

    Raises:
        NotPlain: It is something else.
    """
    if type(value) is str:
        if not value.isascii():
            _check_text(value)
        return value
    if value is None or type(value) is bool:
        return value
    if type(value) is int or type(value) is float:
        if is_plain_number(value):
            return value
        raise NotPlain
    if not deepest:
        raise NotPlain
    if type(value) is dict:
        if TAG in value:
            raise NotPlain
        copy = {}
        for key, item in value.items():
            if type(key) is not str:
                raise NotPlain
            if not key.isascii():
                _check_text(key)
            # Most values are these, and a call costs more than all the rest.
            kind = type(item)
            is_short = (kind is str and item.isascii()) or item is None or kind is bool
            copy[key] = item if is_short else copied(item, deepest - 1)
        return copy
    if type(value) is list:
        return [copied(item, deepest - 1) for item in value]
    raise NotPlain


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NotPlain from None
