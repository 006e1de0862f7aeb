"""One obligation: what it is about, and what a run must do there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from agentgraph_compiler.diagnostics import UNKNOWN, Origin


class Subject(StrEnum):
    """What an obligation is about."""

    AGENT = "agent"
    HANDOFF = "handoff"
    TOOL = "tool"
    GUARDRAIL = "guardrail"
    EDGE = "edge"
    FUNCTION = "function"
    QUESTION = "question"
    LIMIT = "limit"
    STATE = "state"
    TRANSITION = "transition"


class Key(NamedTuple):
    """The identity of an obligation among those of one workflow.

    Args:
        subject: What it is about.
        part: The sub-chart; empty for the workflow itself.
        name: The id of the agent or the state, the symbol, or the words of the transition.
        outcome: What a run must do there.
    """

    subject: Subject
    part: str
    name: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Obligation:
    """One thing that a run can do.

    Args:
        key: Its identity.
        agent: The name of the agent; empty for the states that all agents share.
        title: The name for people.
        origin: Where the user constructed it.
        excuse: Why no test owes it; empty for one that tests owe.
    """

    key: Key
    agent: str
    title: str
    origin: Origin = UNKNOWN
    excuse: str = ""


VISITED, TAKEN, CALLED, FAILED = "visited", "taken", "called", "failed"
APPROVED, REJECTED, PASSED, TRIPPED = "approved", "rejected", "passed", "tripped"
REACHED, EXHAUSTED, ANSWERED = "reached", "exhausted", "answered"
MAX_TURNS = "max_turns"
