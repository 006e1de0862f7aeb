"""One run: its facts, its record, and the workbench that its work uses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agentgraph.approvals import ApprovalLedger, RunPath
from agentgraph.drivers.budget import Meter
from agentgraph.drivers.journal import Beginning, Journal
from agentgraph.drivers.names import BoundNames
from agentgraph.drivers.workbench import (
    UNWATCHED,
    Caches,
    Compiled,
    InnerRuns,
    Watcher,
    Workbench,
)
from agentgraph.frontend.bindings import Bindings
from agentgraph.memory.runs.session_log import SessionLog
from agentgraph.memory.runs.signatures import usual
from agentgraph.record.facts import RunFacts
from agentgraph.record.payloads import Resumed
from agentgraph.record.record import Record
from agentgraph.record.view import View
from agentgraph.run_context import RunContextWrapper
from agentgraph.runtime.lanes import members
from agentgraph.runtime.state import ControlState, Facts, new
from agentgraph.usage import Usage
from agentgraph.usage.run_usage import RunUsage
from agentgraph.workflow.budgets import Budget
from agentgraph_compiler.machine import Machine, WorkKind

_NOWHERE = ControlState("")


@dataclass(slots=True)
class Run:
    """One run of a machine.

    Args:
        facts: Its inputs.
        record: Everything it knows; only ``fold`` writes it.
        bench: What its work may use.
        resumption: How it continues where the replay comes to rest; ``None`` to stay there.
        state: Its control state.
        migrations: How many times it moved to a newly compiled machine.
        rows: The number of journal rows when it came to rest, those of other runs included.
    """

    facts: RunFacts
    record: Record
    bench: Workbench
    resumption: Resumed | None = None
    state: ControlState = _NOWHERE
    migrations: int = 0
    rows: int = 0

    @property
    def caches(self) -> Caches:
        """The caches of the run."""
        return self.bench.caches

    @property
    def machine(self) -> Machine:
        """The machine at work."""
        return self.bench.caches.machine

    @property
    def path(self) -> RunPath:
        """The calls that it is nested in."""
        return self.facts.path

    @property
    def agent(self) -> Any:
        """The agent at work."""
        return self.bench.names.agent(self.record.agent_id)

    @property
    def is_screened(self) -> bool:
        """Whether an input guardrail is at work."""
        lanes = members(self.state.owed)
        invokes = self.caches.machine.state[self.state.state].invokes
        kinds = [invokes[lane].phases[0].kind for lane in lanes if lane < len(invokes)]
        return WorkKind.INPUT_GUARDRAIL in kinds

    def spent(self) -> Usage:
        """The usage of the run and of its nested runs, from their rows."""
        whole = Usage()
        for part in (self.record.usage, self.caches.journal.inside(self.facts.path)):
            whole.add(part)
        return whole


def make_run(
    facts: RunFacts,
    compiled: Compiled,
    recompile: Callable[[Any], Compiled],
    journal: Journal,
    *,
    inner: InnerRuns,
    watcher: Watcher | None = None,
    context: object = None,
    tool_input: object = None,
    outer: RunContextWrapper[Any] | None = None,
    caller_context: RunContextWrapper[Any] | None = None,
    resumption: Resumed | None = None,
) -> Run:
    """Make a run: a new, a resumed or a nested one.

    Args:
        facts: Its inputs.
        compiled: The machine it begins with, and the objects of its symbols.
        recompile: Compiles again after an agent has changed.
        journal: The store of its rows; the rows of its path are replayed.
        inner: Runs agents inside the run.
        watcher: Receives the events of the run.
        context: The caller's context object.
        tool_input: For an agent tool, the arguments of the call.
        outer: For a nested run, the context of the call that it runs in.
        caller_context: The context of another run, if the caller passed one; counts this usage too.
        resumption: The decisions and input since it came to rest; ``None`` for a new run.
    """
    now = _facts_now(facts, compiled)
    machine, bindings, began = journal.began(facts.path, new(Beginning, (*compiled, now)))
    ledger = ApprovalLedger() if outer is None else outer._approvals.within(facts.path)
    record = Record(facts, ledger)
    around = outer if caller_context is None else caller_context
    # The usage of the surrounding run includes the rows of this one.
    own = (record.usage, journal.inside(facts.path))
    wrapper = RunContextWrapper(
        context=context,
        usage=RunUsage(*(own if around is None else (around.usage,))),
        turn_input=record.transcript.turn_input,
        _approvals=ledger,
        tool_input=tool_input,
    )
    if caller_context is not None:
        wrapper = caller_context._for_another_run(wrapper)
    caches = Caches(
        machine=machine,
        bindings=bindings,
        submachines=_whole(machine, facts, journal).submachine,
        recompile=recompile,
        inner=inner,
        journal=journal,
        watcher=UNWATCHED if watcher is None else watcher,
        session=_session_log(facts, wrapper),
        began=began,
        meters=_own_meters(bindings, facts),
        stale=began != now or machine is not compiled[0],
    )
    record.agent_id = machine.state[machine.initial].transitions[0].arrives
    return Run(facts, record, _bench(facts, record, wrapper, caches), resumption)


def _own_meters(bindings: Bindings, facts: RunFacts) -> tuple[Meter, ...]:
    row = bindings.budget
    if row is None:
        return ()
    budget = row.step.part
    assert isinstance(budget, Budget)  # the binding says so
    return (Meter(budget, row.id, facts.path),)


def begin_again(run: Run, compiled: Compiled) -> None:
    """Let a run that has done nothing yet begin as its journal says, once that was read.

    Args:
        run: The run.
        compiled: The machine of the current program, and the objects of its symbols.
    """
    facts, caches, journal = run.facts, run.caches, run.caches.journal
    now = _facts_now(facts, compiled)
    machine, bindings, began = journal.began(facts.path, new(Beginning, (*compiled, now)))
    caches.machine, caches.bindings, caches.began = machine, bindings, began
    caches.submachines = _whole(machine, facts, journal).submachine
    caches.stale |= began != now or machine is not compiled[0]
    run.record.agent_id = machine.state[machine.initial].transitions[0].arrives


def _facts_now(facts: RunFacts, compiled: Compiled) -> Facts:
    hooked = facts.hooks is not None or compiled[1].hooked
    return new(Facts, (facts.limit, facts.session is not None, hooked))


def _bench(
    facts: RunFacts, record: Record, context: RunContextWrapper[Any], caches: Caches
) -> Workbench:
    names = BoundNames(caches)
    view = View(record, names)
    return Workbench(facts=facts, view=view, context=context, caches=caches, names=names)


def _whole(machine: Machine, facts: RunFacts, journal: Journal) -> Machine:
    """The machine that has the sub-machines: in a nested run, the one around it."""
    return machine if machine.machines or not facts.path else journal.whole(machine)


def _session_log(facts: RunFacts, context: RunContextWrapper[Any]) -> SessionLog | None:
    if facts.session is None:
        return None
    return SessionLog(usual(facts.session, context), _session_run(facts))


def _session_run(facts: RunFacts) -> str:
    """The id of a run in its session; runs inside one another share a run id."""
    steps = (".".join(map(str, step)) for step in facts.path)
    return "/".join((facts.run_id, *steps))
