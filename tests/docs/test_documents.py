"""Every example that README and docs show works as written.

Python blocks run in a folder of their own, and print what the document says they print. Console
blocks run the `agentgraph` command on a copy of the examples and a database with two conversations;
the lines that the document shows must come in that order. No key is set, so the rehearsal model
answers. A block in another language (``sh``, ``text``, ``mermaid``) is not run.
`markdown_blocks.py` says what a fence may say.
"""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agentgraph import SQLiteSession
from tests.cli import stored_desk
from tests.docs.markdown_blocks import (
    DOCUMENTS,
    REPOSITORY,
    Block,
    Program,
    blocks_of,
    chapters_of,
    commands_of,
    exit_status,
    typed,
)
from tests.docs.top_level_await import execute

LINK = re.compile(r"\]\((?!https?://|mailto:)(?P<path>[^)#\s]*)(?:#(?P<anchor>[^)\s]+))?\)")
CODE = re.compile(r"^```.*?^```", re.M | re.S)


def blocks(language: str) -> list[Block]:
    return [block for document in DOCUMENTS for block in blocks_of(document, language)]


CHAPTERS = [chapter for document in DOCUMENTS for chapter in chapters_of(document)]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: str(chapter[0].code))
def test_a_python_block_runs_and_prints_what_the_document_says(
    chapter: list[Program],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with asyncio.Runner() as runner:
        for block, shown in ((program.code, program.printed) for program in chapter):
            lines_above = "\n" * (block.line - 1)
            error = block.word("raises")
            try:
                execute(lines_above + block.text, str(block.document), namespace, runner)
                raised = None
            except Exception as exception:
                raised = type(exception).__name__
                if error is None:
                    raise
            assert raised == error
            printed = capsys.readouterr().out
            if shown is not None:
                assert lines_of(printed) == lines_of(shown), f"{block} prints:\n{printed}"


def lines_of(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]


@pytest.mark.parametrize("block", blocks("console"), ids=str)
def test_a_console_block_shows_what_the_command_prints(block: Block, tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "examples", tmp_path / "examples")
    asyncio.run(store_conversations(tmp_path / "conversations.db"))
    if "runs.db" in block.text:
        shutil.copy(stored_desk.__file__, tmp_path / "desk.py")
        asyncio.run(stored_desk.stored_runs(tmp_path / "runs.db"))
    commands = commands_of(block)
    assert commands, f"{block}: a console block holds a line that starts with '$ '"
    for number, command in enumerate(commands, start=1):
        last = number == len(commands)
        done = run_command(command.words, tmp_path, typed(block) if last else "")
        expected = exit_status(block) if last else 0
        assert done.returncode == expected, f"{block}: {command.words}\n{done.stdout}"
        missing = first_missing_line(command.output, done.stdout.splitlines())
        assert missing is None, f"{block}: {command.words} does not print: {missing}\n{done.stdout}"


SHELL_COMMANDS = [
    line.partition("#")[0].strip()
    for block in blocks_of(REPOSITORY / "README.md", "sh")
    for line in block.text.splitlines()
    if line.startswith("agentgraph ")
]


@pytest.mark.parametrize("command", SHELL_COMMANDS)
def test_a_command_of_the_readme_is_understood(command: str, tmp_path: Path) -> None:
    """Status 2 means that the command line or its file could not be used."""
    shutil.copytree(REPOSITORY / "examples", tmp_path / "examples")
    done = run_command(command, tmp_path, "Where is my order 1042?\n")
    assert done.returncode != 2, done.stdout


async def store_conversations(database: Path) -> None:
    """One conversation that is whole, and one whose last call never got its output."""

    def call(call_id: str, arguments: str) -> Any:
        return {
            "type": "function_call",
            "call_id": call_id,
            "name": "order_status",
            "arguments": arguments,
        }

    answer: Any = {"type": "function_call_output", "call_id": "call_1", "output": "On its way."}
    conversations: dict[str, list[Any]] = {
        "customer-17": [
            {"role": "user", "content": "Where is my order 17?"},
            call("call_1", '{"order_id": "17"}'),
            answer,
            {"role": "assistant", "content": "It is on its way."},
        ],
        "customer-18": [{"role": "user", "content": "And mine?"}, call("call_2", "{}")],
    }
    for name, items in conversations.items():
        session = SQLiteSession(name, database)
        await session.add_items(items)
        session.close()


def run_command(command: str, folder: Path, typed: str) -> subprocess.CompletedProcess[str]:
    """Run one `agentgraph` command offline, its output and errors together."""
    program, *arguments = shlex.split(command)
    assert program == "agentgraph", f"only `agentgraph` runs in a console block, not {program!r}"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "compiler")]),
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "PYTHONIOENCODING": "utf-8",
    }
    return subprocess.run(
        [sys.executable, "-c", "from agentgraph.cli import main; main()", *arguments],
        cwd=folder,
        env=environment,
        input=typed,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def first_missing_line(shown: tuple[str, ...], printed: list[str]) -> str | None:
    """The first line of a document that the output lacks, in order; ``…`` stands for any lines."""
    rest = iter(line.rstrip() for line in printed)
    for line in shown:
        text = line.rstrip()
        if text in ("", "…", "..."):
            continue
        if text not in rest:
            return text
    return None


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_a_link_inside_the_repository_leads_somewhere(document: Path) -> None:
    text = CODE.sub("", document.read_text(encoding="utf-8"))
    for link in LINK.finditer(text):
        target = document.parent / link["path"] if link["path"] else document
        assert target.exists(), f"{document.name} links to {link['path']}, which is not there"
        if link["anchor"]:
            assert link["anchor"] in anchors_of(target), f"{document.name}: {link[0]}"


def anchors_of(document: Path) -> set[str]:
    """The anchors of a document's headings, as they are formed where Markdown is shown."""
    text = CODE.sub("", document.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_index_lists_every_document() -> None:
    docs = REPOSITORY / "docs"
    linked = {link["path"] for link in LINK.finditer((docs / "README.md").read_text("utf-8"))}
    pages = {path.name for path in docs.glob("*.md") if path.name != "README.md"}
    assert pages - linked == set()


def test_the_list_of_decisions_names_every_record_by_its_title() -> None:
    folder = REPOSITORY / "docs" / "decisions"
    listed = re.findall(
        r"^\| \[(\d+)\]\(([\w-]+\.md)\) \| (.+) \|$", read(folder / "README.md"), re.M
    )
    records = sorted(path for path in folder.glob("*.md") if path.name != "README.md")
    titles = [read(path).partition("\n")[0].removeprefix("# ") for path in records]
    assert [f"{number} — {title}" for number, _, title in listed] == titles
    assert [name for _, name, _ in listed] == [path.name for path in records]


def read(document: Path) -> str:
    return document.read_text(encoding="utf-8")


def test_every_task_that_the_documents_name_is_in_the_makefile() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    tasks = set(re.findall(r"^([a-z-]+):", makefile, re.M))
    named = {
        task
        for document in DOCUMENTS
        for block in (*blocks_of(document, "sh"), *blocks_of(document, "console"))
        for task in re.findall(r"^(?:\$ )?make ([a-z-]+)", block.text, re.M)
    }
    assert named
    assert named - tasks == set()


@pytest.mark.parametrize(
    ("shown", "printed", "missing"),
    [
        (("a", "c"), ["a", "b", "c"], None),
        (("c", "a"), ["a", "b", "c"], "a"),
        (("a", "…", "c"), ["a", "b", "c"], None),
        (("a", "d"), ["a", "b", "c"], "d"),
    ],
)
def test_shown_lines_must_be_printed_in_order(
    shown: tuple[str, ...], printed: list[str], missing: str | None
) -> None:
    assert first_missing_line(shown, printed) == missing
