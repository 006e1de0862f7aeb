"""The budgets of the code: files, functions, names (CONTRIBUTING.md, "The rules of the code").

A file over its budget is split by responsibility, never by line count.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pytest

from tests.architecture.layers import belongs
from tests.architecture.source_tree import REPOSITORY, functions_of, imports_of, modules

FILE_LINES = 400
MEDIAN_LINES = 150
FUNCTION_LINES = 60
INTERPRETER_LINES = 2_000
INTERPRETER = ("agentgraph.runtime", "agentgraph.record")
LOOP = frozenset({"agentgraph.drivers.aio", "agentgraph.drivers.tasks"})
VAGUE_NAMES = frozenset(
    {
        "common",
        "engine",
        "executor",
        "helper",
        "helpers",
        "manager",
        "misc",
        "util",
        "utilities",
        "utils",
    }
)
NO_CODE = frozenset(
    {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
)
# The published SDK's own names: module paths that user code imports, and the class `ItemHelpers`.
NAMES_OF_THE_SDK = frozenset(
    {
        "agentgraph.items.item_helpers",
        "agentgraph.mcp.manager",
        "agentgraph.mcp.util",
        "agentgraph.memory.util",
        "agentgraph.tracing.util",
    }
)


def test_no_file_is_longer_than_the_budget() -> None:
    sizes = {str(module): module.text.count("\n") for module in modules().values()}
    assert {name: lines for name, lines in sizes.items() if lines > FILE_LINES} == {}


def test_half_of_the_files_are_short(record_property: Callable[[str, object], None]) -> None:
    sizes = [module.text.count("\n") for module in modules().values()]
    record_property("median_lines", median(sizes))
    assert median(sizes) <= MEDIAN_LINES


def test_no_function_is_longer_than_the_budget() -> None:
    lengths = {
        f"{module}:{function.lineno} {function.name}": (function.end_lineno or 0)
        - function.lineno
        + 1
        for module in modules().values()
        for function in functions_of(module)
    }
    assert {name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES} == {}


def interpreter() -> dict[str, int]:
    """The lines of code of every file of the interpreter, by module name: what a run knows, how it
    moves, and the loop."""
    return {
        module.name: lines_of_code(module.text)
        for module in modules().values()
        if module.name in LOOP or any(belongs(module.name, part) for part in INTERPRETER)
    }


def lines_of_code(text: str) -> int:
    """The lines of a file that are neither empty nor a comment nor part of a docstring."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            lines.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)


def test_lines_of_code_leave_out_docstrings_comments_and_empty_lines() -> None:
    text = '"""What it is.\n\nMore of it.\n"""\n\n# why\nname = (\n    1\n)\n"""Of the name."""\n'
    assert lines_of_code(text) == 3


def test_the_interpreter_is_short_enough_to_read_in_one_sitting(
    record_property: Callable[[str, object], None],
) -> None:
    """Decision 0011: the pure runtime, the record and the loop together."""
    lines = interpreter()
    assert lines.keys() > LOOP
    record_property("interpreter_lines", sum(lines.values()))
    assert sum(lines.values()) < INTERPRETER_LINES, lines


def test_no_kind_of_work_moves_the_run() -> None:
    """What stands outside the budget must not be a part of the interpreter by another name."""
    loop = LOOP | {
        "agentgraph.drivers.perform",
        "agentgraph.runtime.step",
        "agentgraph.record.fold",
    }
    work = [module for module in modules().values() if ".drivers.work." in module.name]
    assert work
    reached = {module.name: loop & {it.target for it in imports_of(module)} for module in work}
    assert {name: parts for name, parts in reached.items() if parts} == {}


def test_a_module_name_says_what_lives_there() -> None:
    vague = [
        name
        for name in modules()
        if VAGUE_NAMES & set(re.split(r"[._]", name)) and name not in NAMES_OF_THE_SDK
    ]
    assert vague == []


def test_every_module_says_what_lives_there() -> None:
    silent = [str(module) for module in modules().values() if not ast.get_docstring(module.tree)]
    assert silent == []


@pytest.mark.parametrize("folder", ["compiler", "tests", "examples"])
def test_a_folder_that_is_no_package_has_no_init_file(folder: str) -> None:
    """With one, `import compiler.agentgraph_compiler` would be a second copy of every class."""
    assert not (REPOSITORY / folder / "__init__.py").exists()


def test_no_test_folder_is_a_package() -> None:
    """Tests are imported by path (``--import-mode=importlib``), each on its own."""
    results: list[Path] = list((REPOSITORY / "tests").rglob("__init__.py"))
    assert results == []
