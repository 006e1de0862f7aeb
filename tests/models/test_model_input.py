"""A model converts only what is new in the input of a turn."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgraph import Agent, Runner, UserError
from agentgraph.items.model_input import ModelInput, conversion
from agentgraph.models import responses_model
from agentgraph.models.chat_messages import chat_messages
from agentgraph.testing import ScriptedModel, assistant_message

USER = {"role": "user", "content": "go"}
CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}", "id": None}
OUTPUT = {"type": "function_call_output", "call_id": "c", "output": "done"}
PICTURE = {
    "type": "function_call_output",
    "call_id": "c",
    "output": [{"type": "input_image", "image_url": "https://example.com/a.png"}],
}
WORDS = {"role": "assistant", "content": "words"}
KINDS = (USER, CALL, OUTPUT, PICTURE, WORDS)


@given(st.lists(st.lists(st.sampled_from(KINDS), max_size=4), max_size=5))
def test_an_input_that_grows_has_the_conversion_of_the_whole(turns: list[list[Any]]) -> None:
    conversions: Any = {}
    items: list[Any] = []
    for turn in turns:
        items += turn
        grown = ModelInput(items, conversions)
        assert chat_messages(grown, model="m") == chat_messages(list(items), model="m")
        assert responses_model._request_input(grown) == responses_model._request_input(list(items))


def test_only_new_items_are_converted() -> None:
    conversions: Any = {}
    added: list[int] = []

    def add(made: list[Any], items: list[Any]) -> None:
        added.append(len(items))
        made += items

    for length in (1, 3, 1_000, 1_002):
        conversion(ModelInput([USER] * length, conversions), "key", list[Any], add)
    assert added == [1, 2, 997, 2]


@pytest.mark.parametrize("change", ["another beginning", "shorter", "an item changed"])
def test_an_input_with_another_beginning_is_converted_anew(change: str) -> None:
    conversions: Any = {}
    first = [dict(USER), dict(WORDS), dict(USER)]
    chat_messages(ModelInput(first, conversions), model="m")
    other = {
        "another beginning": [dict(WORDS), *first],
        "shorter": first[:1],
        "an item changed": [{**USER, "content": "stop"}, *first[1:]],
    }[change]
    assert chat_messages(ModelInput(other, conversions), model="m") == chat_messages(
        list(other), model="m"
    )


def test_an_item_that_cannot_be_converted_leaves_nothing_behind() -> None:
    conversions: Any = {}
    wrong: Any = {"type": "computer_call", "call_id": "c"}
    for _ in range(2):
        with pytest.raises(UserError, match="computer_call"):
            chat_messages(ModelInput([USER, wrong], conversions), model="m")
    assert conversions == {}


async def test_a_model_gets_a_list_and_its_copies_are_plain() -> None:
    seen: list[Any] = []

    async def reply(call: Any) -> Any:
        seen.append(call.input)
        return [assistant_message("done")]

    await Runner.run(Agent(name="A", model=ScriptedModel(reply)), "go")
    assert seen == [[USER]]
    shared = ModelInput([USER], {"key": ([], None)})
    for copied in (copy.copy(shared), copy.deepcopy(shared), pickle.loads(pickle.dumps(shared))):
        assert type(copied) is list
        assert copied == [USER]
