"""An agent that is made and used nowhere.

## What it does

Looks at programs: files with a main block, a function `main` or a run at their top. It reports an
agent that such a file makes at its top and then never mentions: no run, no handoff, no tool, no
list has it, and no other file of the check imports it.

## Why is this bad?

The agent was meant to take part. Mostly a handoff is missing, and what belongs to it is answered by
another agent.

## Example

```python
from agentgraph import Agent, Runner

billing = Agent(name="Billing", handoff_description="Explains bills.")
refunds = Agent(name="Refunds", handoff_description="Pays money back.")
triage = Agent(name="Triage", handoffs=[billing])


def main() -> None:
    print(Runner.run_sync(triage, "I want my money back.").final_output)
```

## Use instead

```python
from agentgraph import Agent, Runner

billing = Agent(name="Billing", handoff_description="Explains bills.")
refunds = Agent(name="Refunds", handoff_description="Pays money back.")
triage = Agent(name="Triage", handoffs=[billing, refunds])


def main() -> None:
    print(Runner.run_sync(triage, "I want my money back.").final_output)
```
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final

from agentgraph.cli.capture.kinds import as_source, is_workflow_source
from agentgraph.cli.capture.recorder import MODULE
from agentgraph.cli.capture.source import main_blocks
from agentgraph.cli.capture.source_file import SourceFile
from agentgraph.cli.source_rules.project import Project, is_allowed
from agentgraph.frontend.origins import origin_of
from agentgraph_compiler.diagnostics import Diagnostic, Rule, Severity
from agentgraph_compiler.options import Option

RULE = Rule(
    "AG917",
    "unused-agent",
    Severity.WARNING,
    "An agent that is made and used nowhere.",
)
IGNORED = Option(
    RULE, "ignore-agents", (), "Agents that something else uses: patterns of names, as `draft_*`."
)

_DYNAMIC: Final = frozenset({"eval", "exec", "getattr", "globals", "locals", "vars"})
"""With these a file may use a name that it does not mention."""


def check(project: Project) -> Iterator[Diagnostic]:
    """Find the unused agents of a file."""
    file = project.file
    begins_runs = project.begun or any(run.is_certain for run in file.runs)
    if not begins_runs or not _is_program(project):
        return
    mentioned = _mentioned(file)
    if mentioned & _DYNAMIC or file.path.endswith("__init__.py"):
        return
    for name in _made_at_the_top(file):
        agent = as_source(file.namespace.get(name))
        if name in mentioned or agent is None or is_workflow_source(agent):
            continue
        if _is_imported(project, agent) or is_allowed(RULE, agent) or _is_ignored(project, name):
            continue
        yield Diagnostic(
            RULE,
            f"agent '{agent.name}' is made and used nowhere: no run, handoff or tool has it",
            origin_of(agent),
            help=f"add '{name}' to the handoffs of an agent, use it as a tool, or remove it",
        )


def _is_ignored(project: Project, name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in IGNORED.of(project.options))


def _is_program(project: Project) -> bool:
    """Whether a file is more than a module whose agents other files use."""
    tree = project.file.tree
    at_the_top = any(run.entry == MODULE for run in project.begun)
    has_main = any(getattr(one, "name", "") == "main" for one in tree.body)
    return at_the_top or has_main or bool(main_blocks(tree))


def _made_at_the_top(file: SourceFile) -> Iterator[str]:
    """The names of a file that stand for an agent made in its own statement."""
    for statement in file.tree.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=called))
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.Call(func=called))
            ):
                is_clone = isinstance(called, ast.Attribute) and called.attr == "clone"
                if is_clone or file.names.public_name(called) == "Agent":
                    yield name


def _mentioned(file: SourceFile) -> set[str]:
    """The names that a file reads, and the texts in it, such as those of `__all__`."""
    mentioned: set[str] = set()
    for node in file.nodes:
        match node:
            case ast.Name(id=name, ctx=ast.Load() | ast.Del()):
                mentioned.add(name)
            case ast.Constant(value=str(text)):
                mentioned.add(text)
    return mentioned


def _is_imported(project: Project, agent: object) -> bool:
    others = project.files[1:]
    return any(value is agent for other in others for value in other.namespace.values())
