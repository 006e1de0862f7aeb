"""What the command finds in a file: every form in which programs keep their agents."""

from __future__ import annotations

import cProfile
import json
import pstats
from pathlib import Path

import pytest

from agentgraph.cli.capture.child import Limits, Request, capture
from agentgraph.cli.capture.messages import ReadOnly
from agentgraph.cli.target import Target
from tests.cli.captured import captured, starts
from tests.cli.command import agentgraph, written

IMPORT = "from agents import Agent, Runner, function_tool, handoff\nimport asyncio\n"
CYCLE = """
def desk():
    triage = Agent(name="Triage")
    billing = Agent(name="Billing", handoffs=[triage])
    refunds = Agent(name="Refunds", handoffs=[triage])
    triage.handoffs = [billing, refunds]
    return triage, billing, refunds
"""


@pytest.mark.parametrize(
    ("source", "names"),
    [
        pytest.param("a = Agent(name='A')", ["A"], id="at the top"),
        pytest.param("a = [Agent(name='A'), Agent(name='B')]", ["A", "B"], id="in a list"),
        pytest.param(
            "a = {'x': Agent(name='A'), 'y': [Agent(name='B')]}", ["A", "B"], id="in a dict"
        ),
        pytest.param("Agent(name='A')", ["A"], id="without a name"),
        pytest.param("a = Agent(name='A')\nb = Agent(name='B')", ["A", "B"], id="several starts"),
        pytest.param(
            "def main():\n    a = Agent(name='A')\n    Runner.run_sync(a, 'hi')\n\nmain()",
            ["A"],
            id="built by a function that the file calls",
        ),
        pytest.param(
            "async def main():\n    a = Agent(name='A')\n    await Runner.run(a, 'hi')\n\n"
            "if __name__ == '__main__':\n    asyncio.run(main())",
            ["A"],
            id="built in the main block",
        ),
        pytest.param(
            "def main():\n    a = Agent(name='A')\n    Runner.run_sync(a, 'hi')",
            ["A"],
            id="built by a main that an entry point calls",
        ),
        pytest.param(
            "def build(model='gpt-5'):\n    return Agent(name=f'A of {model}')",
            ["A of gpt-5"],
            id="a factory with defaults",
        ),
        pytest.param(
            "async def build() -> Agent:\n    return Agent(name='A')", ["A"], id="an async factory"
        ),
        pytest.param(
            "def answer(line):\n    a = Agent(name='A')\n    return Runner.run_sync(a, line)",
            ["A"],
            id="in a function that needs arguments",
        ),
        pytest.param(
            "a = Agent(name='A')\nb = Agent(name='B')\n\n"
            "async def first(): await Runner.run(a, 'x')\n"
            "async def second(): await Runner.run(b, 'x')\n"
            "Runner.run_sync(a, 'x')",
            ["A", "B"],
            id="a run that did not happen",
        ),
        pytest.param(
            "a = Agent(name='A')\nr = Runner.run_sync(a, 'x')\nb = Agent(name='B')\n"
            "Runner.run_sync(b, r.final_output)",
            ["A", "B"],
            id="an agent after the first run",
        ),
        pytest.param(
            CYCLE + "triage, billing, refunds = desk()", ["Billing"], id="a cycle is one start"
        ),
        pytest.param(
            "b = Agent(name='B')\nt = Agent(name='T', handoffs=[b])\nb.handoffs.append(t)",
            ["T"],
            id="a cycle, the one that lists its handoffs",
        ),
        pytest.param(
            CYCLE + "triage, billing, refunds = desk()\ncurrent = billing\n"
            "def chat(line):\n    agent = current\n    return Runner.run_sync(agent, line)",
            ["Billing"],
            id="a cycle, the one that Runner gets by another name",
        ),
        pytest.param(
            "def ask(line):\n    Runner.run_sync(Agent(name='Inner'), line)\n\na = Agent(name='A')",
            ["Inner", "A"],
            id="an agent made in the call",
        ),
        pytest.param(
            "class Desk:\n    def __init__(self): self.triage = Agent(name='A')\n"
            "    def ask(self, line): return Runner.run_sync(self.triage, line)\n\ndesk = Desk()",
            ["A"],
            id="in an object",
        ),
        pytest.param("x = 1", [], id="none"),
    ],
)
def test_the_agents_of_a_file_are_found(tmp_path: Path, source: str, names: list[str]) -> None:
    assert sorted(starts(written(tmp_path, "flow.py", IMPORT + source))) == sorted(names)


@pytest.mark.parametrize(
    ("name", "agent"),
    [
        ("build(model='x')", "Built x"),
        ("Team().triage", "Triage"),
        ("Team.shared", "Shared"),
        ("agents", "One"),
        ("agents['one']", "One"),
        ("later", "Later"),
        ("later(2)", "Later 2"),
        ("run_it", "Inside"),
        ("Inside", "Inside"),
    ],
)
def test_a_name_may_be_an_expression(tmp_path: Path, name: str, agent: str) -> None:
    source = """
class Team:
    shared = Agent(name="Shared")
    def __init__(self):
        self.triage = Agent(name="Triage")

def build(model): return Agent(name=f"Built {model}")
async def later(number=""): return Agent(name=f"Later {number}".strip())
def run_it(): return Runner.run_sync(Agent(name="Inside"), "hi")
agents = {"one": Agent(name="One")}

if __name__ == "__main__":
    run_it()
"""
    assert starts(f"{written(tmp_path, 'flow.py', IMPORT + source)}:{name}") == [agent]


def test_a_list_of_agents_is_checked_whole(tmp_path: Path) -> None:
    file = written(tmp_path, "flow.py", f"{IMPORT}\nteam = [Agent(name='A'), Agent(name='B')]")
    assert starts(f"{file}:team") == ["A", "B"]


@pytest.mark.parametrize(
    ("layout", "target"),
    [
        ({"desk/flow.py": "a = Agent(name='A')"}, "desk.flow:a"),
        ({"desk/__init__.py": "a = Agent(name='A')"}, "desk:a"),
        ({"src/desk/flow.py": "a = Agent(name='A')", "src/desk/__init__.py": ""}, "desk.flow"),
        (
            {
                "desk/flow.py": "from .names import NAME\na = Agent(name=NAME)",
                "desk/names.py": "NAME='A'",
            },
            "desk/flow.py",
        ),
        (
            {
                "desk/inner/flow.py": "from ..names import NAME\na = Agent(name=NAME)",
                "desk/names.py": "NAME='A'",
            },
            "desk/inner/flow.py",
        ),
        (
            {
                "src/desk/flow.py": "from desk.names import NAME\na = Agent(name=NAME)",
                "src/desk/names.py": "NAME='A'",
                "src/desk/__init__.py": "",
            },
            "src/desk/flow.py",
        ),
        (
            {
                "apps/flow.py": "from lib.names import NAME\na = Agent(name=NAME)",
                "lib/names.py": "NAME='A'",
            },
            "apps/flow.py",
        ),
        (
            {
                "app/agents/team.py": "NAME = 'A'",
                "app/flow.py": "from app.agents.team import NAME\na = Agent(name=NAME)",
            },
            "app/flow.py",
        ),
        ({"agents.py": "a = Agent(name='A')"}, "agents.py"),
        ({"agents.py": "b = Agent(name='B')", "flow.py": "a = Agent(name='A')"}, "flow.py"),
    ],
)
def test_a_project_is_imported_as_it_is_laid_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: dict[str, str], target: str
) -> None:
    for name, source in layout.items():
        written(tmp_path, name, (IMPORT if "Agent(" in source else "") + source)
    monkeypatch.chdir(tmp_path)
    assert starts(target) == ["A"]


def test_a_folder_agents_of_the_user_is_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(
        tmp_path, "agents/__init__.py", "from agentgraph import Agent\ntriage = Agent(name='A')"
    )
    written(tmp_path, "flow.py", "from agentgraph import Agent\nfrom agents import triage\n")
    monkeypatch.chdir(tmp_path)
    assert starts("flow.py") == ["A"]


NOTEBOOK = {
    "cells": [
        {"cell_type": "markdown", "source": ["# A desk"]},
        {
            "cell_type": "code",
            "source": ["%load_ext autoreload\n", "!pip install agents\n", "x = !ls"],
        },
        {"cell_type": "code", "source": ["%%bash\n", "echo no Python"]},
        {
            "cell_type": "code",
            "source": [
                "from agents import Agent, Runner\n",
                "\n",
                "a = Agent(\n",
                "    name='A'\n",
                ")",
            ],
        },
        {"cell_type": "code", "source": ["result = await Runner.run(a, 'hi')\n", "print(result)"]},
    ],
    "nbformat": 4,
}


@pytest.mark.parametrize("indent", [1, None])
def test_a_notebook_is_its_code_cells_in_order(tmp_path: Path, indent: int | None) -> None:
    file = written(tmp_path, "desk.ipynb", json.dumps(NOTEBOOK, indent=indent))
    result = captured(file)
    assert starts(file) == ["A"]
    assert result.of(ReadOnly) == []
    if indent:
        (start,) = [one for one in result.messages if getattr(one, "reason", "") == "run"]
        lines = file.read_text().splitlines()
        assert "a = Agent(" in lines[start.origin.line - 1]
        assert "await Runner.run(a" in lines[start.place.line - 1]


def test_a_file_may_come_from_the_standard_input(tmp_path: Path) -> None:
    assert starts("-", text=IMPORT + "a = Agent(name='A')") == ["A"]
    ended = agentgraph("check", "-", typed=IMPORT + "a = Agent(name='A')")
    assert (ended.status, ended.out) == (0, "✓ 1 file checked: nothing to report\n")


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("from unittest.mock import MagicMock\nx = MagicMock()", id="a mock"),
        pytest.param(
            "from pymongo import MongoClient\nx = MongoClient(connect=False)['db']", id="a database"
        ),
        pytest.param(
            "class Tab:\n    def __getattr__(self, name): return Tab()\n\nx = [Tab(), Tab()]",
            id="tabs of Streamlit",
        ),
        pytest.param("x = Agent", id="the class"),
        pytest.param("class Bot(Agent): ...", id="a class of the user"),
        pytest.param("def build(size):\n    return size", id="a function that makes no agent"),
    ],
)
def test_what_only_looks_like_a_workflow_is_none(tmp_path: Path, source: str) -> None:
    result = captured(written(tmp_path, "flow.py", IMPORT + source))
    assert result.of(ReadOnly) == []
    assert starts(tmp_path / "flow.py") == []


def test_a_function_that_makes_no_agent_is_not_called(tmp_path: Path) -> None:
    source = (
        "from pathlib import Path\ndef cleanup():\n    Path('gone').touch()\na = Agent(name='A')"
    )
    file = written(tmp_path, "flow.py", IMPORT + source)
    assert starts(file) == ["A"]
    assert not Path("gone").exists()


@pytest.mark.parametrize(
    "failing",
    [
        "import a_package_that_is_not_there",
        "import os; KEY = os.environ['A_KEY_THAT_IS_NOT_THERE']",
        "raise SystemExit('no key')",
    ],
)
def test_a_file_that_cannot_be_imported_is_read(tmp_path: Path, failing: str) -> None:
    source = f"""
{failing}

@function_tool(name_override="search")
def search_web(query: str) -> str: ...

@function_tool
def search(query: str) -> str: ...

billing = Agent(name="Billing", tools=[search, search_web])
triage = Agent(name="Triage", handoffs=[handoff(billing), Agent(name="Other")])
"""
    file = written(tmp_path, "flow.py", IMPORT + source)
    ended = agentgraph("check", file)
    assert "note[AG901] file-not-loadable" in ended.out
    assert "3 agents of its source were read without it" in ended.out
    assert f"--> {file}:4" in ended.out
    assert "error[AG101] duplicate-tool-name" in ended.out
    assert "0 files checked, 1 not loadable: 1 error, 5 notes" in ended.out
    assert starts(file) == ["Triage"]
    drawn = agentgraph("draw", file)
    assert drawn.status == 0
    assert "Billing" in drawn.out
    assert "the file cannot be imported" in drawn.err


GUARDED = """
from agents import GuardrailFunctionOutput, input_guardrail

@input_guardrail
def polite(context, agent, text): ...

billing = Agent(name="Billing", input_guardrails=[polite])
triage = Agent(name="Triage", handoffs=[billing])
"""


@pytest.mark.parametrize(
    ("runs", "rules"),
    [
        ("", ["AG501"]),
        ("def ask(line):\n    Runner.run_sync(triage, line)", ["AG501"]),
        (
            "def ask(line):\n    Runner.run_sync(triage, line)\n"
            "def pay(line):\n    Runner.run_sync(billing, line)",
            [],
        ),
    ],
)
def test_a_guardrail_never_runs_only_if_no_start_of_the_file_runs_it(
    tmp_path: Path, runs: str, rules: list[str]
) -> None:
    file = written(tmp_path, "flow.py", IMPORT + GUARDED + runs)
    report = json.loads(agentgraph("check", file, "--select", "AG5", "--format", "json").out)
    assert [one["code"] for one in report["diagnostics"]] == rules


def test_a_command_that_chooses_says_which_and_why(tmp_path: Path) -> None:
    runs = "Runner.run_sync(b, 'x')\nRunner.run_sync(a, 'x')"
    source = f"{IMPORT}a = Agent(name='A')\nb = Agent(name='B')\n{runs}"
    ended = agentgraph("ir", written(tmp_path, "flow.py", source))
    assert ended.out.splitlines()[1].startswith('chart "B"')
    assert ended.err == "note: this is b, the agent that Runner gets in line 5; there are also a\n"


def test_a_run_in_a_tool_is_checked_as_a_start_and_no_note_says_otherwise(tmp_path: Path) -> None:
    source = """
writer = Agent(name="Writer")

@function_tool
async def write(topic: str) -> str:
    "Write."
    return str(await Runner.run(writer, topic))

a = Agent(name="A", tools=[write])
"""
    file = written(tmp_path, "flow.py", IMPORT + source)
    assert starts(file) == ["Writer", "A"]
    ended = agentgraph("check", file)
    assert ended.out == "✓ 1 file checked: nothing to report\n"


def test_the_work_of_a_check_is_in_proportion_to_the_runs_of_a_file(tmp_path: Path) -> None:
    def calls(agents: int) -> int:
        makes = "".join(f"a{number} = Agent(name='A{number}')\n" for number in range(agents))
        runs = "".join(f"    await Runner.run(a{number}, text)\n" for number in range(agents))
        source = f"{IMPORT}{makes}async def answer(text):\n{runs}"
        file = written(tmp_path, f"flow_{agents}.py", source)
        profile = cProfile.Profile()
        request = Request(Target.parse(str(file)), "check", Limits(network=True))
        profile.runcall(capture, request, lambda message: None)
        return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]

    calls(1)
    assert calls(160) < 4.4 * calls(40)
