"""Replays of recorded runs without their program: agents, tools and guardrails are known by name,
and nothing is performed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from agentgraph.approvals import RunPath
from agentgraph.drivers.aio import Driver
from agentgraph.drivers.journal import Beginning, MemoryJournal
from agentgraph.drivers.run import make_run
from agentgraph.drivers.workbench import InnerRuns
from agentgraph.frontend.bindings import Bindings
from agentgraph.record.facts import NO_CONVERSATION, RunFacts
from agentgraph.runtime.step import ProtocolError
from agentgraph_compiler.machine import Machine

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = ["beginnings_of", "inner_facts", "unbound_driver"]


def beginnings_of(journal: MemoryJournal) -> Iterator[tuple[RunPath, Beginning]]:
    """What each run of a journal began with, the outer runs first."""
    yield from sorted(journal.beginnings().items(), key=lambda one: len(one[0]))


def inner_facts(
    facts: RunFacts, path: RunPath, machine: Machine, input: str | list[TResponseInputItem]
) -> RunFacts:
    """The facts of a nested run.

    Args:
        facts: Those of the outermost run.
        path: The path of the nested run.
        machine: Its machine.
        input: Its input; empty if it is unknown.
    """
    return facts._replace(
        path=path, machine=machine.name, input=input, conversation=NO_CONVERSATION
    )


def unbound_driver(facts: RunFacts, machine: Machine, journal: MemoryJournal) -> Driver:
    """A driver that replays the rows of one run.

    Args:
        facts: The facts of the run.
        machine: The machine that it began with.
        journal: Its rows, with those of other runs.
    """
    unbound = cast(Any, None)
    bindings = Bindings(agents={}, symbols={}, start=unbound, reading=unbound)
    return Driver(
        make_run(
            facts,
            (replace(machine), bindings),  # a copy, which the journal binds anew
            _compiles_nothing,
            journal,
            inner=InnerRuns(_performs_nothing, _performs_nothing),
        )
    )


async def _performs_nothing(*work: object) -> Any:
    raise ProtocolError(f"reading a recording performs nothing, but was asked for {work!r}")


def _compiles_nothing(agent: object) -> Any:
    raise ProtocolError("reading a recording compiles nothing")
