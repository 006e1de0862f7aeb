"""An assertion for tests: the compiler has nothing to say about a workflow."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final

import agentgraph
from agentgraph_compiler.checks import pages
from agentgraph_compiler.diagnostics import Severity

if TYPE_CHECKING:
    from agentgraph.workflow import Source

__all__ = ["assert_clean"]

_ORDER: Final = tuple(Severity)
_REPORTS: Final = "agentgraph.cli.reports"
"""Loaded only if there is something to report: it needs the packages of the command line."""


def assert_clean(
    agent: Source,
    *,
    allow: Collection[str] = (),
    severity: str = Severity.WARNING,
    options: Mapping[str, Mapping[str, object]] | None = None,
) -> None:
    """Assert that the compiler reports nothing about a workflow; nothing runs.

    Args:
        agent: An agent, or a ``Workflow``.
        allow: Rules whose findings do not count: codes, beginnings of codes, names.
        severity: The least severity that counts: ``"error"``, ``"warning"`` or ``"note"``.
        options: Options of rules, as in ``agentgraph.check``.

    Raises:
        AssertionError: There are findings; the message is the report of ``agentgraph check``.
        UserError: There is no such rule, severity or option.
    """
    try:
        counting = _ORDER[: _ORDER.index(Severity(severity)) + 1]
    except ValueError as error:
        raise agentgraph.UserError(
            f"There is no severity {severity!r}; severities are {', '.join(Severity)}."
        ) from error
    codes = {code for term in allow for code in _codes(term)}
    findings = [
        finding
        for finding in agentgraph.check(agent, options=options)
        if finding.severity in counting and finding.rule.code not in codes
    ]
    if findings:
        report: str = import_module(_REPORTS).printed_report(findings)
        raise AssertionError(f"workflow '{agent.name}' is not clean:\n\n{report}")


def _codes(term: str) -> list[str]:
    codes = [rule.code for rule in pages() if rule.is_named(term)]
    if not codes:
        raise agentgraph.UserError(
            f"There is no rule {term!r} to allow; `agentgraph explain --all` shows the rules."
        )
    return codes
