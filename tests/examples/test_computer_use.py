"""`examples/computer_use.py` operates a real Chromium on a page that this test serves."""

from __future__ import annotations

import asyncio
import base64
import importlib.util
import shutil
import struct
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from agentgraph import RunConfig, Runner, UserError
from agentgraph.testing import ModelStep, ScriptedModel, assistant_message

# Only what a machine lacks may skip; CI installs both.
pytest.importorskip("playwright", reason="the extra 'browser' is not installed")
pytestmark = pytest.mark.skipif(
    shutil.which("chromium") is None, reason="Debian's package chromium is not installed"
)

EXAMPLE = Path(__file__).parents[2] / "examples" / "computer_use.py"
PAGE = """<!doctype html>
<style>* { position: absolute; user-select: none }
html, body { height: 3000px; width: 100% }</style>
<input id=field style="left:100px; top:100px; width:200px; height:30px">
<button style="left:400px; top:100px; width:100px; height:30px"
  onclick="fetch('/said?text=' + field.value + '&shift=' + event.shiftKey)">Say</button>
<div style="left:100px; top:300px; width:100px; height:100px; background:red"
  onmousedown="from = event.clientX" onmouseup="0"
  ondblclick="fetch('/said?text=double')">Box</div>
<script>
  onmouseup = event => { if (event.clientX > 500) fetch('/said?text=dragged') }
  onscroll = () => { if (scrollY > 400) fetch('/said?text=scrolled') }
</script>
"""


class Site(ThreadingHTTPServer):
    """A page on loopback, and what it was told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.said: list[str] = []
        self.changed = threading.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"

    def wait_for(self, text: str) -> None:
        """Wait until the page has told something."""
        with self.changed:
            assert self.changed.wait_for(lambda: text in self.said, timeout=120), self.said


class Handler(BaseHTTPRequestHandler):
    """Serves the page and notes what it tells."""

    server: Site

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        told = parse_qs(asked.query)
        if asked.path == "/said":
            with self.server.changed:
                shift = " with shift" if told.get("shift") == ["true"] else ""
                self.server.said.append("".join(told.get("text", [""])) + shift)
                self.server.changed.notify_all()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(PAGE.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are no news."""


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def example() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("computer_use_example", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def does(call_id: str, *actions: dict[str, Any], **fields: Any) -> list[dict[str, Any]]:
    """A reply of the model that operates the computer."""
    return [
        {
            "type": "computer_call",
            "id": f"item_{call_id}",
            "call_id": call_id,
            "status": "completed",
            "pending_safety_checks": [],
            "actions": list(actions),
            **fields,
        }
    ]


def click(x: int, y: int, **fields: Any) -> dict[str, Any]:
    return {"type": "click", "x": x, "y": y, "button": "left", **fields}


def screen(output: dict[str, Any]) -> tuple[int, int]:
    """Width and height of a screenshot that the model was sent."""
    kind, _, picture = output["image_url"].partition(",")
    assert kind == "data:image/png;base64"
    data = base64.b64decode(picture)
    assert data.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", data[16:24])
    return width, height


async def test_a_scripted_model_operates_the_page(example: ModuleType, site: Site) -> None:
    async def when_everything_arrived(request: object) -> list[Any]:
        for text in ("hello with shift", "double", "dragged", "scrolled"):
            await asyncio.to_thread(site.wait_for, text)
        return [assistant_message("All done.")]

    box = {"x": 150, "y": 350}
    model = ScriptedModel(
        [
            does("k1", click(150, 115), {"type": "type", "text": "helo"}),
            does("k2", {"type": "keypress", "keys": ["BACKSPACE"]}, {"type": "type", "text": "lo"}),
            does("k3", {"type": "move", "x": 450, "y": 115}, click(450, 115, keys=["SHIFT"])),
            does("k4", {"type": "double_click", **box}),
            does("k5", {"type": "drag", "path": [box, {"x": 300, "y": 360}, {"x": 600, "y": 360}]}),
            does("k6", {"type": "scroll", "x": 500, "y": 500, "scroll_x": 0, "scroll_y": 600}),
            does("k7", {"type": "screenshot"}),
            ModelStep.respond(when_everything_arrived),
        ]
    )
    assert await example.use(site.url, "Say hello.", model=model) == "All done."
    model_input = model.calls[-1].input
    assert isinstance(model_input, list)
    items: list[Any] = model_input
    pictures = [item["output"] for item in items if item.get("type") == "computer_call_output"]
    assert len(pictures) == 7
    assert {screen(picture) for picture in pictures} == {example.browser.dimensions}
    # The field changed, so the screen does.
    assert pictures[0] != pictures[1]


@pytest.mark.parametrize(("answer", "acknowledged"), [("y", True), ("", False)])
async def test_the_person_at_the_terminal_decides_on_safety_checks(
    example: ModuleType,
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    acknowledged: bool,
) -> None:
    asked: list[str] = []

    def at_the_terminal(question: str) -> str:
        asked.append(question)
        return answer

    monkeypatch.setattr("builtins.input", at_the_terminal)
    checks = [{"id": "s1", "code": "irrelevant_domain", "message": "Looks odd."}]
    model = ScriptedModel(
        [
            does("k1", {"type": "screenshot"}, pending_safety_checks=checks),
            [assistant_message("done")],
        ]
    )
    if acknowledged:
        assert await example.use(site.url, "Look.", model=model) == "done"
    else:
        with pytest.raises(UserError, match="'s1' of tool"):
            await example.use(site.url, "Look.", model=model)
    assert asked == ["Looks odd. Go on? [y/N] "]


async def test_a_closed_browser_says_how_to_open_it(example: ModuleType) -> None:
    model = ScriptedModel([does("k1", {"type": "screenshot"})])
    with pytest.raises(UserError, match=r"tool computer_use_preview of agent Browser User: .*open"):
        await Runner.run(example.agent, "Look.", run_config=RunConfig(model=model))
