"""The mutants themselves: each is the source with one fault in one place."""

from __future__ import annotations

import ast

import pytest

from tests.mutants.__main__ import REPOSITORY, equivalents, sample
from tests.mutants.operators import mutants_of

SOURCE = b'''
def visit(left, names: list[str] = None):
    """Visit one."""
    finished.add(left)
    if left in names and not left.hidden:
        count = len(left) + 1
    return Ledger(names.copy(), open=True)
'''


def faults() -> set[tuple[str, str]]:
    return {(one.rule, SOURCE[one.start : one.end].decode()) for one in mutants_of(SOURCE)}


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("no call", "finished.add(left)"),
        ("no copy", "names.copy()"),
        ("no argument", "Ledger(names.copy(), open=True)"),
        ("returns None", "Ledger(names.copy(), open=True)"),
        ("other comparison", "left in names"),
        ("and for or", "left in names and not left.hidden"),
        ("no operand", "left in names and not left.hidden"),
        ("no not", "not left.hidden"),
        ("always", "left in names and not left.hidden"),
        ("never", "left in names and not left.hidden"),
        ("other arithmetic", "len(left) + 1"),
        ("other constant", "1"),
        ("other constant", "True"),
    ],
)
def test_a_fault_of_each_kind_is_made(rule: str, text: str) -> None:
    assert (rule, text) in faults()


def test_docstrings_and_annotations_stay() -> None:
    for mutant in mutants_of(SOURCE):
        function = ast.parse(mutant.apply(SOURCE)).body[0]
        assert isinstance(function, ast.FunctionDef)
        assert ast.get_docstring(function) == "Visit one."
        assert "names: list[str]" in mutant.apply(SOURCE).decode()


def test_a_mutant_differs_from_the_source_in_its_place_only() -> None:
    for mutant in mutants_of(SOURCE):
        faulty = mutant.apply(SOURCE)
        assert faulty != SOURCE
        assert faulty.startswith(SOURCE[: mutant.start])
        assert faulty.endswith(SOURCE[mutant.end :])


def test_a_seed_gives_one_sample() -> None:
    assert sample("checks", 5, 1) == sample("checks", 5, 1)
    assert sample("checks", 5, 1) != sample("checks", 5, 2)
    assert sample("checks", 5, 1) == sample("checks", 9, 1)[:5]


def test_every_mutant_listed_as_equivalent_exists_and_has_a_reason() -> None:
    for row in equivalents():
        source = (REPOSITORY / row["path"]).read_bytes()
        lines = source.decode().splitlines()
        made = {(lines[one.line - 1].strip(), one.after) for one in mutants_of(source)}
        assert (row["line"], row["after"]) in made
        assert row["reason"]
