"""A run pays nothing for traces that nothing listens to: no module, and one look."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from agentgraph import Agent, Runner, set_trace_processors, set_trace_provider
from agentgraph.authoring import trace_listening
from agentgraph.testing import ScriptedModel, assistant_message
from agentgraph.tracing import get_trace_provider
from agentgraph.tracing.provider import DefaultTraceProvider
from tests.tracing import traced_runs

SDK = traced_runs.package("agentgraph")
BYE = [assistant_message("bye")]


@pytest.fixture(autouse=True)
def _own_provider() -> Iterator[None]:
    before = get_trace_provider()
    set_trace_provider(DefaultTraceProvider())
    set_trace_processors([traced_runs.processor(SDK)])
    yield
    set_trace_provider(before)


IMPORTS = """
from agentgraph import Agent, Runner
from agentgraph.testing import ScriptedModel, assistant_message
agent = Agent("Clerk", model=ScriptedModel([[assistant_message("bye")]]))
assert Runner.run_sync(agent, "go").final_output == "bye"
import sys
print([name for name in sys.modules if "agentgraph.tracing." in name or "drivers.traced" in name])
"""


def test_a_run_without_processors_loads_nothing_of_tracing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def bytecodes(agent: Agent[Any]) -> int:
    """The bytecodes of one run."""
    count = 0

    def follow(frame: Any, event: str, argument: object) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return follow

    before = sys.gettrace()
    loop = asyncio.new_event_loop()
    try:
        sys.settrace(follow)
        loop.run_until_complete(Runner.run(agent, "go"))
    finally:
        sys.settrace(before)
        loop.close()
    return count


@pytest.mark.skipif(sys.gettrace() is not None, reason="another tool counts this run")
def test_tracing_that_nothing_listens_to_costs_one_look_for_each_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    agent = Agent("Clerk", model=ScriptedModel(lambda _: BYE, record_calls=False))
    for _ in range(3):
        with_a_processor = bytecodes(agent)
    set_trace_processors([])
    without_processors = bytecodes(agent)
    monkeypatch.setattr(trace_listening, "_source", None)
    without_tracing = bytecodes(agent)
    assert without_tracing < without_processors < without_tracing + 50
    assert with_a_processor > 1.5 * without_tracing  # the count sees what tracing costs
