"""Every rule that a report may name, its page and its options."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from agentgraph.authoring.mistakes import mistake_pages
from agentgraph.cli.faults import CommandFault
from agentgraph.cli.source_rules import SOURCE_RULES, source_rule_pages
from agentgraph_compiler.checks import OPTIONS, pages
from agentgraph_compiler.diagnostics import Rule
from agentgraph_compiler.options import AnyOption, options_of

__all__ = ["rule_options", "rule_pages", "selected_codes"]


def rule_pages() -> dict[Rule, str]:
    """The rules of the compiler and those about the source, sorted by code, each with its page."""
    documented = {**pages(), **mistake_pages(), **source_rule_pages()}
    return {rule: documented[rule] for rule in sorted(documented, key=lambda rule: rule.code)}


def rule_options() -> tuple[AnyOption, ...]:
    """What a project may set about the rules of the compiler and those about the source."""
    return (*OPTIONS, *options_of(SOURCE_RULES))


def selected_codes(terms: Iterable[str], place: str) -> frozenset[str]:
    """The codes of the rules that a user names.

    Args:
        terms: Codes, beginnings of codes, and names.
        place: Where the user names them, for the error.

    Raises:
        CommandFault: There is no such rule.
    """
    rules = [*rule_pages()]
    codes: set[str] = set()
    for term in terms:
        named = {rule.code for rule in rules if rule.is_named(term.strip())}
        if not named:
            words = [rule.name for rule in rules]
            word = "".join(get_close_matches(term.strip().lower(), words, n=1))
            listed = "agentgraph explain --all shows the rules"
            hint = f"did you mean {word}? {listed}" if word else listed
            raise CommandFault(f"{place}: there is no rule '{term}'", help=hint)
        codes |= named
    return frozenset(codes)
