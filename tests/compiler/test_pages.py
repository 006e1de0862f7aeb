"""Drawings as pages, in a real browser: Graphviz inside, zoom, search, and nothing from outside."""

from __future__ import annotations

import json
import re
import runpy
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agentgraph_compiler.ir.chart import Agent, Chart
from agentgraph_compiler.render import RenderError, View, render
from agentgraph_compiler.render.html import to_html
from agentgraph_compiler.render.view import picture_of
from tests.compiler.drawn_shapes import ladder, ring, tree
from tests.compiler.workflows import chart, support_desk, to

if TYPE_CHECKING:
    from playwright.sync_api import Page

REPOSITORY = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
needs_chromium = pytest.mark.skipif(
    shutil.which("chromium") is None, reason="Debian's package chromium is not installed"
)


@pytest.fixture(autouse=True, scope="module")
def _graphviz() -> None:
    """Graphviz as JavaScript beside the sources, as the build of the package puts it there."""
    runpy.run_path(str(REPOSITORY / "hatch_build.py"))["fetch"](REPOSITORY)


Opened = Callable[[Chart], "Page"]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """Opens the page of a workflow in Chromium, offline; a fault on the page is an error."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="the extra 'browser' is not installed"
    )
    folder, faults = tmp_path_factory.mktemp("pages"), list[str]()
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        context = browser.new_context(offline=True, viewport={"width": 1200, "height": 800})

        def open_page(workflow: Chart) -> Page:
            path = folder / "drawing.html"
            render(workflow, path)
            page = context.new_page()
            page.on("pageerror", lambda fault: faults.append(str(fault)))
            page.on("requestfailed", lambda request: faults.append(request.url))
            page.goto(path.as_uri())
            page.wait_for_selector("body[data-ready]")
            return page

        yield open_page
        browser.close()
    assert faults == []


def width(page: Page) -> float:
    """The width of the part of the drawing that the window shows."""
    return float(page.evaluate("document.querySelector('#view svg').viewBox.baseVal.width"))


def texts(page: Page, selector: str) -> list[str]:
    return [
        re.sub(r"\s+", " ", str(text)).strip()
        for text in page.locator(selector).evaluate_all(
            "parts => parts.map(part => part.querySelector('text').textContent)"
        )
    ]


@needs_chromium
def test_a_page_shows_every_agent_and_the_legend(opened: Opened) -> None:
    page = opened(tree(25))
    assert page.title() == "Workflow"
    drawn = texts(page, "g.node:has(text)")
    assert sorted(drawn) == sorted(f"Agent {number}" for number in range(25))
    assert "can end the run" in page.locator("details").inner_text()


@needs_chromium
def test_the_whole_drawing_is_in_the_window_at_first(opened: Opened) -> None:
    page = opened(tree(50))
    outside = page.locator("g.node").evaluate_all(
        """nodes => nodes.filter(node => {
            const box = node.getBoundingClientRect();
            return box.left < 0 || box.top < 0 || box.right > innerWidth || box.bottom > innerHeight
        }).length"""
    )
    assert outside == 0


@needs_chromium
def test_no_text_is_wider_than_its_box(opened: Opened) -> None:
    names = ("A wide name: WWWWW mmmmm", "客服中心与退款", "Поддержка клиентов", "サポート窓口")
    agents = [
        Agent(f"a{n}", name, handoffs=(to(f"a{n}", f"a{(n + 1) % len(names)}"),))
        for n, name in enumerate(names)
    ]
    over = (
        opened(chart(*agents))
        .locator("g.node:has(text)")
        .evaluate_all(
            """nodes => nodes.filter(node => {
            const box = node.querySelector('path').getBoundingClientRect();
            return [...node.querySelectorAll('text')].some(text => {
                const own = text.getBoundingClientRect();
                return own.left < box.left || own.right > box.right
            })
        }).map(node => node.textContent)"""
        )
    )
    assert over == []


@needs_chromium
def test_wheel_buttons_and_keys_zoom_and_fit_shows_all_again(opened: Opened) -> None:
    page = opened(support_desk())
    whole = width(page)
    page.mouse.move(600, 400)
    page.mouse.wheel(0, -400)
    page.wait_for_function(f"document.querySelector('#view svg').viewBox.baseVal.width < {whole}")
    page.click("#fit")
    assert width(page) == pytest.approx(whole)
    page.click("#in")
    assert width(page) < whole
    page.keyboard.press("0")
    assert width(page) == pytest.approx(whole)
    page.keyboard.press("-")
    assert width(page) > whole


@needs_chromium
def test_the_drawing_follows_the_pointer(opened: Opened) -> None:
    page = opened(support_desk())
    box = page.locator("g.node").nth(1).bounding_box()
    assert box is not None
    page.mouse.move(600, 700)
    page.mouse.down()
    page.mouse.move(640, 650, steps=4)
    page.mouse.up()
    moved = page.locator("g.node").nth(1).bounding_box()
    assert moved is not None
    assert moved["x"] - box["x"] == pytest.approx(40, abs=6)
    assert moved["y"] - box["y"] == pytest.approx(-50, abs=6)


@needs_chromium
def test_search_finds_agents_by_their_tools_and_goes_from_one_to_the_next(opened: Opened) -> None:
    page = opened(support_desk())
    page.keyboard.press("/")
    page.keyboard.type("find_ord")
    assert texts(page, "g.node.found") == ["Orders", "Refunds"]
    assert page.locator("#count").inner_text() == "2 of 8"
    page.keyboard.press("Enter")
    first = texts(page, "g.node.here")
    page.keyboard.press("Enter")
    assert [*first, *texts(page, "g.node.here")] == ["Orders", "Refunds"]
    assert page.locator("#count").inner_text() == "2 / 2"
    centre = page.locator("g.node.here").bounding_box()
    assert centre is not None
    assert centre["x"] + centre["width"] / 2 == pytest.approx(600, abs=40)
    page.keyboard.press("Escape")
    assert texts(page, "g.node.found") == []


@needs_chromium
def test_a_click_on_an_agent_shows_its_neighbours(opened: Opened) -> None:
    page = opened(support_desk())
    page.locator("g.node", has_text="Technical").click()
    assert sorted(texts(page, "g.node.found")) == ["Human", "Technical support", "Triage"]
    page.keyboard.press("Escape")
    assert texts(page, "g.node.found") == []


NASTY = "</script><script>document.body.dataset.broken = 1</script> {{title}} \" ' & <b> \\u003c"


@needs_chromium
def test_names_cannot_break_out_of_a_page(opened: Opened) -> None:
    page = opened(chart(Agent("a", NASTY)))
    assert page.evaluate("document.body.dataset.broken") is None
    drawn = page.locator("g.node:has(text)").evaluate("node => node.textContent")
    assert NASTY in re.sub(r"\s+", " ", str(drawn))


def test_a_page_loads_nothing(tmp_path: Path) -> None:
    path = tmp_path / "drawing.html"
    source = render(support_desk(), path)
    assert path.read_text("utf-8") == source
    page = re.sub(r"<script>.*?</script>", "", source, flags=re.S)
    assert not re.search(r"https?://|\bsrc=|<link|@import", page)
    assert "default-src 'none'" in page


def test_a_page_carries_the_notice_of_the_software_in_it() -> None:
    page = to_html(picture_of(chart(Agent("a", "A")), View()))
    assert "Viz.js" in page
    assert "https://www.graphviz.org" in page


def test_an_installation_without_graphviz_for_pages_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agentgraph_compiler.render.html._GRAPHVIZ", "nowhere.js")
    with pytest.raises(RenderError, match="Install npm and install agentgraph again"):
        render(support_desk(), tmp_path / "drawing.html")
    assert list(tmp_path.iterdir()) == []


UNFOLDED = View("states", fold=False)


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
@pytest.mark.parametrize(
    ("workflow", "view", "name"),
    [
        (support_desk(), View(), "Technical support"),
        # Graphviz 2 cannot rank the DOT of these.
        (ring(16), UNFOLDED, "Agent 15"),
        (tree(25), UNFOLDED, "Agent 24"),
        (ladder(25), UNFOLDED, "Agent 24"),
    ],
    ids=["support desk", "ring", "tree", "ladder"],
)
def test_the_graphviz_of_a_page_draws_what_the_program_dot_draws(
    workflow: Chart, view: View, name: str
) -> None:
    script = REPOSITORY / "compiler" / "agentgraph_compiler" / "render" / "viz-global.js"
    source = render(workflow, view=view)
    program = (
        f"const viz = require({json.dumps(str(script))});"
        "viz.instance().then(one => process.stdout.write(one.renderString("
        f"{json.dumps(source)}, {{format: 'svg'}})))"
    )
    done: Any = subprocess.run(
        ["node"], input=program, capture_output=True, text=True, check=True, timeout=60
    )
    assert name in done.stdout
