"""The chart of the start that a command takes, as text: for the runs that its project begins."""

from __future__ import annotations

from inspect import formatannotation
from typing import Any

from agentgraph.cli.capture.findings import lowered
from agentgraph.cli.capture.loading import Loading
from agentgraph.cli.capture.messages import ChartPrinted
from agentgraph.cli.capture.project_runs import runs_of_project
from agentgraph.cli.capture.source_file import files_of
from agentgraph.cli.capture.starts import Choice
from agentgraph.frontend.final_types import final_types
from agentgraph.frontend.followed import roots_of
from agentgraph_compiler.analysis.flow import Flow
from agentgraph_compiler.ir.text import print_chart

__all__ = ["chart_of"]


def chart_of(loaded: Loading, choice: Choice) -> ChartPrinted:
    """The chart of a start, with the further agents of it that runs of the project start with.

    Args:
        loaded: The loaded file.
        choice: The start.

    Raises:
        CommandFault: It cannot be lowered.
    """
    runs = runs_of_project(loaded, files_of(loaded))
    (root,) = roots_of([choice.start.source], runs)
    chart, bindings = lowered(root, loaded, loaded.overrides)
    types = final_types(bindings.reading, chart, lambda part: Flow(part).endings)
    output = " | ".join(map(_in_words, types)) or "none"
    return ChartPrinted(
        text=print_chart(chart),
        output=output,
        label=choice.start.label,
        why=choice.why,
        others=choice.others,
    )


def _in_words(type: object) -> str:
    return "Any" if type is Any else formatannotation(type)
