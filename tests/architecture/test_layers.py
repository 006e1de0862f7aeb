"""Layers only look down (docs/design/architecture.md, rule 10).

Every import, wherever it stands, is held against the table in layers.py.
"""

from __future__ import annotations

import ast

import networkx as nx
import pytest

from tests.architecture.layers import LAST, LAYERS, Layer, belongs, layer_of
from tests.architecture.source_tree import (
    OURS,
    REPOSITORY,
    Import,
    Module,
    Place,
    imports_of,
    modules,
)

# Imported where they are used, so that an import and a run stay fast
# (CONTRIBUTING.md, "The rules of the code").
HEAVY = frozenset(
    {
        "aiosqlite",
        "anyio",
        "bson",
        "cryptography",
        "dapr",
        "graphviz",
        "griffe",
        "grpc",
        "litellm",
        "mcp",
        "networkx",
        "openai",
        "playwright",
        "pymongo",
        "redis",
        "rich",
        "sqlalchemy",
        "typer",
    }
)
# Modules that exist for such a package, and that nothing imports before it is needed.
MAY_LOAD_HEAVY_AT_IMPORT = (
    "agentgraph.cli",
    "agentgraph.extensions",
    "agentgraph.mcp",
    "agentgraph.memory.openai_conversations_session",
    "agentgraph.models",
    "agentgraph.authoring.setting_types",
    "agentgraph.items.wire_unions",
)
# openai 2.x brings httpx, 3.x brings httpx2: naming either would bind us to one of them.
NEVER = frozenset({"httpx", "httpx2", "agents", "compiler"})


def allowed(layer: Layer, imported: Import) -> bool:
    if imported.package in OURS:
        target = layer_of(imported.target)
        return target is layer or any(
            rule == target.name or belongs(imported.target, rule) for rule in layer.may_import
        )
    return (
        imported.package in layer.third_party
        or imported.package in layer.standard_library
        or imported.package == "__future__"
    )


def check(module: Module, layer: Layer) -> list[str]:
    """The imports of one module that its layer does not allow, as sentences."""
    return [
        f"{module}:{entry.line} ({layer.name}) imports {entry.target} {entry.place.value}"
        for entry in imports_of(module)
        if entry.package in NEVER or not allowed(layer, entry)
    ]


def test_every_import_goes_to_a_layer_below() -> None:
    problems = [
        problem
        for module in modules().values()
        if module.name != LAST
        for problem in check(module, layer_of(module.name))
    ]
    assert not problems, "\n".join(problems)


def test_only_the_top_of_the_package_is_imported_by_nobody_below_it() -> None:
    """`from agentgraph import X` inside the package would load through the last module of all."""
    problems = [
        f"{module}:{entry.line}"
        for module in modules().values()
        for entry in imports_of(module)
        if entry.target == LAST and layer_of(module.name).name != "T on top"
    ]
    assert not problems, "\n".join(problems)


def test_our_own_modules_are_never_imported_inside_a_function() -> None:
    problems = [
        f"{module}:{entry.line} imports {entry.target}"
        for module in modules().values()
        for entry in imports_of(module)
        if entry.place is Place.FUNCTION and entry.package in OURS
    ]
    assert not problems, "\n".join(problems)


def test_heavy_packages_are_imported_where_they_are_used() -> None:
    problems = [
        f"{module}:{entry.line} imports {entry.target}"
        for module in modules().values()
        for entry in imports_of(module)
        if entry.place is Place.MODULE
        and entry.package in HEAVY
        and not any(belongs(module.name, prefix) for prefix in MAY_LOAD_HEAVY_AT_IMPORT)
    ]
    assert not problems, "\n".join(problems)


def test_no_module_reaches_itself_through_its_imports() -> None:
    graph: nx.DiGraph[str] = nx.DiGraph(
        (module.name, entry.target)
        for module in modules().values()
        for entry in imports_of(module)
        if entry.target in modules() and entry.target != module.name
    )
    knots = [sorted(knot) for knot in nx.strongly_connected_components(graph) if len(knot) > 1]
    assert knots == []


def test_every_layer_of_the_table_has_modules() -> None:
    inhabited = {layer_of(name).name for name in modules()}
    assert [layer.name for layer in LAYERS if layer.name not in inhabited] == []


@pytest.mark.parametrize(
    ("importer", "source", "verdict"),
    [
        ("agentgraph.runtime.step", "import asyncio", False),
        ("agentgraph.runtime.step", "import time", False),
        ("agentgraph.runtime.step", "from random import choice", False),
        ("agentgraph.runtime.step", "import openai", False),
        ("agentgraph.runtime.step", "from agentgraph_compiler.machine import State", True),
        ("agentgraph.runtime.step", "from agentgraph_compiler.types import Type", False),
        ("agentgraph.agent", "from agentgraph.run import Runner", False),
        ("agentgraph.agent", "def f():\n    from agentgraph.run import Runner", False),
        ("agentgraph.agent", "if TYPE_CHECKING:\n    from agentgraph.run import Runner", False),
        ("agentgraph.agent", "if TYPE_CHECKING:\n    from openai import AsyncOpenAI", True),
        ("agentgraph.agent", "from agentgraph.models.interface import Model", True),
        ("agentgraph.agent", "from agentgraph.models.openai_provider import OpenAIProvider", False),
        ("agentgraph.agent", "from agentgraph_compiler.diagnostics import Origin", True),
        ("agentgraph.agent", "from agentgraph_compiler.ir.chart import Chart", False),
        (
            "agentgraph.new_module",
            "import importlib\nimportlib.import_module('agentgraph.run')",
            False,
        ),
        ("agentgraph.frontend.discover", "from agentgraph_compiler.pipeline import compile", False),
        ("agentgraph.drivers.aio", "from agentgraph.frontend.bindings import Bindings", True),
        ("agentgraph.drivers.aio", "from agentgraph.frontend.discover import Names", False),
        ("agentgraph.drivers.aio", "from agentgraph.record.fold import absorb", True),
        ("agentgraph.record.fold", "from agentgraph.drivers.journal import Row", False),
        ("agentgraph.record.fold", "from agentgraph.runtime.outcomes import Outcome", True),
        ("agentgraph.stored.values", "from agentgraph.record.payloads import Failure", False),
        ("agentgraph.running.ending", "from agentgraph.run import Runner", False),
        ("agentgraph.models.multi_provider", "from ..agent import Agent", True),
        ("agentgraph.models.multi_provider", "import httpx", False),
        ("agentgraph_compiler.machine", "import pydantic", False),
        ("agentgraph_compiler.checks.ag201", "import agentgraph", False),
        ("agentgraph_compiler.checks.ag201", "from agentgraph_compiler import pipeline", False),
        ("agentgraph_compiler.render.dot", "def draw():\n    import graphviz", True),
    ],
)
def test_the_table_judges_an_import(importer: str, source: str, verdict: bool) -> None:
    """The judge itself can fail: each row is an import that must, or must not, pass."""
    path = REPOSITORY.joinpath(*importer.split(".")).with_suffix(".py")
    module = Module(importer, path, source, ast.parse(source))
    names = frozenset(modules()) | {"agentgraph.run", "agentgraph_compiler.pipeline"}
    layer = layer_of(importer)
    imports = [
        each for each in imports_of(module, names) if each.package not in ("importlib", "typing")
    ]
    assert imports, "the row imports nothing"
    assert all(each.package not in NEVER and allowed(layer, each) for each in imports) is verdict
