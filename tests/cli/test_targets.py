"""Which workflow a command takes from a file, and what it says when it cannot take one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from agentgraph.cli.faults import CommandFault, Status
from agentgraph.cli.target import Target
from agentgraph.cli.workload import loaded
from tests.cli.command import agentgraph, written

BACK_EDGES = """
from agentgraph import Agent, Runner

orders = Agent(name="Orders")
triage = Agent(name="Triage", handoffs=[orders])
orders.handoffs.append(triage)
"""


def taken(path: Path, name: str | None = None) -> str:
    """The name of the workflow that a target stands for."""
    with loaded(Target(path, name)) as workload:
        return str(workload.source.name)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        pytest.param("only = Agent(name='Only')", "Only", id="the only agent"),
        pytest.param(
            "a = Agent(name='A'); b = Agent(name='B', handoffs=[a])",
            "B",
            id="no agent hands off to",
        ),
        pytest.param(
            "a = Agent(name='A')\nb = Agent(name='B', handoffs=[handoff(a)])",
            "B",
            id="through a handoff object",
        ),
        pytest.param(
            "a = Agent(name='A')\nb = Agent(name='B', tools=[a.as_tool('ask', 'Ask.')])",
            "B",
            id="no agent uses as a tool",
        ),
        pytest.param(
            "a = Agent(name='A')\nw = Workflow('W', start=a, agents=[a])\nc = Agent(name='C')",
            "W",
            id="a workflow goes first",
        ),
        pytest.param("a = Agent(name='A')\np = compile(a)", "A", id="a program is what it is of"),
        pytest.param(
            "check = Agent(name='Check')\n"
            "async def look():\n    return await Runner.run(check, 'x')\n"
            "async def verdict(context, agent, message):\n    return await look()\n"
            "a = Agent(name='A', input_guardrails=[InputGuardrail(guardrail_function=verdict)])",
            "A",
            id="an agent that only a guardrail runs is no start",
        ),
        pytest.param(
            "writer = Agent(name='Writer')\n"
            "@function_tool\nasync def write(topic: str) -> str:\n"
            "    'Write.'\n    return str(await Runner.run(writer, topic))\n"
            "a = Agent(name='A', tools=[write])",
            "A",
            id="an agent that only a tool runs is no start",
        ),
        pytest.param(
            BACK_EDGES, "Triage", id="of a cycle the one that lists its handoffs when it is made"
        ),
        pytest.param(
            BACK_EDGES + "if __name__ == '__main__':\n    Runner.run_sync(triage, 'hello')",
            "Triage",
            id="of a cycle the one that the file runs",
        ),
    ],
)
def test_without_a_name_the_start_is_taken(tmp_path: Path, source: str, name: str) -> None:
    assert taken(written(tmp_path, "flow.py", f"from agentgraph import *\n{source}")) == name


@pytest.mark.parametrize(
    ("source", "message", "help"),
    [
        pytest.param(
            "a = Agent(name='A')\nb = Agent(name='B')",
            "has 2 agents that a run could start with: a, b",
            "name one: {path}:a",
            id="two starts",
        ),
        pytest.param(
            "a = Agent(name='A')\nv = Workflow('V', a)\nw = Workflow('W', a)",
            "has 2 workflows: v, w",
            "name one: {path}:v",
            id="two workflows",
        ),
        pytest.param(
            BACK_EDGES.replace('Agent(name="Triage", handoffs=[orders])', 'Agent(name="Triage")')
            + "triage.handoffs.append(orders)",
            "has 2 agents in a cycle of handoffs: orders, triage",
            "name one: {path}:orders",
            id="a cycle in which nothing says who is first",
        ),
        pytest.param(
            "x = 1",
            "has no agent and no workflow",
            "name a function that returns one: {path}:make_workflow",
            id="nothing",
        ),
    ],
)
def test_a_file_that_does_not_say_which_gets_the_names_there_are(
    tmp_path: Path, source: str, message: str, help: str
) -> None:
    path = written(tmp_path, "flow.py", f"from agentgraph import *\n{source}")
    ended = agentgraph("ir", path)
    assert ended.status == Status.UNUSABLE
    assert ended.out == ""
    assert ended.err == f"error: {path} {message}\nhelp: {help.format(path=path)}\n"


NAMED = """
from agentgraph import Agent, Workflow, compile

a = Agent(name="A")
b = Agent(name="B")
workflow = Workflow("W", start=a)
program = compile(b)
number = 7

team = {"a": a, "b": b}
both = [a, b]

class Desk:
    agent = a
    def __init__(self): self.own = a

def sized(size): return Agent(name=f"Size {size}")

def make(): return b
def needs(size): return a
async def later(): return a
def fails(): return 1 / 0
"""


@pytest.mark.parametrize(
    ("name", "taken_name"),
    [
        ("a", "A"),
        ("workflow", "W"),
        ("program", "B"),
        ("make", "B"),
        ("later", "A"),
        ("sized(3)", "Size 3"),
        ("sized(size=4)", "Size 4"),
        ("Desk.agent", "A"),
        ("Desk().own", "A"),
        ("team['b']", "B"),
        ("both[1]", "B"),
    ],
)
def test_a_name_may_be_an_agent_a_workflow_a_program_or_a_function(
    tmp_path: Path, name: str, taken_name: str
) -> None:
    assert taken(written(tmp_path, "flow.py", NAMED), name) == taken_name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nope", "{path} has no name 'nope'"),
        ("a.nope", "{path} has no name 'a.nope'"),
        ("number", "{path}:number is neither an agent nor a workflow, but of type int"),
        ("needs", "{path}:needs is a function that needs arguments: size"),
        ("team['c']", "{path} has no name 'team['c']'"),
        ("fails", "{path}:fails() failed"),
    ],
)
def test_a_name_that_cannot_be_taken_is_refused_with_the_reason(
    tmp_path: Path, name: str, message: str
) -> None:
    path = written(tmp_path, "flow.py", NAMED)
    ended = agentgraph("check", f"{path}:{name}")
    assert ended.status == Status.UNUSABLE
    assert f"error: {message.format(path=path)}\n" in ended.err


def test_an_unknown_name_is_answered_with_the_names_there_are(tmp_path: Path) -> None:
    ended = agentgraph("check", f"{written(tmp_path, 'flow.py', NAMED)}:nope")
    assert ended.err.endswith("help: the file has the names a, b, workflow\n")


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    written(tmp_path, "flow.py", "")
    assert "there is no file" in agentgraph("check", tmp_path / "nope.py").err
    assert f"help: there is {tmp_path / 'flow.py'}" in agentgraph("check", tmp_path / "flow").err
    assert "is a folder" in agentgraph("draw", tmp_path).err


def test_a_file_that_fails_to_import_shows_the_users_own_frames_only(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "flow.py",
        """
        from agentgraph import Agent, handoff

        def make():
            return handoff("B")

        a = make()
        """,
    )
    ended = agentgraph("run", path, "hello")
    assert ended.status == Status.UNUSABLE
    # Python 3.13 underlines less than 3.11: the marks below the lines are not ours to say.
    assert [line for line in ended.err.splitlines() if line.strip(" ^~")] == [
        "Traceback (most recent call last):",
        f'  File "{path}", line 6, in <module>',
        "    a = make()",
        f'  File "{path}", line 4, in make',
        '    return handoff("B")',
        "agentgraph.exceptions.AgentDefinitionError: handoff() needs an Agent or a Workflow, not"
        " str.",
        f"error: {path} cannot be imported: AgentDefinitionError: handoff() needs an Agent or a"
        " Workflow, not str.",
    ]


def test_a_syntax_error_shows_the_line(tmp_path: Path) -> None:
    path = written(tmp_path, "flow.py", "a = (")
    ended = agentgraph("check", path)
    assert f'File "{path}", line 1' in ended.err
    assert "SyntaxError: '(' was never closed" in ended.err


def test_a_file_that_ends_the_process_is_told_how_not_to(tmp_path: Path) -> None:
    ended = agentgraph("draw", written(tmp_path, "flow.py", "import sys\nsys.exit(3)"))
    assert ended.status == Status.UNUSABLE
    assert "ended the process (status 3) during its import" in ended.err
    assert '__name__ == "__main__"' in ended.err


def test_what_a_file_prints_does_not_reach_the_output(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "flow.py",
        """
        from agentgraph import Agent

        print("imported")
        a = Agent(name="A")
        if __name__ == "__main__":
            raise SystemExit("is no reason to fail")
        """,
    )
    ended = agentgraph("check", path)
    assert (ended.status, ended.out) == (0, "✓ 1 file checked: nothing to report\n")
    assert ended.err == ""


def test_what_a_file_printed_is_shown_if_it_cannot_be_loaded(tmp_path: Path) -> None:
    path = written(tmp_path, "flow.py", 'print("first the key"); raise SystemExit("no key")')
    assert agentgraph("draw", path).err.startswith("first the key\n")


def test_helpers_beside_a_file_are_imported_and_two_files_do_not_share_them(
    tmp_path: Path,
) -> None:
    for folder in ("one", "two"):
        written(tmp_path, f"{folder}/tutors.py", f"import agentgraph\nNAME = '{folder}'\n")
        written(
            tmp_path,
            f"{folder}/flow.py",
            "from agentgraph import Agent\nfrom tutors import NAME\na = Agent(name=NAME)",
        )
    before = set(sys.modules)
    paths = list(sys.path)
    assert [taken(tmp_path / folder / "flow.py") for folder in ("one", "two")] == ["one", "two"]
    assert {"flow", "tutors"} & (set(sys.modules) - before) == set()
    assert sys.path == paths


def test_a_module_of_a_package_may_import_relatively(tmp_path: Path) -> None:
    written(tmp_path, "desk/__init__.py", "")
    written(tmp_path, "desk/names.py", "NAME = 'Desk'")
    path = written(
        tmp_path,
        "desk/flow.py",
        "from agentgraph import Agent\nfrom .names import NAME\na = Agent(name=NAME)",
    )
    assert taken(path) == "Desk"


def test_a_file_called_like_a_loaded_module_does_not_replace_it(tmp_path: Path) -> None:
    loaded_before = sys.modules["json"]
    path = written(tmp_path, "json.py", "from agentgraph import Agent\na = Agent(name='A')")
    assert taken(path) == "A"
    assert sys.modules["json"] is loaded_before


@pytest.mark.parametrize(
    ("text", "name"), [("{path}", None), ("{path}:a", "a"), ("{path}:desk.agent", "desk.agent")]
)
def test_a_target_is_a_file_with_a_name_or_without(
    tmp_path: Path, text: str, name: str | None
) -> None:
    path = written(tmp_path, "flow.py", "")
    target = Target.parse(text.format(path=path))
    assert target == Target(path, name)
    assert str(target) == text.format(path=path)


def test_a_colon_in_a_file_name_is_no_name(tmp_path: Path) -> None:
    path = written(tmp_path, "flow.py:a", "")
    assert Target.parse(str(path)) == Target(path)
    with pytest.raises(CommandFault, match="there is no file"):
        Target.parse(f"{tmp_path}/flow.py:a b")
