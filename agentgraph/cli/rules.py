"""Every rule that a report may name, its page and its options."""

from __future__ import annotations

from agentgraph.authoring.mistakes import mistake_pages
from agentgraph.cli.source_rules import SOURCE_RULES, source_rule_pages
from agentgraph_compiler.checks import OPTIONS, pages
from agentgraph_compiler.diagnostics import Rule
from agentgraph_compiler.options import AnyOption, options_of

__all__ = ["rule_options", "rule_pages"]


def rule_pages() -> dict[Rule, str]:
    """The rules of the compiler and those about the source, sorted by code, each with its page."""
    documented = {**pages(), **mistake_pages(), **source_rule_pages()}
    return {rule: documented[rule] for rule in sorted(documented, key=lambda rule: rule.code)}


def rule_options() -> tuple[AnyOption, ...]:
    """What a project may set about the rules of the compiler and those about the source."""
    return (*OPTIONS, *options_of(SOURCE_RULES))
