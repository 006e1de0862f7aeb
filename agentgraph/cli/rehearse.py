"""A rehearsal: the person at the keyboard plays the model.

The rehearsal shows the person every model call of the run, including those of guardrails and of
agents used as tools: the instructions, the last input, the possible moves, and the move that the
rehearsal would make by itself. The person may reply with anything that a model can.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from rich.text import Text

from agentgraph.cli.ask import ask
from agentgraph.cli.decide import Decided
from agentgraph.cli.faults import CommandFault
from agentgraph.cli.rehearsal_text import (
    parameters,
    print_call,
    print_conversation,
    print_help,
    print_instructions,
)
from agentgraph.cli.rehearsed_reply import Part, output_items, selected
from agentgraph.cli.terminal import Terminal, print_hanging, printable
from agentgraph.models.instances import NoInstance
from agentgraph.models.model_call import ModelCall
from agentgraph.models.rehearsal import Move, best_move, made_up, moves, plain_answer

__all__ = ["Person", "RehearsedReply", "Undone"]

_SETTLING: Final = 20
"""Turns of the event loop in which guardrails that are about to end may do so."""


class Undone(Exception):
    """The person takes the last reply back, so the run begins again before it."""


class _Refused(Exception):
    """The person refuses, whatever was asked for."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class RehearsedReply:
    """A reply of the person.

    Attributes:
        number: Its number in the rehearsal; the ids of its items contain it.
        key: What tells its call from others: the instructions and the input.
        parts: Its parts.
    """

    number: int
    key: str
    parts: tuple[Part, ...]


class Person:
    """Asks the person for each reply.

    Asking blocks the event loop, so the person answers two simultaneous model calls one after the
    other.

    Args:
        terminal: Where to ask.
    """

    def __init__(self, terminal: Terminal) -> None:
        self._out = terminal.out
        self._calls = 0
        self._fault: CommandFault | None = None
        self._call: ModelCall | None = None
        self.catch_up: Callable[[], None] = lambda: None
        self.replies: list[RehearsedReply] = []
        self.repeated: list[RehearsedReply] = []
        """Replies from before an undo that the run may ask for again."""
        self.decisions: list[tuple[int, Sequence[Decided]]] = []
        """The decisions on waiting calls, each with the number of replies before it."""
        self.undoing = False
        self.save_to = ""

    async def reply(self, _moves: list[Move], call: ModelCall) -> list[Any]:
        """Show a call and return the output items of the person's reply to it.

        Raises:
            CommandFault: The input ended.
            Undone: The person takes the last reply back.
        """
        # Let the display and the guardrails run first: what happened before is shown before.
        for _ in range(_SETTLING):
            await asyncio.sleep(0)
        if self._fault is not None:
            # The run may handle the error, as in an agent used as a tool, and ask again.
            raise self._fault
        if self.undoing:
            raise Undone
        self.catch_up()
        key = json.dumps([call.system_instructions, call.input], default=str)
        for earlier in self.repeated:
            if earlier.key == key:
                self.repeated.remove(earlier)
                return list(output_items(earlier.parts, earlier.number))
        self._calls += 1
        self._call = call
        try:
            parts = self._parts(call)
        except _Refused as refused:
            parts = (Part("refusal", refused.text),)
        self.replies.append(RehearsedReply(self._calls, key, parts))
        return list(output_items(parts, self._calls))

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

    def _parts(self, call: ModelCall) -> tuple[Part, ...]:
        offered = moves(call, again=True)
        default = offered.index(best_move(moves(call), call))
        print_call(self._out, self._calls, call, offered, default)
        if len(offered) == 1:
            return (self._completed(offered[0], call),)
        while True:
            answer = self._line(f"  move [1-{len(offered)}, Enter = {default + 1}, ? = help]: ")
            if answer.startswith("/call "):
                name = answer.removeprefix("/call ").strip()
                return (Part("call", self._line("  arguments: ") or "{}", name),)
            chosen = selected(answer, offered, default)
            if chosen is not None:
                return tuple(self._completed(move, call) for move in chosen)
            self._warn("there is no such move")

    def _line(self, question: str) -> str:
        """Ask for a line that is no command; carry out commands.

        Raises:
            Undone: The command is `/undo`.
            _Refused: The command is `/refuse`.
        """
        assert self._call is not None
        while True:
            answer = self.ask(question)
            command, _, rest = answer.partition(" ")
            match command:
                case "?" | "/help":
                    print_help(self._out)
                case "/instructions":
                    print_instructions(self._out, self._call)
                case "/history":
                    print_conversation(self._out, self._call)
                case "/refuse":
                    raise _Refused(rest.strip() or "I cannot help with that.")
                case "/save" if rest.strip():
                    self.save_to = rest.strip()
                    self._warn(f"the rehearsal will be saved to {self.save_to}", "quiet")
                case "/undo" if self.replies:
                    self.undoing = True
                    raise Undone
                case "/undo":
                    self._warn("there is nothing to take back")
                case "/save":
                    self._warn("name the file: /save test_desk.py")
                case _ if command.startswith("/") and command != "/call":
                    self._warn("there is no such command; ? lists them")
                case _:
                    return answer

    def _completed(self, move: Move, call: ModelCall) -> Part:
        """Ask for the arguments of a move, or for the text of an answer."""
        name = "" if move.kind == "answer" else move.name
        kind: Literal["answer", "call"] = "answer" if move.kind == "answer" else "call"
        if move.kind == "answer" and move.schema is None:
            text = self._line("  answer [Enter = made up]: ") or plain_answer(call)
            return Part("answer", text)
        if not parameters(move):
            return Part(kind, "{}", name)
        while True:
            text = self._line("  JSON [Enter = made up]: ")
            try:
                if text.startswith("!"):
                    return Part(kind, text[1:], name)
                if not text:
                    return Part(kind, made_up(move, call), name)
                if isinstance(json.loads(text), dict):
                    return Part(kind, text, name)
                problem = "an object is needed: {…}"
            except json.JSONDecodeError as error:
                problem = f"not JSON: {error.msg} at character {error.pos + 1}"
            except NoInstance as fault:
                problem = f"nothing can be made up: {fault}"
            self._warn(problem)

    def _warn(self, text: str, style: str = "warning") -> None:
        print_hanging(self._out, Text("  "), Text(printable(text), style))
