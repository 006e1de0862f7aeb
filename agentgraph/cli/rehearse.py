"""A rehearsal: the person at the keyboard plays the model.

Every model call of the run, those of guardrails and of agents used as tools included, is put to
the person: what the model was told, the moves it has, and the one that the rehearsal would take by
itself.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any, Final

from rich.text import Text
from typing_extensions import Unpack

from agentgraph.cli.ask import ask
from agentgraph.cli.faults import CommandFault
from agentgraph.cli.terminal import Terminal, print_hanging, printable
from agentgraph.models.instances import NoInstance
from agentgraph.models.model_call import ModelCall
from agentgraph.models.rehearsal import Move, RehearsalModel, best_move, made_up
from agentgraph.run import AgentRunner
from agentgraph.run_config import RunConfig, RunOptions, coerce_run_config
from agentgraph.running.result import RunResult, RunResultStreaming

__all__ = ["Person", "RehearsalRunner"]

_QUOTED: Final = 300
"""Characters of instructions and messages that are shown."""


class RehearsalRunner(AgentRunner):
    """Runs everything, runs inside guardrails and tools included, with one model.

    Args:
        model: The model.
    """

    def __init__(self, model: RehearsalModel) -> None:
        self._model = model

    async def run(
        self, starting_agent: Any, input: Any, **kwargs: Unpack[RunOptions[Any]]
    ) -> RunResult:
        """Run with the model of the rehearsal, whatever the agents ask for."""
        return await super().run(starting_agent, input, **self._rehearsed(kwargs))

    def run_streamed(
        self, starting_agent: Any, input: Any, **kwargs: Unpack[RunOptions[Any]]
    ) -> RunResultStreaming:
        """Run streamed with the model of the rehearsal, whatever the agents ask for."""
        return super().run_streamed(starting_agent, input, **self._rehearsed(kwargs))

    def _rehearsed(self, options: RunOptions[Any]) -> RunOptions[Any]:
        config: RunConfig = coerce_run_config(options.get("run_config"))
        return {**options, "run_config": replace(config, model=self._model)}


class Person:
    """Asks the person for each move.

    Asking blocks the event loop, so that two model calls at work at the same time are put to the
    person one after the other.

    Args:
        terminal: Where to ask.
    """

    def __init__(self, terminal: Terminal) -> None:
        self._out = terminal.out
        self._calls = 0
        self._gone: CommandFault | None = None

    async def choose(self, moves: list[Move], call: ModelCall) -> Move:
        """Show the moves of a call and take one.

        Raises:
            CommandFault: The person is gone.
        """
        # Whoever shows the run was woken by what happened before this call, and goes first.
        await asyncio.sleep(0)
        if self._gone is not None:
            # Whoever handles errors in the run, such as an agent used as a tool, goes on asking.
            raise self._gone
        self._calls += 1
        proposed = moves.index(best_move(moves, call))
        self._show(moves, call, proposed)
        while len(moves) > 1:
            answer = self.ask(f"  move [1-{len(moves)}, Enter = {proposed + 1}]: ")
            move = _picked(answer, moves, proposed)
            if move is not None:
                return self._completed(move, call)
            print_hanging(self._out, Text("  "), Text("there is no such move", "warning"))
        return self._completed(moves[0], call)

    def ask(self, question: str) -> str:
        """Ask for a line.

        Args:
            question: What stands before the cursor.

        Raises:
            CommandFault: The standard input is at its end, or Ctrl-C was pressed.
        """
        try:
            return ask(
                self._out, question, ended="the standard input ended before the rehearsal did"
            )
        except CommandFault as fault:
            self._gone = fault
            raise

    def _show(self, moves: list[Move], call: ModelCall, proposed: int) -> None:
        self._out.print(Text(f"  model call {self._calls}", "title"))
        told = (("told", call.system_instructions or ""), ("last", _last(call)))
        for label, text in told:
            if text:
                body = Text(printable(_shortened(text)), "quiet")
                print_hanging(self._out, Text(f"    {label}  ", "quiet"), body)
        for number, move in enumerate(moves, 1):
            body = Text(move.kind.ljust(9), "handoff" if move.kind == "handoff" else "tool")
            if move.kind != "answer":
                body.append(printable(f"{move.name}({_parameters(move)})"))
                body.append(printable(f"  {_shortened(move.description)}"), "quiet")
            elif move.schema is not None:
                body.append(f"{{{_parameters(move)}}}")
            mark = "›" if number == proposed + 1 else " "
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


def _picked(answer: str, moves: list[Move], proposed: int) -> Move | None:
    """The move that a person means: by number, by name, or the proposed one."""
    if not answer:
        return moves[proposed]
    if answer.isdecimal():
        number = int(answer)
        return moves[number - 1] if 0 < number <= len(moves) else None
    begun = [move for move in moves if move.name.startswith(answer)]
    exact = [move for move in begun if move.name == answer]
    return (exact or begun)[0] if len(begun) == 1 or exact else None


def _parameters(move: Move) -> str:
    properties = (move.schema or {}).get("properties", {})
    return ", ".join(
        f"{name}: {schema['type']}" if isinstance(schema.get("type"), str) else name
        for name, schema in properties.items()
    )


def _last(call: ModelCall) -> str:
    """The text of the last thing that the model was given."""
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
    return flat if len(flat) <= _QUOTED else f"{flat[:_QUOTED]}…"
