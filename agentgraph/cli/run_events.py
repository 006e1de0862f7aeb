"""The events of `agentgraph run`.

These are the stream events of a run, with plain values in place of objects, and the verdicts of
guardrails, which a stream does not announce. The terminal shows them and `--json` prints them: one
object a line, `event` first, then the fields below in their order. `docs/command-line.md` is the
page for people who read these lines with a program.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from pydantic_core import to_jsonable_python

from agentgraph.cli.terminal import printable_json

__all__ = [
    "AgentUpdated",
    "Approval",
    "Asked",
    "GuardrailCompleted",
    "HandoffCalled",
    "HandoffOutputCreated",
    "ItemCreated",
    "MessageOutputCreated",
    "ReasoningCreated",
    "RunCompleted",
    "RunEvent",
    "RunFailed",
    "RunStarted",
    "RunSuspended",
    "StepStarted",
    "TextDelta",
    "ToolCalled",
    "ToolOutputCreated",
    "Warned",
    "to_json",
]


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run begins; `workflow` is its name, `file` the path of its source."""

    event: ClassVar[str] = "run_started"
    workflow: str
    file: str
    input: str


@dataclass(frozen=True, slots=True)
class AgentUpdated:
    """An agent takes over."""

    event: ClassVar[str] = "agent_updated"
    agent: str


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A function step or an end of a workflow with edges begins."""

    event: ClassVar[str] = "step_started"
    step: str


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of what the model writes, as it comes."""

    event: ClassVar[str] = "text_delta"
    agent: str
    delta: str


@dataclass(frozen=True, slots=True)
class MessageOutputCreated:
    """A message of the model is complete; `text` is all of it, or its refusal."""

    event: ClassVar[str] = "message_output_created"
    agent: str
    text: str


@dataclass(frozen=True, slots=True)
class ReasoningCreated:
    """Reasoning of the model is complete; `text` is its summary, often empty."""

    event: ClassVar[str] = "reasoning_created"
    agent: str
    text: str


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """The model calls a tool; `arguments` is the JSON text that it wrote."""

    event: ClassVar[str] = "tool_called"
    agent: str
    tool: str
    call_id: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolOutputCreated:
    """A tool has returned."""

    event: ClassVar[str] = "tool_output_created"
    agent: str
    tool: str
    call_id: str
    output: object


@dataclass(frozen=True, slots=True)
class HandoffCalled:
    """The model asks for a handoff; `tool` is the handoff's name as the model knows it."""

    event: ClassVar[str] = "handoff_called"
    agent: str
    tool: str
    call_id: str
    arguments: str


@dataclass(frozen=True, slots=True)
class HandoffOutputCreated:
    """A handoff was made, from `agent` to `target`."""

    event: ClassVar[str] = "handoff_output_created"
    agent: str
    target: str


@dataclass(frozen=True, slots=True)
class ItemCreated:
    """Any other item, with the name of its stream event; `item` is the item of the provider."""

    event: ClassVar[str] = "item_created"
    name: str
    agent: str
    item: object


@dataclass(frozen=True, slots=True)
class GuardrailCompleted:
    """A guardrail gave its verdict; `info` is its own information about it."""

    event: ClassVar[str] = "guardrail_completed"
    kind: Literal["input", "output", "tool_input", "tool_output"]
    guardrail: str
    verdict: Literal["passed", "rejected", "tripped"]
    info: object


@dataclass(frozen=True, slots=True)
class Warned:
    """The library warns; `traceback` is the place in the user's own code, if it is about that."""

    event: ClassVar[str] = "warning"
    message: str
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """A call that waits for a person's decision."""

    tool: str
    call_id: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the workflow that waits for an answer; `received` is what its step got."""

    name: str
    id: str
    question: str
    received: str
    schema: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class RunSuspended:
    """The run waits for decisions and has no output yet."""

    event: ClassVar[str] = "run_suspended"
    agent: str
    approvals: tuple[Approval, ...]
    questions: tuple[Asked, ...] = ()


@dataclass(frozen=True, slots=True)
class RunCompleted:
    """The run is over and has its output; turns are model calls, the others are tokens."""

    event: ClassVar[str] = "run_completed"
    agent: str
    output: object
    turns: int
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class RunFailed:
    """The run is over and has no output; `error` is the class of the exception, `traceback` its
    place in the user's own code, if it comes from there."""

    event: ClassVar[str] = "run_failed"
    error: str
    message: str
    traceback: str = ""


RunEvent: TypeAlias = (
    RunStarted
    | AgentUpdated
    | StepStarted
    | TextDelta
    | MessageOutputCreated
    | ReasoningCreated
    | ToolCalled
    | ToolOutputCreated
    | HandoffCalled
    | HandoffOutputCreated
    | ItemCreated
    | GuardrailCompleted
    | Warned
    | RunSuspended
    | RunCompleted
    | RunFailed
)
"""Any event of `agentgraph run`."""


def to_json(event: RunEvent) -> str:
    """Write an event as one line of JSON.

    Values without a JSON form are written as pydantic writes them, else as their text.
    """
    fields = {field.name: getattr(event, field.name) for field in dataclasses.fields(event)}
    value = to_jsonable_python(
        {"event": event.event, **fields}, fallback=str, inf_nan_mode="strings"
    )
    return printable_json(json.dumps(value, ensure_ascii=False))
