"""Every rule that a report may name, and its page."""

from __future__ import annotations

from agentgraph.authoring.mistakes import mistake_pages
from agentgraph.cli.source_rules import source_rule_pages
from agentgraph_compiler.checks import pages
from agentgraph_compiler.diagnostics import Rule

__all__ = ["rule_pages"]


def rule_pages() -> dict[Rule, str]:
    """The rules of the compiler and those about the source, sorted by code, each with its page."""
    documented = {**pages(), **mistake_pages(), **source_rule_pages()}
    return {rule: documented[rule] for rule in sorted(documented, key=lambda rule: rule.code)}
