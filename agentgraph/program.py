"""Compiling a workflow: agents in, a checked machine out.

``check`` says everything the compiler has to say; ``compile`` gives a program or raises with all
errors; a run uses ``program_for``, which applies the rules that can stop a run and keeps the
program with the agent it was made from.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agentgraph.exceptions import UserError
from agentgraph.frontend.bindings import Bindings
from agentgraph.frontend.discover import is_agent
from agentgraph.frontend.lower_workflow import DEFAULT_SCOPE, RunScope, lower
from agentgraph.frontend.origins import Overrides
from agentgraph_compiler import pipeline
from agentgraph_compiler.analysis.graph import state_graph
from agentgraph_compiler.diagnostics import Diagnostic, errors
from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.machine import Machine
from agentgraph_compiler.render import RenderError, render
from agentgraph_compiler.render.report import report, summary

if TYPE_CHECKING:
    from pathlib import Path

    import networkx

__all__ = ["CompileError", "Program", "check", "compile", "program_for"]

_PROGRAMS = "_agentgraph_programs"
_KEPT_AT_MOST = 8
"""Programs kept with one agent: run configurations made anew for every run must not pile up."""


class CompileError(UserError):
    """A workflow has errors, so it was not run.

    Attributes:
        diagnostics: Everything that was found, warnings included, in source order.
    """

    def __init__(self, name: str, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        found = errors(self.diagnostics)
        super().__init__(f"workflow '{name}' has {summary(found)}:\n\n{report(found)}")


@dataclass(frozen=True)
class Program:
    """A compiled workflow.

    Attributes:
        source: The agent or workflow it was made from.
        machine: The state machine.
        bindings: What the machine's symbols stand for.
        chart: The IR, with the origin of everything.
        diagnostics: Warnings and notes, in source order.
        scope: What the run added when it was compiled.
    """

    source: Any
    machine: Machine = field(repr=False)
    bindings: Bindings = field(repr=False)
    chart: Chart = field(repr=False)
    diagnostics: tuple[Diagnostic, ...] = ()
    scope: RunScope = field(default=DEFAULT_SCOPE, repr=False)

    @property
    def current(self) -> bool:
        """Whether the agents are still what was compiled."""
        return self.bindings.current

    def draw(
        self, path: str | Path | None = None, *, level: str = "agents", timeout: float = 30.0
    ) -> str:
        """Draw the workflow.

        Args:
            path: Where to write; the ending says what (svg, png, pdf, dot, mmd). ``None`` writes
                nothing.
            level: ``agents`` for agents, tools, handoffs and guardrails; ``states`` for the
                machine.
            timeout: Seconds after which a layout is stopped.

        Returns:
            The source of the drawing: Mermaid for ``.mmd``, DOT otherwise.

        Raises:
            UserError: Unknown ending or level, no ``dot`` on this machine, or the layout took too
                long.
        """
        try:
            return render(self.chart, path, level=level, timeout=timeout)
        except RenderError as error:
            raise UserError(str(error)) from error

    def to_networkx(self) -> networkx.MultiDiGraph[str]:
        """The machine as a graph: one node a state, one edge a transition, with their
        attributes."""
        return state_graph(self.chart)


def check(source: Any, *, overrides: Overrides | None = None) -> tuple[Diagnostic, ...]:
    """Everything the compiler has to say about a workflow; raises nothing and runs nothing.

    Args:
        source: An agent, or a ``Workflow``.
        overrides: Origins known by other means, by ``id`` of the object.

    Returns:
        The diagnostics in source order.
    """
    chart, _ = lower(_workflow(source), overrides=overrides)
    return pipeline.check(chart)


def compile(source: Any) -> Program:
    """Compile a workflow.

    Args:
        source: An agent, or a ``Workflow``.

    Returns:
        The program, with its warnings.

    Raises:
        CompileError: The workflow has errors; all of them are on the exception.
    """
    return _compile(_workflow(source), DEFAULT_SCOPE, deep=True)


def program_for(source: Any, scope: RunScope = DEFAULT_SCOPE) -> Program:
    """The program of a run: the one kept with its source if that is still current, else a new one.

    Args:
        source: An agent, a ``Workflow`` or a ``Program``.
        scope: What the run adds.

    Raises:
        CompileError: The workflow has errors.
    """
    source = source.source if isinstance(source, Program) else _workflow(source)
    kept: dict[object, Program] = source.__dict__.setdefault(_PROGRAMS, {})
    program = kept.get(scope.key)
    if program is not None and program.source is not source:
        # A copy of an agent comes with a copy of its attributes, and so with the other's programs.
        kept = source.__dict__[_PROGRAMS] = {}
        program = None
    if program is None or not program.current:
        for oldest in list(kept)[: max(0, len(kept) + 1 - _KEPT_AT_MOST)]:
            kept.pop(oldest, None)  # another thread may have been here
        program = kept[scope.key] = _compile(source, scope, deep=False)
    return program


def _compile(source: Any, scope: RunScope, *, deep: bool) -> Program:
    chart, bindings = lower(source, scope)
    compilation = pipeline.compile_chart(chart, deep=deep)
    if compilation.machine is None:
        raise CompileError(chart.name, compilation.diagnostics)
    return Program(source, compilation.machine, bindings, chart, compilation.diagnostics, scope)


def _workflow(source: Any) -> Any:
    if is_agent(source) or (hasattr(source, "start") and hasattr(source, "agents")):
        return source
    raise UserError(
        f"Expected an Agent or a Workflow, got {type(source).__name__}."
        " Pass the agent that the run starts with."
    )
