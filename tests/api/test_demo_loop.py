"""The chat loop: what is read, what is shown, what is remembered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agentgraph import Agent, run_demo_loop
from agentgraph.testing import ScriptedModel, assistant_message, function_call


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the person types, line by line; the input ends after the last."""
    lines: list[str] = []
    waiting: Iterator[str] = iter(lines)

    def read(prompt: str) -> str:
        try:
            return next(waiting)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr("builtins.input", read)
    return lines


@pytest.mark.parametrize("stream", [True, False])
async def test_the_conversation_goes_on_with_the_agent_that_answered(
    typed: list[str], capsys: pytest.CaptureFixture[str], stream: bool
) -> None:
    typed += ["hello", "", "again", "quit", "never read"]
    model = ScriptedModel(
        [
            [function_call("transfer_to_b", {}, call_id="h1")],
            [assistant_message("hi from b")],
            [assistant_message("again from b")],
        ]
    )
    b = Agent(name="B", model=model, instructions="b")
    await run_demo_loop(Agent(name="A", model=model, handoffs=[b]), stream=stream)
    text = capsys.readouterr().out
    assert text.index("hi from b") < text.index("again from b")
    model.assert_complete()
    assert [call.system_instructions for call in model.calls] == [None, "b", "b"]
    assert model.last_call is not None
    said = [item["content"] for item in model.last_call.input if item.get("role") == "user"]
    assert said == ["hello", "again"]


async def test_the_end_of_the_input_ends_the_loop(typed: list[str]) -> None:
    await run_demo_loop(Agent(name="A", model=ScriptedModel([])))
