"""`RehearsalModel`: a stand-in that walks through a workflow without a language model and without
a network.

At each call it lists the moves that the call allows (a tool, a handoff, an answer), takes one, and
fills its arguments from their JSON schema. By default it takes the move whose description has most
words in common with what the user said last; `choose` hands the choice to a person or a test. It
is deterministic, takes each tool and handoff at most once per user message, so a run ends, and
every text it writes says that no language model is at work.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from agentgraph.exceptions import UserError
from agentgraph.items.responses import ModelResponse
from agentgraph.models.fake_id import FAKE_RESPONSES_ID
from agentgraph.models.instances import NoInstance, Schema, minimal_instance
from agentgraph.models.model_call import ModelCall, ModelOfCalls
from agentgraph.models.response_events import response_events
from agentgraph.models.wishes import REHEARSAL_NOTICE, Wishes
from agentgraph.models.word_overlap import relatedness
from agentgraph.tools.function import FunctionTool
from agentgraph.usage import Usage

if TYPE_CHECKING:
    from openai.types.responses import ResponseStreamEvent

    from agentgraph.items.responses import TResponseInputItem

__all__ = [
    "REHEARSAL_NOTICE",
    "Choose",
    "Move",
    "RehearsalModel",
    "best_move",
    "every_move",
    "made_up",
    "moves",
    "plain_answer",
    "reply_for",
]

_QUOTED = 200
"""Characters of the user's words, or of a tool's result, that an answer repeats."""


@dataclass(frozen=True, slots=True)
class Move:
    """One thing that a model may do in a call.

    Attributes:
        kind: Call a tool, hand off to another agent, or answer.
        name: The tool's or the handoff's name as the model sees it; `answer` for an answer.
        description: What the model is told about it.
        schema: The JSON schema of the arguments or of the output type; None for an answer in plain
            text.
        arguments: The arguments or the answer, as JSON or text; None lets the rehearsal fill them.
    """

    kind: Literal["tool", "handoff", "answer"]
    name: str
    description: str
    schema: Schema | None
    arguments: str | None = None


Choice: TypeAlias = "Move | str | list[Any]"
Choose: TypeAlias = Callable[[list[Move], ModelCall], "Choice | Awaitable[Choice]"]
"""Takes the moves of a call; returns one of them, with `arguments` or without, an answer, or the
output items of a whole reply."""


class RehearsalModel(ModelOfCalls):
    """A model that makes its way through a workflow by simple rules.

    Args:
        choose: Decides on each move; may be async. None takes `best_move`.
    """

    def __init__(self, *, choose: Choose | None = None) -> None:
        self._choose: Choose = choose or best_move

    async def reply(self, call: ModelCall) -> ModelResponse:
        """Make one move."""
        chosen = self._choose(moves(call), call)
        move = await chosen if isawaitable(chosen) else chosen
        if isinstance(move, list):
            return ModelResponse(move, Usage(requests=1), None)
        if isinstance(move, str):
            move = Move("answer", "answer", "", None, arguments=move)
        return reply_for(move, call)

    async def events(self, call: ModelCall) -> AsyncIterator[ResponseStreamEvent]:
        """Make one move and stream it word by word."""
        reply = await self.reply(call)
        for event in response_events(
            reply.output, usage=reply.usage, response_id=reply.response_id, model="rehearsal"
        ):
            yield event


def every_move(call: ModelCall) -> list[Move]:
    """List what a model may do in a call, without regard to its tool choice.

    Tools that the provider runs itself (web search and the like) are no moves: a rehearsal has no
    provider to run them.

    Args:
        call: What was sent to the model.

    Returns:
        Tools, then handoffs, each in the order given, then the answer.
    """
    possible = [
        Move("tool", tool.name, tool.description, tool.params_json_schema)
        for tool in call.tools
        if isinstance(tool, FunctionTool)
    ]
    possible += [
        Move("handoff", handoff.tool_name, handoff.tool_description, handoff.input_json_schema)
        for handoff in call.handoffs
    ]
    output = call.output_schema
    structured = output is not None and not output.is_plain_text()
    schema = output.json_schema() if output is not None and structured else None
    return [*possible, Move("answer", "answer", "Answer the user.", schema)]


def moves(call: ModelCall, *, again: bool = False) -> list[Move]:
    """List what a model may do in a call. What was done since the user's last message is not
    offered again.

    Args:
        call: What was sent to the model.
        again: Whether to offer what was done once more.

    Returns:
        Tools, then handoffs, each in the order given, then the answer. `tool_choice` is obeyed as
        long as something is left that it allows.
    """
    done = set() if again else _names_called(call)
    *possible, answer = every_move(call)
    possible = [move for move in possible if move.name not in done]
    match call.model_settings.tool_choice:
        case None | "auto":
            return [*possible, answer]
        case "none":
            return [answer]
        case "required":
            return possible or [answer]
        case choice:
            return [move for move in possible if move.name == choice] or [answer]


def best_move(offered: list[Move], call: ModelCall) -> Move:
    """Take the move that has most to do with what the user said last.

    The first of equals is taken. Where nothing fits the answer is given, if it is offered. An
    agent that was handed to since the user spoke hands on only to one that fits better than its
    own instructions.

    Args:
        offered: What `moves` listed.
        call: What was sent to the model.

    Returns:
        One of the moves.
    """
    said = _last_said(call)
    own = relatedness(said, call.system_instructions or "") if _was_handed_to(call) else 0.0
    best, best_score = offered[-1], 0.0 if offered[-1].kind == "answer" else -1.0
    for move in offered:
        if move.kind == "answer":
            continue
        score = relatedness(said, f"{move.name} {move.description}")
        if move.kind == "handoff" and score <= own and best.kind == "answer" and own:
            continue
        if score > best_score:
            best, best_score = move, score
    return best


def reply_for(move: Move, call: ModelCall) -> ModelResponse:
    """Write the response that makes a move.

    Args:
        move: One of the moves of the call, or one with arguments of its own.
        call: What was sent to the model.

    Returns:
        A response with one output item and with the usage of one request without tokens. The id
        of a call is the same whenever the same conversation comes to the same point; the item has
        the placeholder id, which any number of items may have.

    Raises:
        UserError: No arguments can be made up for the schema of the move.
    """
    from openai.types.responses import (
        ResponseFunctionToolCall,
        ResponseOutputMessage,
        ResponseOutputText,
    )

    place = len(call.input) if isinstance(call.input, list) else 1
    item: ResponseFunctionToolCall | ResponseOutputMessage
    if move.kind == "answer":
        part = ResponseOutputText(
            type="output_text", text=_text(move, call), annotations=[], logprobs=[]
        )
        item = ResponseOutputMessage(
            id=FAKE_RESPONSES_ID,
            type="message",
            role="assistant",
            status="completed",
            content=[part],
        )
    else:
        item = ResponseFunctionToolCall(
            id=FAKE_RESPONSES_ID,
            type="function_call",
            status="completed",
            call_id=f"call_{move.name}_{place}",
            name=move.name,
            arguments=_text(move, call),
        )
    return ModelResponse([item], Usage(requests=1), f"resp_rehearsal_{place}")


def plain_answer(call: ModelCall) -> str:
    """Make up an answer in plain text, which says that it is one.

    Args:
        call: What was sent to the model.
    """
    text = f"{REHEARSAL_NOTICE} A model would now answer: “{_shortened(_last_said(call))}”."
    results = [
        f"{name} returned “{_shortened(output)}”"
        for name, output in _results(call)
        if not _is_handoff_output(output)
    ]
    return f"{text} It would know that {'; '.join(results)}." if results else text


def made_up(move: Move, call: ModelCall) -> str:
    """Make up the arguments of a move, or an answer that has a schema.

    Args:
        move: One of the moves of the call.
        call: What was sent to the model.

    Returns:
        JSON that the schema of the move accepts, with what the user said where that fits.

    Raises:
        NoInstance: Nothing that fits the schema is found by trying a few values.
    """
    value = minimal_instance(move.schema or {"type": "object"}, fill=Wishes(_last_said(call)))
    return json.dumps(value, ensure_ascii=False)


def _text(move: Move, call: ModelCall) -> str:
    """Return the arguments or the answer of a move; make them up if the move has none."""
    if move.arguments is not None:
        return move.arguments
    if move.kind == "answer" and move.schema is None:
        return plain_answer(call)
    try:
        return made_up(move, call)
    except NoInstance as fault:
        what = "an answer" if move.kind == "answer" else f"arguments of {move.name!r}"
        raise UserError(
            f"A rehearsal cannot make up {what}: {fault}. Put such a value into the message, or "
            "into the schema as a default or an example; write it with `agentgraph rehearse`; or "
            "set OPENAI_API_KEY."
        ) from None


def _shortened(text: str) -> str:
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"


def _since_last_said(call: ModelCall) -> list[Any]:
    """Return the input items that came after the user's last message."""
    items = call.input if isinstance(call.input, list) else []
    for at in range(len(items) - 1, -1, -1):
        if _is_users(items[at]):
            return items[at + 1 :]
    return items


def _is_users(item: object) -> bool:
    return isinstance(item, str) or (isinstance(item, Mapping) and item.get("role") == "user")


def _last_said(call: ModelCall) -> str:
    """Return the text of the user's last message, or of the last message at all."""
    if isinstance(call.input, str):
        return call.input
    messages = [item for item in call.input if isinstance(item, str) or "content" in item]
    users = [item for item in messages if _is_users(item)]
    return _content_text((users or messages)[-1]) if messages else ""


def _content_text(item: str | TResponseInputItem) -> str:
    content = item if isinstance(item, str) else item.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return " ".join(
        str(part["text"]) for part in parts if isinstance(part, Mapping) and "text" in part
    )


def _names_called(call: ModelCall) -> set[str]:
    items = _since_last_said(call)
    return {item["name"] for item in items if item.get("type") == "function_call"}


def _results(call: ModelCall) -> list[tuple[str, str]]:
    """Return the name and the output of each call since the user's last message."""
    items = _since_last_said(call)
    names = {item["call_id"]: item["name"] for item in items if item.get("type") == "function_call"}
    return [
        (names[item["call_id"]], str(item.get("output")))
        for item in items
        if item.get("type") == "function_call_output" and item.get("call_id") in names
    ]


def _is_handoff_output(output: str) -> bool:
    return output.startswith('{"assistant":')


def _was_handed_to(call: ModelCall) -> bool:
    return any(_is_handoff_output(output) for _, output in _results(call))
