"""The ends of recorded runs as an exported test asserts them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from agentgraph import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrail,
    Runner,
    RunState,
    function_tool,
)
from agentgraph.running.recorded import read_recording
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from agentgraph.testing.doubles.exported import recorded_test


class Price(BaseModel):
    euros: int


@function_tool(needs_approval=True)
def close() -> str:
    """Close the account."""
    return "closed"


@function_tool
def look() -> str:
    """Look."""
    return "nothing"


def refuse(context: Any, agent: Any, input: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(None, tripwire_triggered=True)


CALL: list[Any] = [function_call("close", {}, call_id="c")]
LOOK: list[Any] = [function_call("look", {}, call_id="c")]
RUNS: dict[str, tuple[dict[str, Any], list[Any], str]] = {
    "a text": ({}, [[assistant_message("Hi.")]], "assert result.final_output == 'Hi.'"),
    "a value": (
        {"output_type": Price},
        [[assistant_message('{"euros": 5}')]],
        "assert result.final_output is not None",
    ),
    "a call that waits": ({"tools": [close]}, [CALL], "assert result.interruptions"),
    "a guardrail": (
        {"input_guardrails": [InputGuardrail(refuse)]},
        [[assistant_message("never")]],
        "with pytest.raises(InputGuardrailTripwireTriggered):",
    ),
    "the limit of turns": ({"tools": [look]}, [LOOK], "with pytest.raises(MaxTurnsExceeded):"),
    "an error": ({}, [ValueError("lost")], "with pytest.raises(Exception):"),
}


async def at_rest(agent: Agent[Any], input: str = "go") -> RunState[Any, Any]:
    stream = Runner.run_streamed(agent, input, max_turns=1)
    with suppress(Exception):  # how the run ends is what is exported
        async for _ in stream.stream_events():
            pass
    return stream.to_state()


@pytest.mark.parametrize("name", RUNS)
async def test_the_test_asserts_how_the_run_ended(name: str) -> None:
    fields, script, expected = RUNS[name]
    state = await at_rest(Agent(name="A", model=ScriptedModel(script), **fields))
    recording = read_recording(state.to_journal(), "run.jsonl")
    source = recorded_test(recording, Path("test_a.py"), None)

    assert expected in source
    compile(source, "test_a.py", "exec")


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("12 m² or 2½?", "test_12_m_or_2"),
        ("Größe: __init__!", "test_größe___init"),
        ("?!", "test_recorded_run"),
    ],
)
async def test_the_test_has_a_name_from_what_the_user_said(said: str, name: str) -> None:
    state = await at_rest(Agent(name="A", model=ScriptedModel([[assistant_message("Hi.")]])), said)
    source = recorded_test(read_recording(state.to_journal(), "run"), Path("test_a.py"), None)

    assert f"def {name}(workflow) -> None:" in source
    compile(source, "test_a.py", "exec")
