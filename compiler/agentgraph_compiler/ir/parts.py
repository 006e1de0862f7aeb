"""The parser of the parts of an agent, each a line of the printed form: tools, handoffs, guardrails
and the agents that their code runs."""

from __future__ import annotations

from agentgraph_compiler.ir.chart import (
    USUAL_TURNS,
    Approval,
    Choice,
    ChoiceKind,
    Guardrail,
    Handoff,
    Inner,
    Reader,
    Stop,
    StopKind,
    Tool,
)
from agentgraph_compiler.ir.lines import Line
from agentgraph_compiler.machine import WorkKind
from agentgraph_compiler.types import ANY, Type

HOSTED = "hosted"
"""The word in place of a kind of work, for a tool that runs at the model's side."""


def parse_tool(line: Line) -> Tool:
    """The tool of a line."""
    return Tool(
        symbol=line.word("the symbol of the tool"),
        name=line.word("the name of the tool"),
        kind=None if line.accept(HOSTED) else line.choice(WorkKind, "a kind of work"),
        server=line.accept("server"),
        remote=line.accept("remote"),
        acts=line.accept("acts"),
        enabled=line.enabled(),
        machine=line.clause("runs"),
        turns=line.number("a number of turns") if line.accept("turns") else USUAL_TURNS,
        approval=line.chosen("approval", Approval.NEVER, "a kind of approval"),
        screened=line.accept("screened"),
        judged=line.accept("judged"),
        extracts=line.accept("extracts"),
        derived=line.accept("derived"),
        handoff=line.accept("handoff"),
        description=_description(line),
        returns=_type(line, "returns"),
        digest=line.clause("digest"),
        allowed=line.allowed(),
        origin=line.origin(),
    )


def parse_handoff(line: Line) -> Handoff:
    """The handoff of a line."""
    symbol, name = line.word("the symbol of the handoff"), line.word("the name of the handoff")
    line.expect("->")
    return Handoff(
        symbol=symbol,
        name=name,
        target=line.word("the id of the target"),
        target_name=line.word("the name of the target"),
        enabled=line.enabled(),
        filters=line.accept("filters"),
        acts=line.accept("acts"),
        derived=line.accept("derived"),
        description=_description(line),
        input=_type(line, "input"),
        takes=_type(line, "takes"),
        digest=line.clause("digest"),
        allowed=line.allowed(),
        origin=line.origin(),
    )


def _type(line: Line, keyword: str) -> Type:
    return line.type() if line.accept(keyword) else ANY


def _description(line: Line) -> str | None:
    return line.word("a description") if line.accept("described") else None


def parse_inner(line: Line) -> Inner:
    """The agent that code runs, of a line."""
    symbol = line.word("the symbol of a tool or guardrail")
    line.expect("->")
    name = line.word("the name of the agent")
    return Inner(symbol=symbol, name=name, certain=line.accept("certain"), origin=line.origin())


def parse_reader(line: Line) -> Reader:
    """The callable that reads the context, of a line."""
    what = line.word("a callable")
    line.expect("context")
    return Reader(
        what,
        line.type(),
        reads=line.words("an attribute") if line.accept("reads") else (),
        writes=line.words("an attribute") if line.accept("writes") else (),
        whole=line.accept("whole"),
        allowed=line.allowed(),
        origin=line.origin(),
    )


def parse_guardrail(line: Line) -> Guardrail:
    """The guardrail of a line."""
    return Guardrail(
        symbol=line.word("the symbol of the guardrail"),
        name=line.word("the guardrail's name"),
        parallel=not line.accept("blocking"),
        passes=line.accept("passes"),
        of_run=line.accept("of_run"),
        allowed=line.allowed(),
        origin=line.origin(),
    )


def parse_stop(line: Line) -> Stop:
    """Read the rest of the line that says when a tool output is final."""
    kind = line.choice(StopKind, "a way to stop")
    names = line.words("a tool name") if line.accept("of") else ()
    return Stop(kind, names, line.clause("by"))


def parse_choice(line: Line) -> Choice:
    """Read the rest of the line of a tool choice."""
    return Choice(
        line.choice(ChoiceKind, "a tool choice"),
        line.words("a name") if line.accept("of") else (),
        resets=not line.accept("kept"),
        hosted=line.accept("hosted"),
    )
