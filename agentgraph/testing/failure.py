"""What a failing property tells a person: the run as a list, as a test to paste, as a drawing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from inspect import unwrap
from pathlib import Path
from typing import TYPE_CHECKING

from agentgraph.program import compile
from agentgraph.program import source_of as workflow_of
from agentgraph.testing.routes import Route
from agentgraph.testing.script import script_of, source_of
from agentgraph_compiler.render import RenderError, View, render

if TYPE_CHECKING:
    from agentgraph.program import Program
    from agentgraph.testing.conditions import RunKeywords
    from agentgraph.workflow import Source

__all__ = ["failure_report", "pasted_test"]

_WORDS = ("function", "guardrail", "model", "person", "tool")


def failure_report(
    source: Source | Program,
    route: Route,
    test: Callable[..., None],
    error: Exception,
    pictures: str | Path | None,
    keywords: RunKeywords,
) -> str:
    """The report on the shortest run that fails.

    Args:
        source: The workflow.
        route: The run.
        test: The test, for its name and module.
        error: What the test raised.
        pictures: The folder for the drawing; None draws none.
        keywords: The conditions of the run.
    """
    parts = []
    if str(route) not in str(error):
        parts.append(f"The shortest run that fails:\n\n{route}")
    names = getattr(unwrap(test), "__globals__", {})
    pasted = pasted_test(test.__name__, source, route, names, keywords)
    parts.append(f"As a test:\n\n{pasted}")
    if pictures is not None:
        parts.append(_drawn(source, route, Path(pictures) / f"{test.__name__}.svg"))
    return "\n\n".join(parts)


def pasted_test(
    name: str,
    source: Source | Program,
    route: Route,
    names: Mapping[str, object],
    keywords: RunKeywords,
) -> str:
    """The source of a test that plays a route, and calls the test that failed with it.

    Args:
        name: The name of the test that failed.
        source: The workflow.
        route: The route.
        names: The names of the module of that test.
        keywords: The conditions of the run.
    """
    script = script_of(route, real=keywords.get("real", ()))
    words = [word for word in _WORDS if any(line.startswith(f"{word}(") for line in script)]
    imports = ["from agentgraph.testing import play"]
    if words:
        imports.append(f"from agentgraph.testing.script import {', '.join(words)}")
    lines = [
        *imports,
        "",
        "",
        f"def test_{re.sub(r'^test_', '', name)}_once() -> None:",
        f"    route = play({_name_of(source, names, 'workflow')}, [",
        *(f"        {line}," for line in script),
        f"    ]{''.join(_keywords(route, names, keywords))})",
        f"    {name}(route)",
    ]
    return "\n".join(lines)


def _keywords(route: Route, names: Mapping[str, object], keywords: RunKeywords) -> Iterator[str]:
    if route.end == "cut":
        yield f", depth={len(route.agents)}"
    if real := keywords.get("real"):
        yield f", real={source_of(sorted(real))}"
    if (context := keywords.get("context")) is not None:
        yield f", context={_name_of(context, names, 'context')}"
    if "input" in keywords:
        yield f", input={source_of(keywords['input'])}"


def _name_of(value: object, names: Mapping[str, object], fallback: str) -> str:
    return next((name for name, one in names.items() if one is value), fallback)


def _drawn(source: Source | Program, route: Route, path: Path) -> str:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        render(compile(workflow_of(source)).chart, path, View(visited=route.agents))
    except (OSError, RenderError) as error:
        return f"It could not be drawn: {error}"
    return f"Drawn, with the agents that it came by: {path}"
