"""`agentgraph mutate`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentgraph.cli.capture.child import Limits
from agentgraph.cli.commands.loading import loads_a_file
from agentgraph.cli.commands.options import (
    command_app,
)
from agentgraph.cli.ending import end
from agentgraph.cli.mutation.mutating import MutateOptions, mutate_file

__all__ = ["app"]

app = command_app()


@app.command()
@loads_a_file
def mutate(
    target: Annotated[
        str,
        typer.Argument(
            metavar="FILE[:NAME]",
            help="The Python file or module with the workflow; and the agent or workflow in it.",
            show_default=False,
        ),
    ],
    command: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[-- COMMAND...]",
            help="A command that runs pytest on tests of the file. Default: pytest",
            show_default=False,
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="OPERATOR", help="An operator that counts; may be repeated."),
    ] = None,
    jobs: Annotated[
        int,
        typer.Option("--jobs", "-j", min=0, help="Test processes at a time; 0: one a processor."),
    ] = 1,
    timeout: Annotated[
        float,
        typer.Option(
            min=0,
            help="Seconds after which a mutant's tests are ended; 0: by the run without a mutant.",
        ),
    ] = 0,
    fail_under: Annotated[
        float, typer.Option(min=0, max=100, help="The least score, in percent.")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
    every: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="List every mutant, and the test that noticed it."),
    ] = False,
    *,
    limits: Limits,
) -> None:
    """Plant faults in a workflow, and say which of them its tests do not notice.

    The tests run once for each fault, and stop at the first failure. No file is changed.

    Exit status: 0; 1 if the score is below --fail-under; 2 if the tests fail without a fault.
    """
    options = MutateOptions(
        only=tuple(only or ()),
        jobs=jobs,
        seconds=timeout,
        fail_under=fail_under,
        as_json=as_json,
        every=every,
        limits=limits,
    )
    end(lambda terminal: mutate_file(terminal, target, command or ["pytest"], options))
