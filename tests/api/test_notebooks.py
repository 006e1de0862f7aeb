"""What a notebook shows: drawings, in a kernel that nbclient runs."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

import agentgraph
from agentgraph import Agent, RunConfig, Runner, Workflow
from agentgraph.testing import RehearsalModel

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
SETUP = """
import agentgraph
from agentgraph import Agent, RunConfig, Runner, Workflow
from agentgraph.testing import RehearsalModel

clerk = Agent(name="Clerk & Sons")
desk = Agent(name="Desk", handoffs=[clerk])
program = agentgraph.compile(desk)
"""
CELLS = {
    "agent": "desk",
    "workflow": 'Workflow("Office", start=desk)',
    "program": "program",
    "machine": "program.machine",
    "result": 'await Runner.run(desk, "hello", run_config=RunConfig(model=RehearsalModel()))',
}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The output of each cell of a notebook, by MIME type."""
    cells = [nbformat.v4.new_code_cell(source) for source in (SETUP, *CELLS.values())]
    notebook = nbformat.v4.new_notebook(cells=cells)
    folder = tmp_path_factory.mktemp("notebook")
    _kernel(folder)
    client = NotebookClient(
        notebook, timeout=120, kernel_name="here", resources={"metadata": {"path": str(folder)}}
    )
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("JUPYTER_PATH", str(folder))
        environment.setenv("PYTHONPATH", ":".join(path for path in sys.path if path))
        client.execute()
    return {
        name: cell.outputs[-1].data for name, cell in zip(CELLS, notebook.cells[1:], strict=True)
    }


def _kernel(folder: Path) -> None:
    """Describe this Python as a kernel, so that the test needs none of the machine's."""
    home = folder / "kernels" / "here"
    home.mkdir(parents=True)
    arguments = f'["{sys.executable}", "-m", "ipykernel_launcher", "-f", "{{connection_file}}"]'
    (home / "kernel.json").write_text(
        f'{{"argv": {arguments}, "display_name": "here", "language": "python"}}'
    )


@needs_dot
@pytest.mark.parametrize("cell", CELLS)
def test_a_notebook_shows_the_drawing(cell: str, outputs: dict[str, Any]) -> None:
    data = outputs[cell]
    assert data["image/svg+xml"].startswith("<?xml")
    assert "Clerk &amp; Sons" in data["image/svg+xml"]
    assert data["text/vnd.mermaid"].startswith("flowchart")
    assert "text/plain" in data


@needs_dot
def test_a_result_emphasises_the_agents_that_acted() -> None:
    clerk = Agent[Any](name="Clerk")
    desk = Agent[Any](name="Desk", handoffs=[clerk])
    result = Runner.run_sync(desk, "hello", run_config=RunConfig(model=RehearsalModel()))
    drawn = result._repr_svg_()
    assert drawn is not None
    acted = {item.agent.name for item in result.new_items} | {result.last_agent.name}
    assert len(re.findall(r'stroke-width="3"', drawn)) == len(acted)


def test_without_graphviz_a_notebook_shows_a_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    desk = Agent[Any](name="<Desk>", handoffs=[Agent[Any](name="Clerk")])
    for drawable in (desk, Workflow("Office", start=desk), agentgraph.compile(desk)):
        assert drawable._repr_svg_() is None
        bundle = drawable._repr_mimebundle_()
        assert sorted(bundle) == ["text/html", "text/vnd.mermaid"]
        assert "&lt;Desk&gt;" in bundle["text/html"]
        assert "└─ → Clerk" in bundle["text/html"]


def test_an_agent_that_is_still_being_written_shows_as_text() -> None:
    desk = Agent[Any](name="Desk")
    desk.tools = [42]  # type: ignore[list-item]
    assert desk._repr_mimebundle_() == {}
    assert desk._repr_svg_() is None
