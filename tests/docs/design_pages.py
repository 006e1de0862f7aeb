"""The pages of docs/design as the tests read them: sections, tables, and what they cite."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
DESIGN = REPOSITORY / "docs" / "design"
ARCHITECTURE, REPLAY, BEHAVIOUR = (
    DESIGN / f"{name}.md" for name in ("architecture", "replay", "behaviour")
)
PAGES = (ARCHITECTURE, REPLAY, BEHAVIOUR)

_FENCED = re.compile(r"^```.*?^```", re.M | re.S)
_HEADING = re.compile(r"^#+ (?P<title>.+)$", re.M)
_NUMBERED = re.compile(r"^##+ (?P<number>\d+)\. .+$", re.M)
_CODE = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"(?:agentgraph|compiler|tests|docs|examples|benchmarks)/[\w./-]*|[\w-]+\.md")
_MODULE = re.compile(r"(?:agentgraph|agentgraph_compiler)(?:\.\w+)+")


def prose_of(page: Path) -> str:
    """The text of a page without its fenced blocks."""
    return _FENCED.sub("", page.read_text(encoding="utf-8"))


def headings_of(page: Path) -> set[str]:
    """The titles of a page's headings."""
    return {match["title"] for match in _HEADING.finditer(prose_of(page))}


def sections_of(page: Path) -> dict[int, str]:
    """The numbered sections of a page: the number of each, and its text."""
    text = prose_of(page)
    marks = list(_NUMBERED.finditer(text))
    numbers = [int(mark["number"]) for mark in marks]
    assert numbers == list(range(1, len(numbers) + 1)), f"{page.name}: sections {numbers}"
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    return {
        number: text[mark.start() : end]
        for number, mark, end in zip(numbers, marks, ends, strict=True)
    }


def table_under(page: Path, heading: str) -> list[tuple[str, ...]]:
    """The rows of the first table under a heading, without its head."""
    _, heading_line, rest = prose_of(page).partition(f"# {heading}\n")
    assert heading_line, f"{page.name} has no heading '{heading}'"
    lines = rest.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[first:]:
        if not line.startswith("|"):
            break
        rows.append(tuple(cell.strip() for cell in line.strip("|").split(" | ")))
    return rows[2:]


def code_in(text: str) -> list[str]:
    """What stands between backticks."""
    return _CODE.findall(text)


def paths_in(text: str) -> Iterator[str]:
    """The files and folders of the repository that a text names between backticks."""
    return (code for code in code_in(text) if _PATH.fullmatch(code))


def modules_in(text: str) -> Iterator[str]:
    """The dotted names of ours that a text has between backticks."""
    return (code for code in code_in(text) if _MODULE.fullmatch(code))
