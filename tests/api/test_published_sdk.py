"""The same workflows on the published SDK (recorded) and here give the same items, events, hooks
and history.

``goldens/published_sdk.json`` was recorded from openai-agents 0.24 by ``record_scenarios.py``.
Where we differ on purpose the difference is listed below with its reason, and the test holds us to
exactly these.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from agentgraph.drivers.work import retries

_HERE = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("scenarios", _HERE / "scenarios.py")
assert _spec is not None
assert _spec.loader is not None
scenarios = importlib.util.module_from_spec(_spec)
sys.modules["scenarios"] = scenarios
_spec.loader.exec_module(scenarios)

PUBLISHED: dict[str, Any] = json.loads((_HERE / "goldens" / "published_sdk.json").read_text())

ON_PURPOSE = {
    # A filter changes what the model sees; the log of the run keeps everything that was emitted.
    "handoff_with_a_filter": {"items", "to_input_list", "events"},
    # Every AgentsException that leaves a run carries its data.
    "invalid_structured_output": {"run_data"},
    "a_filter_that_returns_nothing": {"run_data"},
    "handoff_with_bad_input": {"run_data"},
    # A response that came is listed, whatever became of its turn.
    "an_error_inside_a_nested_run": {"run_data"},
    # `result.input` is what the caller passed, with a session too (docs/design/behaviour.md,
    # section 2).
    "callback_that_leaves_the_history_out": {"to_input_list"},
    # The model is told what is wrong with its JSON (docs/design/behaviour.md, section 8).
    "malformed_tool_arguments": {"to_input_list"},
    # A call that waits has no output yet, and a call without one is no legal input.
    "a_custom_tool_that_waits_for_approval": {"to_input_list"},
    # The message names the agent.
    "unknown_tool_is_answered": {"to_input_list"},
}
STREAMED_ON_PURPOSE = {
    # The published SDK waits for the model for ever; here a trip cancels it.
    "parallel_input_guardrail_trips": {"raised", "run_data", "events", "session"},
    # The input is stored before anything can fail, as it is there in a plain run.
    "no_turns_at_all": {"session"},
    "input_guardrail_that_fails": {"session"},
}


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("name", scenarios.SCENARIOS)
async def test_a_workflow_behaves_as_on_the_published_sdk(
    monkeypatch: pytest.MonkeyPatch, name: str, streamed: bool
) -> None:
    monkeypatch.setattr(retries, "WAITS_FOR_LOCK", (0.0, 0.0, 0.0))
    published = PUBLISHED[name]["streamed" if streamed else "plain"]
    ours = await scenarios.observe(
        scenarios.package("agentgraph"), scenarios.SCENARIOS[name], streamed=streamed
    )
    ours = json.loads(json.dumps(ours))
    differing = {key for key in {*published, *ours} if published.get(key) != ours.get(key)}
    meant = ON_PURPOSE.get(name, set())
    if streamed:
        meant = meant | STREAMED_ON_PURPOSE.get(name, set())
    assert differing == (meant & {*published, *ours}), {
        key: (published.get(key), ours.get(key)) for key in differing - meant
    }


async def test_a_tripped_guardrail_ends_a_streamed_run_although_the_model_never_replies() -> None:
    make = scenarios.SCENARIOS["parallel_input_guardrail_trips"]
    ours = await scenarios.observe(scenarios.package("agentgraph"), make, streamed=True)
    assert ours["raised"] == "InputGuardrailTripwireTriggered"
    assert ours["session"] == [["message", "user", "go"]]
