"""`agentgraph sessions`: what people are shown of stored sessions, and what they can do to them."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from agentgraph.extensions.memory import AdvancedSQLiteSession, EncryptedSession
from agentgraph.memory import SQLiteSession
from agentgraph.memory.transcripts.histories import legal
from tests.cli.command import REPOSITORY, Ended, agentgraph

WRITTEN_BY_THE_SDK = REPOSITORY / "tests" / "memory" / "fixtures"

Item = Any
USER: Item = {"role": "user", "content": "What is the weather in Paris?"}
CALL: Item = {
    "type": "function_call",
    "call_id": "c1",
    "name": "weather",
    "arguments": '{"city": "Paris"}',
}
OUTPUT: Item = {"type": "function_call_output", "call_id": "c1", "output": "sunny"}
ANSWER: Item = {
    "type": "message",
    "role": "assistant",
    "id": "msg_1",
    "content": [{"type": "output_text", "text": "It is sunny.", "annotations": []}],
}
REASONING: Item = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "They ask for weather."}],
}
REQUEST: Item = {
    "type": "mcp_approval_request",
    "id": "mcpr_1",
    "name": "pay",
    "arguments": '{"amount": 5}',
    "server_label": "bank",
}
TURN: list[Item] = [USER, REASONING, CALL, OUTPUT, ANSWER]
DANGLING: list[Item] = [USER, CALL, USER, ANSWER]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


def store(file: Path, session_id: str, items: list[Item]) -> None:
    session = SQLiteSession(session_id, file)
    asyncio.run(session.add_items(items))
    session.close()


def stored(file: Path, session_id: str) -> list[Item]:
    session = SQLiteSession(session_id, file)
    items: list[Item] = list(asyncio.run(session.get_items()))
    session.close()
    return items


def sessions(command: str, *arguments: object, db: object, typed: str | None = None) -> Ended:
    return agentgraph("sessions", command, *arguments, "--db", db, typed=typed)


def test_the_list_shows_sizes_times_and_whether_histories_are_legal(file: Path) -> None:
    store(file, "fine", TURN)
    store(file, "broken", DANGLING)
    store(file, "pending", [USER, REQUEST])
    connection = sqlite3.connect(file)
    connection.execute(
        "INSERT INTO agent_messages (session_id, message_data) VALUES ('fine', '{no')"
    )
    connection.commit()
    connection.close()

    ended = sessions("list", db=file)

    assert (ended.status, ended.err) == (0, "")
    head, *rows = ended.out.splitlines()
    assert head.split("  ")[0] == "session"
    columns = [(row.split()[0], row.split()[1], row.split("  ")[-1]) for row in rows]
    assert columns == [
        ("broken", "4", "1 fault"),
        ("fine", "6", "1 unreadable"),
        ("pending", "2", "waits for approval"),
    ]
    assert rows[0].count("-") == 4  # two dates


def test_a_file_without_sessions_is_said_to_have_none(file: Path) -> None:
    store(file, "gone", [USER])
    assert sessions("delete", "gone", "--yes", db=file).status == 0

    assert sessions("list", db=file) == Ended(0, "", "there are no sessions\n")


def test_a_conversation_is_shown_with_roles_calls_outputs_and_reasoning(file: Path) -> None:
    store(file, "s", [*TURN, REQUEST, {"type": "web_search_call", "id": "ws_1", "query": "x"}])

    assert sessions("show", "s", db=file).out.splitlines() == [
        "user: What is the weather in Paris?",
        "  … They ask for weather.",
        '  ⚙ weather(city="Paris")',
        "  ↳ weather → sunny",
        "assistant: It is sunny.",
        "  ‖ asks for approval: pay(amount=5)",
        '  · web search call {"query": "x"}',
    ]


def test_the_latest_items_can_be_shown_alone_and_outputs_still_name_their_tool(file: Path) -> None:
    store(file, "s", TURN)

    assert sessions("show", "s", "--limit", 2, db=file).out.splitlines() == [
        "(3 earlier items are not shown)",
        "  ↳ weather → sunny",
        "assistant: It is sunny.",
    ]


def test_what_is_wrong_stands_below_the_item(file: Path) -> None:
    store(file, "s", DANGLING)

    lines = sessions("show", "s", db=file).out.splitlines()

    assert lines[2] == "    ✗ function_call 'c1' of tool 'weather' has no output"


def test_text_of_models_cannot_steer_the_terminal(file: Path) -> None:
    store(file, "s", [{"role": "user", "content": "\x1b[2Jgone"}])

    assert sessions("show", "s", db=file).out == "user: \\x1b[2Jgone\n"


def test_text_that_turns_the_order_of_a_line_is_written_out(file: Path) -> None:
    store(file, "s", [{"role": "user", "content": "pay \u202etset\u2069 שלום"}])

    assert sessions("show", "s", db=file).out == "user: pay \\u202etset\\u2069 שלום\n"


def test_names_of_roles_cannot_either(file: Path) -> None:
    store(file, "s", [{"role": "\x1b[2J", "content": "gone"}])

    assert sessions("show", "s", db=file).out == "\\x1b[2J: gone\n"


def test_messages_that_say_nothing_are_shown_as_such(file: Path) -> None:
    odd: Any = [
        {"role": "user"},
        {"type": "message"},
        {"role": "user", "content": [5, None]},
        {"role": None, "type": 5, "id": "x"},
    ]
    store(file, "s", odd)

    ended = sessions("show", "s", db=file)

    assert (ended.status, ended.err) == (0, "")
    assert ended.out.splitlines()[:3] == ["user: ", "message: ", "user: 5 null"]


@pytest.mark.parametrize("ending", ["json", "jsonl"])
def test_half_a_surrogate_pair_is_exported_as_it_is_read(
    file: Path, tmp_path: Path, ending: str
) -> None:
    store(file, "s", [{"role": "user", "content": "\ud83d é"}])
    items: list[Item] = [{"role": "user", "content": "\ufffd é"}]
    exported = tmp_path / f"out.{ending}"

    assert sessions("export", "s", "-o", exported, db=file).status == 0

    text = exported.read_text(encoding="utf-8")
    assert json.loads(text) == (items if ending == "json" else items[0])
    assert sessions("export", "s", "--format", ending, db=file).out == text


@pytest.mark.parametrize("ending", ["json", "jsonl"])
def test_an_export_can_be_stored_again(file: Path, tmp_path: Path, ending: str) -> None:
    store(file, "s", TURN)
    exported = tmp_path / f"out.{ending}"

    ended = sessions("export", "s", "-o", exported, db=file)

    assert ended == Ended(0, "", f"wrote {exported}\n")
    text = exported.read_text(encoding="utf-8")
    items = (
        json.loads(text) if ending == "json" else [json.loads(line) for line in text.splitlines()]
    )
    assert items == TURN
    assert sessions("export", "s", "--format", ending, db=file).out == text


def test_an_export_does_not_take_the_place_of_the_sessions(file: Path, tmp_path: Path) -> None:
    store(file, "s", TURN)
    link = tmp_path / "link"
    link.symlink_to(file)

    for output in (file, link):
        ended = sessions("export", "s", "-o", output, db=file)
        assert (ended.status, ended.err) == (
            2,
            f"error: {output} is the file with the sessions, so it was not overwritten\n"
            "help: choose another file for --output\n",
        )

    assert stored(file, "s") == TURN


def test_an_export_goes_where_a_link_leads_and_into_a_pipe(file: Path, tmp_path: Path) -> None:
    store(file, "s", TURN)
    link, pipe, exported = (tmp_path / name for name in ("link", "pipe", "out.json"))
    link.symlink_to(exported)
    os.mkfifo(pipe)

    assert sessions("export", "s", "-o", link, db=file).status == 0
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    assert sessions("export", "s", "-o", pipe, db=file).status == 0
    received = os.read(reading, 65_536)
    os.close(reading)

    assert link.is_symlink()
    assert pipe.is_fifo()
    assert json.loads(received) == json.loads(exported.read_bytes()) == TURN


def test_columns_stand_below_each_other_whatever_the_width_of_a_name(file: Path) -> None:
    for name in ("漢字", "plain", "🎉"):
        store(file, name, TURN)

    lines = sessions("list", db=file).out.splitlines()

    assert len({cell_len(line.partition("legal")[0]) for line in lines[1:]}) == 1


def test_an_export_that_cannot_be_written_leaves_what_was_there(file: Path, tmp_path: Path) -> None:
    store(file, "s", TURN)
    taken = tmp_path / "taken"
    taken.mkdir()

    ended = sessions("export", "s", "-o", taken, db=file)

    assert ended.status == 2
    assert "cannot be written" in ended.err
    assert sorted(path.name for path in tmp_path.iterdir() if "taken" in path.name) == ["taken"]


def test_a_repair_says_what_it_would_do_and_does_it_when_told_to(file: Path) -> None:
    store(file, "broken", DANGLING)
    store(file, "fine", TURN)
    change = "broken: remove item 1: function_call 'c1' of tool 'weather' has no output\n"

    dry = sessions("repair", "--dry-run", db=file)
    assert dry == Ended(1, change, "")
    assert stored(file, "broken") == DANGLING

    declined = sessions("repair", db=file, typed="n\n")
    assert (declined.status, declined.out) == (1, change)
    assert "nothing was changed" in declined.err
    assert stored(file, "broken") == DANGLING

    agreed = sessions("repair", "broken", db=file, typed="y\n")
    assert (agreed.status, agreed.out) == (0, change)
    assert agreed.err.endswith("repaired broken\n")
    assert stored(file, "broken") == [USER, USER, ANSWER]
    assert stored(file, "fine") == TURN

    assert sessions("repair", db=file) == Ended(0, "", "nothing to repair\n")


def test_a_repair_removes_the_marks_of_an_older_version_and_changes_nothing_else(
    file: Path,
) -> None:
    store(file, "old", TURN)
    store(file, "fine", TURN)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(
            "UPDATE agent_messages SET message_data = message_data || ? WHERE session_id = 'old'",
            (" \t\n\r" * 6,),
        )
    change = "old: remove the marks of an older version from 5 rows\n"

    assert sessions("repair", "--dry-run", db=file) == Ended(1, change, "")
    assert sessions("list", db=file).status == 0
    assert stored(file, "old") == TURN
    repaired = sessions("repair", "--yes", db=file)
    assert (repaired.status, repaired.out, repaired.err) == (0, change, "repaired old\n")

    assert stored(file, "old") == TURN
    with closing(sqlite3.connect(file)) as connection:
        texts = connection.execute("SELECT message_data FROM agent_messages").fetchall()
    assert all(text == text.rstrip() for (text,) in texts)
    assert sessions("repair", db=file) == Ended(0, "", "nothing to repair\n")


def test_without_an_answer_nothing_is_changed(file: Path) -> None:
    store(file, "broken", DANGLING)

    count = len(DANGLING)
    for command, question in (
        (["repair"], "Make these changes (1 item of 1 session)?"),
        (["delete", "broken"], f"Delete session 'broken' with {count} items?"),
    ):
        ended = sessions(*command, db=file, typed="")
        assert ended.status == 2
        assert question in ended.err
        assert "give --yes" in ended.err
    assert stored(file, "broken") == DANGLING


def test_what_waits_for_approval_is_not_repaired_away(file: Path) -> None:
    store(file, "pending", [USER, REQUEST])
    store(file, "ignored", [USER, REQUEST, USER])

    assert sessions("repair", "--yes", db=file).status == 0

    assert stored(file, "pending") == [USER, REQUEST]
    assert stored(file, "ignored") == [USER, USER]


def test_an_id_used_again_is_taken_out_of_the_stored_item(file: Path) -> None:
    store(file, "s", [USER, ANSWER, USER, ANSWER])

    assert sessions("repair", "--yes", db=file).status == 0

    items = stored(file, "s")
    assert legal(items)
    assert items[3] == {key: value for key, value in ANSWER.items() if key != "id"}


def test_a_branch_is_shown_and_mended_without_touching_the_others(file: Path) -> None:
    async def write() -> None:
        session = AdvancedSQLiteSession(session_id="s", db_path=file, create_tables=True)
        await session.add_items([USER, ANSWER, {"role": "user", "content": "second"}, CALL])
        await session.create_branch_from_turn(2, "other")
        await session.add_items([{"role": "user", "content": "elsewhere"}, CALL, OUTPUT])
        session.close()

    asyncio.run(write())

    listed = sessions("list", db=file).out.splitlines()[1:]
    assert [line.split("  ")[0] for line in listed] == ["s @main", "s @other"]
    assert [line.split("  ")[-1] for line in listed] == ["1 fault", "legal"]
    assert "elsewhere" in sessions("show", "s", "--branch", "other", db=file).out
    assert "elsewhere" not in sessions("show", "s", db=file).out

    assert sessions("repair", "--yes", db=file).status == 0

    async def read(branch: str) -> list[Item]:
        session = AdvancedSQLiteSession(session_id="s", db_path=file)
        items: list[Item] = list(await session.get_items(branch_id=branch))
        session.close()
        return items

    assert asyncio.run(read("main")) == [USER, ANSWER, {"role": "user", "content": "second"}]
    assert len(asyncio.run(read("other"))) == 5
    missing = sessions("show", "s", "--branch", "nowhere", db=file)
    assert missing.status == 2
    assert "it has: main, other" in missing.err


def test_an_encrypted_session_is_listed_and_never_judged(file: Path) -> None:
    async def write() -> None:
        session = EncryptedSession("secret", SQLiteSession("secret", file), "key")
        await session.add_items(DANGLING)

    asyncio.run(write())

    assert sessions("list", db=file).out.splitlines()[1].endswith("encrypted")
    assert sessions("show", "secret", db=file).out.splitlines() == ["  · an encrypted item"] * 4
    assert "cannot be checked" in sessions("repair", "secret", "--yes", db=file).err
    assert len(stored(file, "secret")) == 4


@pytest.mark.parametrize("name", ["sdk_sqlite", "sdk_advanced_sqlite"])
def test_files_of_the_published_sdk_are_looked_at_and_kept_as_they_are(
    name: str, file: Path
) -> None:
    shutil.copy(WRITTEN_BY_THE_SDK / f"{name}.sqlite", file)
    before = file.read_bytes()

    assert "legal" in sessions("list", db=file).out
    assert "lookup → 42" in sessions("show", "from-sdk", db=file).out
    assert len(json.loads(sessions("export", "from-sdk", db=file).out)) == 6
    assert sessions("repair", db=file).err == "nothing to repair\n"
    assert file.read_bytes() == before

    assert sessions("delete", "from-sdk", "--yes", db=f"sqlite+aiosqlite:///{file}").status == 0
    assert stored(file, "from-sdk") == []


@pytest.mark.parametrize("command", [("list",), ("show", "s"), ("delete", "s", "-y"), ("repair",)])
def test_a_place_without_sessions_is_refused_and_left_alone(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    missing, notes, other = (tmp_path / name for name in ("missing.db", "notes.txt", "other.db"))
    notes.write_text("no database " * 99)
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE agent_messages (id INTEGER, text TEXT)")
    connection.execute("CREATE TABLE recipes (id INTEGER)")
    connection.commit()
    connection.close()
    before = notes.read_bytes(), other.read_bytes()

    complaints = {
        missing: "there is no file",
        tmp_path: "is not a file",
        notes: "this is not an SQLite database; nothing was changed",
        other: f"{other}: table 'agent_messages' lacks the columns message_data, session_id: it "
        "belongs to another program",
        "nosql://host/x": "no database can be reached by this URL",
    }
    for place, complaint in complaints.items():
        ended = sessions(command[0], *command[1:], db=place)
        assert (ended.status, ended.out) == (2, "")
        assert complaint in ended.err

    assert not missing.exists()
    assert (notes.read_bytes(), other.read_bytes()) == before


@pytest.mark.parametrize("place", ["", "sqlite://", "sqlite+aiosqlite:///"])
def test_a_place_without_a_name_is_said_to_have_none(place: str) -> None:
    ended = sessions("list", db=place)

    assert (ended.status, ended.out) == (2, "")
    assert f"'{place}' does not name a file" in ended.err


@pytest.mark.parametrize("command", [("list",), ("show", "s"), ("export", "s"), ("repair",)])
def test_looking_leaves_nothing_beside_the_file(file: Path, command: tuple[str, ...]) -> None:
    store(file, "s", TURN)
    before = file.read_bytes()

    assert sessions(command[0], *command[1:], db=file).status == 0

    assert list(file.parent.iterdir()) == [file]
    assert file.read_bytes() == before


def test_what_another_program_has_not_brought_into_the_file_yet_is_shown(file: Path) -> None:
    writer = SQLiteSession("s", file)
    asyncio.run(writer.add_items(TURN))
    log = file.with_name(f"{file.name}-wal")

    assert "It is sunny." in sessions("show", "s", db=file).out

    assert log.stat().st_size > 0
    asyncio.run(writer.add_items([USER]))
    writer.close()
    assert stored(file, "s") == [*TURN, USER]


def test_a_file_in_a_folder_that_nobody_may_write_to_is_shown(file: Path) -> None:
    store(file, "s", TURN)
    with tempfile.TemporaryDirectory() as folder:
        alone = shutil.copy(file, folder)
        Path(folder).chmod(0o555)

        # The superuser may write anywhere, so there another user does the work, who may not
        # read the modules either: what needs them comes first.
        look = (
            "import os, sys; from tests.cli.command import agentgraph; "
            "show = lambda file: print(agentgraph('sessions', 'show', 's', '--db', file).out); "
            "show(sys.argv[1]); print('alone'); os.getuid() or os.setuid(65534); show(sys.argv[2]);"
            "print(agentgraph('sessions', 'delete', 's', '--yes', '--db', sys.argv[2]).err)"
        )
        command = [sys.executable, "-c", look, str(file), str(alone)]
        ended = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, check=True)
        Path(folder).chmod(0o755)

        _, text = ended.stdout.split("alone")
        assert "It is sunny." in text
        assert "the file or its folder is read-only; allow writing to both" in text
        assert stored(Path(alone), "s") == TURN


def test_tables_with_names_of_their_own_are_named_on_the_command_line(file: Path) -> None:
    session = SQLiteSession("s", file, sessions_table="chats", messages_table="lines")
    asyncio.run(session.add_items(TURN))
    session.close()

    refused = sessions("list", db=file)
    assert refused.status == 2
    assert "it has no table 'agent_sessions', only 'chats', 'lines'" in refused.err
    tables = ("--sessions-table", "chats", "--messages-table", "lines")
    assert "legal" in sessions("list", *tables, db=file).out


def test_a_damaged_file_is_said_to_be_damaged(file: Path) -> None:
    store(file, "s", [{"role": "user", "content": "x" * 5_000} for _ in range(50)])
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    file.write_bytes(content)

    ended = sessions("list", db=file)

    assert (ended.status, ended.out) == (2, "")
    assert "the database file is damaged; restore it from a backup" in ended.err


def test_a_session_that_is_not_there_is_said_with_how_to_find_those_that_are(file: Path) -> None:
    store(file, "s", TURN)

    for command in ("show", "export", "delete", "repair"):
        ended = sessions(command, "absent", db=file)
        assert ended.status == 2
        assert "there is no session 'absent'" in ended.err
        assert "agentgraph sessions list" in ended.err
    assert stored(file, "s") == TURN
