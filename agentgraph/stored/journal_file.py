"""The file form of a journal: JSON lines that a person can read, edit and compare.

The first line is the header, each other line is one row. The keys that every reader needs come
first, then the others in sorted order, then the payload. Keys inside a payload keep their order,
because the order of a dictionary is part of its value. Text is plain UTF-8. A machine occurs once,
as a row of kind `machine` before the rows that name its fingerprint.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic_core import to_json

from agentgraph.exceptions import UserError

__all__ = [
    "KIND",
    "SCHEMA_VERSION",
    "DamagedJournal",
    "line_of",
    "machine_row",
    "object_in",
    "read",
    "text_of",
    "write",
]

SCHEMA_VERSION: Final = "agentgraph/1"
KIND: Final = "journal"

_VERSION_KEY: Final = "$schemaVersion"
_HEADER_KEYS: Final = (_VERSION_KEY, "kind", "run")
_ROW_KEYS: Final = (
    "kind",
    "fingerprint",
    "index",
    "path",
    "id",
    "event",
    "state",
    "sequence",
    "turn",
    "reply",
)
_LAST: Final = ("payload", "machine")
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class DamagedJournal(UserError):
    """A text is not a valid journal.

    Args:
        line: The number of the damaged line, counted from one.
        reason: What is wrong.

    Attributes:
        line: As above.
    """

    line: int

    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        super().__init__(f"Line {line} of the journal is damaged: {reason}.")


def write(header: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> str:
    """Write a journal as text.

    Args:
        header: The data that holds for the whole run, with its id under `run`; JSON data.
        rows: The rows in order; JSON data. The `index` of a row is its number among the rows of
            outcomes, counted from zero.

    Returns:
        JSON lines, each with a line feed at its end.

    Raises:
        UserError: The header or a row is not JSON data, or the indexes have a gap.
    """
    first = {**header, _VERSION_KEY: SCHEMA_VERSION, "kind": KIND}
    numbered = list(rows)
    _check_order(numbered, 2)
    return "".join(
        [
            _line(first, _HEADER_KEYS, "The header"),
            *(line_of(row, f"Row {number}") for number, row in enumerate(numbered)),
        ]
    )


def read(text: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Read what `write` wrote.

    Args:
        text: The whole text.

    Returns:
        The header, without the version and the kind of file, and the rows.

    Raises:
        DamagedJournal: A line is damaged, or a row is missing.
        UserError: The text has another version or another kind.
    """
    # Not `splitlines`: text in a value may contain other line separators.
    lines = text.removesuffix("\n").split("\n")
    header = object_in(lines[0], 1)
    version = header.pop(_VERSION_KEY, None)
    if version is None:
        raise DamagedJournal(1, f"it has no {_VERSION_KEY}, so it is not the header of a journal")
    if version != SCHEMA_VERSION:
        raise UserError(
            f"The journal has the version {version!r}; this version of agentgraph reads "
            f"{SCHEMA_VERSION!r} only. Read it with the version of agentgraph that wrote it."
        )
    kind = header.pop("kind", None)
    if kind != KIND:
        raise UserError(f"The text holds a {kind!r}, not a {KIND!r}.")
    rows = [object_in(line, number) for number, line in enumerate(lines[1:], start=2)]
    _check_order(rows, 2)
    return header, rows


def machine_row(fingerprint: str, machine: Mapping[str, Any]) -> dict[str, Any]:
    """The row that holds a machine; it stands before the rows that name its fingerprint.

    Args:
        fingerprint: The machine's fingerprint.
        machine: Its JSON form.
    """
    return {"kind": "machine", "fingerprint": fingerprint, "machine": dict(machine)}


def _check_order(rows: Iterable[Mapping[str, Any]], first_line: int) -> None:
    """Check that indexes count from zero without a gap, and that each machine occurs once."""
    expected = 0
    machines: set[object] = set()
    for number, row in enumerate(rows, start=first_line):
        if row.get("kind") == "machine":
            fingerprint = row.get("fingerprint")
            if not isinstance(fingerprint, str):
                raise DamagedJournal(number, "a machine has no fingerprint")
            if fingerprint in machines:
                raise DamagedJournal(number, f"machine {fingerprint!r} occurs twice")
            machines.add(fingerprint)
        elif "index" in row:
            if row["index"] != expected or type(row["index"]) is not int:
                raise DamagedJournal(number, f"the index is {row['index']!r}, expected {expected}")
            expected += 1
        elif "kind" not in row:
            raise DamagedJournal(number, "it has neither an index nor a kind")


def line_of(row: Mapping[str, Any], name: str) -> str:
    """Write one row as a line, with a line feed at its end.

    Args:
        row: The row; JSON data.
        name: What it is, for messages.

    Raises:
        UserError: The row is not JSON data.
    """
    return _line(row, _ROW_KEYS, name)


def _line(row: Mapping[str, Any], leading: tuple[str, ...], name: str) -> str:
    keys = [key for key in leading if key in row]
    keys += sorted(row.keys() - {*leading, *_LAST})
    keys += [key for key in _LAST if key in row]
    return _checked_text({key: row[key] for key in keys}, name) + "\n"


def text_of(row: Mapping[str, Any], name: str) -> str:
    """Write one row in the least time: its keys as they stand, without spaces or a line feed.

    Args:
        row: The row; JSON data.
        name: What it is, for messages.

    Raises:
        UserError: The row is not JSON data.
    """
    try:
        text = to_json(row).decode()
    except ValueError:
        return _checked_text(row, name)
    # This writer does not refuse them.
    return _checked_text(row, name) if "NaN" in text or "Infinity" in text else text


def _checked_text(row: Mapping[str, Any], name: str) -> str:
    try:
        text = _ENCODER.encode(row)
    except (TypeError, ValueError, RecursionError) as error:
        raise UserError(f"{name} of the journal is not JSON data: {error}.") from error
    if text.isascii():
        return text
    return _LONE_SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def object_in(line: str, number: int) -> dict[str, Any]:
    """Read one line.

    Args:
        line: The line.
        number: Its number, counted from one.

    Raises:
        DamagedJournal: It is not a JSON object.
    """
    try:
        value = _DECODER.decode(line)
    except (ValueError, RecursionError) as error:
        reason = "it is empty" if not line.strip() else f"it is not JSON: {error}"
        raise DamagedJournal(number, reason) from error
    if not isinstance(value, dict):
        raise DamagedJournal(number, f"it holds a {type(value).__name__}, not an object")
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(
            f"the key {next(key for key in keys if keys.count(key) > 1)!r} occurs twice"
        )
    return values


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse, object_pairs_hook=_unique)
