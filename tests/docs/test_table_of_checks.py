"""README's table of checks lists what the compiler checks: `CHECKS` is the only list."""

from __future__ import annotations

import re
from pathlib import Path

from agentgraph_compiler.checks import CHECKS

README = Path(__file__).resolve().parents[2] / "README.md"
ROW = re.compile(r"^\| `(AG\d+)` \| `([a-z-]+)` \| (\w+) \| (.+) \|$", re.M)


def test_readme_lists_every_check_as_it_is() -> None:
    rules = [check.RULE for check in CHECKS]
    assert ROW.findall(README.read_text(encoding="utf-8")) == [
        (rule.code, rule.name, rule.severity.value, rule.summary) for rule in rules
    ]
