"""The HTML report of a coverage, in a real browser: drawings in the colours of coverage, lists."""

from __future__ import annotations

import asyncio
import runpy
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agentgraph import Runner
from agentgraph.testing.coverage import Coverage, collect
from agentgraph.testing.coverage import page as page_module
from agentgraph.testing.coverage.page import page_of, write_page
from agentgraph_compiler.render import RenderError
from tests.architecture.source_tree import REPOSITORY
from tests.testing.desk import ANSWER, ASK, LOOK, TO_REFUNDS, desk

if TYPE_CHECKING:
    from playwright.sync_api import Page

needs_browser = pytest.mark.skipif(
    shutil.which("npm") is None or shutil.which("chromium") is None,
    reason="npm or Debian's package chromium is not installed",
)


async def part_of_the_desk() -> Coverage:
    with collect() as coverage:
        await Runner.run(desk([ASK, ANSWER], expert=[LOOK, ANSWER]), "hello")
    return coverage


@pytest.fixture
def coverage_of_the_desk() -> Coverage:
    """Collected before the browser starts, whose event loop then runs in this thread."""
    return asyncio.run(part_of_the_desk())


@pytest.fixture
def browser_page(coverage_of_the_desk: Coverage) -> Iterator[Page]:
    """A page of Chromium, offline; a fault on a page is an error."""
    runpy.run_path(str(REPOSITORY / "hatch_build.py"))["fetch"](REPOSITORY)
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="the extra 'browser' is not installed"
    )
    faults: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        context = browser.new_context(offline=True, viewport={"width": 1280, "height": 1200})
        page = context.new_page()
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        page.on("requestfailed", lambda request: faults.append(request.url))
        yield page
        browser.close()
    assert faults == []


@needs_browser
def test_the_page_draws_what_is_covered_and_what_is_missing(
    browser_page: Page, tmp_path: Path, coverage_of_the_desk: Coverage
) -> None:
    path = write_page(coverage_of_the_desk, tmp_path / "cov")
    assert path == tmp_path / "cov" / "index.html"
    browser_page.goto(path.as_uri())
    browser_page.wait_for_selector("body[data-ready]")
    drawing = browser_page.frame_locator("iframe")
    drawing.locator("body[data-ready]").wait_for()

    def box(title: str) -> tuple[str, str]:
        """The sign and the colour of the box with a title."""
        node = drawing.locator("g.node", has_text=title).first
        sign = node.locator("text").first.text_content() or ""
        return sign.strip(), node.locator("path").first.get_attribute("fill") or ""

    assert box("Expert") == ("✓", "#e4f7ea")
    assert box("Triage") == ("◐", "#fff3d6")
    assert box("Refunds") == ("✗", "#fdeaea")
    legend = drawing.locator("details li").all_text_contents()
    assert [entry.split(maxsplit=1)[1] for entry in legend[:3]] == [
        "covered",
        "partly covered",
        "missing",
    ]

    browser_page.click("button[data-level=states]")
    drawing.locator("text=guarding").first.wait_for()
    edges = drawing.locator("g.edge path").evaluate_all(
        "paths => paths.map(path => path.getAttribute('stroke'))"
    )
    assert {"#1f7a43", "#c03434", "#8793a3"} <= set(edges)

    missing = browser_page.locator("details.missing tr").all_text_contents()
    assert any(row.startswith("handoffTriage → Refundstaken0") for row in missing)
    excused = browser_page.locator("details.excused tr").all_text_contents()
    assert any("only runs with a session get there" in row for row in excused)


async def test_the_page_escapes_names_and_is_the_same_for_the_same_coverage() -> None:
    with collect() as coverage:
        first = desk([TO_REFUNDS], [ANSWER])
        first.name = "</script><b>Triage</b>"
        await Runner.run(first, "hello")
    page = page_of(coverage)
    assert "</script><b>" not in page
    assert "&lt;/script&gt;&lt;b&gt;Triage" in page
    assert page_of(Coverage.from_json(coverage.to_json())) == page


async def test_without_graphviz_the_page_says_why_there_is_no_drawing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def absent() -> str:
        raise RenderError("a page needs Graphviz as JavaScript")

    monkeypatch.setattr(page_module, "graphviz_script", absent)
    page = page_of(await part_of_the_desk())
    assert "There are no drawings: a page needs Graphviz as JavaScript" in page
    assert "<iframe" not in page


def test_an_empty_coverage_has_a_page_too() -> None:
    assert "No workflow ran." in page_of(Coverage())
