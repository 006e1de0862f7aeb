"""`agentgraph draw`, `ir` and `explain`: a workflow as a drawing, as text, and a rule's page.

The commands draw and print a workflow with errors as well, because a drawing helps to find them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from rich.text import Text

from agentgraph.cli.capture.child import Limits
from agentgraph.cli.faults import CommandFault, Status
from agentgraph.cli.linting.selection import Selection
from agentgraph.cli.linting.settings import settings_of
from agentgraph.cli.loaded_chart import chart_of
from agentgraph.cli.rules import rule_pages
from agentgraph.cli.terminal import Terminal, printable, progress
from agentgraph_compiler import pipeline
from agentgraph_compiler.checks import UnknownRuleError, explain
from agentgraph_compiler.diagnostics import Diagnostic
from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.ir.text import print_chart
from agentgraph_compiler.render import RenderError, View, render, source_of
from agentgraph_compiler.render.fonts import without_font
from agentgraph_compiler.render.view import picture_of

__all__ = ["Drawing", "draw_file", "explain_all", "explain_rule", "print_ir"]

_PROSE_WIDTH: Final = 100
"""The most columns for prose, however wide the terminal is."""
_WITH_FONTS: Final = frozenset({".png", ".pdf"})
"""Formats whose letters come from the fonts of the machine that makes them."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """What `agentgraph draw` draws.

    Attributes:
        view: The level, the focus, what is folded.
        findings: Whether the drawing shows the findings of the compiler.
        format: The format on the standard output.
        timeout: Seconds after which a layout is stopped.
        limits: What the file may use while it is loaded.
    """

    view: View
    findings: bool
    format: str
    timeout: float
    limits: Limits


def draw_file(terminal: Terminal, text: str, output: Path | None, drawing: Drawing) -> Status:
    """Draw a workflow.

    Args:
        terminal: Where to print the drawing, or report the written file.
        text: The file, with a name or without.
        output: The file to write; its ending selects the format. `None` prints the drawing.
        drawing: What to draw.

    Raises:
        CommandFault: The file cannot be used, or the drawing cannot be made.
    """
    view, missing = drawing.view, ""
    try:
        chart, _ = chart_of(terminal, text, drawing.limits)
        with progress(terminal, f"drawing {chart.name}"):
            if drawing.findings:
                view = replace(view, findings=_findings(chart))
            if output is None:
                terminal.out.print(
                    Text(source_of(picture_of(chart, view), drawing.format)), end="", soft_wrap=True
                )
            else:
                render(chart, output, view, timeout=drawing.timeout)
                if output.suffix.lower() in _WITH_FONTS:
                    missing = without_font(
                        agent.name for one in chart.walk() for agent in one.agents
                    )
    except RenderError as error:
        raise CommandFault(str(error)) from error
    except OSError as error:
        raise CommandFault(f"{output} cannot be written: {error.strerror}") from error
    if output is not None:
        terminal.err.print(Text(printable(f"wrote {output}"), "quiet"), soft_wrap=True)
        if missing:
            note = f"no font on this machine has {missing}; the picture shows boxes instead"
            terminal.err.print(Text(printable(note), "warning"), soft_wrap=True)
    return Status.DONE


def _findings(chart: Chart) -> tuple[Diagnostic, ...]:
    """The findings about a chart that count in the project."""
    settings = settings_of(Path.cwd())
    findings = pipeline.check(chart, options=settings.options)
    return tuple(Selection.of(settings).applied(findings))


def print_ir(terminal: Terminal, text: str, *, origins: bool, limits: Limits) -> Status:
    """Print the chart of a workflow.

    Args:
        terminal: Where to print.
        text: The file, with a name or without.
        origins: Whether to print the place in the source of each part.
        limits: What the file may use while it is loaded.

    Raises:
        CommandFault: The file cannot be used.
    """
    chart, output = chart_of(terminal, text, limits)
    text = f"# final output: {output}\n{print_chart(chart, origins=origins)}"
    terminal.out.print(Text(text), end="", soft_wrap=True)
    return Status.DONE


def explain_rule(terminal: Terminal, code: str) -> Status:
    """Print the page of a rule: formatted on a terminal, as Markdown elsewhere.

    Args:
        terminal: Where to print.
        code: The rule's code or name.

    Raises:
        CommandFault: There is no such rule.
    """
    if not code:
        raise CommandFault("name a rule, such as AG201", help="--all shows every rule")
    try:
        page = explain(code, rule_pages())
    except UnknownRuleError as error:
        raise CommandFault(str(error)) from error
    _show_page(terminal, page)
    return Status.DONE


def explain_all(terminal: Terminal) -> Status:
    """Print the pages of all rules, sorted by code.

    Args:
        terminal: Where to print.
    """
    rules = rule_pages()
    _show_page(terminal, "\n".join(explain(rule.code, rules) for rule in rules))
    return Status.DONE


def _show_page(terminal: Terminal, page: str) -> None:
    if terminal.out.is_terminal:
        # The Markdown module takes longer to load than all other commands together.
        from rich.markdown import Markdown

        terminal.out.print(Markdown(page), width=min(terminal.out.width, _PROSE_WIDTH))
    else:
        terminal.out.print(Text(page), end="", soft_wrap=True)
