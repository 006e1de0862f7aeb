"""`allow(...)` names a rule that does not exist.

## What it does

Reads the calls of `allow` and looks for texts that are neither the code nor the name of a rule.

## Why is this bad?

The call suppresses nothing: the rule that is meant still reports, or the code was never one.

## Example

```python
from agentgraph import Agent, allow

billing = allow(Agent(name="Billing"), "unreachable-agents")
```

## Use instead

```python
from agentgraph import Agent, allow

billing = allow(Agent(name="Billing"), "unreachable-agent")
```
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from difflib import get_close_matches

from agentgraph.cli.source_rules.project import Project
from agentgraph_compiler.diagnostics import Diagnostic, Rule, Severity

RULE = Rule(
    "AG920",
    "unknown-rule-allowed",
    Severity.WARNING,
    "`allow(...)` names a rule that does not exist.",
)


def check(project: Project) -> Iterator[Diagnostic]:
    """Find the texts in calls of ``allow`` that name no rule."""
    names = {term for rule in project.rules for term in (rule.code, rule.name)}
    file = project.file
    for node in file.nodes:
        if not isinstance(node, ast.Call) or file.names.public_name(node.func) != "allow":
            continue
        for argument in node.args[1:]:
            match argument:
                case ast.Constant(value=str(term)) if term not in names:
                    close = get_close_matches(term, names, n=1)
                    listed = "agentgraph explain --all shows the rules"
                    yield Diagnostic(
                        RULE,
                        f"allow(...) names '{term}', and there is no such rule",
                        file.origin(argument),
                        help=f"did you mean {close[0]}? {listed}" if close else listed,
                    )
