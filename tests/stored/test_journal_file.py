"""The file form of a journal, as text that a person reads and edits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgraph.exceptions import UserError
from agentgraph.stored.journal_file import DamagedJournal, machine_row, read, write

HEADER = {"run": "run-1", "limit": 10}
ROWS = [
    machine_row("m1", {"states": [1]}),
    {
        "payload": {"text": "Grüße \u2028 😀"},
        "index": 0,
        "path": [],
        "id": [1, 0, 1],
        "event": "replied",
        "state": "thinking",
        "sequence": 1,
        "turn": 1,
        "reply": None,
    },
    {"payload": {"b": 1, "a": 2}, "index": 1, "more": 1, "less": 2, "event": "returned"},
]

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def test_a_journal_reads_as_a_person_expects() -> None:
    assert write(HEADER, ROWS) == (
        '{"$schemaVersion": "agentgraph/1", "kind": "journal", "run": "run-1", "limit": 10}\n'
        '{"kind": "machine", "fingerprint": "m1", "machine": {"states": [1]}}\n'
        '{"index": 0, "path": [], "id": [1, 0, 1], "event": "replied", "state": "thinking",'
        ' "sequence": 1, "turn": 1, "reply": null, "payload": {"text": "Grüße \u2028 😀"}}\n'
        '{"index": 1, "event": "returned", "less": 2, "more": 1, "payload": {"b": 1, "a": 2}}\n'
    )


@given(st.dictionaries(st.text(), JSON, max_size=3), st.lists(JSON, max_size=5))
def test_what_is_written_is_read_again(header: dict[str, Any], payloads: list[Any]) -> None:
    header = {key: value for key, value in header.items() if key not in ("$schemaVersion", "kind")}
    rows = [{"index": index, "payload": payload} for index, payload in enumerate(payloads)]
    text = write(header, rows)
    assert read(text) == (header, rows)
    assert text.count("\n") == 1 + len(rows)
    assert write(*read(text)) == text


def test_a_file_on_disk_reads_back_even_with_the_line_ends_of_windows(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    file.write_bytes(write(HEADER, ROWS).replace("\n", "\r\n").encode())
    assert read(file.read_bytes().decode()) == (HEADER, ROWS)


def test_the_order_of_keys_inside_a_payload_is_kept() -> None:
    _, rows = read(write(HEADER, ROWS))
    assert list(rows[2]["payload"]) == ["b", "a"]


def test_the_order_in_which_a_row_was_put_together_does_not_show() -> None:
    turned = [dict(reversed(row.items())) for row in ROWS]
    assert write(dict(reversed(HEADER.items())), turned) == write(HEADER, ROWS)


def test_half_of_a_surrogate_pair_does_not_spoil_the_file() -> None:
    rows = [{"index": 0, "payload": "\ud800"}]
    text = write(HEADER, rows)
    assert read(text.encode().decode()) == (HEADER, rows)


@pytest.mark.parametrize("version", ["agentgraph/2", "agentgraph/0.9", 1])
def test_another_version_is_named_beside_our_own(version: object) -> None:
    text = write(HEADER, ROWS).replace('"agentgraph/1"', json.dumps(version))
    with pytest.raises(UserError) as refused:
        read(text)
    assert repr(version) in str(refused.value)
    assert "'agentgraph/1'" in str(refused.value)


def test_another_kind_of_file_is_refused() -> None:
    with pytest.raises(UserError, match="holds a 'state', not a 'journal'"):
        read(write(HEADER, ROWS).replace('"kind": "journal"', '"kind": "state"'))


def _replaced(number: int, line: str) -> Callable[[list[str]], list[str]]:
    return lambda lines: [*lines[: number - 1], line, *lines[number:]]


@pytest.mark.parametrize(
    ("change", "line", "reason"),
    [
        (lambda _: [""], 1, "it is empty"),
        (_replaced(1, "{}"), 1, "schemaVersion"),
        (_replaced(1, "[]"), 1, "it holds a list"),
        (_replaced(2, ""), 2, "it is empty"),
        (_replaced(3, '{"index": 0'), 3, "it is not JSON"),
        (_replaced(3, '{"index": 0, "payload": NaN}'), 3, "NaN is not a number"),
        (_replaced(3, '{"index": 0, "index": 0}'), 3, "'index' occurs twice"),
        (_replaced(3, "3"), 3, "it holds a int"),
        (_replaced(3, '{"event": "replied"}'), 3, "neither an index nor a kind"),
        (_replaced(4, '{"index": 3}'), 4, "the index is 3, expected 1"),
        (_replaced(4, '{"index": true}'), 4, "the index is True, expected 1"),
        (lambda lines: [*lines[:2], lines[3]], 3, "the index is 1, expected 0"),
        (lambda lines: [*lines, lines[3]], 5, "the index is 1, expected 2"),
        (lambda lines: [*lines, lines[1]], 5, "machine 'm1' occurs twice"),
        (_replaced(2, '{"kind": "machine"}'), 2, "a machine has no fingerprint"),
        (lambda lines: [*lines[:3], lines[3][:20]], 4, "it is not JSON"),
    ],
)
def test_a_damaged_line_is_named_by_its_number(
    change: Callable[[list[str]], list[str]], line: int, reason: str
) -> None:
    text = "\n".join(change(_lines())) + "\n"
    with pytest.raises(DamagedJournal, match=f"Line {line} of the journal.*{reason}") as damaged:
        read(text)
    assert damaged.value.line == line


def _lines() -> list[str]:
    return write(HEADER, ROWS).removesuffix("\n").split("\n")


@pytest.mark.parametrize("payload", [float("nan"), object(), {1, 2}])
def test_a_row_that_is_not_json_is_named(payload: object) -> None:
    with pytest.raises(UserError, match="Row 1 of the journal is not JSON data"):
        write(HEADER, [{"index": 0}, {"index": 1, "payload": payload}])


def test_rows_with_a_gap_are_not_written() -> None:
    with pytest.raises(UserError, match="the index is 2, expected 1"):
        write(HEADER, [{"index": 0}, {"index": 2}])
