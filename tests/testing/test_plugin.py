"""The pytest plugin, in sessions of their own: coverage with and without pytest-xdist, its reports,
forbidden model calls, the fixtures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.source_tree import REPOSITORY
from tests.architecture.test_import_cost import modules_after

DESK = """
from agentgraph import Agent, function_tool


@function_tool(needs_approval=True)
def refund(order: str) -> str:
    \"""Pay an order back.\"""
    return "paid"


def build(model=None):
    refunds = Agent(name="Refunds", model=model, tools=[refund])
    return Agent(name="Triage", model=model, handoffs=[refunds])


triage = build()
"""
TESTS = """
import asyncio
import threading

import pytest

from agentgraph import Agent, Runner
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from desk import build

ANSWER = [assistant_message("Done.")]
TO_REFUNDS = [function_call("transfer_to_refunds", {}, call_id="handoff")]
REFUND = [function_call("refund", {"order": "1"}, call_id="refund")]


@pytest.mark.asyncio
async def test_an_answer(scripted_model):
    await Runner.run(build(scripted_model([ANSWER])), "hello")


@pytest.mark.anyio
async def test_a_refund(scripted_model):
    first = build(scripted_model([TO_REFUNDS, REFUND]))
    result = Runner.run_streamed(first, "hello")
    async for _ in result.stream_events():
        pass
    assert result.interruptions


def test_a_thread(scripted_model):
    def work():
        with pytest.raises(OSError):
            asyncio.run(Runner.run(build(scripted_model([OSError("no network")])), "hello"))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


@pytest.mark.asyncio
async def test_that_fails(scripted_model):
    await Runner.run(build(scripted_model([TO_REFUNDS, ANSWER])), "hello")
    assert False


@pytest.mark.no_agentgraph_cov
@pytest.mark.asyncio
async def test_that_does_not_count():
    await Runner.run(Agent(name="Other", model=ScriptedModel([ANSWER])), "hello")
"""
# Where the package is installed with its entry point, a second registration would be refused.
IS_INSTALLED = any(one.name == "agentgraph" for one in entry_points(group="pytest11"))
PLUGIN = () if IS_INSTALLED else ("-p", "agentgraph.testing.plugin")


def session(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """A session of pytest in a folder."""
    search_path = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "compiler"), str(folder)])
    command = (sys.executable, "-m", "pytest", "-q", "--tb=line", "-p", "no:cacheprovider")
    return subprocess.run(
        [*command, *PLUGIN, *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": search_path},
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "desk.py").write_text(DESK, encoding="utf-8")
    (tmp_path / "test_desk.py").write_text(TESTS, encoding="utf-8")
    settings = "[pytest]\nasyncio_default_fixture_loop_scope = function\n"
    (tmp_path / "pytest.ini").write_text(settings, encoding="utf-8")
    return tmp_path


def test_loading_the_plugin_loads_nothing_of_ours() -> None:
    loaded = modules_after("import agentgraph.testing.plugin")
    assert {name for name in loaded if name.startswith("agentgraph")} == {
        "agentgraph",
        "agentgraph.testing",
        "agentgraph.testing.plugin",
    }
    assert not loaded & {"openai", "pydantic"}


def test_a_session_reports_what_its_tests_met_in_any_loop_thread_or_worker(project: Path) -> None:
    options = ("--agentgraph-cov", "--agentgraph-cov-report")
    whole = session(project, *options, "json:one.json")
    spread = session(project, *options, "json:out/two.json", "-n", "2")
    for done in (whole, spread):
        assert "1 failed, 4 passed" in done.stdout, done.stdout + done.stderr
        assert done.returncode == 1
    one = (project / "one.json").read_text(encoding="utf-8")
    assert (project / "out" / "two.json").read_text(encoding="utf-8") == one
    document: Any = json.loads(one)
    [workflow] = document["workflows"]
    assert workflow["name"] == "Triage"
    counts = {
        (item["subject"], item["title"], item["outcome"]): item["count"]
        for item in workflow["items"]
    }
    assert counts["agent", "Triage", "visited"] == 4
    assert counts["handoff", "Triage → Refunds", "taken"] == 2
    assert counts["tool", "refund", "approved"] == 0
    assert counts["state", "suspended", "visited"] == 1
    assert counts["state", "failed", "visited"] == 1


def test_the_table_is_printed_and_too_little_coverage_fails_the_session(project: Path) -> None:
    done = session(
        project,
        "--agentgraph-cov=desk.py:triage",
        "--agentgraph-cov-report=term-missing",
        "--agentgraph-cov-report=html",
        "--agentgraph-cov-fail-under=95",
        "--deselect=test_desk.py::test_that_fails",
    )
    assert "4 passed" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 1
    assert "agentgraph coverage" in done.stdout
    assert "Triage (desk.py:13, 2 versions)" in done.stdout
    assert "  missing tool: Refunds: refund rejected" in done.stdout
    assert "FAIL Required agentgraph coverage of 95% not reached." in done.stdout
    page = (project / "agentgraph-htmlcov" / "index.html").read_text(encoding="utf-8")
    assert "Refunds: refund" in page


def test_a_workflow_that_no_test_runs_is_missing(project: Path) -> None:
    selection = ("-k", "not_count", "--agentgraph-cov=desk.py")
    done = session(project, *selection, "--agentgraph-cov-fail-under=1")
    assert done.returncode == 1
    assert "Triage       0/2" in done.stdout
    assert "Total coverage: 0%" in done.stdout
    for unmeasured in (("--no-agentgraph-cov",), ("--agentgraph-cov-report=",)):
        done = session(project, *selection, *unmeasured)
        assert done.returncode == 0
        assert "Workflow" not in done.stdout


def test_a_folder_selects_the_workflows_that_are_made_there(project: Path) -> None:
    (project / "empty").mkdir()
    done = session(project, "--agentgraph-cov=empty", "-k", "answer")
    assert "No workflow ran." in done.stdout
    done = session(project, "--agentgraph-cov=.", "-k", "answer")
    assert "Triage       1/2" in done.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--agentgraph-cov=nowhere.py",), "there is no file nowhere.py"),
        (("--agentgraph-cov", "--agentgraph-cov-report=xml"), "json[:PATH]"),
        (("-o", "agentgraph_model_calls=perhaps"), "it is 'allow' or 'forbid'"),
    ],
)
def test_a_wrong_option_ends_the_session_with_the_reason(
    project: Path, options: tuple[str, ...], message: str
) -> None:
    done = session(project, *options)
    assert done.returncode == 4
    assert message in done.stderr


CALLS = """
import pytest

from agentgraph import Agent, Runner, UserError
from agentgraph.testing import ScriptedModel, assistant_message


async def called():
    try:
        await Runner.run(Agent(name="A", model="gpt-5"), "hello")
    except UserError as error:
        return "forbids calls of real models" in str(error)
    except Exception:
        return False


@pytest.mark.anyio
async def test_plain():
    assert await called() is FORBIDDEN


@pytest.mark.anyio
@pytest.mark.allow_model_calls
async def test_marked(no_model_calls):
    assert await called() is False


@pytest.mark.anyio
async def test_fixture(no_model_calls, scripted_model):
    assert await called() is True
    model = scripted_model([[assistant_message("Done.")]])
    await Runner.run(Agent(name="A", model=model), "hello")


def test_unused(scripted_model):
    scripted_model([[assistant_message("Never asked for.")]])
"""


@pytest.mark.parametrize("calls", ["allow", "forbid"])
def test_calls_of_models_are_forbidden_where_the_project_or_a_test_says_so(
    tmp_path: Path, calls: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbidden = f"FORBIDDEN = {calls == 'forbid'}\n"
    (tmp_path / "test_calls.py").write_text(forbidden + CALLS, encoding="utf-8")
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    done = session(tmp_path, "-p", "no:asyncio", "-o", f"agentgraph_model_calls={calls}")
    assert "4 passed, 1 error" in done.stdout, done.stdout + done.stderr
    assert "UnconsumedModelSteps" in done.stdout
