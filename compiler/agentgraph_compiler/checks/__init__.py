"""The checks: one file, one rule. ``CHECKS`` is the only list of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from agentgraph_compiler.checks import (
    agent_tool_recursion,
    duplicate_agent_identity,
    duplicate_tool_name,
    handoff_cycle_without_exit,
    unhandled_outcome,
    unknown_handoff_target,
)
from agentgraph_compiler.diagnostics import Diagnostic, Rule
from agentgraph_compiler.ir.chart import Chart


class Check(Protocol):
    """What a module of this package offers: its page (the docstring), its rule, its check."""

    __doc__: str | None
    RULE: Rule

    def check(self, chart: Chart, /) -> Iterator[Diagnostic]:
        """Find every violation of the rule in a chart that ``verify`` found well-formed.

        The check looks at sub-charts itself where the rule holds for them, and leaves out what the
        user allowed.
        """


CHECKS: tuple[Check, ...] = (
    duplicate_tool_name,
    duplicate_agent_identity,
    unknown_handoff_target,
    handoff_cycle_without_exit,
    agent_tool_recursion,
    unhandled_outcome,
)
