"""`agentgraph run` and `agentgraph rehearse`: a run, shown as it happens."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeAlias

from rich.text import Text

from agentgraph.cli.ask import is_interactive
from agentgraph.cli.capture.child import Limits
from agentgraph.cli.conversation import Conversation, RunSettings, conversation
from agentgraph.cli.faults import CommandFault, Status
from agentgraph.cli.rehearsal import Rehearsal
from agentgraph.cli.rehearse import Person
from agentgraph.cli.reports import print_report
from agentgraph.cli.run_events import (
    RunCompleted,
    RunEvent,
    RunFailed,
    RunStarted,
    RunSuspended,
    to_json,
)
from agentgraph.cli.run_text import RunOnTerminal
from agentgraph.cli.saved_test import saved_test
from agentgraph.cli.target import Target
from agentgraph.cli.terminal import Terminal, printable
from agentgraph.cli.watch import Show, warnings_shown
from agentgraph.cli.workload import Workload, loaded
from agentgraph.models.rehearsal import RehearsalModel
from agentgraph.program import CompileError
from agentgraph.run import every_model_is

__all__ = ["Work", "perform_file", "rehearse_file", "run_file"]

_STANDARD_INPUT = "-"

Work: TypeAlias = Callable[[Conversation, Show], Awaitable[Status]]
"""What is done with the workflow of a file: it gets its runs, and what shows their events."""


def run_file(
    terminal: Terminal, text: str, message: str | None, settings: RunSettings, *, as_json: bool
) -> Status:
    """Run a workflow and show what happens. If a person is at a terminal and the output is text,
    ask that person about calls that wait for approval.

    Args:
        terminal: Where to show it.
        text: The file, with a name or without.
        message: The user's message; `None` or `-` reads it from the standard input.
        settings: The options of the run.
        as_json: Whether to print one JSON object a line instead of text for people.

    Returns:
        `DONE`; `FOUND` if the run was stopped, failed or waits for a decision.

    Raises:
        CommandFault: The file cannot be used, there is no message, or the user's own code failed.
    """
    message = _read_message() if message in (None, _STANDARD_INPUT) else message
    return perform_file(terminal, text, settings, _turn(message), as_json=as_json)


def perform_file(
    terminal: Terminal, text: str, settings: RunSettings, work: Work, *, as_json: bool
) -> Status:
    """Do some work with the workflow of a file and show what happens. If a person is at a terminal
    and the output is text, ask that person about what waits.

    Args:
        terminal: Where to show it.
        text: The file, with a name or without.
        settings: The options of the runs.
        work: The work.
        as_json: Whether to print one JSON object a line instead of text for people.

    Returns:
        The status of the work; `FOUND` if the workflow has errors.

    Raises:
        CommandFault: The file cannot be used, or the user's own code failed.
    """
    with (
        loaded(Target.parse(text)) as workload,
        every_model_is(settings.model) if settings.model else contextlib.nullcontext(),
        _lines_to(terminal) if as_json else RunOnTerminal(terminal) as show,
    ):
        asks = is_interactive() and not as_json
        return _run(terminal, workload, work, settings, show, asks=asks)


def rehearse_file(
    terminal: Terminal, text: str, message: str | None, settings: RunSettings, limits: Limits
) -> Status:
    """Run a workflow with the person as the model.

    Args:
        terminal: Where to ask and to show.
        text: The file, with a name or without.
        message: The user's message; `None` asks for it.
        settings: The options of the run.
        limits: What the file may use while it is loaded.

    Raises:
        CommandFault: The file cannot be used, the user's own code failed, or the input ended.
    """
    person = Person(terminal)
    with (
        loaded(Target.parse(text), limits) as workload,
        RunOnTerminal(terminal, spinner=False) as show,
    ):
        message = person.ask("message: ") if message is None else message
        ends: list[RunCompleted | RunFailed | RunSuspended] = []

        def note(event: RunEvent) -> None:
            if isinstance(event, RunCompleted | RunFailed | RunSuspended):
                ends.append(event)
            show(event)

        make = partial(Rehearsal, person=person)
        with every_model_is(RehearsalModel(choose=person.reply)):
            status = _run(terminal, workload, _turn(message), settings, note, asks=True, make=make)
        if person.save_to:
            path = Path(person.save_to)
            text = saved_test(
                path,
                workload,
                message,
                person.replies,
                [decisions for _, decisions in person.decisions],
                ends[-1],
                context=settings.context,
            )
            _save(terminal, path, text)
        return status


def _turn(message: str) -> Work:
    """A run with a message of the user."""

    async def work(talk: Conversation, show: Show) -> Status:
        show(RunStarted(talk.source.name, str(talk.target.path), message))
        return await talk.turn(message)

    return work


def _run(
    terminal: Terminal,
    workload: Workload,
    work: Work,
    settings: RunSettings,
    show: Show,
    *,
    asks: bool,
    make: Callable[..., Conversation] = Conversation,
) -> Status:
    async def run() -> Status:
        async with conversation(terminal, workload, settings, show, asks=asks, make=make) as talk:
            return await work(talk, show)

    try:
        with warnings_shown(show, verbose=settings.verbose):
            return asyncio.run(run())
    except CompileError as error:
        print_report(terminal.err, error.diagnostics)
        show(RunFailed("CompileError", str(error).partition("\n")[0].removesuffix(":")))
        return Status.FOUND


def _save(terminal: Terminal, path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandFault(f"{path} cannot be written: {error.strerror}") from error
    terminal.err.print(Text(printable(f"wrote {path}"), "quiet"), soft_wrap=True)


def _read_message() -> str:
    """The message on the standard input, without its last line break.

    Raises:
        CommandFault: The standard input is a terminal, or empty.
    """
    if sys.stdin.isatty():
        raise CommandFault(
            "there is no message",
            help="give the message after the file, or send it to the standard input; `agentgraph "
            "chat` holds a conversation",
        )
    try:
        message = sys.stdin.read().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise CommandFault(f"the standard input is not text: {error.reason}") from error
    if not message:
        raise CommandFault("the standard input holds no message")
    return message


@contextlib.contextmanager
def _lines_to(terminal: Terminal) -> Iterator[Show]:
    """Show events as lines of JSON. Output of the user's code goes to the standard error, so that
    every line of the standard output is JSON."""

    def show(event: RunEvent) -> None:
        terminal.write(f"{to_json(event)}\n")

    with contextlib.redirect_stdout(sys.stderr):
        yield show
