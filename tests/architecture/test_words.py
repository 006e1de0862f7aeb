"""The words of the source: forms that a stranger has to read twice are banned.

Two kinds of form are banned in `agentgraph/` and `compiler/`:

* `BANNED_WORDS` in comments, docstrings and string literals. The text names the thread, the process
  or the caller instead.
* `BANNED_NAMES` of variables, parameters, attributes and functions, with or without underscores
  around them. A noun says what the thing is: `options`, `agents`, `ids`.

`REMAINING` is a ratchet: it says how many banned forms each package still has, and a number only
falls. A package without a line has none. `MOST_IN_TESTS` is a bound for all tests together.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.architecture.source_tree import REPOSITORY, modules

BANNED_WORDS = re.compile(r"\b(?:whoever|nobody|somebody)\b", re.IGNORECASE)
BANNED_NAMES = frozenset({"given", "found", "known", "shown", "told", "wanted"})

STORED_KEYS = frozenset({"agentgraph.record.payloads:shown"})
"""Fields that stored runs use as keys, as `module:name`: a rename would lose those runs."""

REMAINING: dict[str, int] = {}

MOST_IN_TESTS = 117


class Form(NamedTuple):
    """A banned form, and the line where it stands."""

    line: int
    text: str


def banned_in(source: str, module: str = "") -> Iterator[Form]:
    """Every banned form of one module: first in its texts, then in its names."""
    tree = ast.parse(source)
    for line, text in (*comments(source), *texts(tree)):
        for match in BANNED_WORDS.finditer(text):
            yield Form(line + text.count("\n", 0, match.start()), match.group())
    for line, name in bindings(tree):
        if name.strip("_") in BANNED_NAMES and f"{module}:{name}" not in STORED_KEYS:
            yield Form(line, name)


def comments(source: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Docstrings, and every other text that the code holds."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def bindings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every place that gives a name to something."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store(), lineno=line):
                yield line, name
            case ast.Attribute(attr=name, ctx=ast.Store(), lineno=line):
                yield line, name
            case ast.arg(arg=name, lineno=line):
                yield line, name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield node.lineno, name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield node.lineno, name
            case ast.MatchMapping(rest=str(name)) | ast.ExceptHandler(name=str(name)):
                yield node.lineno, name
            case ast.alias(asname=str(name)):
                yield node.lineno, name


def package_of(module: str) -> str:
    """The room of a module: `agentgraph.drivers`, or `agentgraph` for a file at the top."""
    parts = module.split(".")
    is_at_the_top = len(parts) == 2 and not modules()[module].is_package
    return parts[0] if is_at_the_top else ".".join(parts[:2])


def test_banned_forms_only_become_fewer() -> None:
    places: defaultdict[str, list[str]] = defaultdict(list)
    for name, module in modules().items():
        for form in banned_in(module.text, name):
            places[package_of(name)].append(f"{module}:{form.line} {form.text}")
    added = {
        package: forms
        for package, forms in places.items()
        if len(forms) > REMAINING.get(package, 0)
    }
    assert added == {}, "name the thing by a noun or by the field's term"
    counts = {package: len(forms) for package, forms in sorted(places.items())}
    assert counts == REMAINING, "lower the numbers in REMAINING: some of the forms are gone"


def test_the_tests_have_few_banned_forms() -> None:
    forms = [
        f"{file.relative_to(REPOSITORY)}:{form.line} {form.text}"
        for file in sorted((REPOSITORY / "tests").rglob("*.py"))
        if file != Path(__file__)  # this file names what it bans
        for form in banned_in(file.read_text(encoding="utf-8"))
    ]
    assert len(forms) <= MOST_IN_TESTS, forms


@pytest.mark.parametrize(
    ("source", "forms"),
    [
        ("x = 1  # nobody reads this", [(1, "nobody")]),
        ('"""One.\n\nWhoever waits."""', [(3, "Whoever")]),
        ("raise E(f'{x} is somebody else')", [(1, "somebody")]),
        ("given = 1", [(1, "given")]),
        ("for found, _ in pairs: pass", [(1, "found")]),
        (
            "def f(known, *told, shown=1, **wanted): pass",
            [(1, "known"), (1, "told"), (1, "shown"), (1, "wanted")],
        ),
        ("def _given(): pass", [(1, "_given")]),
        ("class C:\n    shown: int = 0", [(2, "shown")]),
        ("self.told = 1", [(1, "told")]),
        ("any(known := x)", [(1, "known")]),
        ("match x:\n    case [found, *told]: pass", [(2, "found"), (2, "told")]),
        ("import a as found", [(1, "found")]),
        ("print(given, x.known, f(shown=1), 'told')", []),
        ("not_found = unknown = 1  # a busybody", []),
    ],
)
def test_a_banned_form_is_seen_where_it_stands(source: str, forms: list[tuple[int, str]]) -> None:
    assert sorted(banned_in(source)) == sorted(forms)
