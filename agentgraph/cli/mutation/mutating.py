"""`agentgraph mutate`: the mutants of a file, the tests with each, and the report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from agentgraph.cli.capture.child import Limits, Request
from agentgraph.cli.capture.children import capture_files, processors
from agentgraph.cli.capture.messages import FactorySeen, FaultSeen, MutantSeen, ReadOnly
from agentgraph.cli.faults import CommandFault, Status
from agentgraph.cli.mutation.orders import Ended
from agentgraph.cli.mutation.reports import write_json, write_text
from agentgraph.cli.mutation.scores import Score, judged
from agentgraph.cli.mutation.test_runs import TestRuns
from agentgraph.cli.target import Target
from agentgraph.cli.terminal import Terminal, printable, progress
from agentgraph.testing.mutation.mutants import MutantName
from agentgraph.testing.mutation.operators import OPERATORS, operator_named

__all__ = ["MutateOptions", "mutate_file"]

_LEAST_SECONDS: Final = 10.0
_PATIENCE: Final = 5.0
"""How many times as long as without a mutant the tests may take."""


@dataclass(frozen=True, slots=True)
class MutateOptions:
    """Which mutants to make, how to run the tests, and how to report.

    Attributes:
        only: The names of the operators that count; empty for all.
        jobs: The most test processes at a time; 0 for one a processor.
        seconds: The most seconds of one test process; 0 derives them from the run without mutant.
        fail_under: The least score, in percent.
        as_json: Whether to report as JSON.
        every: Whether to list every mutant.
        limits: What the file may use while it is loaded.
    """

    only: tuple[str, ...] = ()
    jobs: int = 1
    seconds: float = 0.0
    fail_under: float = 0.0
    as_json: bool = False
    every: bool = False
    limits: Limits = field(default_factory=Limits)


def mutate_file(
    terminal: Terminal, text: str, command: Sequence[str], options: MutateOptions
) -> Status:
    """Run the tests once for each mutant of a file, and report which they do not notice.

    Args:
        terminal: Where to report.
        text: The file, with a name or without.
        command: The command that runs the tests.
        options: Which mutants, and how.

    Returns:
        `DONE`; `FOUND` if the score is below the least.

    Raises:
        CommandFault: The file or the command cannot be used, or the tests fail without a mutant.
    """
    _check_operators(options.only)
    target = Target.parse(text)
    mutants, factories = _mutants(terminal, target, options)
    runs = TestRuns(command, target.path, factories)
    with progress(terminal, f"running the tests of {target} without a mutant"):
        clean = runs.clean()
    _check_clean(clean, target)
    score = _score(terminal, runs, mutants, options, clean.seconds)
    if options.as_json:
        write_json(terminal, score, text, command)
    else:
        write_text(terminal, score, every=options.every)
    is_enough = score.percent is None or score.percent >= options.fail_under
    return Status.DONE if is_enough else Status.FOUND


def _check_operators(names: Sequence[str]) -> None:
    for name in names:
        if operator_named(name) is None:
            raise CommandFault(
                f"there is no operator {name!r}",
                help="operators are " + ", ".join(one.name for one in OPERATORS),
            )


def _mutants(
    terminal: Terminal, target: Target, options: MutateOptions
) -> tuple[list[MutantSeen], list[str]]:
    """The mutants of a file that count, and the names of its factories."""
    if target.text is not None:
        raise CommandFault(
            "a program on the standard input has no tests", help="write it to a file"
        )
    with progress(terminal, f"loading {target}"):
        (captured,) = capture_files([Request(target, "mutants", options.limits)], jobs=1)
    for fault in captured.of(FaultSeen):
        raise CommandFault(fault.message, help=fault.help, details=fault.details)
    for read in captured.of(ReadOnly):
        raise CommandFault(f"{target.path} cannot be imported: {read.reason}", details=read.details)
    if captured.problem:
        raise CommandFault(f"{target.path} cannot be loaded: {captured.problem}")
    mutants = captured.of(MutantSeen)
    if not mutants:
        raise CommandFault(
            f"{target} has nothing to change",
            help="name the file that makes the agents, with handoffs, tools or guardrails",
        )
    chosen = [one for one in mutants if not options.only or one.operator in options.only]
    return chosen, [one.name for one in captured.of(FactorySeen)]


def _check_clean(clean: Ended, target: Target) -> None:
    if not clean.results:
        raise CommandFault(
            "the command ran no pytest, or not with the Python that has agentgraph",
            details=clean.output,
            help="name a command that runs pytest, such as: -- python -m pytest tests",
        )
    failed = next((one for one in clean.results if one.failed), None)
    if failed is not None or clean.status != 0:
        what = f": {failed.failed}" if failed is not None else f" (status {clean.status})"
        raise CommandFault(
            f"the tests fail without a mutant{what}",
            details=clean.output,
            help="mend them first; a mutant is noticed only by tests that pass without it",
        )
    if not clean.executed:
        raise CommandFault(
            f"no test imports {target.path}, so no test can notice a change of its agents",
            help="import it in the tests; what they start in other processes stays unchanged",
        )


def _score(
    terminal: Terminal,
    runs: TestRuns,
    mutants: Sequence[MutantSeen],
    options: MutateOptions,
    clean_seconds: float,
) -> Score:
    to_run = [one for one in mutants if one.exists and not one.refusal]
    with _progress(terminal, to_run) as report:
        ended = runs.with_each(
            [_name(one) for one in to_run],
            jobs=options.jobs or processors(),
            seconds=options.seconds or _LEAST_SECONDS + _PATIENCE * clean_seconds,
            report=report,
        )
    ends = {id(one): end for one, end in zip(to_run, ended, strict=True)}
    return Score(tuple(judged(one, ends.get(id(one))) for one in mutants))


def _name(mutant: MutantSeen) -> MutantName:
    return MutantName(
        operator=mutant.operator,
        owner=mutant.owner,
        part=mutant.part,
        file=mutant.file,
        line=mutant.line,
    )


@contextmanager
def _progress(terminal: Terminal, mutants: Sequence[MutantSeen]) -> Iterator[Callable[[int], None]]:
    """Show on the standard error how many mutants are done; only on a terminal."""
    if not terminal.err.is_terminal or not mutants:
        yield lambda place: None
        return
    columns = (
        TextColumn("mutants"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[last]}"),
    )
    with Progress(*columns, console=terminal.err, transient=True) as bar:
        task = bar.add_task("mutants", total=len(mutants), last="")

        def report(place: int) -> None:
            bar.update(task, advance=1, last=printable(mutants[place].text))

        yield report
