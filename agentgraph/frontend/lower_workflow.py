"""Lowering of a workflow: agents to declarations, agents used as tools to sub-charts, all of it to
one chart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from agentgraph.frontend.bindings import Bindings
from agentgraph.frontend.declarations import Declarations
from agentgraph.frontend.discover import Discovered, Names, discover
from agentgraph.frontend.lower_agent import Surroundings, lower_agent, retries_of
from agentgraph.frontend.lower_tools import agent_of
from agentgraph.frontend.origins import Overrides, origin_of
from agentgraph.frontend.shapes import Shape, shape_of_workflow
from agentgraph.run_config import coerce_run_config
from agentgraph.run_error_handlers import RECOVERABLE
from agentgraph_compiler.diagnostics import UNKNOWN, Origin
from agentgraph_compiler.ir.builder import DEFAULT_POLICY, Policy, build
from agentgraph_compiler.ir.chart import Chart


@dataclass(frozen=True, slots=True)
class RunScope:
    """What a run adds to the workflow: its own guardrails, and what it recovers from.

    Args:
        input_guardrails: Run beside those of the start agent.
        output_guardrails: Run beside those of whichever agent comes last.
        policy: What the run decides about the shape of the machine.
        tool_choice: The tool choice of the run's own settings, which stands in place of those of
            its agents; ``None`` where it has none.
    """

    input_guardrails: tuple[Any, ...] = ()
    output_guardrails: tuple[Any, ...] = ()
    policy: Policy = DEFAULT_POLICY
    tool_choice: Any = None

    @classmethod
    def of(cls, run_config: Any, error_handlers: Mapping[str, Any] | None = None) -> RunScope:
        """The scope that a ``RunConfig`` and error handlers amount to."""
        recovers = frozenset(name for name in RECOVERABLE if (error_handlers or {}).get(name))
        if run_config is None:
            return cls(policy=Policy(recovers)) if recovers else DEFAULT_SCOPE
        policy = _policy(run_config, recovers)
        return cls(
            tuple(getattr(run_config, "input_guardrails", None) or ()),
            tuple(getattr(run_config, "output_guardrails", None) or ()),
            DEFAULT_POLICY if policy is DEFAULT_POLICY or policy == DEFAULT_POLICY else policy,
            getattr(getattr(run_config, "model_settings", None), "tool_choice", None),
        )

    def admitting(self, policy: Policy) -> RunScope:
        """This scope, with states for what another policy recovers from and answers as well.

        They are only entered where a run would fail, so what was recorded without them can be
        replayed with them.
        """
        both = replace(
            self.policy,
            recovers=self.policy.recovers | policy.recovers,
            answers_missing_tools=(
                self.policy.answers_missing_tools or policy.answers_missing_tools
            ),
        )
        return self if both == self.policy else replace(self, policy=both)

    @property
    def key(self) -> tuple[object, ...]:
        """What makes two scopes the same to the compiler."""
        return (
            tuple(map(id, self.input_guardrails)),
            tuple(map(id, self.output_guardrails)),
            self.policy,
            # Some choices are objects that cannot be hashed.
            self.tool_choice if isinstance(self.tool_choice, str) else self.tool_choice is None,
        )


def _policy(run_config: Any, recovers: frozenset[str]) -> Policy:
    """What a run configuration decides about the shape of the machine."""
    execution = getattr(run_config, "tool_execution", None)
    answers = getattr(run_config, "tool_not_found_behavior", "raise_error") != "raise_error"
    retries = retries_of(getattr(run_config, "model_settings", None))
    if execution is None and retries is None and not recovers and not answers:
        return DEFAULT_POLICY  # nearly every run
    return Policy(
        recovers,
        answers,
        getattr(execution, "max_function_tool_concurrency", None) or 0,
        bool(getattr(execution, "pre_approval_tool_input_guardrails", False)),
        retries,
    )


DEFAULT_SCOPE = RunScope()


def lower(
    source: Any, scope: RunScope = DEFAULT_SCOPE, *, overrides: Overrides | None = None
) -> tuple[Chart, Bindings]:
    """Lower an agent or a workflow.

    Args:
        source: A ``Workflow``, or the agent a run starts with.
        scope: What the run adds.
        overrides: Origins that take precedence, by ``id`` of the object.

    Returns:
        The chart, and what its symbols stand for.
    """
    declared = getattr(source, "agents", None)
    start = source.start if declared is not None else source
    found = discover(start, declared)
    subcharts = _Subcharts(scope, overrides)
    origin = origin_of(source, overrides)
    chart, bindings = subcharts.lower(source.name, found, scope, declared is not None, origin)
    charts = subcharts.drain()
    whole = Chart(
        chart.name,
        chart.start,
        chart.initial,
        chart.agents,
        chart.states,
        chart.rows,
        chart.declared,
        charts,
        chart.origin,
    )
    if declared is not None:
        subcharts.shapes[id(source)] = shape_of_workflow(source)
    return whole, bindings


class _Subcharts:
    """The sub-charts that agents used as tools run, each lowered once however often it is used."""

    def __init__(self, scope: RunScope, overrides: Overrides | None) -> None:
        self.inherited = scope
        self.declarations = Declarations(overrides)
        self.names = Names()
        self.named: dict[tuple[object, ...], str] = {}
        self.waiting: list[tuple[str, Any, RunScope]] = []
        self.charts: list[Chart] = []
        self.bindings: dict[str, Bindings] = {}
        self.shapes: dict[int, Shape] = {}

    def name_of(self, tool: Any) -> str:
        """The name of the sub-chart of an agent tool; asks for it to be lowered when it is new."""
        agent = agent_of(tool)
        run_config = getattr(tool, "run_config", None)
        if isinstance(run_config, Mapping):
            run_config = coerce_run_config(run_config)
        # A tool without a run configuration of its own runs under the one of the run that calls it;
        # error handlers are that run's alone.
        scope = self.inherited if run_config is None else RunScope.of(run_config)
        scope = replace(scope, policy=replace(scope.policy, recovers=frozenset()))
        key = (id(agent), scope.key)
        if key not in self.named:
            self.named[key] = self.names.take(getattr(agent, "name", "agent"))
            self.waiting.append((self.named[key], agent, scope))
        return self.named[key]

    def lower(
        self, name: str, found: Discovered, scope: RunScope, declared: bool, origin: Origin
    ) -> tuple[Chart, Bindings]:
        start = found.ids[id(found.start)]
        around = Surroundings(
            found,
            scope.input_guardrails,
            scope.output_guardrails,
            scope.tool_choice,
            scope.policy.tries,
            self.name_of,
            self.declarations,
        )
        lowered = [lower_agent(agent, around) for agent in found.agents]
        symbols = {symbol: bound for one in lowered for symbol, bound in one.symbols.items()}
        for one in lowered:
            self.shapes.update((id(shape.part), shape) for shape in one.binding.shapes)
        chart = build(
            name,
            start,
            [one.declaration for one in lowered],
            policy=scope.policy,
            declared=declared,
            origin=origin,
        )
        agents = {one.binding.id: one.binding for one in lowered}
        return chart, Bindings(agents, symbols, self.bindings, self.shapes)

    def drain(self) -> tuple[Chart, ...]:
        """Lower every sub-chart asked for, and those that these ask for."""
        while self.waiting:
            name, agent, scope = self.waiting.pop(0)
            found = discover(agent)
            self.inherited = scope
            chart, bindings = self.lower(name, found, scope, declared=False, origin=UNKNOWN)
            self.charts.append(chart)
            self.bindings[name] = bindings
        return tuple(self.charts)
