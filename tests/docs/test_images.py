"""The drawings in docs/images are what the tool draws of the programs that the documents show.

``UPDATE_GOLDENS=1 pytest tests/docs/test_images.py`` makes them anew. The layout differs from one
Graphviz to the next, so the test compares the DOT that it starts from, and that the SVG beside it
shows exactly the nodes, clusters and edges of it.
"""

from __future__ import annotations

import os
import re
import runpy
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agentgraph.frontend.lower_workflow import lower
from agentgraph_compiler import pipeline
from agentgraph_compiler.render import View, render
from tests.docs.markdown_blocks import blocks_of

REPOSITORY = Path(__file__).resolve().parents[2]
IMAGES = REPOSITORY / "docs" / "images"
UPDATE = "UPDATE_GOLDENS" in os.environ

# What an image shows: a program, the name in it, and the view.
SHOWN = {
    "twenty-lines": ("README.md", "triage", View()),
    "one-agent": ("docs/compiler.md", "assistant", View("states")),
    "support-desk": ("examples/support_desk.py", "desk", View()),
    "homework": ("examples/homework.py", "triage", View()),
    "twenty-five": ("docs/drawings.md", "front", View()),
    "focus": ("docs/drawings.md", "front", View(focus="Billing", depth=1)),
    "findings": ("examples/broken_workflow.py", "desk", View()),
    "edges": ("docs/workflows.md", "flow", View()),
    "folded": ("examples/support_desk.py", "desk", View("states")),
}
WITH_FINDINGS = {"findings"}


def source_of(program: str, name: str) -> Any:
    """What a name in a program stands for; of a document it is the first Python block with it."""
    path = REPOSITORY / program
    if path.suffix == ".py":
        return runpy.run_path(str(path))[name]
    namespace: dict[str, Any] = {"__name__": "__main__"}
    text = next(block.text for block in blocks_of(path, "python") if f"\n{name} = " in block.text)
    exec(compile(text, str(path), "exec", dont_inherit=True), namespace)
    return namespace[name]


@pytest.mark.parametrize("image", SHOWN)
def test_an_image_is_what_the_tool_draws(
    image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, name, view = SHOWN[image]
    monkeypatch.chdir(tmp_path)
    chart, _ = lower(source_of(program, name))
    if image in WITH_FINDINGS:
        view = replace(view, findings=pipeline.check(chart))
    dot, svg = IMAGES / f"{image}.dot", IMAGES / f"{image}.svg"
    if UPDATE:
        IMAGES.mkdir(exist_ok=True)
        render(chart, dot, view)
        render(chart, svg, view)
    assert render(chart, view=view).split() == dot.read_text("utf-8").split()
    assert titles_in(svg.read_text("utf-8")) == parts_of(dot.read_text("utf-8"))


def parts_of(dot: str) -> Counter[str]:
    """The titles that Graphviz gives to what a DOT file holds: nodes, edges, clusters."""
    # Invisible edges only hold boxes in their places.
    dot = "\n".join(line for line in dot.splitlines() if "style=invis" not in line)
    nodes = re.findall(r"^\s+(\w+) \[", dot, re.M)
    edges = [f"{tail}->{head}" for tail, head in re.findall(r"^\s+(\w+) -> (\w+)", dot, re.M)]
    clusters = re.findall(r"subgraph (\w+)", dot)
    graph = re.findall(r"^digraph (\w+)", dot)
    parts = [node for node in nodes if node not in ("graph", "node", "edge")]
    return Counter([*graph, *clusters, *parts, *edges])


def titles_in(svg: str) -> Counter[str]:
    return Counter(
        title.replace("&#45;&gt;", "->") for title in re.findall("<title>(.*?)</title>", svg)
    )


def test_every_image_is_shown_and_every_shown_image_is_made() -> None:
    documents = [REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")]
    images = {
        image
        for document in documents
        for image in re.findall(r"images/([\w-]+)\.svg", document.read_text("utf-8"))
    }
    assert images == set(SHOWN) == {path.stem for path in IMAGES.glob("*.svg")}
