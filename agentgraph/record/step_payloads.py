"""The payloads of steps: what a step gives, which edge leaves it, and its branches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from agentgraph.runtime.commands import CommandId

if TYPE_CHECKING:
    from openai.types.responses import ResponseOutputMessage

    from agentgraph.items import TResponseInputItem


@dataclass(frozen=True, slots=True)
class FinalOutput:
    """A final output that a callable chose, or the output of a step without an agent: of a function
    or of a question.

    Args:
        output: The output.
        message: The message that represents it in the history; ``None`` for none.
        step: The id of that step.
    """

    output: object
    message: ResponseOutputMessage | None = None
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchOutput(FinalOutput):
    """The output of a branch of a step.

    Args:
        split: The outcome that began the branches.
        agent: The agent that gave it; empty for a function.
        machine: The machine that holds the agent.
    """

    split: CommandId
    agent: str = ""
    machine: str = ""


class Split(NamedTuple):
    """The branches of a step begin.

    Args:
        step: The step.
        source: The outcome that chose the edge to it.
        inputs: What the agents in the branches read first: one text for all of them, or one for
            each item of a list; none if only functions work.
        single: Whether the output of a branch is the output of the step.
    """

    step: str
    source: CommandId | None
    inputs: tuple[str, ...]
    single: bool = False


class Chosen(NamedTuple):
    """The case that a step took.

    Args:
        step: The step.
        source: The outcome that holds its output; ``None`` if an exception took the case.
        agent: The agent at work last.
        case: The label of the case.
        inputs: The first input of each agent that may come now, unless the conversation goes on.
        entered: After an exception, the choice before this one.
    """

    step: str
    source: CommandId | None
    agent: str
    case: str
    inputs: Mapping[str, str | tuple[TResponseInputItem, ...]]
    entered: CommandId | None = None
