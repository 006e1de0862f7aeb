"""Handoffs of a run: which is taken, what the next agent is shown, and what stays on record
(docs/design/behaviour.md, section 6)."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from agentgraph import (
    Agent,
    HandoffInputData,
    ModelBehaviorError,
    RunConfig,
    SQLiteSession,
    UserError,
    handoff,
)
from agentgraph.extensions.handoff_filters import remove_all_tools
from agentgraph.memory.transcripts.histories import legal
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from tests.api.calls import call, echo, script
from tests.api.conftest import Play


def take(name: str, call_id: str = "h1", arguments: Any = "{}") -> Any:
    """The model's call of a handoff."""
    return function_call(name, arguments, call_id=call_id)


def two(*first_replies: Any, entry: Any = None, **settings: Any) -> tuple[Agent[Any], Agent[Any]]:
    """Agents A and B; A hands off to B, by `entry` if it is given."""
    second = Agent(name="B", model=script(answer="from b"))
    replies = first_replies or ([take("transfer_to_b")],)
    listed = second if entry is None else entry(second)
    first = Agent(name="A", model=script(*replies), handoffs=[listed], **settings)
    return first, second


def shown_to(agent: Agent[Any], turn: int = 0) -> list[Any]:
    assert isinstance(agent.model, ScriptedModel)
    items = agent.model.calls[turn].input
    assert isinstance(items, list)
    return list(items)


def roles(items: list[Any]) -> list[str]:
    return [item.get("type") or item["role"] for item in items]


async def test_the_first_of_several_handoffs_counts_and_the_others_are_answered(play: Play) -> None:
    third = Agent(name="C", model=script(answer="from c"))
    first, second = two([take("transfer_to_c", "h1"), take("transfer_to_b", "h2")])
    first.handoffs.append(third)
    played = await play(first)
    assert played.final == "from c"
    assert played.kinds[:4] == [
        "handoff_call_item",
        "handoff_call_item",
        "tool_call_output_item",
        "handoff_output_item",
    ]
    assert "Multiple handoffs" in played.items[2].output
    assert legal(played.result.to_input_list())
    assert isinstance(second.model, ScriptedModel)
    assert second.model.calls == ()


async def test_an_agent_may_hand_over_to_itself(play: Play) -> None:
    agent: Agent[Any] = Agent(name="A", model=script([take("transfer_to_a")], answer="again"))
    agent.handoffs.append(agent)
    played = await play(agent)
    assert played.final == "again"
    arrival = played.items[1]
    assert arrival.source_agent is arrival.target_agent is agent


async def test_two_handoffs_to_one_agent_are_told_apart_by_name(play: Play) -> None:
    taken: list[str] = []
    second = Agent(name="B", model=script(answer="from b"))
    entries: list[Any] = [
        handoff(second, tool_name_override=name, on_handoff=lambda _, name=name: taken.append(name))
        for name in ("calmly", "urgently")
    ]
    first = Agent(name="A", model=script([take("urgently")]), handoffs=entries)
    assert (await play(first)).final == "from b"
    assert taken == ["urgently"]


class Reason(BaseModel):
    """What the model passes along."""

    code: int


@pytest.mark.parametrize("manner", ["sync", "async", "object"])
async def test_on_handoff_gets_the_context_and_the_input_that_the_model_gave(
    play: Play, manner: str
) -> None:
    got: list[Any] = []

    def note(context: Any, reason: Reason) -> None:
        got.append((context.context, reason))

    async def told_later(context: Any, reason: Reason) -> None:
        note(context, reason)

    class Teller:
        async def __call__(self, context: Any, reason: Reason) -> None:
            note(context, reason)

    listeners: dict[str, Any] = {"sync": note, "async": told_later, "object": Teller()}
    listener = listeners[manner]
    first, _ = two(
        [take("transfer_to_b", arguments={"code": 7})],
        entry=lambda agent: handoff(agent, on_handoff=listener, input_type=Reason),
    )
    await play(first, context="mine")
    assert got == [("mine", Reason(code=7))]


@pytest.mark.parametrize("arguments", ["", "{", "null", '{"code": "7"}', "{}"])
async def test_a_handoff_with_bad_input_ends_the_run_where_it_stands(
    play: Play, arguments: str
) -> None:
    called: list[Any] = []
    first, second = two(
        [take("transfer_to_b", arguments=arguments)],
        entry=lambda agent: handoff(
            agent, on_handoff=lambda _, reason: called.append(reason), input_type=Reason
        ),
    )
    with pytest.raises(ModelBehaviorError, match="transfer_to_b") as caught:
        await play(first)
    assert called == []
    assert isinstance(second.model, ScriptedModel)
    assert second.model.calls == ()
    data = caught.value.run_data
    assert data is not None
    assert data.last_agent is first
    assert len(data.raw_responses) == 1


async def test_an_error_in_on_handoff_leaves_the_run_as_it_is(play: Play) -> None:
    def refuse(_: Any) -> None:
        raise PermissionError("not today")

    first, _ = two(entry=lambda agent: handoff(agent, on_handoff=refuse))
    with pytest.raises(PermissionError, match="not today"):
        await play(first)


@pytest.mark.parametrize("asynchronous", [True, False])
async def test_a_handoff_is_on_offer_while_its_flag_says_so(play: Play, asynchronous: bool) -> None:
    asked: list[str] = []

    def decide(context: Any, agent: Any) -> bool:
        asked.append(agent.name)
        return len(asked) == 1

    async def decide_later(context: Any, agent: Any) -> bool:
        return decide(context, agent)

    flag = decide_later if asynchronous else decide
    first, _ = two(
        [call("echo", text="x")],
        entry=lambda agent: handoff(agent, is_enabled=flag),
        tools=[echo],
    )
    await play(first)
    assert isinstance(first.model, ScriptedModel)
    assert [len(asked.handoffs) for asked in first.model.calls] == [1, 0]
    assert asked == ["A", "A"]


async def test_a_handoff_that_is_not_on_offer_cannot_be_taken(play: Play) -> None:
    first, _ = two(entry=lambda agent: handoff(agent, is_enabled=lambda *_: False))
    with pytest.raises(ModelBehaviorError, match="transfer_to_b"):
        await play(first)


def only(text: str) -> Any:
    """A filter that leaves one message."""
    return lambda data: data.clone(input_history=text, pre_handoff_items=(), new_items=())


class Falsy:
    """A filter that is false to `if`."""

    def __bool__(self) -> bool:
        return False

    def __call__(self, data: HandoffInputData) -> HandoffInputData:
        return only("falsy")(data)  # type: ignore[no-any-return]


async def later(data: HandoffInputData) -> HandoffInputData:
    """An async filter."""
    return only("async")(data)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("own", "of_the_run", "left"),
    [
        (None, None, None),
        (None, only("run"), "run"),
        (only("own"), only("run"), "own"),
        (Falsy(), only("run"), "falsy"),
        (later, None, "async"),
    ],
    ids=["none", "run", "own", "falsy", "async"],
)
async def test_the_filter_of_the_handoff_comes_before_that_of_the_run(
    play: Play, own: Any, of_the_run: Any, left: str | None
) -> None:
    session = SQLiteSession("s")
    first, second = two(entry=lambda agent: handoff(agent, input_filter=own))
    config = RunConfig(handoff_input_filter=of_the_run)
    played = await play(first, "the question", run_config=config, session=session)
    if left is None:
        assert roles(shown_to(second)) == ["user", "function_call", "function_call_output"]
    else:
        assert shown_to(second) == [{"role": "user", "content": left}]
        assert played.result.input == left
    # What a filter leaves out is out of the model's sight only.
    assert played.kinds == ["handoff_call_item", "handoff_output_item", "message_output_item"]
    stored = roles(await session.get_items())
    assert stored == ["user", "function_call", "function_call_output", "message"]


@pytest.mark.parametrize(
    ("unusable", "message"),
    [
        (lambda _: None, "must return HandoffInputData, got NoneType"),
        (lambda _: "text", "must return HandoffInputData, got str"),
        ("text", "is not callable: str"),
    ],
)
async def test_a_filter_that_cannot_be_used_names_its_handoff(
    play: Play, unusable: Any, message: str
) -> None:
    def entry(agent: Any) -> Any:
        described = handoff(agent)
        described.input_filter = unusable
        return described

    first, _ = two(entry=entry)
    with pytest.raises(UserError, match=message) as caught:
        await play(first)
    assert "transfer_to_b" in str(caught.value)
    assert caught.value.run_data is not None


async def test_a_filter_sees_history_earlier_turns_and_this_turn_apart(play: Play) -> None:
    seen: list[HandoffInputData] = []

    def look(data: HandoffInputData) -> HandoffInputData:
        seen.append(data)
        return data

    first, second = two(
        [call("echo", text="x")],
        [assistant_message("one moment"), take("transfer_to_b")],
        entry=lambda agent: handoff(agent, input_filter=look),
        tools=[echo],
    )
    session = SQLiteSession("s")
    await session.add_items([{"role": "user", "content": "before"}])
    await play(first, "now", session=session)
    (data,) = seen
    assert isinstance(data.input_history, tuple)
    assert [item["content"] for item in data.input_history] == ["before", "now"]  # type: ignore[typeddict-item]
    assert [item.type for item in data.pre_handoff_items] == [
        "tool_call_item",
        "tool_call_output_item",
    ]
    assert [item.type for item in data.new_items] == [
        "message_output_item",
        "handoff_call_item",
        "handoff_output_item",
    ]
    assert len(shown_to(second)) == 7


async def test_input_items_of_a_filter_are_shown_while_new_items_are_kept(play: Play) -> None:
    first, second = two(
        entry=lambda agent: handoff(agent, input_filter=lambda data: data.clone(input_items=()))
    )
    session = SQLiteSession("s")
    played = await play(first, "question", session=session)
    assert shown_to(second) == [{"role": "user", "content": "question"}]
    assert len(played.items) == 3
    assert len(await session.get_items()) == 4
    assert len(played.result.to_input_list(mode="normalized")) == 2
    assert len(played.result.to_input_list()) == 4


async def test_remove_all_tools_leaves_what_was_said(play: Play) -> None:
    first, second = two(
        [assistant_message("let me see"), call("echo", text="x")],
        [take("transfer_to_b")],
        entry=lambda agent: handoff(agent, input_filter=remove_all_tools),
        tools=[echo],
    )
    await play(first)
    assert roles(shown_to(second)) == ["user", "message"]


async def test_a_nested_history_shows_each_item_once_and_keeps_the_record_whole(play: Play) -> None:
    session = SQLiteSession("s")
    first, second = two([assistant_message("to b it is", item_id="m1"), take("transfer_to_b")])
    third = Agent(name="C", model=script(answer="from c"))
    second.handoffs.append(third)
    second.model = script([take("transfer_to_c", "h2")])
    config = RunConfig(nest_handoff_history=True)
    played = await play(first, "the question", run_config=config, session=session)
    assert played.final == "from c"
    items = shown_to(third)
    summaries = [item["content"] for item in items if item.get("role") == "assistant"]
    text = str(items)
    assert text.count("the question") == 1
    assert text.count("to b it is") == 1
    assert any("<CONVERSATION HISTORY>" in str(summary) for summary in summaries)
    assert played.kinds == [
        "message_output_item",
        "handoff_call_item",
        "handoff_output_item",
        "handoff_call_item",
        "handoff_output_item",
        "message_output_item",
    ]
    assert len(await session.get_items()) == 7
    assert legal(await session.get_items())


async def test_a_handoff_may_nest_where_the_run_does_not_and_the_other_way_round(
    play: Play,
) -> None:
    for of_the_run, own, nested in ((False, True, True), (True, False, False)):
        first, second = two(entry=lambda agent, own=own: handoff(agent, nest_handoff_history=own))
        await play(first, run_config=RunConfig(nest_handoff_history=of_the_run))
        assert ("<CONVERSATION HISTORY>" in str(shown_to(second))) is nested


async def test_with_a_conversation_kept_by_the_server_filters_are_refused_and_nesting_is_off(
    play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    first, _ = two(entry=lambda agent: handoff(agent, input_filter=only("x")))
    with pytest.raises(UserError, match="server keeps this conversation"):
        await play(first, conversation_id="c1")
    first, second = two()
    await play(first, conversation_id="c1", run_config=RunConfig(nest_handoff_history=True))
    assert roles(shown_to(second)) == ["function_call_output"]
    assert "nest_handoff_history is off" in caplog.text


async def test_there_and_back_again_keeps_one_transcript(play: Play) -> None:
    replies = [
        [take("transfer_to_b", "h1")],
        [take("transfer_to_a", "h2")],
        [assistant_message("home")],
    ]
    model = ScriptedModel(replies)
    first: Agent[Any] = Agent(name="A", model=model)
    second: Agent[Any] = Agent(name="B", model=model, handoffs=[first])
    first.handoffs.append(second)
    played = await play(first)
    assert played.result.last_agent is first
    assert [item.agent.name for item in played.items] == ["A", "B", "B", "A", "A"]
    assert legal(played.result.to_input_list())


async def test_a_handoff_object_that_leads_elsewhere_is_refused(play: Play) -> None:
    stray = Agent(name="Stray", model=script())

    def entry(agent: Any) -> Any:
        described = handoff(agent)

        async def lead_astray(*_: Any) -> Any:
            return stray

        described.on_invoke_handoff = lead_astray
        return described

    first, _ = two(entry=entry)
    with pytest.raises(UserError, match="returned agent 'Stray', but it declares agent 'B'"):
        await play(first)
