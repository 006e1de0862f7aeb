"""The budgets of STYLE.md: files, functions, names.

A file over its budget is split by responsibility, never by line count.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pytest

from tests.architecture.layers import belongs
from tests.architecture.source_tree import REPOSITORY, functions_of, imports_of, modules

FILE_LINES = 400
MEDIAN_LINES = 150
FUNCTION_LINES = 60
INTERPRETER_LINES = 3_000
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
# The published SDK's own names: module paths that user code imports, and the class `ItemHelpers`.
NAMES_OF_THE_SDK = frozenset(
    {
        "agentgraph.item_helpers",
        "agentgraph.mcp.manager",
        "agentgraph.mcp.util",
        "agentgraph.memory.util",
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
    """The lines of every file of the interpreter, by module name: what a run knows, how it moves,
    and the loop."""
    return {
        module.name: module.text.count("\n")
        for module in modules().values()
        if module.name in LOOP or any(belongs(module.name, part) for part in INTERPRETER)
    }


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
    assert {name: found for name, found in reached.items() if found} == {}


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
    found: list[Path] = list((REPOSITORY / "tests").rglob("__init__.py"))
    assert found == []
