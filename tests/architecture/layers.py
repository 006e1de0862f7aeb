"""The layers as a table, which docs/design/architecture.md, "Layers", shows.

A module belongs to the row with the longest matching prefix, so a new top-level module of
`agentgraph` is an authoring module, the strictest kind, until a row here says otherwise. A row may
import its own row (the test against cycles keeps that honest) and the rows it names.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

# The runtime is pure: what it takes from the standard library cannot wait, see a clock, roll dice.
PURE_STANDARD_LIBRARY = frozenset(
    {
        "__future__",
        "collections",
        "dataclasses",
        "enum",
        "functools",
        "itertools",
        "json",
        "math",
        "operator",
        "struct",
        "types",
        "typing",
    }
)
STANDARD_LIBRARY = frozenset(sys.stdlib_module_names)


@dataclass(frozen=True, slots=True)
class Layer:
    """One line of the dependency table.

    Args:
        name: A letter and a word, unique in the table.
        prefixes: The modules and packages that belong to it.
        may_import: Names of other layers, or prefixes of single modules, that it may import.
        third_party: Top-level packages from outside that it may import, wherever the import stands.
        standard_library: What it may take from the standard library.
    """

    name: str
    prefixes: tuple[str, ...]
    may_import: tuple[str, ...] = ()
    third_party: frozenset[str] = frozenset()
    standard_library: frozenset[str] = STANDARD_LIBRARY


_C = "agentgraph_compiler"
_A = "agentgraph"
# The types of these stand in the signatures that the SDK made public.
_SDK_VOCABULARY = frozenset({"openai", "pydantic", "pydantic_core", "typing_extensions"})
_L = ("L0 leaves", "L1 ir", "L2 passes", "L3 checks", "L4 pipeline")

LAYERS = (
    Layer("L0 leaves", (f"{_C}.types", f"{_C}.machine", f"{_C}.diagnostics", f"{_C}.options")),
    Layer("L1 ir", (f"{_C}.ir",), ("L0 leaves",)),
    Layer(
        "L2 passes",
        (f"{_C}.analysis", f"{_C}.verify", f"{_C}.emit", f"{_C}.late_machine", f"{_C}.render"),
        ("L0 leaves", "L1 ir"),
        frozenset({"networkx", "graphviz", "pydantic"}),
    ),
    Layer("L3 checks", (f"{_C}.checks",), ("L0 leaves", "L1 ir", "L2 passes")),
    Layer(
        "L4 pipeline",
        (_C, f"{_C}.pipeline"),
        ("L0 leaves", "L1 ir", "L2 passes", "L3 checks"),
        frozenset({"networkx", "pydantic"}),
    ),
    Layer(
        # The interfaces that authoring signatures name are vocabulary; see docs/decisions/0004.
        "A authoring",
        (
            _A,
            f"{_A}.models.interface",
            f"{_A}.memory.errors",
            f"{_A}.memory.journals.errors",
            f"{_A}.memory.journals.holders",
            f"{_A}.memory.journals.store",
            f"{_A}.memory.session",
            f"{_A}.memory.session_settings",
            f"{_A}.memory.util",
        ),
        (f"{_C}.diagnostics",),
        _SDK_VOCABULARY | {"griffe"},
    ),
    Layer(
        "R runtime",
        (f"{_A}.runtime",),
        (f"{_C}.machine",),
        standard_library=PURE_STANDARD_LIBRARY,
    ),
    Layer(
        "F front end",
        (f"{_A}.frontend",),
        ("A authoring", f"{_C}.types", f"{_C}.machine", f"{_C}.ir", f"{_C}.diagnostics"),
        frozenset({"pydantic", "typing_extensions"}),
    ),
    Layer(
        "M models, memory, mcp",
        (f"{_A}.models", f"{_A}.memory", f"{_A}.mcp", f"{_A}.tracing"),
        ("A authoring",),
        _SDK_VOCABULARY | {"mcp", "anyio"},
    ),
    Layer(
        # Stored forms of values, items, faults, control data and journals.
        "S stored",
        (f"{_A}.stored",),
        ("R runtime", "A authoring", "M models, memory, mcp", f"{_C}.machine"),
        _SDK_VOCABULARY,
    ),
    Layer(
        "K record",
        (f"{_A}.record",),
        ("R runtime", "M models, memory, mcp", "A authoring", "S stored", f"{_C}.machine"),
        _SDK_VOCABULARY,
    ),
    Layer(
        "D drivers",
        (f"{_A}.drivers",),
        (
            "K record",
            "R runtime",
            "S stored",
            "M models, memory, mcp",
            "A authoring",
            f"{_A}.frontend.bindings",
            f"{_C}.machine",
        ),
        _SDK_VOCABULARY,
    ),
    Layer(
        "P program",
        (f"{_A}.program",),
        ("A authoring", "F front end", *_L),
        frozenset({"networkx", "typing_extensions"}),
    ),
    Layer(
        # An `Emit` of the runtime carries an `Emission` of the machine, which projecting it reads.
        "P projection",
        (f"{_A}.running.projection", f"{_A}.running.event_queue"),
        ("A authoring", "R runtime", f"{_C}.machine"),
        _SDK_VOCABULARY,
    ),
    Layer(
        "N running",
        (f"{_A}.running",),
        (
            "D drivers",
            "P program",
            "P projection",
            "K record",
            "S stored",
            "M models, memory, mcp",
            "A authoring",
            "R runtime",
            "F front end",
            f"{_C}.machine",
            f"{_C}.emit",
            f"{_C}.late_machine",
        ),
        _SDK_VOCABULARY,
    ),
    Layer(
        "T runs",
        (f"{_A}.run", f"{_A}.result", f"{_A}.run_state"),
        (
            "N running",
            "D drivers",
            "P program",
            "P projection",
            "M models, memory, mcp",
            "A authoring",
            "R runtime",
        ),
        _SDK_VOCABULARY,
    ),
    Layer(
        "T on top",
        (
            f"{_A}.testing",
            f"{_A}.cli",
            f"{_A}.__main__",
            f"{_A}.extensions",
            f"{_A}.repl",
            f"{_A}.responses_websocket_session",
        ),
        (_A, _C),
        _SDK_VOCABULARY
        | {
            "aiosqlite",
            "any_llm",
            "bson",
            "cryptography",
            "dapr",
            "dbos",
            "graphviz",
            "grpc",
            "hypothesis",
            "litellm",
            "networkx",
            "opentelemetry",
            "playwright",
            "pymongo",
            "pytest",
            "redis",
            "restate",
            "rich",
            "sqlalchemy",
            "typer",
        },
    ),
)

# `agentgraph/__init__` comes last: it re-exports from everywhere, lazily.
LAST = _A


def belongs(module: str, prefix: str) -> bool:
    """Whether a dotted name is a prefix or lies inside it."""
    return module == prefix or module.startswith(f"{prefix}.")


def layer_of(module: str) -> Layer:
    """The row a module belongs to: the longest prefix wins."""
    fitting = {
        len(prefix): layer
        for layer in LAYERS
        for prefix in layer.prefixes
        if belongs(module, prefix)
    }
    return fitting[max(fitting)]
