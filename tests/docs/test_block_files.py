"""The files from which a type checker reads the code blocks of the documents."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.docs.block_files import program, write
from tests.docs.markdown_blocks import DOCUMENTS, Block, chapters_of


def block(text: str, line: int, *words: str) -> Block:
    return Block(Path("README.md"), line, "python", words, text)


def test_a_line_keeps_the_number_that_it_has_in_the_document() -> None:
    text = program([block("x = 1\n", 4), block("y = x\n", 9, "continues")])
    assert text.splitlines()[3] == "x = 1"
    assert text.splitlines()[8] == "y = x"


def test_a_program_that_awaits_outside_a_function_stands_in_one() -> None:
    text = program([block("import asyncio\n\nawait asyncio.sleep(0)\n", 4)])
    assert text.splitlines()[2:] == [
        "async def document() -> None:",
        "    import asyncio",
        "",
        "    await asyncio.sleep(0)",
    ]


def test_every_block_that_is_not_wrong_on_purpose_is_in_a_file_that_parses(tmp_path: Path) -> None:
    written = [file.read_text(encoding="utf-8") for file in write(tmp_path / "blocks")]
    lines = {line.strip() for text in written for line in text.splitlines()}
    for document in DOCUMENTS:
        for chapter in chapters_of(document):
            blocks = [part.code for part in chapter]
            if all(block.word("raises") is None for block in blocks):
                for each in blocks:
                    assert {line.strip() for line in each.text.splitlines()} <= lines, str(each)
    for text in written:
        ast.parse(text)
