"""What a caller wrote twice is sent once, in its latest form, and every output stays behind its
call."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgraph import Agent, RunConfig, Runner, SQLiteSession
from agentgraph.memory.transcripts.automaton import ANSWERED_BY, CALL_OF, kind_of
from agentgraph.memory.transcripts.repeats import without_repeats
from agentgraph.run_config import ModelInputData
from agentgraph.testing import ScriptedModel, assistant_message


def said(text: str) -> Any:
    return {"role": "user", "content": text}


def asked(arguments: str = "{}", call_id: str = "c") -> Any:
    return {"type": "function_call", "call_id": call_id, "name": "f", "arguments": arguments}


def gave(output: str = "x", call_id: str = "c") -> Any:
    return {"type": "function_call_output", "call_id": call_id, "output": output}


def thought(id: str = "r") -> Any:
    return {"type": "reasoning", "id": id, "summary": []}


def searched(query: str = "q") -> Any:
    return {"type": "web_search_call", "id": "w", "action": {"type": "search", "query": query}}


REFERENCE: Any = {"type": "item_reference", "id": "z"}
REQUEST: Any = {"type": "mcp_approval_request", "id": "a", "name": "n", "server_label": "s"}


def reply(approve: bool) -> Any:
    return {"type": "mcp_approval_response", "approval_request_id": "a", "approve": approve}


class Unusual(dict[str, Any]):
    """An item that the fast check leaves to the full one."""


@given(
    st.lists(
        st.one_of(
            st.builds(said, st.sampled_from("ab")),
            st.builds(asked, call_id=st.sampled_from(["c", "d", ""])),
            st.builds(gave, call_id=st.sampled_from(["c", "d", "e"])),
            st.sampled_from([thought(), searched(), REFERENCE, REQUEST, {"type": "message"}]),
        ),
        max_size=6,
    )
)
def test_the_fast_check_and_the_full_one_leave_the_same_items(items: list[Any]) -> None:
    assert without_repeats(items) == without_repeats([Unusual(item) for item in items])


@pytest.mark.parametrize(
    ("items", "left"),
    [
        ([asked(), gave(), asked(), gave()], [asked(), gave()]),
        ([asked(), gave("1"), gave("2")], [asked(), gave("2")]),
        ([asked(), asked('{"a":1}'), gave()], [asked('{"a":1}'), gave()]),
        (
            [asked(), said("1"), gave("1"), said("2"), asked(), gave("2"), said("3")],
            [asked(), said("1"), said("2"), gave("2"), said("3")],
        ),
        (
            [thought(), asked(), gave(), said("1"), thought(), asked(call_id="d")],
            [thought(), asked(), gave(), said("1"), asked(call_id="d")],
        ),
        ([searched("1"), said("1"), searched("2")], [said("1"), searched("2")]),
        ([REFERENCE, said("1"), dict(REFERENCE)], [said("1"), REFERENCE]),
        (
            [REQUEST, said("1"), reply(False), dict(REQUEST), reply(True)],
            [REQUEST, said("1"), reply(True)],
        ),
    ],
)
def test_of_equal_items_the_latest_is_left(items: list[Any], left: list[Any]) -> None:
    assert without_repeats(items) == left


@pytest.mark.parametrize(
    "items",
    [
        [said("1"), said("1")],
        [{"role": "assistant", "id": "m", "content": "1"}] * 2,
        [asked(), gave(), {**asked(), "type": "custom_tool_call", "input": ""}],
        [thought("__fake_id__"), asked(), gave(), thought("__fake_id__"), asked(call_id="d")],
        [asked(call_id=""), gave(call_id=""), asked(call_id=""), gave(call_id="")],
        [{"type": "of a later API"}] * 2,
    ],
)
def test_what_has_no_id_of_its_own_is_said_as_often_as_it_was(items: list[Any]) -> None:
    assert without_repeats(items) is items


IDS = st.sampled_from(["c", "d"])
ITEMS = st.one_of(
    st.builds(said, st.sampled_from("ab")),
    st.builds(asked, st.sampled_from(["{}", '{"a":1}']), IDS),
    st.builds(gave, st.sampled_from("xy"), IDS),
    st.builds(thought, IDS),
    st.just(REFERENCE),
)


@given(st.lists(ITEMS, max_size=12))
def test_nothing_is_there_twice_and_nothing_is_lost(items: list[Any]) -> None:
    left = without_repeats(items)
    assert without_repeats(left) is left

    def names(of: list[Any]) -> set[tuple[Any, ...]]:
        return {(kind_of(it), it.get("call_id"), it.get("id"), it.get("content")) for it in of}

    assert names(left) == names(items)
    calls = [it["call_id"] for it in left if kind_of(it) in ANSWERED_BY]
    for place, item in enumerate(left):
        if kind_of(item) in CALL_OF and item["call_id"] in calls:
            first = min(at for at, it in enumerate(items) if it.get("call_id") == item["call_id"])
            if kind_of(items[first]) in ANSWERED_BY:
                assert any(
                    kind_of(it) in ANSWERED_BY and it["call_id"] == item["call_id"]
                    for it in left[:place]
                )


PAIR = [asked(), gave()]


def speaker() -> tuple[Agent[Any], ScriptedModel]:
    model = ScriptedModel([[assistant_message("done")]])
    return Agent(name="A", model=model), model


async def test_a_run_sends_what_its_input_holds_twice_once() -> None:
    agent, model = speaker()
    items = [said("1"), *PAIR, *PAIR]
    result = await Runner.run(agent, items)
    assert model.calls[0].input == [said("1"), *PAIR]
    assert result.to_input_list()[:5] == items  # the input is the caller's own


async def test_a_run_sends_and_stores_it_once_where_it_has_a_session() -> None:
    agent, model = speaker()
    session = SQLiteSession("s")
    await Runner.run(agent, [*PAIR, *PAIR], session=session)
    assert model.calls[0].input == PAIR
    assert (await session.get_items())[:-1] == PAIR


async def test_what_a_filter_of_the_input_gives_twice_is_sent_once() -> None:
    def twice(asking: Any) -> ModelInputData:
        data = asking.model_data
        return ModelInputData([*data.input, *data.input], data.instructions)

    agent, model = speaker()
    await Runner.run(agent, PAIR, run_config=RunConfig(call_model_input_filter=twice))
    assert model.calls[0].input == PAIR


async def test_what_a_session_callback_gives_twice_is_sent_once() -> None:
    agent, model = speaker()
    config = RunConfig(session_input_callback=lambda history, new: [*new, *new])
    await Runner.run(agent, PAIR, session=SQLiteSession("s"), run_config=config)
    assert model.calls[0].input == PAIR
