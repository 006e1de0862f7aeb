"""`agentgraph run` and `agentgraph rehearse`: a run, shown as it happens."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Iterator

from agentgraph.agent import Agent
from agentgraph.cli.ask import is_interactive
from agentgraph.cli.decide import decide
from agentgraph.cli.faults import CommandFault, OutputClosed, Status
from agentgraph.cli.rehearse import Person, RehearsalRunner
from agentgraph.cli.reports import print_report
from agentgraph.cli.run_events import RunEvent, RunFailed, RunStarted, to_json
from agentgraph.cli.run_text import RunOnTerminal
from agentgraph.cli.target import Target, Workload, loaded
from agentgraph.cli.terminal import Terminal
from agentgraph.cli.tracebacks import own_traceback
from agentgraph.cli.watch import Show, Watch, warnings_shown
from agentgraph.models.rehearsal import RehearsalModel
from agentgraph.program import CompileError, program_for
from agentgraph.run import Runner, set_default_agent_runner
from agentgraph.workflow import Workflow

__all__ = ["rehearse_file", "run_file"]


def run_file(
    terminal: Terminal,
    text: str,
    message: str,
    *,
    as_json: bool,
    max_turns: int,
    context: str | None,
) -> Status:
    """Run a workflow and show what happens. If a person is at a terminal and the output is text,
    ask that person about calls that wait for approval.

    Args:
        terminal: Where to show it.
        text: The file, with a name or without.
        message: The user's message.
        as_json: Whether to print one JSON object a line instead of text for people.
        max_turns: The most model calls.
        context: The name, in the file, of the context object or of a function that makes it.

    Returns:
        `DONE`; `FOUND` if the run was stopped, failed or waits for a decision.

    Raises:
        CommandFault: The file cannot be used, or the user's own code failed.
    """
    with (
        loaded(Target.parse(text)) as workload,
        _lines_to(terminal) if as_json else RunOnTerminal(terminal) as show,
    ):
        asks = is_interactive() and not as_json
        return _run(
            terminal, workload, message, show, asks=asks, max_turns=max_turns, context=context
        )


def rehearse_file(
    terminal: Terminal, text: str, message: str | None, *, max_turns: int, context: str | None
) -> Status:
    """Run a workflow with the person as the model.

    Args:
        terminal: Where to ask and to show.
        text: The file, with a name or without.
        message: The user's message; `None` asks for it.
        max_turns: The most model calls.
        context: The name, in the file, of the context object or of a function that makes it.

    Raises:
        CommandFault: The file cannot be used, the user's own code failed, or the input ended.
    """
    person = Person(terminal)
    with (
        loaded(Target.parse(text)) as workload,
        RunOnTerminal(terminal, spinner=False) as show,
    ):
        message = person.ask("message: ") if message is None else message
        set_default_agent_runner(RehearsalRunner(RehearsalModel(choose=person.choose)))
        try:
            return _run(
                terminal, workload, message, show, asks=True, max_turns=max_turns, context=context
            )
        finally:
            set_default_agent_runner(None)


def _run(
    terminal: Terminal,
    workload: Workload,
    message: str,
    show: Show,
    *,
    asks: bool,
    max_turns: int,
    context: str | None,
) -> Status:
    source = workload.source
    if not isinstance(source, Agent | Workflow):
        raise CommandFault(
            f"{workload.target} was written for another library: it can be checked and drawn, "
            "but not run",
            help="import from `agentgraph` instead of `agents`",
        )
    context_object = None if context is None else workload.named(context)
    try:
        program_for(source)
    except CompileError as error:
        print_report(terminal.err, error.diagnostics)
        show(RunFailed("CompileError", str(error).partition("\n")[0].removesuffix(":")))
        return Status.FOUND
    show(RunStarted(source.name, str(workload.target.path), message))

    async def follow() -> Status:
        watch = Watch(show)
        result = Runner.run_streamed(source, message, context=context_object, max_turns=max_turns)
        status = await watch.follow(result)
        while result.interruptions and asks:
            state = result.to_state()
            if not decide(terminal, state, result.interruptions):
                break
            result = Runner.run_streamed(source, state)
            status = await watch.follow(result)
        return status

    try:
        with warnings_shown(show):
            return asyncio.run(follow())
    except (CommandFault, OutputClosed):
        raise
    except Exception as error:
        raise CommandFault(
            f"the run of {workload.target} failed",
            details=own_traceback(error),
            status=Status.FOUND,
        ) from error


@contextlib.contextmanager
def _lines_to(terminal: Terminal) -> Iterator[Show]:
    """Show events as lines of JSON. Output of the user's code goes to the standard error, so that
    every line of the standard output is JSON."""

    def show(event: RunEvent) -> None:
        terminal.write(f"{to_json(event)}\n")

    with contextlib.redirect_stdout(sys.stderr):
        yield show
