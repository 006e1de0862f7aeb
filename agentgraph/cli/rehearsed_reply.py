"""A reply of the model, as the person who plays it puts it together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from agentgraph.models.fake_id import FAKE_RESPONSES_ID
from agentgraph.models.rehearsal import Move

if TYPE_CHECKING:
    from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage

__all__ = ["Part", "output_items", "selected"]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a reply.

    Attributes:
        kind: A call of a tool or handoff, a text, or a refusal.
        text: The arguments of the call, or the text.
        name: The tool or handoff that is called.
    """

    kind: Literal["call", "answer", "refusal"]
    text: str
    name: str = ""


def output_items(
    parts: Sequence[Part], number: int
) -> list[ResponseFunctionToolCall | ResponseOutputMessage]:
    """The output items of a reply.

    Args:
        parts: The parts, in the order of the reply.
        number: The number of the reply in the rehearsal; it makes the ids.
    """
    return [_item(part, f"{number}_{place}") for place, part in enumerate(parts, 1)]


def _item(part: Part, place: str) -> ResponseFunctionToolCall | ResponseOutputMessage:
    from openai.types.responses import (
        ResponseFunctionToolCall,
        ResponseOutputMessage,
        ResponseOutputRefusal,
        ResponseOutputText,
    )

    if part.kind == "call":
        return ResponseFunctionToolCall(
            id=FAKE_RESPONSES_ID,
            type="function_call",
            status="completed",
            call_id=f"call_{place}",
            name=part.name,
            arguments=part.text,
        )
    content: ResponseOutputText | ResponseOutputRefusal
    if part.kind == "answer":
        content = ResponseOutputText(
            type="output_text", text=part.text, annotations=[], logprobs=[]
        )
    else:
        content = ResponseOutputRefusal(type="refusal", refusal=part.text)
    return ResponseOutputMessage(
        id=f"msg_{place}", type="message", role="assistant", status="completed", content=[content]
    )


def selected(answer: str, moves: Sequence[Move], default: int) -> list[Move] | None:
    """The moves that an answer selects: numbers and names with spaces between, or the default for
    no answer; `None` if one of them is no move."""
    if not answer:
        return [moves[default]]
    one = _selected(answer, moves)
    chosen = [one] if one else [_selected(word, moves) for word in answer.replace(",", " ").split()]
    chosen_moves = [move for move in chosen if move is not None]
    return chosen_moves if chosen_moves and len(chosen_moves) == len(chosen) else None


def _selected(word: str, moves: Sequence[Move]) -> Move | None:
    exact = [move for move in moves if move.name == word]
    if exact:
        return exact[0]
    if word.isdecimal():
        number = int(word)
        return moves[number - 1] if 0 < number <= len(moves) else None
    matches = [move for move in moves if move.name.startswith(word)]
    return matches[0] if len(matches) == 1 else None
