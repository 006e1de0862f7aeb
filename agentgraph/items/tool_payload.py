"""Converting a tool's return value into the `output` of a function call output item.

Rule: this module does not import pydantic, because every run calls `to_output_payload`. The models
that a tool may return are defined in `tools.output`; this module recognises them by their base
class.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from types import FunctionType
from typing import Any, Final, Literal, NotRequired

from typing_extensions import TypedDict

from agentgraph.exceptions import UserError

__all__ = [
    "PLAIN",
    "StructuredToolOutput",
    "ToolOutputFileContentDict",
    "ToolOutputImageDict",
    "ToolOutputTextDict",
    "check_readable",
    "sendable",
    "text_of",
    "to_output_payload",
]


class ToolOutputTextDict(TypedDict):
    """The dictionary form of `ToolOutputText`."""

    type: Literal["text"]
    text: str


class ToolOutputImageDict(TypedDict):
    """The dictionary form of `ToolOutputImage`."""

    type: Literal["image"]
    image_url: NotRequired[str]
    file_id: NotRequired[str]
    detail: NotRequired[Literal["low", "high", "auto"]]


class ToolOutputFileContentDict(TypedDict):
    """The dictionary form of `ToolOutputFileContent`."""

    type: Literal["file"]
    file_data: NotRequired[str]
    file_url: NotRequired[str]
    file_id: NotRequired[str]
    filename: NotRequired[str]


class StructuredToolOutput:
    """Marks a class whose instances are content parts, with the fields of a dictionary form."""

    __slots__ = ()


# For each type of part: the fields to send, and the sources, at least one of which must be set.
_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "text": ("text",),
    "image": ("image_url", "file_id", "detail"),
    "file": ("file_data", "file_url", "file_id", "filename"),
}
_SOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    "text": ("text",),
    "image": ("image_url", "file_id"),
    "file": ("file_data", "file_url", "file_id"),
}
_DETAILS: Final = ("low", "high", "auto")
# Only such values can be content parts, or lists of them.
_STRUCTURED: Final = (dict, list, tuple, StructuredToolOutput)


def to_output_payload(value: object) -> str | list[dict[str, Any]]:
    """Convert a tool's return value into a payload of the Responses API.

    Args:
        value: The return value of a tool.

    Returns:
        Content parts for structured outputs, otherwise `str(value)`.

    Raises:
        UserError: The value has no text form; see :func:`check_readable`.
        Exception: Any exception of the value's own `__str__`.
    """
    if type(value) is str:
        return sendable(value)
    if not isinstance(value, _STRUCTURED):
        return sendable(text_of(value))
    members = value if isinstance(value, (list, tuple)) and value else (value,)
    parts: list[dict[str, Any]] = []
    for member in members:
        part = _content_part(member)
        if part is None:
            return sendable(text_of(value))
        parts.append(part)
    return parts


def text_of(value: object) -> str:
    """Return the text form of a value that user code returned.

    Raises:
        UserError: The value has no text form; see :func:`check_readable`.
        Exception: Any exception of the value's own `__str__`.
    """
    check_readable(value, "a tool")
    return str(value)


def check_readable(value: object, owner: str) -> None:
    """Refuse an unread generator, iterator or awaitable: its text is an address, not its content.

    Args:
        value: The value that user code returned.
        owner: The function that returned it, for the message.

    Raises:
        UserError: The value is a generator, an iterator or an awaitable, sync or async, and its
            class defines no text form.
    """
    if type(value) not in PLAIN and isinstance(value, _UNREAD) and not _has_own_text(type(value)):
        raise UserError(
            f"The result of {owner} is an unread {type(value).__name__}, whose text is only its"
            " address. Return its content as a text or a list."
        )


PLAIN: Final = frozenset({str, int, float, bool, type(None), dict, list, tuple, bytes})
"""Types that need no further check before conversion to text; most results are of one of these."""
_UNREAD: Final = (Iterator, AsyncIterator, Awaitable)


def _has_own_text(cls: type[object]) -> bool:
    return cls.__str__ is not object.__str__ or isinstance(cls.__repr__, FunctionType)


def sendable(text: str) -> str:
    """Convert a text into a form that a request can carry.

    Args:
        text: A text from a tool. Programs often read file names and output that are not UTF-8 with
            `surrogateescape`. The text then holds halves of surrogate pairs, and the next model
            call fails with an error that names no tool.

    Returns:
        The text, with each half replaced by its Python escape: `\\udcff`.
    """
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def _content_part(value: object) -> dict[str, Any] | None:
    """Make the content part of one structured output; `None` if the value is not one."""
    if isinstance(value, StructuredToolOutput):
        part: Mapping[str, Any] = value.__dict__
    elif isinstance(value, dict):
        part = value
    else:
        return None
    kind = part.get("type")
    if not isinstance(kind, str) or kind not in _FIELDS:
        return None
    fields = {name: part[name] for name in _FIELDS[kind] if part.get(name) is not None}
    if not all(isinstance(field, str) for field in fields.values()):
        return None
    if fields.get("detail", "auto") not in _DETAILS or fields.keys().isdisjoint(_SOURCES[kind]):
        return None
    return {"type": f"input_{kind}", **{name: sendable(text) for name, text in fields.items()}}
