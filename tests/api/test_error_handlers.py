"""What an error handler answers is the final output as it is, and a reply that says nothing where a
structured output was asked for reaches the handler of invalid ones."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.responses import ResponseFunctionWebSearch
from pydantic import BaseModel, Field

from agentgraph import (
    Agent,
    AgentOutputSchema,
    GuardrailFunctionOutput,
    MaxTurnsExceeded,
    ModelBehaviorError,
    RunErrorHandlerResult,
    RunHooks,
    Runner,
    RunState,
    UserError,
    output_guardrail,
)
from agentgraph.testing import ScriptedModel, assistant_message
from tests.api.calls import agent_with, call, echo
from tests.api.conftest import Play


class Answer(BaseModel):
    number: int = 0
    note: str = Field(default="none", alias="Note")


def busy(output_type: Any = None) -> Any:
    """An agent that never comes to an end."""
    model = ScriptedModel(lambda _: [call("echo", text="x")])
    return agent_with(model, echo, output_type=output_type)


def written(played: Any) -> str:
    """The text of the message that stands for the answer."""
    return str(played.items[-1].raw_item.content[0].text)


async def answered(play: Play, agent: Any, answer: Any, **options: Any) -> Any:
    handlers = {"max_turns": lambda _: answer}
    return await play(agent, max_turns=1, error_handlers=handlers, **options)


@pytest.mark.parametrize(
    "answer", [{"a": 1}, {}, [1], 5, 0, False, "", {"include_in_history": False}, Answer()]
)
async def test_a_bare_answer_of_an_agent_of_text_stays_what_it_is(play: Play, answer: Any) -> None:
    seen: list[Any] = []

    @output_guardrail
    async def guard(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
        seen.append(output)
        return GuardrailFunctionOutput(None, False)

    class Hooks(RunHooks[Any]):
        async def on_agent_end(self, context: Any, agent: Any, output: Any) -> None:
            seen.append(output)

    agent = busy()
    agent.output_guardrails = [guard]
    played = await answered(play, agent, answer, hooks=Hooks())
    assert played.final is answer
    assert all(one is answer for one in seen)
    assert len(seen) == 2
    assert written(played) == str(answer)


@pytest.mark.parametrize("output", [{"a": 1}, None])
async def test_the_output_of_a_result_stays_what_it_is(play: Play, output: Any) -> None:
    for answer in (RunErrorHandlerResult(output), {"final_output": output}):
        played = await answered(play, busy(), answer)
        assert (played.final, written(played)) == (output, str(output))


async def test_an_answer_is_the_same_in_a_state_that_was_stored() -> None:
    agent = busy()
    result = await Runner.run(
        agent, "go", max_turns=1, error_handlers={"max_turns": lambda _: {"a": 1}}
    )
    state = await RunState.from_json(agent, result.to_state().to_json())
    assert (await Runner.run(agent, state)).final_output == {"a": 1}


async def test_fields_that_a_result_does_not_have_are_refused(play: Play) -> None:
    with pytest.raises(UserError, match=r"'max_turns' gave .* 'final_output' and 'more'"):
        await answered(play, busy(), {"final_output": "x", "more": 1})


DICTIONARY = AgentOutputSchema(dict[str, Any], strict_json_schema=False)


@pytest.mark.parametrize(
    ("output_type", "answer", "final", "text"),
    [
        (Answer, {"number": 1, "other": 2}, Answer(number=1), '{"number":1,"Note":"none"}'),
        (Answer, Answer(number=2, Note="n"), Answer(number=2, Note="n"), None),
        (Answer, {}, Answer(), '{"number":0,"Note":"none"}'),
        (int, 5, 5, '{"response":5}'),
        (int, {"response": 5}, 5, '{"response":5}'),
        (list[int], [1], [1], '{"response":[1]}'),
        (DICTIONARY, {"response": 4}, {"response": 4}, '{"response":4}'),
    ],
)
async def test_a_structured_answer_is_read_as_the_models_would_be(
    play: Play, output_type: Any, answer: Any, final: Any, text: str | None
) -> None:
    played = await answered(play, busy(output_type), answer)
    assert played.final == final
    assert written(played) == (text or '{"number":2,"Note":"n"}')


@pytest.mark.parametrize("answer", ["text", 5, [1], "", RunErrorHandlerResult(None), object()])
@pytest.mark.parametrize("output_type", [Answer, DICTIONARY])
async def test_what_is_no_object_is_not_wrapped_into_one(
    play: Play, output_type: Any, answer: Any
) -> None:
    with pytest.raises(UserError, match="the output type of agent 'Clerk'"):
        await answered(play, busy(output_type), answer)


def search() -> Any:
    action = {"type": "search", "query": "q"}
    shape = {"id": "w", "type": "web_search_call", "status": "completed", "action": action}
    return ResponseFunctionWebSearch.model_validate(shape)


EMPTY = {
    "an empty text": [assistant_message("")],
    "no item": [],
    "a search and an empty text": [search(), assistant_message("")],
    "an empty text after another": [assistant_message('{"number": 9}'), assistant_message("")],
}
SAID = [assistant_message('{"number": 2}')]


@pytest.mark.parametrize("reply", EMPTY.values(), ids=EMPTY)
class TestAReplyThatSaysNothing:
    async def test_reaches_the_handler_of_invalid_outputs(
        self, play: Play, reply: list[Any]
    ) -> None:
        asked: list[Any] = []

        def handle(fault: Any) -> Any:
            asked.append(fault)
            return {"number": 1}

        agent = Agent(name="A", model=ScriptedModel([reply, SAID]), output_type=Answer)
        played = await play(agent, error_handlers={"invalid_final_output": handle})
        assert played.final == Answer(number=1)
        (fault,) = asked
        assert isinstance(fault.error, ModelBehaviorError)
        assert "agent 'A' gave no final output" in str(fault.error)
        assert len(fault.run_data.raw_responses) == 1

    async def test_is_followed_by_another_turn_where_the_handler_declines(
        self, play: Play, reply: list[Any]
    ) -> None:
        agent = Agent(name="A", model=ScriptedModel([reply, SAID]), output_type=Answer)
        played = await play(agent, error_handlers={"invalid_final_output": lambda _: None})
        assert played.final == Answer(number=2)

    async def test_is_followed_by_another_turn_without_a_handler(
        self, play: Play, reply: list[Any]
    ) -> None:
        agent = Agent(name="A", model=ScriptedModel([reply, SAID]), output_type=Answer)
        assert (await play(agent)).final == Answer(number=2)

    async def test_is_asked_about_before_the_turns_are_spent(
        self, play: Play, reply: list[Any]
    ) -> None:
        agent = Agent(name="A", model=ScriptedModel([reply]), output_type=Answer)
        handlers: dict[str, Any] = {
            "invalid_final_output": lambda _: {"number": 1},
            "max_turns": lambda _: {"number": 9},
        }
        played = await play(agent, max_turns=1, error_handlers=handlers)
        assert played.final == Answer(number=1)
        handlers["invalid_final_output"] = lambda _: None
        agent.model = ScriptedModel([reply])
        played = await play(agent, max_turns=1, error_handlers=handlers)
        assert played.final == Answer(number=9)
        del handlers["max_turns"]
        agent.model = ScriptedModel([reply])
        with pytest.raises(MaxTurnsExceeded):
            await play(agent, max_turns=1, error_handlers=handlers)


async def test_a_search_without_a_word_is_no_final_output(play: Play) -> None:
    agent = Agent(name="A", model=ScriptedModel([[search()], SAID]), output_type=Answer)
    handlers: Any = {"invalid_final_output": lambda _: {"number": 1}}
    assert (await play(agent, error_handlers=handlers)).final == Answer(number=2)
