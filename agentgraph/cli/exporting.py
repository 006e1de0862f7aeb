"""`agentgraph export`: a journal becomes a test, with the recording beside it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from agentgraph.cli.faults import CommandFault, Status
from agentgraph.cli.saved_test import place_of
from agentgraph.cli.target import Target
from agentgraph.cli.terminal import Terminal, printable
from agentgraph.cli.workload import loaded
from agentgraph.exceptions import UserError
from agentgraph.running.recorded import read_recording
from agentgraph.testing.doubles.cassette import scrubbed_journal
from agentgraph.testing.doubles.exported import ProgramPlace, recorded_test, test_name
from agentgraph.testing.doubles.scrubbing import Scrubber

__all__ = ["ExportOptions", "export_test", "write_new"]


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What a person asks of an export.

    Args:
        program: The file of the workflow, with a name or without; None lets the test ask for a
            fixture.
        context: The name of the context object, or of a function that makes it.
        to: The file of the test; None makes a name from what the user said.
        run_tools: The names of tools that run in the test.
        patterns: What else is secret, as regular expressions.
    """

    program: str | None = None
    context: str | None = None
    to: str | None = None
    run_tools: Collection[str] = ()
    patterns: Collection[str] = ()


def export_test(terminal: Terminal, text: str, place: str, options: ExportOptions) -> Status:
    """Write a test that replays a recorded run, and the recording without secrets beside it.

    Args:
        terminal: Where to say what was written.
        text: The lines of the journal, or the text of a state.
        place: Where it comes from, for messages.
        options: What the person asks.

    Raises:
        CommandFault: It holds no run at rest, a file exists already, or the file of the test is no
            Python file.
    """
    try:
        read_recording(text, place)  # says what is wrong with a file that is no journal
        text = scrubbed_journal(text, Scrubber(options.patterns))
        recording = read_recording(text, place)
        path = Path(f"{test_name(recording)}.py" if options.to is None else options.to)
        if path.suffix != ".py":
            raise CommandFault(f"{path} is no Python file", help="let the name of --to end in .py")
        source = recorded_test(recording, path, _program(options), run_tools=options.run_tools)
    except UserError as error:
        raise CommandFault(_sentence(place, error)) from error
    write_new(terminal, {path.with_suffix(".jsonl"): text, path: source})
    if options.program is None:
        hint = "the test asks for a fixture `workflow`; --program FILE names the program instead"
        terminal.err.print(Text(hint, "quiet"), soft_wrap=True)
    return Status.DONE


def _sentence(place: str, error: UserError) -> str:
    text = str(error).rstrip(".")
    return text if place in text else f"{place}: {text}"


def _program(options: ExportOptions) -> ProgramPlace | None:
    if options.program is None:
        return None
    with loaded(Target.parse(options.program)) as workload:
        return place_of(workload, options.context)


def write_new(terminal: Terminal, texts: Mapping[Path, str]) -> None:
    """Write files that must not exist yet, all or none, and say so.

    Raises:
        CommandFault: One exists, or cannot be written.
    """
    for path in texts:
        if path.exists():
            raise CommandFault(
                f"{path} exists already", help="give another file with --to, or remove it"
            )
    for path, text in texts.items():
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise CommandFault(f"{path} cannot be written: {error.strerror}") from error
        terminal.err.print(Text(printable(f"wrote {path}"), "quiet"), soft_wrap=True)
