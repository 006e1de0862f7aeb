"""The measure of every rule: at least three cases at fault, and three innocent ones near them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from agentgraph_compiler.diagnostics import Rule

FEWEST = 3


def assert_three_of_each(rules: Iterable[Rule], cases: Mapping[str, Iterable[bool]]) -> None:
    """Each rule has enough cases, and each case belongs to a rule.

    Args:
        rules: The rules.
        cases: For each code, whether each of its cases is at fault.
    """
    codes = {rule.code for rule in rules}
    assert cases.keys() == codes
    lacking = {
        code: f"{sum(faulty)} faulty, {len(faulty) - sum(faulty)} innocent"
        for code, faulty in ((code, [*cases[code]]) for code in sorted(codes))
        if min(sum(faulty), len(faulty) - sum(faulty)) < FEWEST
    }
    assert lacking == {}
