"""Text that UTF-8 can carry, and numbers that JSON can carry.

JSON may hold half of a surrogate pair (`"\\ud800"`). No store, file or request can hold it: the run
would go on and each later run of the session would fail. Replies and the caller's input pass here:
U+FFFD replaces such a character, and the log says so without the text. (The output of a tool keeps
its bytes as escapes: `tool_payload.sendable`.)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import isfinite
from operator import is_
from typing import TYPE_CHECKING, Any

from agentgraph.logger import logger

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["carried", "is_carried", "mended"]


def is_carried(text: str) -> bool:
    """Whether UTF-8 can carry a text."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def carried(text: str) -> str:
    """Return a text that UTF-8 can carry: halves of a pair that stand together are joined, and any
    other half becomes U+FFFD."""
    if is_carried(text):
        return text
    logger.warning(
        "A text holds half of a surrogate pair, which no encoding can carry. It was replaced by "
        "U+FFFD."
    )
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def mended(value: Any) -> Any:
    """Return a value with each text carried (`carried`) and each number that JSON cannot carry
    (NaN, infinities) as None.

    Args:
        value: JSON data, or one of the client's models.

    Returns:
        A copy with the changes; the value itself if there are none.
    """
    if isinstance(value, str):
        return carried(value)
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, list | tuple):
        parts = [mended(part) for part in value]
        return value if _same(parts, value) else type(value)(parts)
    if isinstance(value, Mapping):
        fields = {mended(name): mended(part) for name, part in value.items()}
        # Two names may become one.
        unchanged = _same(fields, value) and _same(fields.values(), value.values())
        return value if unchanged else fields
    return _mended_model(value) if hasattr(value, "model_fields_set") else value


def _mended_model(model: BaseModel) -> BaseModel:
    values = {**vars(model), **(model.model_extra or {})}
    changes = {name: part for name, value in values.items() if (part := mended(value)) is not value}
    return model.model_copy(update=changes) if changes else model


def _same(ones: Collection[object], others: Collection[object]) -> bool:
    return len(ones) == len(others) and all(map(is_, ones, others))
