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
    return {name.partition(".")[0] for name in modules_after(program)}


def modules_after(program: str) -> set[str]:
    """All names in ``sys.modules`` after a program ran in a fresh interpreter."""
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
    return set(json.loads(done.stdout.splitlines()[-1]))


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


def command(*arguments: str) -> str:
    """A program that is the command line with these arguments, up to its end."""
    return (
        "import sys\n"
        "from agentgraph.cli import main\n"
        f"sys.argv = ['agentgraph', *{arguments!r}]\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert end.code in (0, None)"
    )


def test_printing_the_version_loads_only_what_reads_arguments() -> None:
    loaded = modules_after(command("--version"))
    heavy = CLIENTS_AND_LIBRARIES - {"typer"} | {"asyncio", "pydantic"}
    assert loaded & heavy == set()
    ours = {name for name in loaded if name.startswith("agentgraph")}
    assert ours == {"agentgraph", "agentgraph.version", "agentgraph.cli", "agentgraph.cli.app"}


@pytest.mark.parametrize("file", ["benchmarks/plain_agents.py", "examples/homework.py"])
def test_checking_a_file_loads_no_client(file: str) -> None:
    loaded = modules_after(command("check", str(REPOSITORY / file)))
    assert not loaded & {"openai", "openai.types.responses", "sqlalchemy", "mcp"}


def test_checking_a_plain_file_loads_nothing_that_only_a_run_needs() -> None:
    loaded = modules_after(command("check", str(REPOSITORY / "benchmarks" / "plain_agents.py")))
    layers = ("agentgraph.drivers", "agentgraph.running", "agentgraph.record", "agentgraph.stored")
    assert {name for name in loaded if name.startswith(layers)} == set()
    assert not loaded & {"griffe", "networkx", "graphviz"}


def test_a_run_with_a_model_of_the_user_loads_no_client() -> None:
    """The totals of a usage are numbers; its details are the client's, and a run does not read
    them."""
    loaded = loaded_by(
        "from types import SimpleNamespace\n"
        "from agentgraph import Agent, Model, ModelResponse, Runner, Usage\n"
        "class Said(SimpleNamespace):\n"
        "    def model_dump(self, **options):\n"
        "        return {**vars(self), 'content': [vars(part) for part in self.content]}\n"
        "text = SimpleNamespace(type='output_text', text='hello', annotations=[])\n"
        "said = Said(type='message', id='m', role='assistant', content=[text])\n"
        "class Fake(Model):\n"
        "    async def get_response(self, *args, **kwargs):\n"
        "        usage = Usage(requests=1, input_tokens=2, output_tokens=1, total_tokens=3)\n"
        "        return ModelResponse([said], usage, None)\n"
        "    def stream_response(self, *args, **kwargs):\n"
        "        raise NotImplementedError\n"
        "result = Runner.run_sync(Agent(name='a', model=Fake()), 'hi')\n"
        "assert result.final_output == 'hello'\n"
        "assert result.context_wrapper.usage.total_tokens == 3"
    )
    assert loaded & {"openai", *GRAPHS_AND_TERMINAL} == set()
