"""A driver for tests: it pairs a machine with scripted answers, so that a test reads as a dialogue.

The machine ``says`` commands, the test ``tell``s outcomes. Work is called by its label: the symbol
of the lane, with the name of the phase behind it where that is not what the lane is there for
(``desk/search.hold``), and with a number from the second time on (``desk/search:2``). A rest is
called by its kind.
"""

from __future__ import annotations

from agentgraph.runtime.commands import Command, CommandId, Emit, Perform, Rest
from agentgraph.runtime.outcomes import Call, Outcome, Reply, Request
from agentgraph.runtime.state import ControlState, Facts
from agentgraph.runtime.step import start, step
from agentgraph_compiler.ir.chart import Agent
from agentgraph_compiler.ir.policy import DEFAULT_POLICY, Policy
from agentgraph_compiler.machine import RESERVED, Emission, Event, Machine, StateKind, Verdict
from tests.runtime.declarations import machine_of


class Dialogue:
    """A run of a workflow, one scripted outcome at a time.

    Args:
        agents: The agents of the workflow; the run starts with the first.
        policy: What the run decides about the machine.
        limit: The most turns allowed.
        session: Whether the run has a session.
        hooked: Whether hooks are set.
    """

    def __init__(
        self,
        *agents: Agent,
        policy: Policy = DEFAULT_POLICY,
        limit: int | None = None,
        session: bool = False,
        hooked: bool = False,
    ) -> None:
        self.machine: Machine = machine_of(*agents, policy=policy)
        self.journal: list[Outcome] = []
        self.state: ControlState
        self._id_of: dict[str, CommandId] = {}
        self._label_of: dict[CommandId, str] = {}
        self._unheard: list[str] = []
        self.state, commands = start(self.machine, Facts(limit, session, hooked))
        self._hear(commands)

    def says(self, *lines: str) -> Dialogue:
        """Require that the machine said exactly these commands, in order, since the last time."""
        heard, self._unheard = self._unheard, []
        assert heard == list(lines), f"the machine said {heard}"
        return self

    def ends(self, line: str) -> Dialogue:
        """Require that ``line`` is the last command said; those before it are passed over."""
        assert self._unheard, "the machine said nothing"
        return self.passing_over(len(self._unheard) - 1).says(line)

    def passing_over(self, count: int | None = None) -> Dialogue:
        """Hear ``count`` commands, or all of them, without requiring anything of them."""
        del self._unheard[:count]
        return self

    def tell(self, label: str, event: Event) -> Dialogue:
        """Report how the work called ``label`` ended."""
        return self._tell(Outcome(self._id_of[label], event))

    def answer(self, label: str, event: Event, reply: Reply) -> Dialogue:
        """Report how a model call ended, with any reply."""
        return self._tell(Outcome(self._id_of[label], event, reply=reply))

    def done(self, *labels: str) -> Dialogue:
        """Report that some work is done, in this order."""
        for label in labels:
            self.tell(label, Event.DONE)
        return self

    def returned(self, *labels: str) -> Dialogue:
        """Report that calls returned, in this order."""
        for label in labels:
            self.tell(label, Event.RETURNED)
        return self

    def outside(self, event: Event) -> Dialogue:
        """Report a stop, a cancellation or an expiry where the run is."""
        return self._tell(Outcome(CommandId(self.state.sequence, RESERVED[event]), event))

    def resumed(self, label: str) -> Dialogue:
        """Resume the run from a rest."""
        return self.tell(label, Event.RESUMED)

    def reply(
        self,
        label: str,
        verdict: Verdict = Verdict.AGAIN,
        *,
        calls: str = "",
        handoffs: str = "",
    ) -> Dialogue:
        """Report a model's reply.

        Args:
            label: The model call it answers.
            verdict: What the reply is once calls and handoffs are set aside.
            calls: Names of tools of the agent at work, in order; the items of the reply begin with
                them.
            handoffs: Ids of agents to hand off to, in order; these items follow.
        """
        agent = label.partition("/")[0]
        named = calls.split()
        asked = tuple(Call(f"{agent}/{name}", name, place) for place, name in enumerate(named))
        requests = tuple(
            Request(f"{agent}/to_{target}", place)
            for place, target in enumerate(handoffs.split(), len(named))
        )
        reply = Reply(asked, requests, verdict)
        return self._tell(Outcome(self._id_of[label], Event.REPLIED, reply=reply))

    def final(self, label: str) -> Dialogue:
        """Report a reply that is a final output."""
        return self.reply(label, Verdict.FINAL)

    def id_of(self, label: str) -> CommandId:
        """The id of some work."""
        return self._id_of[label]

    def _tell(self, outcome: Outcome) -> Dialogue:
        self.state, commands = step(self.machine, self.state, outcome)
        self.journal.append(outcome)
        self._hear(commands)
        return self

    def _hear(self, commands: tuple[Command, ...]) -> None:
        for command in commands:
            if isinstance(command, Perform | Rest):
                self._remember(command)
            self._unheard.append(self._spoken(command))

    def _remember(self, command: Perform | Rest) -> None:
        if command.id in self._label_of:  # asked for again: it was never answered
            return
        if isinstance(command, Rest):
            name = command.kind.value
        else:
            aside = command.phase.kind is not command.invoke.kind
            name = command.invoke.symbol + (f".{command.phase.name}" if aside else "")
        label, count = name, 1
        while label in self._id_of:
            count += 1
            label = f"{name}:{count}"
        self._id_of[label], self._label_of[command.id] = command.id, label

    def _spoken(self, command: Command) -> str:
        match command:
            case Perform():
                return f"perform {self._label_of[command.id]}"
            case Emit(Emission.AGENT):
                return f"show agent {command.agent}"
            case Emit(emission, source=CommandId() as source):
                return f"show {emission} of {self._label_of[source]}"
            case Rest(kind=StateKind.SUSPENDED):
                return f"suspend for {', '.join(map(self._label_of.__getitem__, command.awaiting))}"
            case Rest(_, kind, agent, None):
                return f"finish {kind} by {agent}"
            case Rest(_, kind, agent, CommandId() as source):
                named = self._label_of.get(source)
                return f"finish {kind} by {agent} with {named or tuple(source)}"
            case _:
                raise AssertionError(f"a command without a source: {command}")
