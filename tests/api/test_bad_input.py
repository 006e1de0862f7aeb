"""Bad input: whatever is wrong with an agent, an input, an option or a reply, it is said by name,
before a model is called where that can be known (issue "The spine", "Bad input")."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import BaseModel

from agentgraph import (
    Agent,
    AgentsException,
    CompileError,
    GuardrailFunctionOutput,
    InputGuardrail,
    ModelBehaviorError,
    ModelResponse,
    RunConfig,
    Runner,
    SQLiteSession,
    Usage,
    UserError,
    function_tool,
    handoff,
)
from agentgraph.items import ItemHelpers
from agentgraph.models.interface import Model
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from tests.api.calls import call, echo, script, told
from tests.api.conftest import Play


@pytest.mark.parametrize("source", [None, "A", 3, Agent, object()])
async def test_what_is_no_agent_is_not_run(play: Play, source: Any) -> None:
    with pytest.raises(UserError, match="Expected an Agent or a Workflow"):
        await play(source)


@pytest.mark.parametrize("user_input", [None, {}, 3, b"go", ("go",), {"role": "user"}])
async def test_what_is_no_input_is_refused(play: Play, user_input: Any) -> None:
    model = script()
    with pytest.raises(UserError, match="a text or a list of items"):
        await play(Agent(name="A", model=model), user_input)
    assert model.calls == ()


@pytest.mark.parametrize("item", [None, 3, ["go"], object()])
async def test_an_item_that_is_none_is_named_by_its_place(play: Play, item: Any) -> None:
    with pytest.raises(UserError, match=r"input\[1\] is a"):
        await play(Agent(name="A", model=script()), ["hello", item])


async def test_run_items_as_input_are_answered_with_advice(play: Play) -> None:
    agent = Agent(name="A", model=ScriptedModel(lambda _: [assistant_message("ok")]))
    first = await play(agent)
    with pytest.raises(UserError, match=r"result\.to_input_list\(\)"):
        await play(agent, first.items)
    again = await play(agent, [*first.result.to_input_list(), "and now?"])
    assert again.final == "ok"


async def test_messages_of_the_client_and_plain_strings_are_input(play: Play) -> None:
    model = script()
    await play(Agent(name="A", model=model), ["hello", assistant_message("hi"), "and now?"])
    assert [item["role"] for item in _sent(model)] == ["user", "assistant", "user"]


async def test_no_input_at_all_is_an_input(play: Play) -> None:
    user_input: Any
    for user_input in ("", []):
        assert (await play(Agent(name="A", model=script()), user_input)).final == "done"


def _sent(model: ScriptedModel) -> list[Any]:
    assert isinstance(model.calls[0].input, list)
    return list(model.calls[0].input)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"run_config": 3}, "run_config must be a RunConfig"),
        ({"run_config": {"nope": 1}}, "RunConfig has no setting 'nope'"),
        ({"hooks": object()}, "hooks must be RunHooks"),
        ({"max_turns": "3"}, "max_turns must be a whole number"),
        ({"max_turns": 2.5}, "max_turns must be a whole number"),
        ({"session": "s1"}, "session must be a Session"),
        ({"error_handlers": [1]}, "error_handlers must be a dictionary"),
        ({"error_handlers": {"nope": print}}, "error_handlers has no kind 'nope'"),
        ({"error_handlers": {"max_turns": 3}}, r"error_handlers\['max_turns'\] must be callable"),
    ],
)
async def test_an_option_that_cannot_work_is_refused_before_anything_runs(
    play: Play, options: dict[str, Any], message: str
) -> None:
    model = script()
    with pytest.raises(UserError, match=message):
        await play(Agent(name="A", model=model), **options)
    assert model.calls == ()


async def test_an_error_in_the_workflow_is_said_before_anything_runs(play: Play) -> None:
    model, session = script(), SQLiteSession("s")
    agent = Agent(name="A", model=model, tools=[echo, echo])
    with pytest.raises(CompileError, match="echo") as caught:
        await play(agent, session=session)
    assert caught.value.diagnostics
    assert model.calls == ()
    assert await session.get_items() == []


@pytest.mark.parametrize("entry", ["B", 3, None, Agent])
async def test_an_entry_of_handoffs_that_is_no_agent_is_refused(entry: Any) -> None:
    with pytest.raises(UserError, match="handoffs"):
        Agent(name="A", handoffs=[entry])


@pytest.mark.parametrize("arguments", ["{", "[]", "null", '{"text": 3}', '{"other": "x"}', ""])
async def test_the_model_is_told_of_arguments_that_cannot_be_read(
    play: Play, arguments: str
) -> None:
    model = script([function_call("echo", arguments, call_id="c1")])
    played = await play(Agent(name="A", model=model, tools=[echo]))
    assert played.final == "done"
    assert "rror" in told(model)["c1"]


async def test_a_tool_that_nobody_has_ends_the_run_with_what_was_done(play: Play) -> None:
    model = ScriptedModel([[call("echo", text="x")], [call("absent", "c2")]])
    with pytest.raises(ModelBehaviorError, match="Tool absent not found in agent A") as caught:
        await play(Agent(name="A", model=model, tools=[echo]))
    data = caught.value.run_data
    assert data is not None
    assert [item.type for item in data.new_items] == ["tool_call_item", "tool_call_output_item"]
    assert data.context_wrapper.usage.requests == 2


class Answer(BaseModel):
    """A structured final output."""

    number: int


@pytest.mark.parametrize("text", ["no json", '{"number": "many"}', "[]", "{}"])
async def test_an_output_that_is_not_of_the_type_ends_the_run(play: Play, text: str) -> None:
    agent = Agent(name="A", model=script(answer=text), output_type=Answer)
    with pytest.raises(ModelBehaviorError, match="Answer") as caught:
        await play(agent)
    assert caught.value.run_data is not None
    assert len(caught.value.run_data.raw_responses) == 1


class Giving(Model):
    """A third party's model that returns whatever it is made with."""

    def __init__(self, *replies: Any) -> None:
        self.replies = list(replies)

    async def get_response(self, *args: Any, **kwargs: Any) -> Any:
        return self.replies.pop(0)

    async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        for event in self.replies.pop(0) or ():
            yield event


@pytest.mark.parametrize("reply", [None, "text", ModelResponse(None, Usage(), None)])  # type: ignore[arg-type]
async def test_a_model_that_returns_nothing_is_told_so(reply: Any) -> None:
    with pytest.raises(ModelBehaviorError, match="model of agent 'A' gave no response") as caught:
        await Runner.run(Agent(name="A", model=Giving(reply)), "go")
    assert caught.value.run_data is not None


async def test_a_stream_without_an_end_is_no_response() -> None:
    result = Runner.run_streamed(Agent(name="A", model=Giving(None)), "go")
    with pytest.raises(ModelBehaviorError, match="did not produce a final response"):
        async for _ in result.stream_events():
            pass


async def test_a_reply_without_items_is_an_empty_answer(play: Play) -> None:
    assert (await play(Agent(name="A", model=ScriptedModel([[]])))).final == ""


def as_dicts(*items: Any) -> ModelResponse:
    return ModelResponse([item.model_dump() for item in items], Usage(requests=1), None)


async def test_a_model_may_give_its_items_as_dictionaries() -> None:
    model = Giving(
        as_dicts(call("echo", "c1", text="x"), function_call("transfer_to_b", {}, call_id="h1")),
        as_dicts(assistant_message("from b")),
    )
    second = Agent(name="B", model=model)
    agent = Agent(name="A", model=model, tools=[echo], handoffs=[second])
    result = await Runner.run(agent, "go")
    assert result.final_output == "from b"
    assert ItemHelpers.text_message_outputs(result.new_items) == "from b"
    assert result.last_agent is second
    kinds = [item.get("type") for item in result.to_input_list()]
    assert kinds.count("function_call") == kinds.count("function_call_output") == 2


async def test_a_dictionary_that_lacks_what_its_item_has_is_named() -> None:
    broken: Any = {"type": "function_call", "name": "echo", "call_id": "c1", "id": 7}
    model = Giving(ModelResponse([broken], Usage(), None))
    with pytest.raises(ModelBehaviorError, match="of type 'function_call' whose fields"):
        await Runner.run(Agent(name="A", model=model, tools=[echo]), "go")


async def test_an_item_of_a_kind_that_nobody_knows_is_kept_as_it_is() -> None:
    unknown: Any = {"type": "telepathy_call", "id": "t1"}
    reply = ModelResponse([unknown, assistant_message("read")], Usage(), None)
    result = await Runner.run(Agent(name="A", model=Giving(reply)), "go")
    assert result.final_output == "read"
    assert result.new_items[0].raw_item == unknown


async def test_a_model_that_counts_no_usage_is_no_reason_to_fail() -> None:
    reply = ModelResponse([assistant_message("free")], None, None)  # type: ignore[arg-type]
    result = await Runner.run(Agent(name="A", model=Giving(reply)), "go")
    assert result.final_output == "free"


async def test_a_handoff_that_the_model_fills_in_wrongly_ends_the_run(play: Play) -> None:
    second = Agent(name="B", model=script())
    entry = handoff(second, input_type=Answer, on_handoff=lambda *_: None)
    model = ScriptedModel([[function_call("transfer_to_b", '{"number": "x"}', call_id="h1")]])
    with pytest.raises(ModelBehaviorError, match="transfer_to_b") as caught:
        await play(Agent(name="A", model=model, handoffs=[entry]))
    assert caught.value.run_data is not None


async def test_a_tool_whose_errors_are_not_handled_ends_the_run_and_is_named(play: Play) -> None:
    @function_tool(failure_error_function=None)
    async def broken() -> str:
        raise ValueError("no")

    agent = Agent(name="A", model=script([call("broken")]), tools=[broken])
    with pytest.raises(UserError, match="Error running tool broken of agent A: no") as caught:
        await play(agent)
    assert isinstance(caught.value.__cause__, ValueError)
    assert caught.value.run_data is not None


async def test_what_a_guardrail_raises_leaves_with_the_run_on_it(play: Play) -> None:
    async def broken(*_: Any) -> GuardrailFunctionOutput:
        raise AgentsException("no verdict")

    config = RunConfig(input_guardrails=[InputGuardrail(broken)])
    agent = Agent(name="A", model=script())
    with pytest.raises(AgentsException, match="no verdict") as caught:
        await play(agent, run_config=config)
    assert caught.value.run_data is not None
    assert caught.value.run_data.last_agent is agent


async def test_outside_an_event_loop_a_streamed_run_is_refused_and_leaves_nothing() -> None:
    import asyncio

    agent = Agent(name="A", model=script())

    def begin() -> None:
        with pytest.raises(RuntimeError, match="no running event loop"):
            Runner.run_streamed(agent, "go")

    await asyncio.to_thread(begin)


async def test_an_entry_put_into_handoffs_later_is_refused_at_the_run(play: Play) -> None:
    model = script()
    agent: Agent[Any] = Agent(name="A", model=model)
    entry: Any = "B"
    agent.handoffs.append(entry)
    with pytest.raises(UserError, match="'A'"):
        await play(agent)
    assert model.calls == ()
