"""What a piece of work may reach: frozen facts, a read-only view of the record, the publisher of
raw events, and caches that a run can lose.

Work returns an outcome and writes nothing else that counts: whatever stands in ``Caches`` is made
again when it is missing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agentgraph.approvals import CallKey, Ruling
from agentgraph.frontend.bindings import AgentBinding, Bindings
from agentgraph.memory.runs.session_log import SessionLog
from agentgraph.record.facts import RunFacts
from agentgraph.record.record import Names
from agentgraph.record.view import View
from agentgraph.run_context import RunContextWrapper
from agentgraph.runtime.commands import CommandId, Perform
from agentgraph.runtime.state import Facts
from agentgraph.stored.faults import error_of
from agentgraph.tool_context import ToolContext
from agentgraph_compiler.machine import Emission, Machine

if TYPE_CHECKING:
    from agentgraph.drivers.journal import Journal
    from agentgraph.items import RunItem
    from agentgraph.stream_events import StreamEvent

Compiled = tuple[Machine, Bindings]

_NO_FACTS = Facts()


@dataclass(slots=True)
class Watcher:
    """Who is told what happens in a run, and how.

    Args:
        streamed: Whether the model is asked to stream.
        show: Told each emission with its items and the agent that made them.
        publish: Told each raw event of the model; gives whether the model is too far ahead of a
            slow watcher.
        backpressure: Waited for where the model is too far ahead.
        drained: Waited for between two turns; returns once everything shown was seen.
    """

    streamed: bool = False
    show: Callable[[Emission, Sequence[RunItem], Any], None] | None = None
    publish: Callable[[StreamEvent], bool] | None = None
    backpressure: Callable[[], Awaitable[None]] | None = None
    drained: Callable[[], Awaitable[None]] | None = None


UNWATCHED = Watcher()
"""For a run of which nothing is told."""


@dataclass(slots=True)
class Caches:
    """What a run keeps at hand and can lose.

    Args:
        machine: The machine at work.
        bindings: What its symbols stand for.
        submachines: The machines of agents used as tools, by name.
        recompile: Lowers and compiles anew, starting with the given agent if it is no longer
            reachable.
        call_agent: Runs an agent used as a tool (the layer above builds the inner run).
        journal: Where the rows of this run and of those inside it stand.
        watcher: Who is told what happens.
        session: The session as this run writes it.
        began: What held for the run when it began.
        models: What each agent's model was wanted as and is, by agent id.
        settings: What each agent's settings were made from and are, with a forced tool choice and
            without, by agent id.
        asking: The question to a model of which an attempt has failed.
        contexts: The contexts of the calls under way, by state and lane.
        listed: The tools that servers listed last, by the symbol of the server and the name.
        errors: The very exceptions behind the faults of this process.
        rulings: What was decided since the run came to rest, for the runs inside.
        turn: Turns begun, as a watcher sees it.
        stopping: Whether the caller wants no further turn.
        resumed: Whether the session has something of the run that ``session`` does not know.
        doubtful: The commands that were owed where the recorded rows end: their work may be done.
        stale: Whether the run is to go on in another machine, or with other facts, than it began.
    """

    machine: Machine
    bindings: Bindings
    submachines: Mapping[str, Machine]
    recompile: Callable[[Any], Compiled]
    call_agent: Callable[[Workbench, Perform, Any, Any], Awaitable[Any]]
    journal: Journal
    watcher: Watcher
    session: SessionLog | None = None
    began: Facts = _NO_FACTS
    models: dict[str, tuple[object, Any]] = field(default_factory=dict)
    settings: dict[str, tuple[object, Any, Any]] = field(default_factory=dict)
    asking: Any = None
    contexts: dict[tuple[int, ...], ToolContext[Any]] = field(default_factory=dict)
    listed: dict[tuple[str, str], Any] = field(default_factory=dict)
    errors: dict[CommandId, BaseException] = field(default_factory=dict)
    rulings: Sequence[Ruling] = ()
    turn: int = 0
    stopping: bool = False
    stale: bool = False
    resumed: bool = False
    doubtful: frozenset[CommandId] = frozenset()


@dataclass(frozen=True, slots=True)
class Workbench:
    """What work is given besides its command.

    Args:
        facts: What the run was given.
        view: What the run knows.
        context: What user code sees of the run.
        caches: What the run keeps at hand.
        names: What symbols stand for.
    """

    facts: RunFacts
    view: View
    context: RunContextWrapper[Any]
    caches: Caches
    names: Names

    def binding(self, agent_id: str) -> AgentBinding:
        """What the symbols of an agent stand for."""
        return self.caches.bindings.agents[agent_id]

    def agent(self, command: Perform) -> Any:
        """The agent at work on a command."""
        return self.caches.bindings.agents[command.agent].agent

    def agent_id(self, agent: Any) -> str:
        """The id of an agent; empty for one that is not of this machine."""
        try:
            return self.caches.bindings.id_of(agent)
        except KeyError:
            return ""

    def call(self, command: Perform) -> Any:
        """The call that a command is about, as the provider sent it."""
        return self.view.reply.response.output[command.position]

    def error(self, source: CommandId | None) -> BaseException:
        """The exception that an outcome tells of: the very one, or one made from what is stored."""
        payload = self.view.payload(source)
        kept = None if source is None else self.caches.errors.get(source)
        return error_of(payload.fault, self.names.guardrail) if kept is None else kept

    def key(self, command: Perform) -> CallKey:
        """The identity of the call that a command is about."""
        return CallKey(self.facts.path, tuple(self.view.replied or ()), command.id.lane)

    def hooked(self, agent: Any) -> bool:
        """Whether hooks want to hear of what an agent does."""
        return self.facts.hooks is not None or agent.hooks is not None
