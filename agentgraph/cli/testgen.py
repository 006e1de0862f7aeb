"""`agentgraph testgen`: a pytest file that takes every transition of a workflow."""

from __future__ import annotations

from pathlib import Path

from rich.text import Text

from agentgraph.cli.capture.child import Limits
from agentgraph.cli.exporting import write_new
from agentgraph.cli.faults import CommandFault, Status
from agentgraph.cli.reports import print_report
from agentgraph.cli.saved_test import place_of
from agentgraph.cli.target import Target
from agentgraph.cli.terminal import Terminal, printable, progress
from agentgraph.cli.workload import loaded
from agentgraph.exceptions import UserError
from agentgraph.program import CompileError
from agentgraph.testing.generating import generated_tests
from agentgraph.testing.witnessing import Witnesses, witnesses

__all__ = ["generate_tests"]


def generate_tests(
    terminal: Terminal, text: str, to: str | None, depth: int, limits: Limits
) -> Status:
    """Write tests for every obligation of a workflow.

    Args:
        terminal: Where to say what was written.
        text: The file of the workflow, with a name or without.
        to: The file of the tests; `None` makes a name from that of the workflow.
        depth: The most model calls of a run.
        limits: What the file may use while it is loaded.

    Returns:
        `DONE`; `FOUND` if some obligation has no run; `UNUSABLE` if the workflow has errors.

    Raises:
        CommandFault: The file cannot be used, the workflow has no name, or the file of the tests
            exists already.
    """
    target = Target.parse(text)
    path = Path(f"test_{target.path.stem}_routes.py" if to is None else to)
    try:
        with loaded(target, limits) as workload:
            program = place_of(workload)
            with progress(terminal, "looking for a run for each transition"):
                result = witnesses(workload.source, depth)
    except CompileError as error:
        print_report(terminal.err, error.diagnostics)
        return Status.UNUSABLE
    except UserError as error:
        raise CommandFault(str(error)) from error
    write_new(terminal, {path: generated_tests(result, program, path)})
    _say(terminal, result)
    return Status.FOUND if result.missing else Status.DONE


def _say(terminal: Terminal, result: Witnesses) -> None:
    met = sum(len(run.meets) for run in result.runs)
    owed = met + len(result.missing)
    line = f"{len(result.runs)} tests meet {met} of {owed} obligations"
    terminal.err.print(Text(line, "quiet"), soft_wrap=True)
    for row in result.missing:
        text = f"no run was found for: {row.title} {row.key.outcome}"
        terminal.err.print(Text(printable(text), "warning"), soft_wrap=True)
