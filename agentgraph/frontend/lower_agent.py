"""Lowering of one agent: its declaration in the chart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from agentgraph.agent import Agent
from agentgraph.frontend.declarations import Declarations, Declared
from agentgraph.frontend.digests import (
    as_data,
    attributes_of,
    digest,
    public_fields,
    qualified_name,
)
from agentgraph.frontend.discover import Names, stem
from agentgraph.frontend.inner_agents import InnerRun
from agentgraph.frontend.lower_tools import judged, name_in_namespace, screened
from agentgraph.frontend.lower_types import declared_context, nominal
from agentgraph.frontend.origins import allowed_on, origin_of
from agentgraph.frontend.outlines import tries_of
from agentgraph.frontend.readings import ChartReading, HandoffReading
from agentgraph.frontend.scope import plain
from agentgraph.frontend.shapes import AnyOf
from agentgraph.frontend.words import UNREAD
from agentgraph.model_settings import DefaultModelSettings, ModelSettings
from agentgraph.tools.actions import server_label
from agentgraph_compiler.ir import chart
from agentgraph_compiler.ir.chart import Approval, Choice, ChoiceKind, Enabled, Stop, StopKind
from agentgraph_compiler.machine import WorkKind
from agentgraph_compiler.types import ANY


@dataclass(frozen=True, slots=True)
class LoweringContext:
    """What lowering one agent needs to know about its chart.

    Args:
        read: The reading of the chart.
        agents: Its agents, in the state in which they were read.
        ids: Their identities.
        only: The numbers of the agents with a unique name, by name.
        subcharts: The names of the sub-charts that agent tools run, by their numbers.
        declarations: The declarations of the objects that agents list.
        identities: The number of each agent by ``id``, equal in all charts of the workflow; empty
            if names and origins tell all agents apart.
    """

    read: ChartReading
    agents: Sequence[Any]
    ids: Sequence[str]
    only: Mapping[str, int]
    subcharts: Mapping[int, str]
    declarations: Declarations
    identities: Mapping[int, int]


def lower_agent(number: int, context: LoweringContext) -> chart.Agent:
    """Lower one agent.

    Args:
        number: Its number in the chart.
        context: The chart around it.

    Returns:
        Its declaration.
    """
    return _Lowering(number, context).lowered()


class _Lowering:
    def __init__(self, number: int, context: LoweringContext) -> None:
        self.agent, self.context, self.id = context.agents[number], context, context.ids[number]
        declarations, run = context.declarations, context.read
        self.read = read = run.agents[number]
        self.origin = origin_of(read.shape.part, declarations.overrides)
        self.names: dict[str, Names] = {}
        inputs = (*read.inputs, *(run.inputs if number == run.start else ()))
        self.tools = [declarations.tool(tool.shape) for tool in read.tools]
        self.handoffs = [declarations.handoff(one, self._target(one)) for one in read.handoffs]
        self.inputs = [declarations.guardrail(shape) for shape in inputs]
        outputs = (*read.outputs, *(() if run.leads_on(number) else run.outputs))
        self.outputs = [declarations.guardrail(shape) for shape in outputs]
        self.servers = [
            (self._symbol("mcp", stem(server.name)), server)
            for server in map(declarations.part, read.servers)
        ]

    def _target(self, read: HandoffReading) -> Any:
        return self.context.agents[read.place] if read.place >= 0 else read.target

    def lowered(self) -> chart.Agent:
        agent, bare = self.agent, self.context.declarations.bare
        tools = [
            self._tool(declared, read.inner)
            for declared, read in zip(self.tools, self.read.tools, strict=True)
        ]
        handoffs = [
            self._handoff(declared, read)
            for declared, read in zip(self.handoffs, self.read.handoffs, strict=True)
        ]
        context = None if bare else declared_context(agent)
        schema, not_strict = self.context.declarations.schema(agent)
        read = self.read
        inputs = tuple(self._guardrails("input", self.inputs, len(read.inputs)))
        outputs = tuple(self._guardrails("output", self.outputs, len(read.outputs)))
        return chart.Agent(
            id=self.id,
            name=plain(agent.name),
            context=ANY if bare else nominal(context),
            members=self.context.declarations.members(context),
            output=self.context.declarations.output(agent),
            schema=schema,
            not_strict=not_strict,
            tools=(*tools, *map(_server, self.servers)),
            handoffs=tuple(handoffs),
            input_guardrails=inputs,
            output_guardrails=outputs,
            stop=self._stop(),
            choice=self._choice(),
            digest="" if bare else self._digest(),
            unseen=() if bare else tuple(self._unseen(handoffs)),
            origin=self.origin,
            allowed=allowed_on(agent),
            tries=tries_of(agent, self.context.read.scope),
            inner=tuple(self._inner((*tools, *inputs, *outputs))),
            readers=() if bare else tuple(self._readers()),
            instructions=self.context.declarations.instructions(agent),
            single_call=self._parallel_calls() is False,
            identity=self.context.identities.get(id(self.read.shape.part), 0),
        )

    def _symbol(self, family: str, stem: str) -> str:
        names = self.names.get(family)
        if names is None:
            names = self.names[family] = Names()
        return f"{self.id}/{family}/{names.claim(stem or family)}"

    def _tool(self, declared: Declared[chart.Tool], inner: int) -> chart.Tool:
        symbol = self._symbol("tool", declared.stem)
        machine = self.context.subcharts[inner] if inner >= 0 else ""
        return replace(declared.declaration, symbol=symbol, machine=machine)

    def _handoff(self, declared: Declared[chart.Handoff], read: HandoffReading) -> chart.Handoff:
        declaration, place = declared.declaration, read.place
        if read.target is None:
            # A hand-made handoff knows its target only by name.
            place = self.context.only.get(declaration.target_name, -1)
        return chart.Handoff(
            symbol=self._symbol("handoff", declared.stem),
            name=declaration.name,
            target=self.context.ids[place] if place >= 0 else "",
            target_name=declaration.target_name,
            enabled=declaration.enabled,
            digest=declaration.digest,
            origin=self.origin if read.shape is None else declaration.origin,
            allowed=declaration.allowed,
            filters=declaration.filters,
            acts=declaration.acts,
            derived=declaration.derived,
            description=declaration.description,
            input=declaration.input,
            takes=declaration.takes,
        )

    def _guardrails(
        self, family: str, guardrails: Iterable[Declared[chart.Guardrail]], own: int
    ) -> Iterator[chart.Guardrail]:
        """The guardrails of a family: the ``own`` ones of the agent, then those of the run."""
        for place, declared in enumerate(guardrails):
            row = declared.declaration
            symbol = self._symbol(family, declared.stem)
            yield chart.Guardrail(
                symbol=symbol,
                name=row.name,
                parallel=row.parallel,
                passes=row.passes,
                of_run=place >= own,
                origin=row.origin,
                allowed=row.allowed,
            )

    def _inner(self, parts: Iterable[chart.Tool | chart.Guardrail]) -> Iterator[chart.Inner]:
        """The agents that the code of the agent's tools and guardrails runs."""
        overrides = self.context.declarations.overrides
        for part, declared in zip(parts, self._with_code(), strict=True):
            for run in declared.runs:
                if run.agent is not None:
                    name = plain(str(run.agent.name))
                    origin = origin_of(run.agent, overrides)
                    yield chart.Inner(part.symbol, name, origin, certain=run.certain)

    def _readers(self) -> Iterator[chart.Reader]:
        """The callables that read the context of the run."""
        yield from self.context.declarations.readers.of_agent(self.agent, self.origin)
        for declared in chain[Declared[Any]](self.tools, self.handoffs, self.inputs, self.outputs):
            yield from declared.readers

    def _with_code(self) -> Iterator[Declared[Any]]:
        return chain(self.tools, self.inputs, self.outputs)

    def _stop(self) -> Stop:
        behavior = self.agent.tool_use_behavior
        if behavior == "run_llm_again":
            return _NEVER
        if behavior == "stop_on_first_tool":
            return Stop(StopKind.FIRST)
        if isinstance(behavior, dict):
            names = tuple(map(plain, behavior.get("stop_at_tool_names", ())))
            # A name may stand for the tools of that name in all namespaces.
            names += tuple(
                row.declaration.name for row in self.tools if name_in_namespace(row.part) in names
            )
            # An empty list names no tool, whereas a guard without names holds for every tool.
            return Stop(StopKind.NAMED, names) if names else _NEVER
        return Stop(StopKind.ASKED, symbol=f"{self.id}/tool_use_behavior")

    def _choice(self) -> Choice:
        agent, choice = self.agent, self.context.read.scope.tool_choice
        if choice is None:
            choice = getattr(agent.model_settings, "tool_choice", None)
        hosted = getattr(agent, "prompt", None) is not None
        if not isinstance(choice, str) or choice == "auto":
            return Choice(hosted=True) if hosted else _FREE
        resets = agent.reset_tool_choice is not False
        if choice == "none":
            return Choice(ChoiceKind.NONE, resets=resets, hosted=hosted)
        if choice == "required":
            return Choice(ChoiceKind.SOME, resets=resets, hosted=hosted)
        # A name may stand for the tools of that name in all namespaces.
        names = [
            row.declaration.name for row in self.tools if name_in_namespace(row.part) == choice
        ]
        return Choice(ChoiceKind.NAMED, (plain(choice), *names), resets=resets, hosted=hosted)

    def _parallel_calls(self) -> object:
        """Whether a reply may hold several calls; ``None`` if neither run nor agent says."""
        of_run = self.context.read.scope.parallel_calls
        own = getattr(self.agent.model_settings, "parallel_tool_calls", None)
        return own if of_run is None else of_run

    def _digest(self) -> str:
        """The digest of the declared fields that the states do not show."""
        agent, model = self.agent, self.agent.model
        named = model is None or isinstance(model, str)
        kind = model.kind if isinstance(model, AnyOf) else type(model)
        guardrails = [
            (row.declaration.name, row.declaration.parallel, row.part.guardrail_function)
            for row in (*self.inputs, *self.outputs)
        ]
        # A hosted tool has no state of its own, but the order of the tools includes it.
        hosted = [
            row.declaration.digest if row.declaration.kind is None else ""
            for row in self.tools
            if row.declaration.enabled is not Enabled.NEVER
        ]
        attributes = attributes_of(agent, _CONFIGURATION)
        settings = attributes.get("model_settings")
        if isinstance(settings, DefaultModelSettings):  # what suits a model may change with it
            attributes["model_settings"] = settings.changes if settings.is_changed else _UNSET
        return digest(
            attributes,
            model if named else qualified_name(kind),
            hosted,
            guardrails,
            [server.name for _, server in self.servers],
        )

    def _unseen(self, handoffs: list[chart.Handoff]) -> Iterator[str]:
        for declared in self.tools:
            tool = declared.declaration
            if tool.enabled is _SOMETIMES:
                yield f"a function decides on each turn whether tool '{tool.name}' is enabled"
            if tool.remote and tool.enabled is not Enabled.NEVER:
                yield f"the provider lists the tools of MCP server '{server_label(declared.part)}'"
        for row, read in zip(handoffs, self.read.handoffs, strict=True):
            if row.enabled is _SOMETIMES:
                yield (
                    "a function decides on each turn whether the handoff to"
                    f" '{row.target_name}' is enabled"
                )
            if not row.target and read.target is None:
                yield (
                    f"the handoff '{row.name}' does not say which agent it leads to, so no run"
                    f" takes it: make it with handoff(...), or declare one agent named"
                    f" '{row.target_name}' in a Workflow"
                )
        for _, server in self.servers:
            yield f"the run lists the tools of MCP server '{server.name}'"
        if self._choice().hosted:
            yield "the stored prompt can add instructions and tools"
        if self.context.declarations.instructions(self.agent) == UNREAD:
            yield "a function writes the instructions, and its source does not show the text"
        for part in self._with_code():
            kind = "tool" if isinstance(part.declaration, chart.Tool) else "guardrail"
            for run in part.runs:
                yield f"the code of {kind} '{part.declaration.name}' runs {_in_words(run)}"
        if self._stop().kind is StopKind.ASKED:
            yield "a function (tool_use_behavior) decides whether a tool output ends the run"


def _in_words(run: InnerRun) -> str:
    if run.agent is None:
        return f"an agent that only the call knows: Runner.run({run.text}, …)"
    return f"agent '{plain(str(run.agent.name))}', and no check covers that run"


_NEVER, _SOMETIMES = Stop(), Enabled.SOMETIMES
_UNSET = as_data(ModelSettings())
"""The settings of most agents, as the digest has them."""
_FREE = Choice()
_IN_THE_CHART = frozenset(
    {
        "name",
        "handoff_description",
        "tools",
        "mcp_servers",
        "handoffs",
        "model",
        "input_guardrails",
        "output_guardrails",
        "output_type",
        "hooks",
    }
)
"""The fields of an agent that the chart shows, or that the digest holds in another form."""
_CONFIGURATION = tuple(name for name in public_fields(Agent) if name not in _IN_THE_CHART)


def _server(bound: tuple[str, Any]) -> chart.Tool:
    symbol, server = bound
    # The run learns which of its tools need an approval only when it lists them.
    return chart.Tool(
        symbol=symbol,
        name=plain(server.name),
        kind=WorkKind.FUNCTION,
        enabled=Enabled.SOMETIMES,
        server=True,
        approval=Approval.ASKED,
        screened=screened(server),
        judged=judged(server),
    )
