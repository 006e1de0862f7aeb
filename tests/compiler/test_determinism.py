"""The fingerprint of a machine and its JSON: the same everywhere, changed with behaviour."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given

from agentgraph_compiler.emit import MachineFormatError, emit, machine_from_json
from agentgraph_compiler.ir.builder import build
from agentgraph_compiler.ir.chart import Agent, Chart, Stop, StopKind
from agentgraph_compiler.ir.policy import Policy
from agentgraph_compiler.ir.text import parse_chart, print_chart
from agentgraph_compiler.types import Type
from tests.compiler.interpreters import interpreter_of
from tests.compiler.test_machine_checks import workflows
from tests.compiler.workflows import (
    agent_tool,
    chart,
    function,
    guardrail,
    subchart,
    support_desk,
    to,
)

COMPILER = Path(__file__).parents[2] / "compiler"
PROGRAM = """
import sys
from agentgraph_compiler.emit import emit
from agentgraph_compiler.ir.text import parse_chart, print_chart
chart = parse_chart(sys.stdin.read())
print(emit(chart).fingerprint)
print(print_chart(chart), end="")
"""


def elsewhere(text: str, interpreter: str, seed: str) -> str:
    """What another process makes of a printed chart: the fingerprint, and its text."""
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(COMPILER)}
    command = [interpreter, "-c", PROGRAM]
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout


@pytest.mark.parametrize("seed", ["0", "1", "4711"])
def test_the_fingerprint_does_not_depend_on_the_process(seed: str) -> None:
    text = print_chart(support_desk())
    expected = f"{emit(support_desk()).fingerprint}\n{text}"
    assert elsewhere(text, sys.executable, seed) == expected


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_the_fingerprint_does_not_depend_on_the_python_version(version: str) -> None:
    interpreter = interpreter_of(version)
    if interpreter is None:
        pytest.skip(f"python{version} is not installed")
    text = print_chart(support_desk())
    assert elsewhere(text, interpreter, "7").startswith(emit(support_desk()).fingerprint)


BASE = Agent(
    "a",
    "A",
    tools=(function("a", "x"), function("a", "y")),
    handoffs=(to("a", "b", "B"),),
    input_guardrails=(guardrail("a", "g"),),
)
SECOND = Agent("b", "B")
CHANGES = {
    "the name of an agent": dataclasses.replace(BASE, name="Z"),
    "its configuration": dataclasses.replace(BASE, digest="changed"),
    "its context type": dataclasses.replace(BASE, context=Type("app.C")),
    "its output type": dataclasses.replace(BASE, output=Type("app.O")),
    "a tool more": dataclasses.replace(BASE, tools=(*BASE.tools, function("a", "z"))),
    "a tool less": dataclasses.replace(BASE, tools=BASE.tools[:1]),
    "the order of tools": dataclasses.replace(BASE, tools=BASE.tools[::-1]),
    "the schema of a tool": dataclasses.replace(
        BASE, tools=(function("a", "x", digest="changed"), BASE.tools[1])
    ),
    "no handoff": dataclasses.replace(BASE, handoffs=()),
    "a guardrail that blocks": dataclasses.replace(
        BASE, input_guardrails=(guardrail("a", "g", parallel=False),)
    ),
    "an output guardrail": dataclasses.replace(BASE, output_guardrails=(guardrail("a", "o"),)),
    "when tools stop the run": dataclasses.replace(BASE, stop=Stop(StopKind.FIRST)),
    "an agent as a tool": dataclasses.replace(
        BASE, tools=(agent_tool("a", "x", "s"), BASE.tools[1])
    ),
}


def workflow(first: Agent, *, policy: Policy = Policy()) -> Chart:  # noqa: B008
    return build("w", "a", [first, SECOND], policy=policy, charts=(subchart("s", Agent("s", "S")),))


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_behaviour_changes_the_fingerprint(change: str) -> None:
    assert emit(workflow(BASE)).fingerprint != emit(workflow(CHANGES[change])).fingerprint


def test_a_change_of_policy_changes_the_fingerprint() -> None:
    recovering = workflow(BASE, policy=Policy(frozenset({"max_turns"})))
    assert emit(workflow(BASE)).fingerprint != emit(recovering).fingerprint


def test_what_only_people_need_leaves_the_fingerprint_alone() -> None:
    moved = dataclasses.replace(BASE, origin=support_desk().origin, allowed=("x",), unseen=("y",))
    assert emit(workflow(BASE)).fingerprint == emit(workflow(moved)).fingerprint


@given(workflows())
def test_a_machine_comes_back_from_its_json(chart: Chart) -> None:
    machine = emit(chart)
    again = machine_from_json(machine.to_json())
    assert again == machine
    assert again.fingerprint == machine.fingerprint


@given(workflows())
def test_a_printed_workflow_compiles_to_the_same_machine(chart: Chart) -> None:
    assert emit(parse_chart(print_chart(chart))) == emit(chart)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[]", "cannot read machine format None"),
        ('{"version": 0}', "cannot read machine format 0"),
    ],
)
def test_json_that_is_no_machine_is_refused(text: str, message: str) -> None:
    with pytest.raises(MachineFormatError, match=message):
        machine_from_json(text)


def test_json_of_this_format_with_a_wrong_field_is_refused() -> None:
    text = emit(chart(Agent("a", "A"))).to_json().replace('"thinking"', '"sleeping"')
    with pytest.raises(MachineFormatError, match="not a machine"):
        machine_from_json(text)
