"""`Runner.run(max_turns=…)` below the turns that the agent needs at least.

## What it does

Counts the turns on the shortest way of the agent to a final output: calls that its tool choice
forces, handoffs that it must take. It reports calls of `Runner.run`, `run_sync` and `run_streamed`
whose `max_turns` is below that number. Calls with a `run_config` or with `error_handlers` are left
alone: the one may change the tool choice, the others may answer in place of the agent.

## Why is this bad?

No run can succeed. Each one pays for its turns and then raises `MaxTurnsExceeded`.

## Example

```python
from agentgraph import Agent, ModelSettings, Runner, function_tool


@function_tool
def search(query: str) -> str:
    "Search the shelves."
    return query


librarian = Agent(
    name="Librarian",
    tools=[search],
    model_settings=ModelSettings(tool_choice="required"),
)


async def answer(question: str) -> str:
    result = await Runner.run(librarian, question, max_turns=1)
    return str(result.final_output)
```

## Use instead

```python
from agentgraph import Agent, ModelSettings, Runner, function_tool


@function_tool
def search(query: str) -> str:
    "Search the shelves."
    return query


librarian = Agent(
    name="Librarian",
    tools=[search],
    model_settings=ModelSettings(tool_choice="required"),
)


async def answer(question: str) -> str:
    result = await Runner.run(librarian, question, max_turns=4)
    return str(result.final_output)
```
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from agentgraph.cli.capture.kinds import as_source
from agentgraph.cli.capture.source_file import SourceFile
from agentgraph.cli.capture.uses import WrittenRun
from agentgraph.cli.source_rules.project import Project, is_allowed
from agentgraph.exceptions import UserError
from agentgraph.frontend.lower_workflow import lower
from agentgraph.workflow import Source
from agentgraph_compiler.analysis.flow import Flow
from agentgraph_compiler.analysis.turns import fewest_turns
from agentgraph_compiler.analysis.walks import Walk, in_words
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity

RULE = Rule(
    "AG915",
    "max-turns-below-shortest-way",
    Severity.WARNING,
    "`Runner.run(max_turns=…)` below the turns that the agent needs at least.",
)

_METHODS: Final = frozenset({"run", "run_sync", "run_streamed"})
_LIMIT: Final = "max_turns"
_DECIDING: Final = frozenset({"run_config", "error_handlers", None})
"""Arguments that may change what a run can do; `None` stands for `**options`."""


def check(project: Project) -> Iterator[Diagnostic]:
    """Find the calls of a file."""
    file = project.file
    for run in file.runs:
        limit = _limit(file, run)
        if limit is None:
            continue
        sources = [as_source(one) for one in file.values.of(run.start, run.function)]
        ways = [_way(source) for source in sources if source is not None]
        if not ways or len(ways) < len(sources) or is_allowed(RULE, *sources):
            continue
        shortest = min(ways, key=lambda way: 0 if way is None else way.amount)
        if shortest is not None and limit < shortest.amount:
            yield _finding(file, run, limit, shortest)


def _limit(file: SourceFile, run: WrittenRun) -> int | None:
    """The most turns of a run, if the source says it and nothing else decides."""
    words = {word.arg: word.value for word in run.call.keywords}
    if not run.is_certain or run.method not in _METHODS or not _DECIDING.isdisjoint(words):
        return None
    written = words.get(_LIMIT)
    if isinstance(written, ast.Constant):
        limits = [written.value]
    else:
        limits = [] if written is None else file.values.of(written, run.function)
    limit = limits[0] if len(limits) == 1 else None
    return limit if isinstance(limit, int) else None


def _way(source: Source) -> Walk | None:
    """The way of a run to a final output with the fewest turns; `None` if it cannot be said."""
    try:
        flow = Flow(lower(source)[0])
    except UserError:
        return None  # reported elsewhere
    return fewest_turns(flow, flow.roots[0])


def _finding(file: SourceFile, run: WrittenRun, limit: int, way: Walk) -> Diagnostic:
    turns = len(way.path)
    return Diagnostic(
        RULE,
        f"Runner.{run.method}(max_turns={limit}) cannot succeed: the shortest way of"
        f" '{way.path[0]}' to a final output takes {turns} turns",
        file.origin(run.call),
        notes=(
            Note(f"the way: {in_words(way.path)}"),
            Note("a run uses up its turns and fails, as long as models obey"),
        ),
        help=f"write max_turns={turns} or more",
    )
