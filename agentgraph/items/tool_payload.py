"""How a tool's return value becomes the `output` of a function call output item.

Rule: nothing here needs pydantic, because every run passes through `to_output_payload`; the models
that people return are defined in `tools.output` and recognised by their base class.
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


# For each type of part: the fields that are sent, of which one of the sources must be there.
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


def to_output_payload(value: Any) -> str | list[dict[str, Any]]:
    """Turn what a tool returned into what the Responses API is sent.

    Args:
        value: The return value of a tool.

    Returns:
        Content parts for structured outputs, otherwise `str(value)`.

    Raises:
        UserError: The value has no text, as of :func:`check_readable`.
        Exception: Whatever the value's own `__str__` raises.
    """
    if type(value) is str:
        return sendable(value)
    members = value if isinstance(value, (list, tuple)) and value else (value,)
    parts: list[dict[str, Any]] = []
    for member in members:
        part = _content_part(member)
        if part is None:
            return sendable(text_of(value))
        parts.append(part)
    return parts


def text_of(value: object) -> str:
    """The text form of what user code returned.

    Raises:
        UserError: The value has no text, as of :func:`check_readable`.
        Exception: Whatever the value's own `__str__` raises.
    """
    check_readable(value, "a tool")
    return str(value)


def check_readable(value: object, owner: str) -> None:
    """Refuse a value that nobody has read yet: its text is its address, not what it holds.

    Args:
        value: What user code returned.
        owner: What it was returned by, for the message.

    Raises:
        UserError: The value is a generator, an iterator or an awaitable, sync or async, and has no
            text form of its own.
    """
    if type(value) not in PLAIN and isinstance(value, _UNREAD) and not _has_own_text(type(value)):
        raise UserError(
            f"The result of {owner} is an unread {type(value).__name__}, whose text is only its"
            " address. Return what it holds: a text or a list."
        )


PLAIN: Final = frozenset({str, int, float, bool, type(None), dict, list, tuple, bytes})
"""Types of which nothing has to be asked before a value is text: most results are one of these."""
_UNREAD: Final = (Iterator, AsyncIterator, Awaitable)


def _has_own_text(cls: Any) -> bool:
    return cls.__str__ is not object.__str__ or isinstance(cls.__repr__, FunctionType)


def sendable(text: str) -> str:
    """Bring a text into a form that a request can carry.

    Args:
        text: What a tool gave. Names of files and output of programs that are not UTF-8 are often
            read with `surrogateescape`, and then hold halves of surrogate pairs, which end the next
            model call with an error that names no tool.

    Returns:
        The text, with such halves spelled out as Python does: `\\udcff`.
    """
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def _content_part(value: Any) -> dict[str, Any] | None:
    """Form the content part of one structured output; `None` when it is something else."""
    if isinstance(value, StructuredToolOutput):
        given: Mapping[str, Any] = value.__dict__
    elif isinstance(value, dict):
        given = value
    else:
        return None
    kind = given.get("type")
    if not isinstance(kind, str) or kind not in _FIELDS:
        return None
    fields = {name: given[name] for name in _FIELDS[kind] if given.get(name) is not None}
    if not all(isinstance(field, str) for field in fields.values()):
        return None
    if fields.get("detail", "auto") not in _DETAILS or fields.keys().isdisjoint(_SOURCES[kind]):
        return None
    return {"type": f"input_{kind}", **{name: sendable(text) for name, text in fields.items()}}
