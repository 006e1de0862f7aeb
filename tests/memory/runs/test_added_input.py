"""Input that is added while a run rests stands after the items of the turn that is under way."""

from __future__ import annotations

from agentgraph import Agent
from agentgraph.items import ToolCallItem, ToolCallOutputItem
from agentgraph.memory.runs.transcript import Transcript
from tests.memory.stores import Item
from tests.memory.transcripts.items import USER, call, output

MORE: Item = {"role": "user", "content": "and more"}


def types_of(transcript: Transcript) -> list[str]:
    return [item.type for item in transcript.new_items]


def test_a_turn_without_items_begins_anew_with_the_input() -> None:
    transcript = Transcript("hello", [USER])

    transcript.add_input([MORE])

    assert types_of(transcript) == ["input_item"]
    assert transcript.turn_start == 1


def test_a_turn_with_items_keeps_its_place_and_the_input_waits_for_the_next_one() -> None:
    transcript = Transcript("hello", [USER])
    agent = Agent("Desk")
    transcript.append([ToolCallItem(agent=agent, raw_item=call("c"))])

    transcript.add_input([MORE])

    assert types_of(transcript) == ["tool_call_item"]
    assert transcript.turn_start == 0

    transcript.append([ToolCallOutputItem(agent=agent, raw_item=output("c"), output="done")])
    transcript.begin_turn()

    assert types_of(transcript) == ["tool_call_item", "tool_call_output_item", "input_item"]
    assert transcript.turn_start == 3
