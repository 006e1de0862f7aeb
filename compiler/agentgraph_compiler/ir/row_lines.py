"""The parser of the rows of a machine, each a line of the printed form: phases with their moves,
lanes and transitions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from agentgraph_compiler.ir.lines import Line
from agentgraph_compiler.machine import (
    About,
    Event,
    Invoke,
    Keep,
    Move,
    Phase,
    Premise,
    Source,
    Transition,
    WorkKind,
    plain,
)

Phases = dict[str, tuple[Phase, ...]]
"""The phases that lanes walk, by name."""
Lane = Callable[[Phases], Invoke]
"""Builds a lane, once all phases are there: the text may define them further down."""


def parse_phase(line: Line) -> Phase:
    return Phase(
        line.word("the name of the phase"),
        line.choice(WorkKind, "a kind of work"),
        line.chosen("about", About.NOTHING, "what a phase is about"),
        boundary=line.accept("boundary"),
        withholds=line.accept("withholds"),
        keep=line.choice(Keep, "what a save keeps") if line.accept("keep") else None,
        when=line.guard(),
    )


def parse_move(line: Line) -> Move:
    return Move(
        line.choice(Event, "an event"),
        line.clause("to"),
        ends=line.choice(Event, "an event") if line.accept("ends") else None,
        keeps=line.accept("keeps"),
    )


def parse_invoke(line: Line) -> Lane:
    symbol = line.word("a symbol")
    name = line.word("a name of phases") if line.accept("walks") else None
    single_phase = plain(line.choice(WorkKind, "a kind of work")) if name is None else ()
    lane = Invoke(
        symbol,
        single_phase,
        line.clause("runs"),
        stops=line.accept("stops"),
        group=line.clause("group"),
        places=line.count("places"),
        tries=line.count("tries"),
        turn=line.accept("turn"),
        idle=line.chosen("idle", Event.DONE, "an event"),
        digest=line.clause("digest"),
        emits=line.emits(),
        against=line.chosen("against", Premise.NONE, "a premise"),
    )

    def built(phases: Phases) -> Invoke:
        if name is None:
            return lane
        if name not in phases:
            line.fail(f"no phases are named '{name}'")
        return replace(lane, phases=phases[name])

    return built


def parse_transition(line: Line) -> Transition:
    event, guard = line.choice(Event, "an event"), line.guard()
    line.expect("->")
    return Transition(
        event,
        line.word("the id of the target"),
        guard=guard,
        emits=line.emits(),
        output=line.chosen("output", Source.NONE, "a source of the output"),
        cause=line.accept("cause"),
        arrives=line.clause("arrives"),
        keeps=line.accept("keeps"),
        visits=line.accept("visits"),
        counts=line.clause("counts"),
        resets=line.words("a back edge") if line.accept("resets") else (),
        against=line.chosen("against", Premise.NONE, "a premise"),
    )
