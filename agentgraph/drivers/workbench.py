"""What a piece of work may use: frozen facts, a read-only view of the record, the publisher of raw
events, and caches.

Work returns an outcome. Beside that it writes only to ``Caches``, whose contents can be made again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from agentgraph.approvals import CallKey, Ruling
from agentgraph.drivers.branch_events import BranchEvents
from agentgraph.exceptions import MachineChanged
from agentgraph.frontend.bindings import AgentBinding, Bindings, BranchBinding
from agentgraph.memory.runs.session_log import SessionLog
from agentgraph.record.facts import RunFacts
from agentgraph.record.payloads import ToolReturn
from agentgraph.record.record import Names
from agentgraph.record.view import View
from agentgraph.run_context import RunContextWrapper
from agentgraph.runtime.commands import CommandId, Perform
from agentgraph.runtime.state import Facts
from agentgraph.stored.faults import error_of
from agentgraph.tool_context import ToolContext
from agentgraph_compiler.machine import Emission, Machine

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.drivers.budget import Meter
    from agentgraph.drivers.journal import Journal
    from agentgraph.items import RunItem
    from agentgraph.stream_events import StreamEvent

Compiled = tuple[Machine, Bindings]
StandIn = Callable[[str, Any], ToolReturn | None]
"""Takes the name of a tool and its call in the provider's form; returns what takes the place of its
result, or ``None`` to let the tool run. It may raise what takes the place of its failure."""

_NO_FACTS = Facts()


class InnerRuns(NamedTuple):
    """What runs agents inside a run; the layer above builds their runs.

    Args:
        call_agent: Runs an agent used as a tool.
        run_branch: Runs the agent or workflow of a branch, with the text that it reads first. It
            returns the output and the id of the agent that gave it, or ``Waiting``.
    """

    call_agent: Callable[[Workbench, Perform, Any, Any], Awaitable[Any]]
    run_branch: Callable[[Workbench, Perform, BranchBinding, str], Awaitable[Any]]


@dataclass(slots=True)
class Watcher:
    """Receives the events of a run.

    Args:
        streamed: Whether the model streams its reply.
        show: Called with each emission, its items and the agent that made them.
        publish: Called with each raw event of the model; returns whether the model is too far ahead
            of a slow watcher.
        backpressure: Awaited when the model is too far ahead.
        drained: Awaited between two turns; returns once the watcher has seen everything shown.
        replays: Whether it also sees what a resumed run did before.
        branches: The order of the events of the branches at work, if there are any.
    """

    streamed: bool = False
    show: Callable[[Emission, Sequence[RunItem], Any], None] | None = None
    publish: Callable[[StreamEvent], bool] | None = None
    backpressure: Callable[[], Awaitable[None]] | None = None
    drained: Callable[[], Awaitable[None]] | None = None
    replays: bool = False
    branches: BranchEvents | None = None


UNWATCHED = Watcher()
"""The watcher of a run without one."""


@dataclass(slots=True)
class Caches:
    """The objects that a run keeps and can make again.

    Args:
        machine: The machine at work.
        bindings: The objects of its symbols.
        submachines: The machines of agents used as tools, by name.
        recompile: Lowers and compiles again; starts at the agent it gets if the program no longer
            leads to that agent.
        inner: Runs agents inside this run.
        journal: The rows of this run and of its nested runs.
        watcher: Receives the events of the run.
        session: The session, as this run writes it.
        began: The facts that the run began with.
        models: The configured and the actual model of each agent, by agent id.
        settings: The model name and the own settings of each agent, the settings made from them,
            with and without a forced tool choice, and which of them can change in place, by agent
            id.
        pending: The model call of which an attempt has failed.
        contexts: The contexts of the calls in progress, by state and lane.
        listed: The last lists of servers' tools, by the symbol of the server and the tool's name.
        errors: The exception objects behind the faults of this process.
        rulings: The decisions since the run came to rest, for nested runs.
        turn: The number of turns begun, as a watcher sees it.
        stopping: Whether the caller wants no further turn.
        resumed: Whether the session may hold items of the run that ``session`` does not know.
        doubtful: The commands that were owed when the recorded rows ended; their work may be done.
        stand_in: Answers calls of tools in their place; ``None`` in every run but that of a test.
        meters: The budgets that hold for the run, those of the runs around it first.
        stale: Whether the run must move to another machine, or has other facts than it began with.
    """

    machine: Machine
    bindings: Bindings
    submachines: Mapping[str, Machine]
    recompile: Callable[[Any], Compiled]
    inner: InnerRuns
    journal: Journal
    watcher: Watcher
    session: SessionLog | None = None
    began: Facts = _NO_FACTS
    models: dict[str, tuple[object, Any]] = field(default_factory=dict)
    settings: dict[str, tuple[str | None, Any, Any, Any, Any]] = field(default_factory=dict)
    pending: Any = None
    contexts: dict[tuple[int, ...], ToolContext[Any]] = field(default_factory=dict)
    listed: dict[tuple[str, str], Any] = field(default_factory=dict)
    errors: dict[CommandId, BaseException] = field(default_factory=dict)
    rulings: Sequence[Ruling] = ()
    turn: int = 0
    stopping: bool = False
    stand_in: StandIn | None = None
    meters: tuple[Meter, ...] = ()
    stale: bool = False
    resumed: bool = False
    doubtful: frozenset[CommandId] = frozenset()


@dataclass(frozen=True, slots=True)
class Workbench:
    """What work may use, beside its command.

    Args:
        facts: The inputs of the run.
        view: The record, read-only.
        context: The context that user code gets.
        caches: The caches of the run.
        names: Resolves symbols.
    """

    facts: RunFacts
    view: View
    context: RunContextWrapper[Any]
    caches: Caches
    names: Names

    def binding(self, agent_id: str) -> AgentBinding:
        """The agent with an id, and the objects of its symbols."""
        return self.caches.bindings.agents[agent_id]

    def bound(self, symbol: str) -> Any:
        """The object of a symbol that is no tool: a guardrail, a step, an edge.

        Raises:
            MachineChanged: The program no longer has it.
        """
        try:
            return self.caches.bindings.symbols[symbol]
        except KeyError:
            raise MachineChanged(f"'{symbol}' is gone") from None

    def agent(self, command: Perform) -> Any:
        """The agent at work on a command."""
        return self.caches.bindings.agents[command.agent].agent

    def agent_id(self, agent: Agent[Any]) -> str:
        """The id of an agent; empty for one that is not of this machine."""
        try:
            return self.caches.bindings.id_of(agent)
        except KeyError:
            return ""

    def call(self, command: Perform) -> Any:
        """The call that a command is about, in the provider's form."""
        return self.view.reply.response.output[command.position]

    def error(self, source: CommandId | None) -> BaseException:
        """The exception of a failed outcome: the original, or one made from the stored fault."""
        payload = self.view.payload(source)
        error = None if source is None else self.caches.errors.get(source)
        return error_of(payload.fault, self.names.guardrail) if error is None else error

    def key(self, command: Perform) -> CallKey:
        """The identity of the call that a command is about."""
        return CallKey(self.facts.path, tuple(self.view.replied or ()), command.id.lane)

    def hooked(self, agent: Agent[Any]) -> bool:
        """Whether an agent has hooks, its own or the run's."""
        return self.facts.hooks is not None or agent.hooks is not None
