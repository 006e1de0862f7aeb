"""The checks: one file for each rule. ``CHECKS`` is the only list of them.

``explain``, the documentation and the tests read that list; a new check needs one file and one line
there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Protocol

from agentgraph_compiler import verify
from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.checks import (
    agent_tool_recursion,
    agent_without_exit,
    branch_not_joined,
    branches_share_state,
    budget_below_shortest_way,
    cancelled_branch_acts,
    context_type_mismatch,
    dead_case,
    default_never_taken,
    duplicate_agent_identity,
    duplicate_tool_name,
    edge_never_taken,
    edge_type_mismatch,
    equal_descriptions,
    extractor_bypasses_guardrail,
    guardrail_never_trips,
    handoff_cycle_without_exit,
    handoff_input_mismatch,
    handoff_into_endless_cycle,
    handoff_never_enabled,
    handoff_only_to_itself,
    hosted_tool_beside_guardrail,
    impossible_output_type,
    input_guardrail_never_runs,
    join_type_mismatch,
    limit_never_reached,
    loop_without_bound,
    merged_agent_names,
    missing_handoff_description,
    missing_tool_description,
    mixed_exits,
    no_such_field,
    no_way_back,
    output_guardrail_bypassed,
    output_guardrail_never_runs,
    output_of_failed_step,
    output_type_not_strict,
    overlapping_cases,
    promised_handover_missing,
    route_gap,
    route_without_cases,
    skipped_step_output,
    step_never_entered,
    stop_names_no_tool,
    stopping_tool_output_mismatch,
    tool_choice_without_tool,
    tool_never_called,
    turns_below_shortest_way,
    unfit_tool_name,
    unhandled_outcome,
    unknown_handoff_target,
    unknown_name_in_instructions,
    unreachable_agent,
    unscreened_agent_tool,
    unseen_by_the_compiler,
)
from agentgraph_compiler.diagnostics import Diagnostic, Rule
from agentgraph_compiler.options import AnyOption, described, options_of


class Check(Protocol):
    """The interface of a module of this package: its page (the docstring), its rule, its check.

    A module whose rule is about the steps of one chart also has ``OF_EACH_CHART = True``. The rule
    is applied to every chart that has steps, since a workflow may be a tool, a step, or the target
    of a handoff that returns.
    """

    __doc__: str | None
    RULE: Rule

    def check(self, analysis: Analysis, /) -> Iterator[Diagnostic]:
        """Find every violation of the rule in a chart that ``verify`` found well-formed.

        The check itself visits the sub-charts, if the rule holds for them, and leaves out findings
        that the user allowed.
        """
        ...


CHECKS: tuple[Check, ...] = (
    duplicate_tool_name,
    duplicate_agent_identity,
    unknown_handoff_target,
    unfit_tool_name,
    merged_agent_names,
    unreachable_agent,
    handoff_cycle_without_exit,
    agent_tool_recursion,
    handoff_never_enabled,
    unhandled_outcome,
    agent_without_exit,
    handoff_into_endless_cycle,
    promised_handover_missing,
    unknown_name_in_instructions,
    missing_handoff_description,
    equal_descriptions,
    missing_tool_description,
    no_way_back,
    handoff_only_to_itself,
    stop_names_no_tool,
    tool_choice_without_tool,
    tool_never_called,
    route_gap,
    overlapping_cases,
    dead_case,
    default_never_taken,
    no_such_field,
    skipped_step_output,
    loop_without_bound,
    step_never_entered,
    edge_never_taken,
    branch_not_joined,
    branches_share_state,
    cancelled_branch_acts,
    output_of_failed_step,
    limit_never_reached,
    route_without_cases,
    context_type_mismatch,
    handoff_input_mismatch,
    impossible_output_type,
    output_type_not_strict,
    stopping_tool_output_mismatch,
    edge_type_mismatch,
    join_type_mismatch,
    unseen_by_the_compiler,
    input_guardrail_never_runs,
    output_guardrail_never_runs,
    output_guardrail_bypassed,
    mixed_exits,
    extractor_bypasses_guardrail,
    unscreened_agent_tool,
    hosted_tool_beside_guardrail,
    guardrail_never_trips,
    turns_below_shortest_way,
    budget_below_shortest_way,
)


OPTIONS: tuple[AnyOption, ...] = options_of(CHECKS)
"""What a project may set about these rules; each stands in the file of its rule."""


class UnknownRuleError(LookupError):
    """There is no rule with this code or name; the message suggests close ones."""


def pages() -> dict[Rule, str]:
    """Every rule with its page, sorted by code: the rules of ``CHECKS`` and that of ``verify``."""
    documented = {
        verify.MALFORMED: verify.__doc__ or "",
        **{part.RULE: described(part.__doc__, options_of([part])) for part in CHECKS},
    }
    return {rule: documented[rule] for rule in sorted(documented, key=lambda rule: rule.code)}


def explain(code_or_name: str, rules: Mapping[Rule, str] | None = None) -> str:
    """The page of a rule, as Markdown.

    Args:
        code_or_name: A code such as ``AG201`` or a name such as ``unreachable-agent``, in any case.
        rules: The rules with their pages; by default those of ``pages``.

    Returns:
        The description of the rule, why the fault is bad, an example and what to write instead.

    Raises:
        UnknownRuleError: There is no such rule.
    """
    term = code_or_name.strip().lower()
    rules = pages() if rules is None else rules
    for rule, page in rules.items():
        if term in (rule.code.lower(), rule.name):
            return f"# {rule.code} {rule.name} ({rule.severity.value})\n\n{page.strip()}\n"
    terms = [term for rule in rules for term in (rule.code.lower(), rule.name)]
    matches = [
        match.upper() if match.startswith("ag") and match[2:].isdigit() else match
        for match in get_close_matches(term, terms, n=3, cutoff=0.5)
    ]
    codes = ", ".join(rule.code for rule in rules)
    hint = f"did you mean {' or '.join(matches)}?" if matches else f"rules are {codes}"
    raise UnknownRuleError(f"there is no rule '{code_or_name}'; {hint}")
