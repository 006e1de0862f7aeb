"""What a failing property tells a person: the run as a list, as a test to paste, as a drawing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from inspect import unwrap
from pathlib import Path
from typing import TYPE_CHECKING

from agentgraph.program import compile
from agentgraph.testing.routes import Route
from agentgraph.testing.script import script_of
from agentgraph_compiler.render import RenderError, View, render

if TYPE_CHECKING:
    from agentgraph.workflow import Source

__all__ = ["failure_report", "pasted_test"]

_WORDS = ("function", "guardrail", "model", "person", "tool")


def failure_report(
    source: Source,
    route: Route,
    test: Callable[..., None],
    error: Exception,
    pictures: str | Path | None,
) -> str:
    """The report on the shortest run that fails.

    Args:
        source: The workflow.
        route: The run.
        test: The test, for its name and module.
        error: What the test raised.
        pictures: The folder for the drawing; None draws none.
    """
    parts = []
    if str(route) not in str(error):
        parts.append(f"The shortest run that fails:\n\n{route}")
    name = _name_of(source, getattr(unwrap(test), "__globals__", {}))
    parts.append(f"As a test:\n\n{pasted_test(test.__name__, name, route, [test.__name__])}")
    if pictures is not None:
        parts.append(_drawn(source, route, Path(pictures) / f"{test.__name__}.svg"))
    return "\n\n".join(parts)


def pasted_test(name: str, workflow: str, route: Route, checks: Iterable[str] = ()) -> str:
    """The source of a test that plays a route.

    Args:
        name: The name of the test that failed.
        workflow: An expression for the workflow.
        route: The route.
        checks: Functions that the test calls with the route.
    """
    script = script_of(route)
    words = [word for word in _WORDS if any(line.startswith(f"{word}(") for line in script)]
    imports = ["from agentgraph.testing import play"]
    if words:
        imports.append(f"from agentgraph.testing.script import {', '.join(words)}")
    depth = f", depth={len(route.agents)}" if route.end == "cut" else ""
    lines = [
        *imports,
        "",
        "",
        f"def test_{re.sub(r'^test_', '', name)}_once() -> None:",
        f"    route = play({workflow}, [",
        *(f"        {line}," for line in script),
        f"    ]{depth})",
        *(f"    {check}(route)" for check in checks),
    ]
    return "\n".join(lines)


def _name_of(source: Source, names: Mapping[str, object]) -> str:
    for name, value in names.items():
        if value is source:
            return name
    return "workflow"


def _drawn(source: Source, route: Route, path: Path) -> str:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        render(compile(source).chart, path, View(visited=route.agents))
    except (OSError, RenderError) as error:
        return f"It could not be drawn: {error}"
    return f"Drawn, with the agents that it came by: {path}"
