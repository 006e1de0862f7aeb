"""The exported names: what a program for the published Agents SDK imports, it imports from here.

The table is public_names.toml. A name that arrives early, or without a decision, fails too.
All else is internal, so documents and examples import from the table only.
"""

from __future__ import annotations

import ast
import importlib
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import agentgraph
from tests.architecture.source_tree import OURS, REPOSITORY
from tests.architecture.test_import_cost import modules_after
from tests.docs.markdown_blocks import blocks_of

TABLE: dict[str, Any] = tomllib.loads(
    Path(__file__).with_name("public_names.toml").read_text(encoding="utf-8")
)
# The stub declares each name, as type checkers want it, and not the list that holds at run time.
EXPORTED: list[str] = vars(agentgraph)["__all__"]
ROOT = [name for names in TABLE["root"].values() for name in names]
OMITTED = [name for names in TABLE["omitted"].values() for name in names]
OPTIONAL_PACKAGES = {
    "agentgraph.extensions.memory.dapr_session": "dapr",
    "agentgraph.extensions.memory.redis_session": "redis",
    "agentgraph.extensions.memory.mongodb_session": "pymongo",
}


def is_offered(name: str) -> bool:
    """Whether a dotted name can be imported: as a module, or as an attribute of its module."""
    try:
        if find_spec(name) is not None:
            return True
    except ModuleNotFoundError:
        pass
    module, _, attribute = name.rpartition(".")
    try:
        return hasattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError:
        return False


def test_the_package_exports_what_the_table_says_and_nothing_else() -> None:
    assert set(EXPORTED) == {*ROOT} | set(TABLE["own"]) | set(TABLE["later"])


def test_the_export_list_names_each_name_once() -> None:
    assert len(EXPORTED) == len(set(EXPORTED))


@pytest.mark.parametrize("name", sorted({*EXPORTED}))
def test_an_exported_name_can_be_imported(name: str) -> None:
    assert hasattr(agentgraph, name)
    assert name in dir(agentgraph)


@pytest.mark.parametrize("module", TABLE["modules"])
def test_a_submodule_offers_the_names_of_the_sdk(module: str) -> None:
    path = f"agentgraph.{module}"
    if path in OPTIONAL_PACKAGES:
        pytest.importorskip(OPTIONAL_PACKAGES[path])
    loaded = importlib.import_module(path)
    assert [name for name in TABLE["modules"][module] if not hasattr(loaded, name)] == []


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (module, name)
        for module, names in TABLE["modules"].items()
        for name in names
        if name in EXPORTED
    ],
)
def test_a_name_is_the_same_object_wherever_it_is_imported_from(module: str, name: str) -> None:
    loaded = importlib.import_module(f"agentgraph.{module}")
    assert getattr(loaded, name) is getattr(agentgraph, name)


@pytest.mark.parametrize("name", OMITTED)
def test_an_omitted_name_is_really_absent(name: str) -> None:
    assert not is_offered(name)


@pytest.mark.parametrize("module", TABLE["added"])
def test_a_module_offers_the_names_that_we_add(module: str) -> None:
    loaded = importlib.import_module(module)
    assert [name for name in TABLE["added"][module] if not hasattr(loaded, name)] == []


def public_names() -> dict[str, set[str]]:
    """The API: the names of each public module."""
    public = {"agentgraph": {*EXPORTED}}
    public |= {f"agentgraph.{module}": {*names} for module, names in TABLE["modules"].items()}
    for module, names in TABLE["added"].items():
        public[module] = public.get(module, set()) | {*names}
    return public


def shown_programs() -> Iterator[tuple[str, str]]:
    """The programs that users are shown: where each stands, and its text."""
    for document in (REPOSITORY / "README.md", *(REPOSITORY / "docs").rglob("*.md")):
        yield from ((str(block), block.text) for block in blocks_of(document, "python"))
    for example in (REPOSITORY / "examples").rglob("*.py"):
        yield example.name, example.read_text(encoding="utf-8")


def imported_names(program: str) -> Iterator[tuple[str, str]]:
    """The names of ours that a program imports: of which module, and which."""
    for node in ast.walk(ast.parse(program)):
        match node:
            case ast.ImportFrom(module=str(module), names=names) if module.split(".")[0] in OURS:
                yield from ((module, alias.name) for alias in names)
            case ast.Import(names=names):
                modules = (alias.name for alias in names if alias.name.split(".")[0] in OURS)
                yield from ((module, "") for module in modules)
            case _:
                pass


def test_documents_and_examples_import_public_names_only() -> None:
    """README: the names of public_names.toml are the API; all else is internal and may move."""
    public, seen = public_names(), set[str]()
    internal = []
    for where, program in shown_programs():
        for module, name in imported_names(program):
            seen.add(module)
            if module not in public or (name and name not in public[module]):
                internal.append(f"{where} imports {module} {name}")
    assert not internal, "\n".join(internal)
    assert len(seen) > 5


def test_readme_says_what_is_public() -> None:
    readme = " ".join((REPOSITORY / "README.md").read_text(encoding="utf-8").split())
    assert (
        "The names of `tests/architecture/public_names.toml` and the SDK's module paths are the"
        " API; all else is internal and may move." in readme
    )


@pytest.mark.parametrize("name", ["AsyncOpenAI", "OpenAI"])
def test_the_clients_import_from_the_top_and_star_does_not_load_them(name: str) -> None:
    import openai

    assert getattr(agentgraph, name) is getattr(openai, name)
    assert name in dir(agentgraph)
    assert name not in EXPORTED


@pytest.mark.parametrize("first", ["agentgraph", "agentgraph.apply_diff"])
def test_a_function_stays_where_a_module_of_its_name_is_loaded(first: str) -> None:
    program = f"""
import {first}
from agentgraph.apply_diff import apply_diff as by_module
from agentgraph import apply_diff
assert by_module is apply_diff is agentgraph.apply_diff
"""
    assert first in modules_after(program)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    name = "no_such_name"
    with pytest.raises(AttributeError, match=name):
        getattr(agentgraph, name)
