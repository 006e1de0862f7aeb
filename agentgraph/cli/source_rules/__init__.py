"""The rules that read how a program uses its agents, from the syntax tree; one file for each.
``SOURCE_RULES`` is the only list of them.

They apply under `agentgraph check` alone, and a project declines each of them like any other rule.
The rules about single definitions are in `agentgraph.authoring.mistakes`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from agentgraph.cli.source_rules import (
    blocking_run_in_async_code,
    forgetful_chat_loop,
    list_shared_by_clone,
    max_turns_below_shortest_way,
    recursion_through_code,
    uncaught_tripwire,
    unconsumed_stream,
    unknown_rule_allowed,
    unread_guardrail_verdict,
    unused_agent,
    wrong_final_output_type,
)
from agentgraph.cli.source_rules.project import Project
from agentgraph_compiler.diagnostics import Diagnostic, Rule
from agentgraph_compiler.options import described, options_of

__all__ = ["SOURCE_RULES", "SourceRule", "source_rule_pages"]


class SourceRule(Protocol):
    """The interface of a module of this package: its page (the docstring), its rule, its check."""

    __doc__: str | None
    RULE: Rule

    def check(self, project: Project, /) -> Iterator[Diagnostic]:
        """Find every violation of the rule in the file of a command, without those allowed."""
        ...


SOURCE_RULES: tuple[SourceRule, ...] = (
    wrong_final_output_type,
    blocking_run_in_async_code,
    unconsumed_stream,
    forgetful_chat_loop,
    list_shared_by_clone,
    recursion_through_code,
    max_turns_below_shortest_way,
    unread_guardrail_verdict,
    unused_agent,
    uncaught_tripwire,
    unknown_rule_allowed,
)


def source_rule_pages() -> dict[Rule, str]:
    """Every rule with its page, sorted by code."""
    return {part.RULE: described(part.__doc__, options_of([part])) for part in SOURCE_RULES}
