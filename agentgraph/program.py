"""Compiling a workflow: agents in, a checked machine out.

``check`` returns all findings of the compiler; ``compile`` returns a program or raises with all
errors; a run uses ``program_for``, which applies the rules that can stop a run and caches the
program on its source, the agent or workflow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from agentgraph.authoring.notebook import ShownInNotebooks
from agentgraph.exceptions import UserError
from agentgraph.frontend.bind import bind, layout_of
from agentgraph.frontend.bindings import Bindings
from agentgraph.frontend.collection import collector_paused
from agentgraph.frontend.declarations import Declarations
from agentgraph.frontend.discover import is_agent, is_workflow
from agentgraph.frontend.final_types import final_type
from agentgraph.frontend.followed import Root, charts_apart, charts_together
from agentgraph.frontend.lower_workflow import chart_of
from agentgraph.frontend.nested import workflows_in
from agentgraph.frontend.origins import Overrides
from agentgraph.frontend.reading import read
from agentgraph.frontend.readings import Reading
from agentgraph.frontend.scope import DEFAULT_SCOPE, RunScope
from agentgraph.frontend.tables import Table, Tables
from agentgraph_compiler import pipeline
from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.bounds import RunBounds, bounds
from agentgraph_compiler.analysis.graph import state_graph
from agentgraph_compiler.checks import OPTIONS
from agentgraph_compiler.diagnostics import Diagnostic, errors
from agentgraph_compiler.ir.chart import USUAL_TURNS, Chart
from agentgraph_compiler.late_machine import LateMachine, late
from agentgraph_compiler.machine import Machine
from agentgraph_compiler.options import OptionError, read_options
from agentgraph_compiler.render import RenderError, View, render
from agentgraph_compiler.render.report import report, summary

if TYPE_CHECKING:
    from pathlib import Path

    import networkx

    from agentgraph.agent import Agent
    from agentgraph.run_config import RunConfig
    from agentgraph.run_error_handlers import RunErrorHandlers
    from agentgraph.workflow import Source

__all__ = ["CompileError", "Program", "check", "compile", "program_for", "source_of"]

_PROGRAMS = "_agentgraph_programs"
_PROGRAM_LIMIT = 8
"""The most programs cached on one source: a new run configuration for every run adds one."""


class CompileError(UserError):
    """A workflow has errors, so no run starts.

    Attributes:
        diagnostics: All findings, warnings included, in source order.
    """

    def __init__(self, name: str, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        failures = errors(self.diagnostics)
        super().__init__(f"workflow '{name}' has {summary(failures)}:\n\n{report(failures)}")


@dataclass(frozen=True)
class Program(ShownInNotebooks):
    """A compiled workflow.

    Attributes:
        source: The agent or workflow that was compiled.
        machine: The state machine.
        bindings: The objects behind the machine's symbols.
        diagnostics: Warnings and notes, in source order.
        scope: What the run added at compilation.
    """

    source: Source
    machine: Machine = field(repr=False)
    bindings: Bindings = field(repr=False)
    diagnostics: tuple[Diagnostic, ...] = ()
    scope: RunScope = field(default=DEFAULT_SCOPE, repr=False)

    @cached_property
    def chart(self) -> Chart:
        """The IR, with the origin of everything."""
        assert isinstance(self.machine, LateMachine)  # `compile` sets the chart of its programs
        return self.machine.chart

    @cached_property
    def output_type(self) -> Any:
        """The type of the final output of a run: the union over all ways in which a run can end.

        ``str`` stands for agents without an ``output_type``. The type is ``Any`` where a function
        decides (``tool_use_behavior``), or where a tool that ends the run declares no type. A
        handler of errors may return anything, and does not count.
        """
        return _output_type(self.bindings.reading, self.chart)

    @property
    def current(self) -> bool:
        """Whether the agents are unchanged since compilation."""
        return self.bindings.current

    def draw(
        self,
        path: str | Path | None = None,
        *,
        level: str = "agents",
        findings: bool = False,
        focus: str | None = None,
        depth: int = 1,
        fold: bool | None = None,
        legend: bool = True,
        timeout: float = 30.0,
    ) -> str:
        """Draw the workflow.

        Args:
            path: The file to write: svg, png, pdf, html, mmd, dot or txt. ``None`` writes nothing.
            level: ``agents`` for agents, tools, handoffs and guardrails; ``states`` for the
                machine.
            findings: Whether to show the findings of the compiler at their agents.
            focus: The name of an agent, to draw it with its surroundings only.
            depth: The most handoffs or calls from the focus to an agent in the drawing.
            fold: Whether ``states`` has one box for each agent but the focus; by default for many.
            legend: Whether a legend explains the signs.
            timeout: Seconds after which a layout is stopped.

        Returns:
            The source of the drawing: the file itself for html, mmd, dot and txt; DOT otherwise.

        Raises:
            UserError: Unknown ending, level or agent, no ``dot`` on this machine, or the layout
                took too long.
        """
        diagnostics = pipeline.check(self.chart) if findings else ()
        view = View(
            level=level,
            findings=diagnostics,
            focus=focus,
            depth=depth,
            fold=fold,
            legend=legend,
        )
        try:
            return render(self.chart, path, view, timeout=timeout)
        except RenderError as error:
            raise UserError(str(error)) from error

    def bounds(
        self,
        *,
        max_turns: int | None = USUAL_TURNS,
        run_config: RunConfig | None = None,
        error_handlers: RunErrorHandlers[Any] | None = None,
    ) -> RunBounds:
        """The least and the most model calls, requests, tool calls and handoffs of a run.

        The least is over runs that end with a final output, the most over all runs
        (``docs/compiler.md``, "Bounds"). ``print`` shows the bounds as a table.

        Args:
            max_turns: The most turns of the run, as in ``Runner.run``; ``None`` for no limit.
            run_config: The configuration of the run.
            error_handlers: Its error handlers; only that of used-up turns counts.
        """
        scope, chart = RunScope.of(run_config, error_handlers), self.chart
        if scope != DEFAULT_SCOPE:
            chart = chart_of(read(self.source, scope)[0], Declarations())
        return bounds(Analysis(chart), turns=max_turns, apart=charts_apart(self.source))[0]

    def to_networkx(self) -> networkx.MultiDiGraph[str]:
        """The machine as a graph: states are nodes and transitions edges, with attributes."""
        return state_graph(self.chart)


def output_type_of(source: Source) -> Any:
    """The type of the final output of a workflow, also of one with errors: see
    :attr:`Program.output_type`."""
    reading, _ = read(_workflow(source), DEFAULT_SCOPE)
    return _output_type(reading, chart_of(reading, Declarations()))


def _output_type(reading: Reading, chart: Chart) -> Any:
    analysis = Analysis(chart)
    return final_type(reading, chart, lambda part: analysis.flow(part).endings)


@collector_paused()
def check(
    source: Source,
    *,
    starts: Sequence[Agent[Any]] = (),
    multi_turn: bool = False,
    options: Mapping[str, Mapping[str, object]] | None = None,
    overrides: Overrides | None = None,
) -> tuple[Diagnostic, ...]:
    """All findings of the compiler about a workflow; findings raise no error, and nothing runs.

    The agents that the code of its tools and guardrails runs (``Runner.run(judge, …)``) are checked
    with it, as far as the source says which they are.

    Args:
        source: An agent, or a ``Workflow``.
        starts: Further agents of the workflow that runs start with.
        multi_turn: Whether a chat goes on with the agent that answered last, by
            ``Runner.run(result.last_agent, …)``; then each agent that can be last is a start too.
        options: Options of rules, by code or name: ``{"AG212": {"fewest-handoffs": 3}}``.
        overrides: Origins from another source, by ``id`` of the object.

    Returns:
        The diagnostics in source order.

    Raises:
        UserError: One of ``starts`` is not part of the workflow, or there is no such option.
    """
    try:
        values = read_options(options or {}, OPTIONS)
    except OptionError as error:
        raise UserError(f"{error.message}: {error.help}") from error
    root = Root(_workflow(source), tuple(starts), multi_turn)
    return pipeline.check_together(charts_together(root, overrides), values)


@collector_paused()
def compile(source: Source) -> Program:
    """Compile a workflow.

    Args:
        source: An agent, or a ``Workflow``.

    Returns:
        The program, with its warnings.

    Raises:
        CompileError: The workflow has errors; the exception holds all of them.
    """
    source = _workflow(source)
    reading, _ = read(source, DEFAULT_SCOPE)
    chart = chart_of(reading, Declarations())
    machine, diagnostics = _checked(chart, deep=True)
    program = Program(source, machine, bind(layout_of(chart), reading), diagnostics)
    program.__dict__["chart"] = chart
    return program


def program_for(
    source: Source | Program,
    scope: RunScope = DEFAULT_SCOPE,
    *,
    at: Agent[Any] | None = None,
    whole: bool = False,
) -> Program:
    """The program of a run: the one cached on its source if that is still current, else a new one.

    The check for changes covers only what the run enters first; the run checks each other agent
    when it enters it.

    Args:
        source: An agent, a ``Workflow`` or a ``Program``.
        scope: What the run adds.
        at: The agent that a run is about to enter; ``None`` for the one that it starts with.
        whole: Whether to check every agent, because the run may be at any of them.

    Raises:
        CompileError: The workflow has errors.
    """
    source = source_of(source)
    programs: dict[object, Program | None] = source.__dict__.setdefault(_PROGRAMS, {})
    key = scope.key
    run_before, program = key in programs, programs.get(key)
    if program is not None and program.source is not source:
        # A copy of an agent has a copy of its attributes, and so the programs of the original.
        programs = source.__dict__[_PROGRAMS] = {}
        program = None
    if program is None or not (program.current if whole else program.bindings.current_at(at)):
        programs.pop(key, None)  # so that the new program is the last to be evicted
        for oldest in list(programs)[: max(0, len(programs) + 1 - _PROGRAM_LIMIT)]:
            programs.pop(oldest, None)  # another thread may have removed it
        program = _for_a_run(source, scope)
        # A program refers to its source, so caching it makes a cycle. The cache begins with the
        # second run: the last reference then frees an agent of a single run, without the collector.
        programs[key] = program if run_before else None
    return program


def source_of(source: Source | Program) -> Source:
    """The agent or workflow itself, or that of a program.

    Raises:
        UserError: It is none of them.
    """
    return source.source if isinstance(source, Program) else _workflow(source)


def _for_a_run(source: Source, scope: RunScope) -> Program:
    """A program with the table of its outline, which is compiled if the cache has none."""
    reading, outline = read(source, scope)
    for workflow in workflows_in(source):
        workflow.__dict__.setdefault(_PROGRAMS, {})  # it has run inside, and stays as it is
    table = _TABLES.get(outline)
    if table is None:
        table = _table(reading)
        _TABLES.keep(outline, table)
    machine = late(table.machine, lambda: chart_of(reading, Declarations(later=True)))
    return Program(source, machine, bind(table.layout, reading), scope=scope)


def _table(reading: Reading) -> Table:
    chart = chart_of(reading, Declarations(bare=True))
    machine = pipeline.compile_chart(chart, deep=False).machine
    if machine is None:
        # There are errors: compile again in full, so that the findings are complete.
        chart = chart_of(reading, Declarations())
        machine, _ = _checked(chart, deep=False)
    return Table(machine, layout_of(chart))


def _checked(chart: Chart, *, deep: bool) -> tuple[Machine, tuple[Diagnostic, ...]]:
    compilation = pipeline.compile_chart(chart, deep=deep)
    if compilation.machine is None:
        raise CompileError(chart.name, compilation.diagnostics)
    return compilation.machine, compilation.diagnostics


def _workflow(source: Source) -> Source:
    if is_agent(source) or is_workflow(source):
        return source
    raise UserError(
        f"Expected an Agent or a Workflow, got {type(source).__name__}."
        " Pass the agent that the run starts with."
    )


_TABLES = Tables(limit=1024)
"""The tables of this process; docs/decisions/0018 says why this cache is allowed."""
