"""`check`, `draw` and `ir` load programs that run a model, and no model and no tool runs."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from select import select

import pytest

from agentgraph.cli.capture.child import Limits
from agentgraph.cli.capture.loading import Ending
from agentgraph.cli.capture.messages import AgentSeen, ReadOnly, Refusal, StartSeen
from tests.cli.captured import captured
from tests.cli.command import agentgraph, written
from tests.cli.pseudo_terminal import on_a_terminal

DESK = """
import asyncio, os
from pathlib import Path
from agents import Agent, Runner, function_tool

@function_tool
def refund(order: int) -> str:
    "Refund an order."
    Path(os.environ["EFFECTS"]).write_text("refunded")
    return "refunded"

agent = Agent(name="Desk", tools=[refund])
"""
STREAMLIT = "def title(text): ...\ndef chat_input(text): return 'refund order 0'\n"
PROGRAMS = {
    "a run at the end": "Runner.run_sync(agent, 'refund order 0')",
    "asyncio.run(main())": """
async def main():
    print((await Runner.run(agent, 'refund order 0')).final_output)

if __name__ == '__main__':
    asyncio.run(main())
""",
    "a chat loop": """
async def main():
    while True:
        line = input('> ')
        result = Runner.run_streamed(agent, line)
        async for event in result.stream_events():
            print(event)

asyncio.run(main())
""",
    "run_demo_loop": """
from agents import run_demo_loop
asyncio.run(run_demo_loop(agent))
""",
    "Streamlit": """
import streamlit
streamlit.title('Desk')
if line := streamlit.chat_input('Your message'):
    print(Runner.run_sync(agent, line).final_output)
""",
    "FastAPI": """
import fastapi, uvicorn
app = fastapi.FastAPI()

@app.get('/')
async def answer(line: str) -> str:
    return (await Runner.run(agent, line)).final_output

if __name__ == '__main__':
    uvicorn.run(app, port=0)
""",
    "it catches every exception": """
while True:
    try:
        print(Runner.run_sync(agent, 'refund order 0').final_output)
    except BaseException as error:
        print('again, after', error)
""",
    "several threads": """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor() as pool:
    list(pool.map(lambda n: Runner.run_sync(agent, f'refund order {n}'), range(3)))
""",
    "a client of its own": """
from openai import OpenAI
try:
    OpenAI(max_retries=0, timeout=1).responses.create(model='gpt-5', input='refund order 0')
except Exception as error:
    print(error)
""",
}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A server that every model call would go to. It accepts nothing, so each call is counted."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        monkeypatch.setenv("OPENAI_API_KEY", "a key")
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{listening.getsockname()[1]}/v1")
        listening.setblocking(False)
        yield listening


def connections(server: socket.socket) -> int:
    count = 0
    while True:
        try:
            server.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


@pytest.fixture
def effects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that the tool writes."""
    monkeypatch.setenv("EFFECTS", str(tmp_path / "effects"))
    return tmp_path / "effects"


@pytest.mark.parametrize("form", PROGRAMS)
def test_a_program_that_runs_a_model_is_checked_without_a_request_and_without_an_effect(
    tmp_path: Path, server: socket.socket, effects: Path, form: str
) -> None:
    written(tmp_path, "streamlit.py", STREAMLIT)
    result = captured(written(tmp_path, "flow.py", DESK + PROGRAMS[form]))
    assert (connections(server), effects.exists()) == (0, False)
    assert [start.name for start in result.of(StartSeen)] == ["Desk"], result.output
    assert result.problem == ""


@pytest.mark.parametrize("command", ["draw", "ir"])
def test_a_program_that_runs_a_model_is_drawn_and_printed_without_a_request(
    tmp_path: Path, server: socket.socket, effects: Path, command: str
) -> None:
    file = written(tmp_path, "flow.py", DESK + PROGRAMS["a run at the end"])
    ended = agentgraph(command, file)
    assert (ended.status, connections(server), effects.exists()) == (0, 0, False)
    assert "Desk" in ended.out


def test_the_server_counts_a_request_that_is_permitted(
    tmp_path: Path, server: socket.socket
) -> None:
    """The count of the tests above can be other than zero."""
    file = written(tmp_path, "flow.py", DESK + PROGRAMS["a client of its own"])
    captured(file, Limits(network=True))
    assert connections(server) > 0


def test_a_run_is_recorded_with_its_options(tmp_path: Path) -> None:
    source = """
from agentgraph import Agent, Runner, SQLiteSession

class Customer: ...

agent = Agent[Customer](name="Desk")
Runner.run_sync(agent, "hi", context=Customer(), max_turns=3, session=SQLiteSession("s"))
"""
    (start,) = captured(written(tmp_path, "flow.py", source)).of(StartSeen)
    assert (start.name, start.label, start.reason) == ("Desk", "agent", "run")
    assert (start.origin.line, start.place.line) == (5, 6)
    assert (start.context, start.max_turns, start.session) == ("Customer", 3, "SQLiteSession")


def test_what_comes_after_the_first_run_does_not_happen(tmp_path: Path, effects: Path) -> None:
    source = DESK + PROGRAMS["a run at the end"] + "\nPath(os.environ['EFFECTS']).touch()\n"
    result = captured(written(tmp_path, "flow.py", source))
    assert not effects.exists()
    assert [(one.entry, one.how) for one in result.of(Ending)] == [("module", "stopped")]


def test_connections_and_processes_are_refused_and_named_with_their_lines(tmp_path: Path) -> None:
    source = """
import socket, subprocess
from agentgraph import Agent

def attempt(action):
    try:
        action()
    except OSError:
        pass

attempt(lambda: socket.create_connection(("127.0.0.1", 9)))
attempt(lambda: subprocess.run(["true"]))
agent = Agent(name="Desk")
"""
    result = captured(written(tmp_path, "flow.py", source))
    refused = [(one.action, one.origin.line) for one in result.of(Refusal)]
    assert ("the process true", 11) in refused
    assert any("127.0.0.1" in action and line == 10 for action, line in refused)
    assert [one.name for one in result.of(AgentSeen)] == ["Desk"]


def test_a_refusal_that_ends_the_import_is_reported_with_the_way_to_permit_it(
    tmp_path: Path,
) -> None:
    source = "import subprocess\nfrom agentgraph import Agent\nsubprocess.run(['true'])\n"
    ended = agentgraph("check", written(tmp_path, "flow.py", source))
    assert "note[AG901] file-not-loadable" in ended.out
    assert "it tried the process true" in ended.out
    assert "--allow-network" in ended.out
    permitted = agentgraph("check", tmp_path / "flow.py", "--allow-network")
    assert "AG901" not in permitted.out


@pytest.mark.parametrize("loop", ["while True: pass", "import time; time.sleep(1000)"])
def test_a_file_that_does_not_end_is_checked_as_far_as_it_came(tmp_path: Path, loop: str) -> None:
    source = f"from agentgraph import Agent\nagent = Agent(name='Desk')\n{loop}\n"
    result = captured(written(tmp_path, "flow.py", source), Limits(seconds=0.3))
    (failure,) = result.of(ReadOnly)
    assert (failure.reason, failure.origin.line) == ("TimeUp: not ready after 0.3 seconds", 3)
    assert [start.name for start in result.of(StartSeen)] == ["Desk"]


def test_a_file_that_catches_the_end_of_its_time_is_checked_all_the_same(tmp_path: Path) -> None:
    source = """
from agentgraph import Agent
agent = Agent(name='Desk')
while True:
    try:
        while True: pass
    except BaseException:
        pass
"""
    result = captured(written(tmp_path, "flow.py", source), Limits(seconds=0.3))
    assert [start.name for start in result.of(StartSeen)] == ["Desk"]


def test_a_file_that_takes_too_much_memory_is_stopped(tmp_path: Path) -> None:
    source = "from agentgraph import Agent\nfill = bytearray(2 ** 32)\n"
    result = captured(written(tmp_path, "flow.py", source), Limits(megabytes=1024))
    assert [failure.reason for failure in result.of(ReadOnly)] == ["MemoryError"]


def test_a_file_that_ends_its_process_is_a_fault_and_the_others_are_checked(
    tmp_path: Path,
) -> None:
    crash = written(tmp_path, "crash.py", "import os\nos._exit(7)\n")
    good = written(tmp_path, "good.py", "from agentgraph import Agent\na = Agent(name='A')\n")
    ended = agentgraph("check", crash, good)
    assert ended.status == 2
    assert "its process ended with status 7" in ended.err
    assert "1 file checked, 1 not loadable" in ended.out


def test_a_file_cannot_ask_at_the_terminal(tmp_path: Path) -> None:
    source = "import getpass\nfrom agentgraph import Agent\nkey = getpass.getpass('key? ')\n"
    file = written(tmp_path, "flow.py", source)
    with on_a_terminal("check", file) as screen:
        assert screen.status() == 0
    assert "not loadable: " in screen.shown
    assert "flow.py:3: EOFError" in screen.shown


@pytest.mark.parametrize("forks", [True, False])
def test_a_child_has_a_session_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forks: bool
) -> None:
    source = """
import os
from agentgraph import Agent
agent = Agent(name="alone" if os.getsid(0) == os.getpid() else "beside others")
"""
    monkeypatch.setattr("agentgraph.cli.capture.children.can_fork", lambda: forks)
    result = captured(written(tmp_path, "flow.py", source))
    assert [start.name for start in result.of(StartSeen)] == ["alone"]


@pytest.mark.parametrize("process", ["os.fork()", "subprocess.Popen(['sleep', '600']).pid"])
def test_processes_that_a_file_starts_end_with_its_child(tmp_path: Path, process: str) -> None:
    source = f"""
import os, subprocess, time
from agentgraph import Agent
process = {process}
if process == 0:
    time.sleep(600)
agent = Agent(name=str(process))
"""
    file = written(tmp_path, "flow.py", source)
    result = captured(file, Limits(seconds=60, network=True))
    assert result.problem == ""
    (start,) = result.of(StartSeen)
    assert _ends(int(start.name))


def _ends(process: int) -> bool:
    """Whether a process ends soon."""
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    with os.fdopen(descriptor) as ended:
        return bool(select([ended], [], [], 30)[0])


def test_a_program_gets_no_input_and_its_own_arguments(tmp_path: Path) -> None:
    source = """
import sys
from agentgraph import Agent
try:
    input()
except EOFError:
    agent = Agent(name=f"no input, {len(sys.argv)} argument")
"""
    result = captured(written(tmp_path, "flow.py", source))
    assert [start.name for start in result.of(StartSeen)] == ["no input, 1 argument"]


def test_a_child_that_is_a_new_interpreter_finds_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path, "flow.py", DESK + PROGRAMS["asyncio.run(main())"])
    forked = captured(file)
    monkeypatch.setattr("agentgraph.cli.capture.children.can_fork", lambda: False)
    started = captured(file)
    assert started.of(StartSeen) == forked.of(StartSeen)
    assert started.of(AgentSeen) == forked.of(AgentSeen)


def test_json_of_a_check_is_not_disturbed_by_what_the_file_prints(tmp_path: Path) -> None:
    file = written(tmp_path, "flow.py", DESK + "print('{')\n")
    assert json.loads(agentgraph("check", file, "--format", "json").out)["diagnostics"] == []
