"""`generated_tests`: the source of a pytest file that takes every transition of a workflow."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from agentgraph.testing.coverage.workflows import OF_THE_WAY
from agentgraph.testing.doubles.exported import ProgramPlace, name_part
from agentgraph.testing.routes import Decision, Route
from agentgraph.testing.script import script_of, source_of
from agentgraph.testing.witnessing import Witness, Witnesses
from agentgraph_compiler.analysis.owed import Subject

__all__ = ["generated_tests"]

_WIDTH = 100
_LONGEST_NAME = 72
_WORDS = ("function", "guardrail", "model", "person", "tool")


def generated_tests(witnesses: Witnesses, program: ProgramPlace, path: Path) -> str:
    """Write tests that play the witnesses of a workflow.

    Args:
        witnesses: The runs, one test for each.
        program: Where the tests find the workflow.
        path: Where the tests will be saved.

    Returns:
        Python source, formatted.
    """
    bodies = list(_bodies(witnesses.runs))
    used = [word for word in _WORDS if any(f"{word}(" in line for line in bodies)]
    imports = ["from agentgraph.testing import play"]
    if used:
        imports.append(f"from agentgraph.testing.script import {', '.join(used)}")
    head = [
        f'"""Routing tests of {program.file.name}, written by `agentgraph testgen`.',
        "",
        "Each test plays what models, tools, guardrails and people decide: no model is called and",
        *_extent(witnesses),
        '"""',
        "",
        "import importlib",
        "import sys",
        "from pathlib import Path",
        "",
        *imports,
        "",
        *program.loading(path),
        f"workflow = {program.workflow}",
    ]
    return "\n".join([*head, *bodies, ""])


def _extent(witnesses: Witnesses) -> Iterator[str]:
    if not witnesses.missing:
        yield "no tool runs. Together they take every transition that a run can take."
    else:
        yield "no tool runs. No run was found for:"
        yield ""
        yield from (f"    {row.title} {row.key.outcome}" for row in witnesses.missing)


def _bodies(runs: Sequence[Witness]) -> Iterator[str]:
    names: set[str] = set()
    for run in runs:
        name = first = _name_of(run.route)
        number = 1
        while name in names:
            number += 1
            name = f"{first}_{number}"
        names.add(name)
        yield from ("", "", f"def test_{name}() -> None:")
        yield from (f"    {line}".rstrip() for line in _test(run))


def _test(run: Witness) -> Iterator[str]:
    route = run.route
    yield from _docstring(run)
    script = script_of(route)
    limit = "" if run.max_turns is None else f", max_turns={run.max_turns}"
    if len(script) == 1 and len(script[0]) < _WIDTH - 40:
        yield f"route = play(workflow, [{script[0]}]{limit})"
    elif script:
        yield "route = play("
        yield "    workflow,"
        yield "    ["
        yield from (f"        {line}" for part in script for line in _wrapped(f"{part},"))
        yield "    ],"
        if run.max_turns is not None:
            yield f"    max_turns={run.max_turns},"
        yield ")"
    else:
        yield f"route = play(workflow, []{limit})"
    yield f"assert route.end == {source_of(route.end)}"
    yield f"assert route.agents == {_tuple(route.agents)}"
    if route.tools:
        yield f"assert route.tools == {_tuple(route.tools)}"
    if route.error is not None:
        yield f"assert type(route.error).__name__ == {source_of(type(route.error).__name__)}"


def _docstring(run: Witness) -> Iterator[str]:
    visits = " → ".join(name for name, _ in groupby(run.route.agents)) or "No model"
    first = f'"""{visits}: {_END[run.route.end]}.'
    news = [
        f"{row.agent}: {row.title} {row.key.outcome}"
        for row in run.meets
        if row.key.subject in (Subject.TOOL, Subject.GUARDRAIL, Subject.LIMIT)
    ]
    news += [f"{row.title} {row.key.outcome}" for row in run.meets if row.key.subject in OF_THE_WAY]
    if not news:
        yield f'{first}"""'
    else:
        yield first
        yield ""
        yield "New here:"
        yield ""
        yield from (f"- {one}" for one in news)
        yield '"""'


_END = {
    "answered": "it answers",
    "blocked": "a guardrail ends it",
    "cut": "it goes on without an end",
    "failed": "it fails",
    "waiting": "it waits for a person",
}


def _wrapped(part: str) -> list[str]:
    """A part of a script, one method a line if it is long."""
    if len(part) <= _WIDTH - 12:
        return [part]
    head, *methods = re.split(r"(?<=\))\.(?=[a-z_]+\()", part)
    return [head, *(f".{method}" for method in methods)]


def _tuple(names: Sequence[str]) -> str:
    inside = ", ".join(map(source_of, names))
    return f"({inside},)" if len(names) == 1 else f"({inside})"


def _name_of(route: Route) -> str:
    parts = [part for one in route.decisions if (part := _name_part(one))]
    if not parts:
        agents = list(
            dict.fromkeys(route.agents)
        )  # several only where edges lead from one to another
        parts = [f"{' '.join(agents)} answers" if agents else "nothing happens"]
    name = name_part(" ".join(parts))
    while len(name) > _LONGEST_NAME and "_" in name:
        name = name.rpartition("_")[0]
    return name


def _name_part(decision: Decision) -> str:
    match decision.by, decision.kind:
        case "model", "call":
            return f"calls {decision.name}"
        case "model", "handoff":
            return f"to {decision.target}"
        case "guardrail", "trip":
            return f"{decision.name} of {decision.agent} trips"
        case "guardrail", "reject":
            return f"{decision.name} rejects"
        case "person", "reject":
            return f"{decision.name} is rejected"
        case _:
            return ""
