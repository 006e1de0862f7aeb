"""What an import loads: `import agentgraph` stays fast, and a run does not load a graph library."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.architecture.source_tree import REPOSITORY

CLIENTS_AND_LIBRARIES = frozenset(
    {"graphviz", "griffe", "mcp", "networkx", "openai", "rich", "sqlalchemy", "sqlite3", "typer"}
)
GRAPHS_AND_TERMINAL = frozenset({"graphviz", "networkx", "rich", "sqlite3", "typer"})


def loaded_by(program: str) -> set[str]:
    """The top-level names in ``sys.modules`` after a program ran in a fresh interpreter."""
    code = f"{program}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"
    search_path = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "compiler")])
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": search_path},
    )
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def test_import_agentgraph_loads_nothing_heavy() -> None:
    assert (
        loaded_by("import agentgraph") & (CLIENTS_AND_LIBRARIES | {"asyncio", "pydantic"}) == set()
    )


@pytest.mark.parametrize(
    "definition",
    [
        "Agent(name='a', instructions='b')",
        "Agent(name='a', handoffs=[Agent(name='b')])",
        "Agent(name='a', input_guardrails=[InputGuardrail(guardrail_function=print)])",
    ],
)
def test_writing_agents_loads_no_client_and_no_graph_library(definition: str) -> None:
    loaded = loaded_by(f"from agentgraph import Agent, InputGuardrail\n{definition}")
    assert loaded & CLIENTS_AND_LIBRARIES == set()


def test_naming_a_session_store_loads_only_that_store() -> None:
    loaded = loaded_by("from agentgraph import SQLiteSession")
    assert loaded & (CLIENTS_AND_LIBRARIES - {"sqlite3"}) == set()


def test_a_run_loads_no_graph_library() -> None:
    """Only `compile` and `check` analyse the graph (issue "The spine", section 3)."""
    loaded = loaded_by(
        "from agentgraph import Agent, Runner\n"
        "from agentgraph.testing import ScriptedModel, assistant_message\n"
        "agent = Agent(name='a', model=ScriptedModel([[assistant_message('hello')]]))\n"
        "assert Runner.run_sync(agent, 'hi').final_output == 'hello'"
    )
    assert loaded & GRAPHS_AND_TERMINAL == set()


def test_importing_the_compiler_loads_no_agent_framework() -> None:
    loaded = loaded_by("import agentgraph_compiler")
    assert loaded & {"agentgraph", "openai", "networkx", "graphviz"} == set()
