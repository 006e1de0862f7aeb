"""Values without parts: dates, decimals, ids, bytes, addresses. One row of a table is one type.

Rule: a row holds for exactly one class. A subclass may have more data, so it never uses the row of
its base class.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import cache, lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)
from math import isfinite
from pathlib import Path, PosixPath, PurePath, PurePosixPath, PureWindowsPath, WindowsPath
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from agentgraph.stored.value_types import class_path

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = [
    "LEAVES",
    "READERS",
    "adapted",
    "adapted_classes",
    "encode_text",
    "is_plain_number",
    "read_adapted",
]

# `str` and `int` refuse longer integers (sys.set_int_max_str_digits).
_LARGEST_DECIMAL_BITS: Final = 10_000
_SCHEMA: Final = "__get_pydantic_core_schema__"


class _Leaf(NamedTuple):
    """The stored form of one class.

    Args:
        tag: Its name in stored texts.
        write: Returns the fields of the stored form besides the tag, or the reason for none.
        read: Makes the value from the fields.
    """

    tag: str
    write: Callable[[Any], dict[str, Any] | str]
    read: Callable[[dict[str, Any]], Any]


def encode_text(value: str) -> str | dict[str, Any]:
    """A text unchanged, or in a tagged form if UTF-8 cannot encode it (lone surrogates)."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return {"$type": "text", "value": value.encode("unicode_escape").decode("ascii")}
    return value


def _write_float(value: float) -> dict[str, Any]:
    return {"value": repr(value)}


def _read_int(fields: dict[str, Any]) -> int:
    return int(fields["value"], 16)


def _write_moment(value: datetime | time) -> dict[str, Any] | str:
    fields: dict[str, Any] = {"value": value.isoformat()}
    zone = value.tzinfo
    if type(zone) is ZoneInfo and zone.key is not None:
        fields["zone"] = zone.key
    elif zone is not None and type(zone) is not timezone:
        return f"its time zone is a {class_path(type(zone))}, use zoneinfo.ZoneInfo"
    if value.fold:
        fields["fold"] = value.fold
    return fields


def _read_moment(moment: datetime | time, fields: dict[str, Any]) -> datetime | time:
    # Keep the local time: the rules of a zone may change between writing and reading.
    if "zone" in fields:
        moment = moment.replace(tzinfo=ZoneInfo(fields["zone"]))
    return moment.replace(fold=fields.get("fold", 0))


def _read_bytes(fields: dict[str, Any]) -> bytes:
    return b64decode(fields["value"], validate=True)


def _as_text(write: Callable[[Any], str]) -> Callable[[Any], dict[str, Any]]:
    return lambda value: {"value": write(value)}


def _from_text(read: Callable[[str], Any]) -> Callable[[dict[str, Any]], Any]:
    return lambda fields: read(fields["value"])


LEAVES: Final[dict[type[Any], _Leaf]] = {
    float: _Leaf("float", _write_float, lambda fields: float(fields["value"])),
    int: _Leaf("int", lambda value: {"value": hex(value)}, _read_int),
    datetime: _Leaf(
        "datetime",
        _write_moment,
        lambda fields: _read_moment(datetime.fromisoformat(fields["value"]), fields),
    ),
    time: _Leaf(
        "time",
        _write_moment,
        lambda fields: _read_moment(time.fromisoformat(fields["value"]), fields),
    ),
    date: _Leaf("date", _as_text(date.isoformat), _from_text(date.fromisoformat)),
    timedelta: _Leaf(
        "timedelta",
        lambda value: {"value": [value.days, value.seconds, value.microseconds]},
        lambda fields: timedelta(*fields["value"]),
    ),
    Decimal: _Leaf("decimal", _as_text(str), _from_text(Decimal)),
    UUID: _Leaf("uuid", _as_text(str), _from_text(UUID)),
    bytes: _Leaf("bytes", _as_text(lambda value: b64encode(value).decode("ascii")), _read_bytes),
    bytearray: _Leaf(
        "bytearray",
        _as_text(lambda value: b64encode(value).decode("ascii")),
        lambda fields: bytearray(_read_bytes(fields)),
    ),
}
"""The forms of values without parts, by exact class."""

READERS: Final[dict[str, Callable[[dict[str, Any]], Any]]] = {
    **{leaf.tag: leaf.read for leaf in LEAVES.values()},
    "text": lambda fields: fields["value"].encode("ascii").decode("unicode_escape"),
}
"""The functions that read them, by tag."""

_STANDARD: Final = (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    Path,
    PosixPath,
    PurePosixPath,
    PureWindowsPath,
    WindowsPath,
)


@cache
def adapted_classes() -> Mapping[str, type[Any]]:
    """Addresses and paths, which pydantic writes and reads, by class path.

    The classes are those of the standard library and of `pydantic.networks`, so a reader has them
    without the program's help.
    """
    from pydantic import networks

    exported = (getattr(networks, name) for name in networks.__all__)
    urls = (cls for cls in exported if isinstance(cls, type) and hasattr(cls, _SCHEMA))
    return {_stable_path(cls): cls for cls in (*_STANDARD, *urls)}


def _stable_path(cls: type[Any]) -> str:
    # Python 3.13 defines its paths in a private module.
    return f"pathlib.{cls.__name__}" if issubclass(cls, PurePath) else class_path(cls)


def is_plain_number(value: float) -> bool:
    """Whether JSON can represent an exact int or float directly."""
    if type(value) is int:
        return value.bit_length() <= _LARGEST_DECIMAL_BITS
    return isfinite(value)


def adapted(value: object) -> tuple[str, Any] | None:
    """Write a value with the type adapter of its class, if it has one that loses nothing.

    Args:
        value: A value whose class has its own pydantic schema or is in `adapted_classes`.

    Returns:
        The class path and JSON data from which `read_adapted` makes an equal value of the same
        class, or `None`.
    """
    from pydantic import PydanticSchemaGenerationError
    from pydantic_core import PydanticSerializationError

    cls: Any = type(value)
    path = _stable_path(cls)
    if path not in adapted_classes() and not hasattr(cls, _SCHEMA):
        return None
    try:
        form = _adapter(cls).dump_python(value, mode="json", round_trip=True, warnings="error")
        again = read_adapted(cls, form)
    except (PydanticSchemaGenerationError, PydanticSerializationError, ValueError):
        return None
    return (path, form) if type(again) is cls and again == value else None


def read_adapted(cls: object, form: object) -> Any:
    """Read what `adapted` wrote.

    Raises:
        ValueError: The data does not fit the class.
    """
    return _adapter(cls).validate_python(form)


@lru_cache(maxsize=256)
def _adapter(cls: type[Any]) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(cls)
