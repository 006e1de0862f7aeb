"""What outcomes bring: the driver fills these in, the projection and the result read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentgraph.handoffs import HandoffInputData
    from agentgraph.items import ModelResponse, RunItem, ToolApprovalItem
    from agentgraph.tool import FunctionToolResult


@dataclass(slots=True)
class ModelReply:
    """A model's reply.

    Args:
        response: As the model gave it.
        items: One run item for each output item that becomes one, in the model's order.
        output: The final output, where the reply is final.
        fault: Why the reply cannot be used: a refusal, an invalid output, a name nobody has.
        tools: The tool that each call asks for, by its position in the response.
        identities: Id, name and arguments of every call, which are an identity for the rest of the
            run.
    """

    response: ModelResponse
    items: Sequence[RunItem]
    output: Any = None
    fault: Exception | None = None
    tools: Mapping[int, Any] = field(default_factory=dict)
    identities: Sequence[tuple[str, str, str]] = ()


@dataclass(slots=True)
class ToolReturn:
    """What a local call gave: its item, and what a ``tool_use_behavior`` function is shown of
    it."""

    items: Sequence[RunItem]
    output: Any
    result: FunctionToolResult | None = None


@dataclass(slots=True)
class Waiting:
    """A call that waits for approval.

    Args:
        items: What is to be decided: the call itself, or calls inside the agent that it runs.
        inner: The recording of the run inside, to be resumed with the call; ``None`` for the call
            itself.
        call_id: The model's id of the call.
    """

    items: Sequence[ToolApprovalItem]
    inner: Any = None
    call_id: str = ""


@dataclass(slots=True)
class Transfer:
    """A handoff taken: its output items, the agent now at work, and what a filter made of the
    conversation."""

    items: Sequence[RunItem]
    agent: Any
    filtered: HandoffInputData | None = None


@dataclass(slots=True)
class FinalOutput:
    """A final output that a callable decided on, with the items that go into the history."""

    output: Any
    items: Sequence[RunItem] = ()
