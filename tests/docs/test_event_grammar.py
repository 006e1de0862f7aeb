"""The order of stream events, as docs/streaming.md states it, holds for every run."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgraph import Agent, Runner, StreamEvent, function_tool
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from tests.docs.event_grammar import is_word

U, R, MESSAGE = "agent_updated", "raw_response", "message_output_created"
CALL, OUTPUT = "tool_called", "tool_output"
HANDOFF, HANDED = "handoff_requested", "handoff_occured"


@pytest.mark.parametrize(
    ("names", "verdict"),
    [
        ([U, R, R, MESSAGE], True),
        ([U, R, CALL, CALL, OUTPUT, OUTPUT, R, MESSAGE], True),
        ([U, R, HANDOFF, HANDOFF, OUTPUT, HANDED, U, R, MESSAGE], True),
        ([R, U, MESSAGE], False),
        ([U, R, OUTPUT, CALL], False),
        ([U, R, HANDOFF, HANDED, R, U, MESSAGE], False),
        ([U, R, HANDED, MESSAGE], False),
        ([U, "tool_output_created"], False),
    ],
)
def test_the_grammar_tells_a_right_order_from_a_wrong_one(
    names: Iterable[str], verdict: bool
) -> None:
    assert is_word(names) is verdict


# A reply of the model in the letters of this test: a message, a call of a tool, a handoff.
replies = st.lists(
    st.text("mth", max_size=4).filter(lambda letters: "t" in letters or "h" in letters), max_size=5
)


def script_of(turns: list[str]) -> list[list[Any]]:
    """The output items of each reply; the last reply is a message that ends the run."""
    ids = count(1)
    other = "ab"
    script = []
    for letters in turns:
        items = [item_of(letter, next(ids), other[1]) for letter in letters]
        if "h" in letters:
            other = other[::-1]
        script.append(items)
    return [*script, [assistant_message("the end")]]


def item_of(letter: str, number: int, target: str) -> Any:
    match letter:
        case "m":
            return assistant_message(f"message {number}", item_id=f"m{number}")
        case "t":
            return function_call("double", {"number": number}, call_id=f"c{number}")
        case _:
            return function_call(f"transfer_to_{target}", {}, call_id=f"c{number}")


def two_agents(model: ScriptedModel) -> Agent[Any]:
    """Agents `a` and `b`, each with a tool and a handoff to the other."""

    @function_tool
    async def double(number: int) -> int:
        return 2 * number

    first: Agent[Any] = Agent(name="a", model=model, tools=[double])
    second: Agent[Any] = Agent(name="b", model=model, tools=[double], handoffs=[first])
    first.handoffs.append(second)
    return first


def name_of(event: StreamEvent) -> str:
    match event.type:
        case "agent_updated_stream_event":
            return U
        case "raw_response_event":
            return R
        case "run_item_stream_event":
            return event.name


@given(replies)
async def test_every_run_is_a_word_of_the_grammar(turns: list[str]) -> None:
    result = Runner.run_streamed(two_agents(ScriptedModel(script_of(turns))), "go")
    events = [event async for event in result.stream_events()]
    names = [name_of(event) for event in events]
    assert is_word(names), names
    assert names.count(U) == 1 + sum("h" in turn for turn in turns)
    items = [event.item for event in events if event.type == "run_item_stream_event"]
    assert [id(item) for item in items] == [id(item) for item in result.new_items]


@given(replies)
async def test_a_run_has_the_same_items_in_the_same_order_when_it_is_not_streamed(
    turns: list[str],
) -> None:
    plain = await Runner.run(two_agents(ScriptedModel(script_of(turns))), "go")
    streamed = Runner.run_streamed(two_agents(ScriptedModel(script_of(turns))), "go")
    async for _ in streamed.stream_events():
        pass
    assert [item.type for item in plain.new_items] == [item.type for item in streamed.new_items]
    assert plain.to_input_list() == streamed.to_input_list()
