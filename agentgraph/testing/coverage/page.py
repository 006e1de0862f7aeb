"""The report of a coverage as one page of HTML, which loads nothing.

The drawings are the pages of `agentgraph draw` in frames; they share one copy of Graphviz, which
the page contains as JavaScript. Without that build of Graphviz the page has no drawings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Final

from agentgraph.testing.coverage.text import percent_text, place_of
from agentgraph.testing.coverage.whole import Coverage
from agentgraph.testing.coverage.workflows import Item, Tally, WorkflowCoverage
from agentgraph_compiler.analysis.owed import EXHAUSTED, FAILED, Subject
from agentgraph_compiler.render.covered import Covers, covered, united
from agentgraph_compiler.render.html import filled, graphviz_script, in_script, page_around_graphviz
from agentgraph_compiler.render.layout import RenderError
from agentgraph_compiler.render.picture import Cover, Picture, Place
from agentgraph_compiler.render.steps import last_round
from agentgraph_compiler.render.view import View, picture_of

__all__ = ["coloured", "page_of", "write_page"]

_TEMPLATE: Final = "page.html"
_MOST_UNFOLDED: Final = 12
"""The most agents that the level of states draws state by state."""
_LEVELS: Final = {
    "agents": (
        Subject.AGENT,
        Subject.HANDOFF,
        Subject.TOOL,
        Subject.GUARDRAIL,
        Subject.EDGE,
        Subject.FUNCTION,
        Subject.QUESTION,
    ),
    "states": (
        Subject.STATE,
        Subject.TRANSITION,
        Subject.TOOL,
        Subject.GUARDRAIL,
        Subject.HANDOFF,
        Subject.FUNCTION,
        Subject.QUESTION,
    ),
}
"""The subjects that a drawing of each level shows; agents and states may share ids."""


def write_page(coverage: Coverage, folder: str | Path) -> Path:
    """Write the page into a folder, which is made.

    Returns:
        The file.
    """
    path = Path(folder) / "index.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page_of(coverage), encoding="utf-8")
    return path


def page_of(coverage: Coverage) -> str:
    """The page; the same for the same coverage."""
    workflows = coverage.workflows
    try:
        graphviz, note = graphviz_script(), ""
    except RenderError as error:
        graphviz, note = "", f"There are no drawings: {error}."
    drawings = [_drawings(one) if graphviz else {} for one in workflows]
    parts = {
        "percent": percent_text(coverage.total),
        "note": f'<p class="note">{escape(note)}</p>' if note else "",
        "workflows": "".join(
            _section(number, one, bool(graphviz)) for number, one in enumerate(workflows)
        )
        or "<p>No workflow ran.</p>",
        "drawings": in_script(drawings),
        "graphviz": in_script(graphviz),
    }
    return filled((files("agentgraph.testing.coverage") / _TEMPLATE).read_text("utf-8"), parts)


def _drawings(workflow: WorkflowCoverage) -> dict[str, tuple[str, str]]:
    """The page of the drawing of each level, in the two pieces around Graphviz."""
    return {level: page_around_graphviz(one) for level, one in coloured(workflow).items()}


def coloured(workflow: WorkflowCoverage) -> dict[str, Picture]:
    """The picture of each level in the colours of coverage."""
    chart = workflow.chart
    fold = sum(len(part.agents) for part in chart.walk()) > _MOST_UNFOLDED
    return {
        level: covered(
            picture_of(chart, View(level=level, fold=fold)), _covers(workflow.items, subjects)
        )
        for level, subjects in _LEVELS.items()
    }


def _covers(items: Iterable[Item], subjects: Iterable[Subject]) -> Covers:
    drawn = frozenset(subject.value for subject in subjects)
    covers: dict[Place, Cover] = {}
    for item in items:
        if item.subject in drawn:
            is_last = item.subject == Subject.EDGE and item.outcome == EXHAUSTED
            place = item.part, last_round(item.name) if is_last else item.name
            covers[place] = united([covers.get(place, Cover.NONE), _cover(item)])
    return covers


def _cover(item: Item) -> Cover:
    if not item.owed:
        return Cover.COVERED if item.count and item.outcome != FAILED else Cover.EXCUSED
    return Cover.COVERED if item.count else Cover.MISSING


def _section(number: int, workflow: WorkflowCoverage, drawn: bool) -> str:
    versions = len(workflow.versions)
    place = escape(place_of(workflow))
    more = f" · {versions} versions" if versions > 1 else ""
    tallies = "".join(_meter(subject, tally) for subject, tally in workflow.subjects())
    frame = ""
    if drawn:
        buttons = "".join(
            f'<button data-level="{level}" aria-pressed="false">{level}</button>'
            for level in _LEVELS
        )
        frame = (
            f'<div class="drawing" data-workflow="{number}"><div class="levels">{buttons}</div>'
            f'<iframe title="Drawing of {escape(workflow.name)}"></iframe></div>'
        )
    return (
        f'<section><h2>{escape(workflow.name)} <span class="percent">'
        f"{percent_text(workflow.total)} %</span></h2>"
        f'<p class="place">{place}{more}</p><div class="meters">{tallies}</div>{frame}'
        f"{''.join(_lists(workflow))}</section>"
    )


def _meter(subject: str, tally: Tally) -> str:
    if not tally.owed:
        return ""
    kind = "full" if tally.covered == tally.owed else "part"
    return (
        f'<div class="meter {kind}"><span>{subject}s</span>'
        f"<b>{tally.covered}/{tally.owed}</b>"
        f'<i style="width:{tally.percent:.1f}%"></i></div>'
    )


def _lists(workflow: WorkflowCoverage) -> Iterator[str]:
    met = [item for item in workflow.items if item.owed and item.count]
    yield _list("Missing", "missing", workflow.missing, opened=True)
    yield _list("Covered", "covered", met)
    yield _list("Not counted", "excused", workflow.excused)


def _list(title: str, kind: str, items: Sequence[Item], *, opened: bool = False) -> str:
    if not items:
        return ""
    rows = "".join(map(_row, items))
    return (
        f'<details class="{kind}"{" open" if opened else ""}>'
        f"<summary>{title} ({len(items)})</summary>"
        "<table><thead><tr><th>what</th><th>which</th><th>outcome</th><th>times</th><th>remark</th>"
        f"</tr></thead><tbody>{rows}</tbody></table></details>"
    )


def _row(item: Item) -> str:
    transition = item.subject in (Subject.STATE, Subject.TRANSITION)
    whose = f"{item.agent}: " if item.agent and not transition and item.agent != item.title else ""
    title = (
        item.title if item.subject in (Subject.HANDOFF, Subject.EDGE) else f"{whose}{item.title}"
    )
    remarks = [item.excuse, f"in the run of {item.part} as a tool" if item.part else ""]
    if item.origin.line:
        remarks.append(f"{Path(item.origin.file).name}:{item.origin.line}")
    cells = [item.subject, title, item.outcome, str(item.count), "; ".join(filter(None, remarks))]
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
