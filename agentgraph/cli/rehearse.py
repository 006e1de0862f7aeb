"""A rehearsal: the person at the keyboard plays the model.

The rehearsal shows the person every model call of the run, including those of guardrails and of
agents used as tools: the instructions, the last input, the possible moves, and the move that the
rehearsal would make by itself.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any, Final

from rich.text import Text

from agentgraph.cli.ask import ask
from agentgraph.cli.faults import CommandFault
from agentgraph.cli.terminal import Terminal, print_hanging, printable, printable_name
from agentgraph.models.instances import NoInstance
from agentgraph.models.model_call import ModelCall
from agentgraph.models.rehearsal import Move, best_move, made_up

__all__ = ["Person"]

_QUOTE_LIMIT: Final = 300
"""The most characters of instructions and messages to show."""


class Person:
    """Asks the person for each move.

    Asking blocks the event loop, so the person answers two simultaneous model calls one after the
    other.

    Args:
        terminal: Where to ask.
    """

    def __init__(self, terminal: Terminal) -> None:
        self._out = terminal.out
        self._calls = 0
        self._fault: CommandFault | None = None

    async def choose(self, moves: list[Move], call: ModelCall) -> Move:
        """Show the moves of a call and take one.

        Raises:
            CommandFault: The input ended.
        """
        # Let the display run first: earlier events have woken it.
        await asyncio.sleep(0)
        if self._fault is not None:
            # The run may handle the error, as in an agent used as a tool, and ask again.
            raise self._fault
        self._calls += 1
        default = moves.index(best_move(moves, call))
        self._show(moves, call, default)
        while len(moves) > 1:
            answer = self.ask(f"  move [1-{len(moves)}, Enter = {default + 1}]: ")
            move = _selection(answer, moves, default)
            if move is not None:
                return self._completed(move, call)
            print_hanging(self._out, Text("  "), Text("there is no such move", "warning"))
        return self._completed(moves[0], call)

    def ask(self, question: str) -> str:
        """Ask for a line.

        Args:
            question: The text before the cursor.

        Raises:
            CommandFault: The standard input is at its end, or the person pressed Ctrl-C.
        """
        try:
            return ask(
                self._out, question, fault="the standard input ended before the rehearsal did"
            )
        except CommandFault as fault:
            self._fault = fault
            raise

    def _show(self, moves: list[Move], call: ModelCall, default: int) -> None:
        self._out.print(Text(f"  model call {self._calls}", "title"))
        texts = (("told", call.system_instructions or ""), ("last", _last(call)))
        for label, text in texts:
            if text:
                body = Text(printable(_shortened(text)), "quiet")
                print_hanging(self._out, Text(f"    {label}  ", "quiet"), body)
        for number, move in enumerate(moves, 1):
            body = Text(move.kind.ljust(9), "handoff" if move.kind == "handoff" else "tool")
            if move.kind != "answer":
                body.append(printable_name(f"{move.name}({_parameters(move)})"))
                body.append(printable(f"  {_shortened(move.description)}"), "quiet")
            elif move.schema is not None:
                body.append(printable_name(f"{{{_parameters(move)}}}"))
            mark = "›" if number == default + 1 else " "
            print_hanging(self._out, Text(f"  {mark} {number}  ", "title"), body)

    def _completed(self, move: Move, call: ModelCall) -> Move:
        """Ask for the arguments of a move, or for the text of an answer."""
        if move.kind == "answer" and move.schema is None:
            return replace(move, arguments=self.ask("  answer [Enter = made up]: ") or None)
        if not _parameters(move):
            return move
        while True:
            text = self.ask("  JSON [Enter = made up]: ")
            try:
                if not text:
                    return replace(move, arguments=made_up(move, call))
                if isinstance(json.loads(text), dict):
                    return replace(move, arguments=text)
                problem = "an object is needed: {…}"
            except json.JSONDecodeError as error:
                problem = f"not JSON: {error.msg} at character {error.pos + 1}"
            except NoInstance as fault:
                problem = f"nothing can be made up: {fault}"
            print_hanging(self._out, Text("  "), Text(printable(problem), "warning"))


def _selection(answer: str, moves: list[Move], default: int) -> Move | None:
    """The move that an answer selects: by number, by name, or the default for no answer."""
    if not answer:
        return moves[default]
    if answer.isdecimal():
        number = int(answer)
        return moves[number - 1] if 0 < number <= len(moves) else None
    matches = [move for move in moves if move.name.startswith(answer)]
    exact = [move for move in matches if move.name == answer]
    return (exact or matches)[0] if len(matches) == 1 or exact else None


def _parameters(move: Move) -> str:
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
