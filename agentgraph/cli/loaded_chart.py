"""The chart of a target, for the commands that draw and print: a child process loads the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rich.text import Text

from agentgraph.cli.capture.child import Limits, Request
from agentgraph.cli.capture.children import capture_files
from agentgraph.cli.capture.messages import ChartPrinted, FaultSeen, ReadOnly
from agentgraph.cli.faults import CommandFault
from agentgraph.cli.target import Target
from agentgraph.cli.terminal import Terminal, print_hanging, printable, progress
from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.ir.text import parse_chart

__all__ = ["LoadedChart", "chart_of"]


class LoadedChart(NamedTuple):
    """The chart of a target.

    Args:
        chart: The chart.
        output: The types of the final outputs of its runs, in words.
    """

    chart: Chart
    output: str


def chart_of(terminal: Terminal, text: str, limits: Limits) -> LoadedChart:
    """Load a target in a child process and take its workflow.

    Args:
        terminal: Where to say which workflow it is, if there are several.
        text: The file, with a name or without.
        limits: What the file may use while it is loaded.

    Raises:
        CommandFault: The file cannot be used.
    """
    target = Target.parse(text)
    with progress(terminal, f"loading {target}"):
        (captured,) = capture_files([Request(target, "chart", limits)], jobs=1)
    # What the program printed explains a fault; beside a drawing it is noise.
    if captured.output and not captured.of(ChartPrinted):
        terminal.err.print(Text(printable(captured.output)), end="", soft_wrap=True)
    for fault in captured.of(FaultSeen):
        raise CommandFault(fault.message, help=fault.help, details=fault.details)
    for chart in captured.of(ChartPrinted):
        for note in (*_read_only(captured.of(ReadOnly)), *_why(chart)):
            print_hanging(terminal.err, Text("note: ", "note"), Text(printable(note)))
        return LoadedChart(parse_chart(chart.text), chart.output)
    raise CommandFault(f"{target.path} cannot be loaded: {captured.problem}")


def _read_only(failures: list[ReadOnly]) -> Iterator[str]:
    for one in failures:
        line = f" (line {one.origin.line})" if one.origin.line else ""
        yield (
            f"the file cannot be imported: {one.reason}{line}. "
            "This is what its source says, without what other modules contribute."
        )


def _why(chart: ChartPrinted) -> Iterator[str]:
    if chart.why:
        yield f"this is {chart.label}, {chart.why}; there are also {', '.join(chart.others)}"
