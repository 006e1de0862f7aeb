"""Whatever a model replies, what a run shows it next and writes to its session is legal."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import ResponseFunctionWebSearch, ResponseReasoningItem

from agentgraph import Agent, Runner, SQLiteSession, function_tool
from agentgraph.exceptions import AgentsException, UserError
from agentgraph.memory.transcripts.histories import legal, violations
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from tests.api.conftest import Play


@function_tool
async def work(note: str = "") -> str:
    """Do what works."""
    return "done"


@function_tool(failure_error_function=None)
async def fail(note: str = "") -> str:
    """Raise."""
    raise ValueError("broken")


@function_tool(needs_approval=True)
async def ask(note: str = "") -> str:
    """Do what a person has to allow."""
    return "allowed"


TOOLS = [work, fail, ask]


def reasoning(identity: str = "rs_1") -> Any:
    return ResponseReasoningItem(id=identity, type="reasoning", summary=[])


def searched(identity: str = "ws_1") -> Any:
    action: Any = {"type": "search", "query": "x"}
    return ResponseFunctionWebSearch(
        id=identity, type="web_search_call", status="completed", action=action
    )


def clerk(*replies: list[Any]) -> tuple[Agent[Any], ScriptedModel]:
    model = ScriptedModel([*replies, [assistant_message("ok")]])
    return Agent(name="Clerk", model=model, tools=list(TOOLS)), model


def inputs_of(model: ScriptedModel) -> list[list[Any]]:
    return [list(call.input) for call in model.calls if not isinstance(call.input, str)]


async def test_reasoning_behind_a_call_is_left_out_and_nothing_else(play: Play) -> None:
    agent, model = clerk([function_call("work", {}, call_id="c"), reasoning()])
    session = SQLiteSession("s")

    await play(agent, session=session)

    kinds = ["message", "function_call", "function_call_output"]
    assert [item.get("type", "message") for item in inputs_of(model)[1]] == kinds
    stored = await session.get_items()
    assert legal(stored)
    assert [item.get("type", "message") for item in stored] == [*kinds, "message"]
    session.close()


async def test_of_two_calls_of_one_item_id_the_one_that_worked_is_kept() -> None:
    agent, _ = clerk(
        [
            function_call("fail", {}, call_id="a", item_id="fc"),
            function_call("work", {}, call_id="b", item_id="fc"),
        ]
    )
    session = SQLiteSession("s")

    with pytest.raises(UserError, match="fail"):
        await Runner.run(agent, "q", session=session)

    stored: list[Any] = await session.get_items()
    assert legal(stored)
    assert [item.get("call_id") for item in stored] == [None, "b", "b"]
    session.close()


async def test_reasoning_that_ends_a_reply_stays_away_from_what_the_next_one_says(
    play: Play,
) -> None:
    asked = [function_call("ask", {}, call_id="c")]
    agent, model = clerk([searched(), reasoning()], asked)

    played = await play(agent)
    state = played.result.to_state()
    state.approve(state.get_interruptions()[0])
    await play(agent, state)

    kinds = [[item.get("type", "message") for item in items] for items in inputs_of(model)]
    assert kinds[1:] == [
        ["message", "web_search_call"],
        ["message", "web_search_call", "function_call", "function_call_output"],
    ]


IDS = st.sampled_from(["x", "y", "z"])
NAMES = st.sampled_from(["work", "work", "ask", "fail"])
REPLY_ITEMS = st.one_of(
    st.tuples(NAMES, IDS),
    st.tuples(st.just("reasoning"), IDS),
    st.tuples(st.just("searched"), IDS),
    st.tuples(st.just("said"), IDS),
)


def _items(number: int, reply: list[tuple[str, str]]) -> list[Any]:
    """A reply whose item ids are used again, each call under a call id of its own."""
    items: list[Any] = []
    for at, (kind, identity) in enumerate(reply):
        match kind:
            case "reasoning":
                items.append(reasoning(identity))
            case "searched":
                items.append(searched(identity))
            case "said":
                items.append(assistant_message("Well.", item_id=identity))
            case name:
                call_id = f"c{number}.{at}"
                items.append(function_call(name, {}, call_id=call_id, item_id=identity))
    return items


@given(
    replies=st.lists(st.lists(REPLY_ITEMS, min_size=1, max_size=5), min_size=1, max_size=3),
    approvals=st.lists(st.booleans(), max_size=6),
    goes_on=st.booleans(),
    streamed=st.booleans(),
)
async def test_whatever_a_model_replies_what_it_is_shown_and_what_is_stored_is_legal(
    replies: list[list[tuple[str, str]]], approvals: list[bool], goes_on: bool, streamed: bool
) -> None:
    agent, model = clerk(*(_items(number, reply) for number, reply in enumerate(replies)))
    session = SQLiteSession("s")
    given_on: Any = "q"
    worked: set[str] = set()
    for approve in [*approvals, True]:
        try:
            played = await Play(streamed)(agent, given_on, session=session)
        except AgentsException:
            break
        items = played.result.new_items
        worked |= {item.call_id for item in items if item.type == "tool_call_output_item"}
        stored: list[Any] = await session.get_items()
        assert violations(stored) == []
        assert worked <= {item.get("call_id") for item in stored}
        if not played.result.interruptions or not goes_on:
            break
        given_on = played.result.to_state()
        for waiting in given_on.get_interruptions()[:1]:
            (given_on.approve if approve else given_on.reject)(waiting)

    # After whatever ended it, the next run finds nothing to mend.
    stored = await session.get_items()
    assert violations(stored) == []
    for items in inputs_of(model):
        assert violations(items) == []
    session.close()
