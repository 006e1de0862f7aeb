"""A model call as the person who plays the model reads it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from agentgraph.cli.session_text import print_history
from agentgraph.cli.terminal import print_hanging, printable, printable_name
from agentgraph.memory.stored_sessions import History, StoredRow
from agentgraph.models.model_call import ModelCall
from agentgraph.models.rehearsal import Move

__all__ = ["parameters", "print_call", "print_conversation", "print_help", "print_instructions"]

_QUOTE_LIMIT: Final = 300
"""The most characters of instructions and messages to show before each move."""

_HELP: Final = (
    ("2", "the move with this number; a name or its beginning selects a move, too"),
    ("1 1 2", "several moves in one reply, such as two calls, or a handoff beside a call"),
    ("!TEXT", "where JSON is asked for: send this text as it is, malformed or not"),
    ("/call NAME", "call a tool that the agent does not have"),
    ("/refuse TEXT", "refuse to answer"),
    ("/instructions", "show the whole instructions"),
    ("/history", "show the whole input of this call"),
    ("/undo", "take the last reply back; what its tools did stays done"),
    ("/save PATH", "save the rehearsal as a test when it ends"),
)


def print_help(console: Console) -> None:
    """Print what the person may type."""
    for words, meaning in _HELP:
        print_hanging(console, Text(f"    {words:<14} ", "title"), Text(meaning))


def print_instructions(console: Console, call: ModelCall) -> None:
    """Print the instructions of a call, all of them."""
    text = call.system_instructions or "there are no instructions"
    print_hanging(console, Text("    "), Text(printable(text)))


def print_conversation(console: Console, call: ModelCall) -> None:
    """Print the input of a call, item by item."""
    items: list[Any] = call.input if isinstance(call.input, list) else [call.input]
    rows = [
        StoredRow(number, {"role": "user", "content": item} if isinstance(item, str) else item)
        for number, item in enumerate(items)
    ]
    print_history(console, History(None, tuple(rows)), limit=None)


def print_call(
    console: Console, number: int, call: ModelCall, moves: Sequence[Move], default: int
) -> None:
    """Print a call and its moves.

    Args:
        console: Where to print.
        number: The number of the call in the rehearsal.
        call: What was sent to the model.
        moves: What the model may do.
        default: The index of the move that Enter selects.
    """
    console.print(Text(f"  model call {number}", "title"))
    for label, text in (("told", call.system_instructions or ""), ("last", _last(call))):
        if text:
            body = Text(printable(_shortened(text)), "quiet")
            print_hanging(console, Text(f"    {label}  ", "quiet"), body)
    for place, move in enumerate(moves, 1):
        body = Text(move.kind.ljust(9), "handoff" if move.kind == "handoff" else "tool")
        if move.kind != "answer":
            body.append(printable_name(f"{move.name}({parameters(move)})"))
            body.append(printable(f"  {_shortened(move.description)}"), "quiet")
        elif move.schema is not None:
            body.append(printable_name(f"{{{parameters(move)}}}"))
        mark = "›" if place == default + 1 else " "
        print_hanging(console, Text(f"  {mark} {place}  ", "title"), body)


def parameters(move: Move) -> str:
    """The parameters of a move and their types, in words; empty if it has none."""
    properties = (move.schema or {}).get("properties", {})
    return ", ".join(
        f"{name}: {schema['type']}" if isinstance(schema.get("type"), str) else name
        for name, schema in properties.items()
    )


def _last(call: ModelCall) -> str:
    """The text of the last item of the model's input."""
    if isinstance(call.input, str):
        return call.input
    last: Any = call.input[-1] if call.input else ""
    if isinstance(last, str):
        return last
    content = last.get("content") or last.get("output") or ""
    if isinstance(content, str):
        return content
    return " ".join(str(part.get("text", "")) for part in content if isinstance(part, dict))


def _shortened(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _QUOTE_LIMIT else f"{flat[:_QUOTE_LIMIT]}…"
