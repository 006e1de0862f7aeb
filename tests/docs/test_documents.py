"""Every example that README and docs show works as written.

Python blocks run in a folder of their own; console blocks run the `agentgraph` command on a copy of
the examples, and the lines that the document shows must come in that order. No key is set, so the
rehearsal model answers. A block in another language (``sh``, ``text``, ``mermaid``) is not run.
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

from tests.docs.markdown_blocks import Block, blocks_of, commands_of, exit_status
from tests.docs.top_level_await import execute

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    REPOSITORY / "README.md",
    REPOSITORY / "CONTRIBUTING.md",
    *sorted((REPOSITORY / "docs").rglob("*.md")),
]
LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)[^)]*\)")


def blocks(language: str) -> list[Block]:
    return [block for document in DOCUMENTS for block in blocks_of(document, language)]


def chapters() -> list[list[Block]]:
    """The Python blocks, each with those that continue it."""
    found: list[list[Block]] = []
    for block in blocks("python"):
        if "continues" in block.words:
            found[-1].append(block)
        else:
            found.append([block])
    return found


@pytest.mark.parametrize("chapter", chapters(), ids=lambda chapter: str(chapter[0]))
def test_a_python_block_runs(
    chapter: list[Block], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with asyncio.Runner() as runner:
        for block in chapter:
            lines_above = "\n" * (block.line - 1)
            execute(lines_above + block.text, str(block.document), namespace, runner)


@pytest.mark.parametrize("block", blocks("console"), ids=str)
def test_a_console_block_shows_what_the_command_prints(block: Block, tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "examples", tmp_path / "examples")
    commands = commands_of(block)
    assert commands, f"{block}: a console block holds a line that starts with '$ '"
    for number, command in enumerate(commands, start=1):
        done = run_command(command.words, tmp_path)
        expected = exit_status(block) if number == len(commands) else 0
        assert done.returncode == expected, f"{block}: {command.words}\n{done.stdout}"
        missing = first_missing_line(command.output, done.stdout.splitlines())
        assert missing is None, f"{block}: {command.words} does not print: {missing}\n{done.stdout}"


def run_command(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
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
        stdin=subprocess.DEVNULL,
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
        wanted = line.rstrip()
        if wanted in ("", "…", "..."):
            continue
        if wanted not in rest:
            return wanted
    return None


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_a_link_inside_the_repository_leads_somewhere(document: Path) -> None:
    targets = LINK.findall(document.read_text(encoding="utf-8"))
    assert [target for target in targets if not (document.parent / target).exists()] == []


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
