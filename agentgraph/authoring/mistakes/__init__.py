"""The rules about the source itself, one file for each. ``MISTAKES`` is the only list of them.

A mistake in a definition raises an error when the object is made; the error names its rule. A tool
that loads a program under a recorder collects the mistakes instead. The compiler's own rules are in
`agentgraph_compiler.checks`.
"""

from __future__ import annotations

from agentgraph.authoring.mistakes import (
    file_not_loadable,
    no_strict_schema,
    not_a_guardrail,
    not_a_handoff,
    not_a_tool,
    not_in_agentgraph,
    unknown_keyword,
    wrong_field_type,
)
from agentgraph_compiler.diagnostics import Rule

__all__ = ["MISTAKES", "mistake_pages"]

MISTAKES = (
    file_not_loadable,
    not_a_tool,
    not_a_handoff,
    not_a_guardrail,
    no_strict_schema,
    unknown_keyword,
    wrong_field_type,
    not_in_agentgraph,
)


def mistake_pages() -> dict[Rule, str]:
    """Every rule with its page, sorted by code."""
    return {part.RULE: part.__doc__ or "" for part in MISTAKES}
