"""`agentgraph chat`: a conversation with a workflow at the keyboard.

Each line of the person is a turn. The session holds the history: turns that were stopped or failed
leave it legal, so the next line goes on from there.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Coroutine, Iterator
from typing import Any, Final

from rich.text import Text

from agentgraph.cli.ask import next_line
from agentgraph.cli.conversation import Conversation, RunSettings, conversation
from agentgraph.cli.faults import CommandFault, OutputFailed, Status
from agentgraph.cli.reports import print_report
from agentgraph.cli.run_text import RunOnTerminal
from agentgraph.cli.session_text import print_history
from agentgraph.cli.target import Target
from agentgraph.cli.terminal import Terminal, print_hanging, printable, printable_name, say_fault
from agentgraph.cli.watch import warnings_shown
from agentgraph.cli.workload import loaded
from agentgraph.memory import SQLiteSession
from agentgraph.memory.stored_sessions import History, StoredRow
from agentgraph.program import CompileError
from agentgraph.run import every_model_is

__all__ = ["chat_with_file"]

_COMMANDS: Final = {
    "/help": "show this list",
    "/history": "show the conversation so far",
    "/agent": "name the agent that gets the next message",
    "/quit": "end the conversation, as Ctrl-D does",
}
_PROMPT: Final = "› "


def chat_with_file(terminal: Terminal, text: str, settings: RunSettings) -> Status:
    """Hold a conversation with a workflow until the person ends it.

    Args:
        terminal: Where to talk.
        text: The file, with a name or without.
        settings: The options of every turn.

    Raises:
        CommandFault: The file, the session or an MCP server cannot be used.
    """
    with (
        loaded(Target.parse(text)) as workload,
        every_model_is(settings.model) if settings.model else contextlib.nullcontext(),
        RunOnTerminal(terminal) as show,
        warnings_shown(show, verbose=settings.verbose),
    ):

        async def chat() -> Status:
            async with conversation(terminal, workload, settings, show, asks=True) as talk:
                if talk.session is None:
                    talk.session = SQLiteSession("chat")
                return await _chat(terminal, talk, show)

        try:
            return asyncio.run(chat())
        except CompileError as error:
            print_report(terminal.err, error.diagnostics)
            return Status.FOUND


async def _chat(terminal: Terminal, talk: Conversation, show: RunOnTerminal) -> Status:
    _say(terminal, f"{talk.source.name}: write a message, or /help")
    while (line := await next_line(terminal.out, _PROMPT)) is not None:
        match line:
            case "":
                continue
            case "/quit":
                break
            case "/help":
                for command, meaning in _COMMANDS.items():
                    print_hanging(terminal.out, Text(f"  {command:<10}", "title"), Text(meaning))
                _say(terminal, "  Ctrl-C stops a turn and keeps the history")
            case "/history":
                await _show_history(terminal, talk)
            case "/agent":
                _say(terminal, f"  {printable_name(talk.source.name)}")
            case _ if line.startswith("/"):
                _say(terminal, "  there is no such command; /help lists them")
            case _:
                await _turn(terminal, talk, show, line)
    return Status.DONE


async def _turn(terminal: Terminal, talk: Conversation, show: RunOnTerminal, line: str) -> None:
    """Run one turn; what goes wrong in it ends the turn, not the conversation."""
    try:
        try:
            await _until_interrupted(talk.turn(line))
        finally:
            show.rest()
    except OutputFailed:
        raise
    except asyncio.CancelledError:
        _say(terminal, "‖ stopped; the history is kept", style="warning")
    except CommandFault as fault:
        if fault.status is Status.INTERRUPTED:
            _say(terminal, "‖ stopped; the history is kept", style="warning")
        else:
            say_fault(terminal, fault)


async def _until_interrupted(work: Coroutine[Any, Any, object]) -> None:
    """Wait for some work; Ctrl-C cancels it and nothing else.

    Raises:
        CancelledError: The work was cancelled.
    """
    task = asyncio.ensure_future(work)
    with _on_interrupt(asyncio.get_running_loop(), task):
        await task


@contextlib.contextmanager
def _on_interrupt(loop: asyncio.AbstractEventLoop, task: asyncio.Future[Any]) -> Iterator[None]:
    previous = signal.signal(
        signal.SIGINT, lambda *_: loop.call_soon_threadsafe(task.cancel) and None
    )
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


def _say(terminal: Terminal, text: str, *, style: str = "quiet") -> None:
    terminal.out.print(Text(printable(text), style), soft_wrap=True)


async def _show_history(terminal: Terminal, talk: Conversation) -> None:
    items = await talk.session.get_items() if talk.session else []
    rows = tuple(StoredRow(number, item) for number, item in enumerate(items))
    print_history(terminal.out, History(None, rows), limit=None)
