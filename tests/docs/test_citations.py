"""Comments, docstrings and pages cite only what is in the repository: documents, sections, records.

A citation is a path with a number or a title: ``docs/design/<page>.md, section 2``, ``…, rule 9``,
``…, "Layers"``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.design_pages import ARCHITECTURE, PAGES, REPOSITORY, headings_of, sections_of

FOLDERS = ("agentgraph", "compiler", "tests", "examples", "benchmarks", "docs")
KINDS = frozenset({".md", ".py", ".pyi", ".toml", ".yml"})
# These files name documents that are not there, to try a reader of documents on them.
MADE_UP = {
    Path(__file__),
    REPOSITORY / "tests" / "docs" / "test_reference.py",
    REPOSITORY / "tests" / "cli" / "test_linting.py",
}
TEXTS = [
    *sorted(
        path
        for folder in FOLDERS
        for path in (REPOSITORY / folder).rglob("*")
        if path.suffix in KINDS and path not in MADE_UP
    ),
    *sorted(REPOSITORY.glob("*.md")),
    REPOSITORY / "pyproject.toml",
    REPOSITORY / "Makefile",
]
DOCUMENTS = [path for path in TEXTS if path.suffix == ".md"]

DOCUMENT = re.compile(r"[\w./-]*\w\.md\b")
NUMBERS = r"\d+(?:(?:, | and | to |, and )\d+)*"
CITATION = re.compile(
    r"(?P<document>[\w./-]*\w\.md)\)?,"
    rf"(?: (?P<unit>section|rule)s? (?P<numbers>{NUMBERS})| \"(?P<title>[^\"]+)\")"
)
RECORD = re.compile(r"\b[Dd]ecisions?[ /](\d{4})\b")


def lines_joined(text: str) -> str:
    """A text without the line breaks inside its comments and sentences."""
    return re.sub(r"\s*\n\s*(?:#+ )?", " ", text)


def documents_named(name: str) -> list[Path]:
    """The documents that a path or a bare file name may mean."""
    ending = tuple(part for part in Path(name).parts if part not in ("/", "..", "."))
    return [path for path in DOCUMENTS if path.parts[-len(ending) :] == ending]


def faults_of(text: str) -> Iterator[str]:
    """What a text cites and the repository does not have."""
    joined = lines_joined(text)
    for name in DOCUMENT.findall(joined):
        if not documents_named(name):
            yield f"no document {name}"
    for cited in CITATION.finditer(joined):
        for page in documents_named(cited["document"]):
            yield from missing_parts(page, cited)
    for number in RECORD.findall(joined):
        if not list((REPOSITORY / "docs" / "decisions").glob(f"{number}-*.md")):
            yield f"no decision {number}"


def missing_parts(page: Path, cited: re.Match[str]) -> Iterator[str]:
    """The sections of a citation that a page does not have."""
    if cited["title"] is not None:
        if cited["title"] not in headings_of(page):
            yield f"{page.name} has no heading '{cited['title']}'"
        return
    numbers = [int(number) for number in re.findall(r"\d+", cited["numbers"])]
    unit = "rule" if page == ARCHITECTURE else "section"
    sections = sections_of(page) if page in PAGES else {}
    for number in numbers:
        if cited["unit"] != unit or number not in sections:
            yield f"{page.name} has no {cited['unit']} {number}"


def test_every_document_and_section_that_is_cited_is_in_the_repository() -> None:
    faults = [
        f"{path.relative_to(REPOSITORY)}: {fault}"
        for path in TEXTS
        for fault in faults_of(path.read_text(encoding="utf-8"))
    ]
    assert not faults, "\n".join(faults)


def test_the_design_is_cited_where_it_is_carried_out() -> None:
    """An empty search would find no fault."""
    citations = [
        cited["document"]
        for path in TEXTS
        if path.suffix == ".py"
        for cited in CITATION.finditer(lines_joined(path.read_text(encoding="utf-8")))
    ]
    assert {f"docs/design/{page.name}" for page in PAGES} <= {*citations}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("See BEHAVIOUR.md.", "no document BEHAVIOUR.md"),
        ("# (docs/design/behaviour.md, section 2).", None),
        ("# (docs/design/behaviour.md, section\n    # 99).", "behaviour.md has no section 99"),
        ("docs/design/replay.md, sections 3 and 77", "replay.md has no section 77"),
        ("docs/design/architecture.md, rule 13", "architecture.md has no rule 13"),
        ("docs/design/architecture.md, section 1", "architecture.md has no section 1"),
        ('docs/design/architecture.md, "Layers"', None),
        ('docs/design/architecture.md, "Cakes"', "architecture.md has no heading 'Cakes'"),
        ("CONTRIBUTING.md, section 3", "CONTRIBUTING.md has no section 3"),
        ("Decision 0011: why", None),
        ("docs/decisions/9999", "no decision 9999"),
    ],
)
def test_a_citation_of_what_is_not_there_is_found(text: str, fault: str | None) -> None:
    assert list(faults_of(text)) == ([] if fault is None else [fault])
