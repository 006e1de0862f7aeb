"""The SDK's names for describing a function to a model; they live in `agentgraph.schemas`."""

from __future__ import annotations

from agentgraph.schemas.signatures import (
    DocstringStyle,
    FuncDocumentation,
    FuncSchema,
    function_schema,
    generate_func_documentation,
)

__all__ = [
    "DocstringStyle",
    "FuncDocumentation",
    "FuncSchema",
    "function_schema",
    "generate_func_documentation",
]
