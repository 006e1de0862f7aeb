"""How `RehearsalModel` finds its way: which moves it sees, which it takes, what it writes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel

from agentgraph.agent_output import AgentOutputSchema
from agentgraph.handoffs import Handoff
from agentgraph.model_settings import ModelSettings
from agentgraph.models.rehearsal import REHEARSAL_NOTICE, Move, RehearsalModel, moves, reply_for
from agentgraph.models.word_overlap import relatedness, stems
from agentgraph.tools.hosted import WebSearchTool
from tests.models.model_calls import events, function_tool, get, model_call

NO_ARGUMENTS: dict[str, Any] = {
    "type": "object",
    "properties": {},
    "required": [],
    "additionalProperties": False,
}


class HomeworkOutput(BaseModel):
    is_homework: bool
    reasoning: str


def handoff_to(name: str, description: str) -> Handoff[Any, Any]:
    async def never_called(context: Any, arguments: str) -> Any:
        raise AssertionError("a model does not hand off")

    return Handoff(
        tool_name=f"transfer_to_{name.lower().replace(' ', '_')}",
        tool_description=f"Handoff to the {name} agent to handle the request. {description}",
        input_json_schema=NO_ARGUMENTS,
        on_invoke_handoff=never_called,
        agent_name=name,
    )


TUTORS = [
    handoff_to("History Tutor", "Specialist agent for historical questions"),
    handoff_to("Math Tutor", "Specialist agent for math questions"),
]

TRIAGE = "You determine which agent to use based on the user's homework question"


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def done(name: str, output: str, call_id: str = "c") -> list[dict[str, Any]]:
    """Return the items of a call that was made."""
    return [
        {"type": "function_call", "call_id": call_id, "name": name, "arguments": "{}"},
        {"type": "function_call_output", "call_id": call_id, "output": output},
    ]


async def taken(**changes: Any) -> str:
    """Return the name of the tool or handoff that is called, or `answer`."""
    (item,) = (await get(RehearsalModel(), **changes)).output
    return item.name if item.type == "function_call" else "answer"


async def answer(**changes: Any) -> str:
    item: Any = (await get(RehearsalModel(), **changes)).output[0]
    assert item.type == "message"
    return str(item.content[0].text)


ROUTES = [
    ("who was the first president of the united states?", "transfer_to_history_tutor"),
    ("What is the capital of France?", "transfer_to_history_tutor"),
    ("Can you help me with historical events?", "transfer_to_history_tutor"),
    ("solve the equation x + 1 = 2", "transfer_to_math_tutor"),
    ("What is 2 + 2?", "transfer_to_math_tutor"),
    ("What is the meaning of life?", "answer"),
]


@pytest.mark.parametrize(("said", "move"), ROUTES)
async def test_the_homework_example_is_routed_to_the_tutor_of_the_subject(
    said: str, move: str
) -> None:
    assert await taken(input=said, handoffs=TUTORS, system_instructions=TRIAGE) == move


@pytest.mark.parametrize(
    ("said", "is_homework"),
    [
        ("who was the first president of the united states?", True),
        ("What is 2 + 2?", True),
        ("Please check my homework", True),
        ("What is the meaning of life?", False),
        ("Good morning", False),
    ],
)
async def test_the_homework_guardrail_passes_what_is_about_a_subject_of_school(
    said: str, is_homework: bool
) -> None:
    schema = AgentOutputSchema(HomeworkOutput)
    output = schema.validate_json(await answer(input=said, output_schema=schema))

    assert output.is_homework is is_homework
    assert REHEARSAL_NOTICE in output.reasoning


async def test_the_tutor_answers_and_does_not_hand_back() -> None:
    back = [handoff_to("Triage Agent", "Routes a homework question to the right tutor")]
    conversation = [
        user("who was the first president of the united states?"),
        *done("transfer_to_history_tutor", '{"assistant": "History Tutor"}'),
    ]
    instructions = "You provide assistance with historical queries. Explain important events."

    assert await taken(input=conversation, handoffs=back, system_instructions=instructions) == (
        "answer"
    )


async def test_every_text_says_that_no_language_model_is_at_work() -> None:
    text = await answer(input="hello there")

    assert text.startswith("[rehearsal: no language model is at work]")
    assert "hello there" in text


async def test_the_agents_instructions_are_not_given_away() -> None:
    assert "secret" not in await answer(input="hi", system_instructions="the secret word")


async def test_a_tool_is_called_with_arguments_of_its_schema_and_its_result_is_told() -> None:
    schema = {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "days": {"type": "integer", "minimum": 1},
            "unit": {"enum": ["celsius", "fahrenheit"]},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        "required": ["city", "days", "unit", "note"],
        "additionalProperties": False,
    }
    tools = [function_tool("get_weather", "Look up the weather of a city", schema)]
    said = "How is the weather in Oslo for 3 days, in fahrenheit?"
    call: Any = (await get(RehearsalModel(), input=said, tools=tools)).output[0]
    after = [user(said), *done("get_weather", "sunny")]

    assert call.name == "get_weather"
    assert json.loads(call.arguments) == {
        "city": "Oslo",
        "days": 3,
        "unit": "fahrenheit",
        "note": None,
    }
    assert "get_weather returned “sunny”" in await answer(input=after, tools=tools)


async def test_an_agent_used_as_a_tool_is_given_the_users_words() -> None:
    schema = {
        "type": "object",
        "properties": {"input": {"type": "string"}},
        "required": ["input"],
        "additionalProperties": False,
    }
    tools = [function_tool("translate_to_spanish", "Translate the message to Spanish", schema)]
    call: Any = (await get(RehearsalModel(), input="Say hi in Spanish", tools=tools)).output[0]

    assert json.loads(call.arguments) == {"input": "Say hi in Spanish"}


async def test_a_run_ends_because_each_move_is_taken_once_for_each_user_message() -> None:
    tools = [function_tool(f"weather_{n}", "weather") for n in range(3)]
    handoffs = [handoff_to("Weather", "weather")]
    conversation: list[Any] = [user("weather?")]
    order = []
    while (name := await taken(input=conversation, tools=tools, handoffs=handoffs)) != "answer":
        order.append(name)
        conversation += done(name, "x", call_id=name)
        assert len(order) < 9

    assert sorted(order) == ["transfer_to_weather", "weather_0", "weather_1", "weather_2"]
    assert await taken(input=[*conversation, user("weather?")], tools=tools) == "weather_0"


async def test_the_first_of_equals_is_taken() -> None:
    tools = [function_tool("a_weather", "weather"), function_tool("b_weather", "weather")]

    assert await taken(input="weather?", tools=tools) == "a_weather"
    assert await taken(input="weather?", tools=tools[::-1]) == "b_weather"


async def test_the_same_call_gets_the_same_reply_with_ids_of_its_own() -> None:
    conversation = [user("weather?")]
    tools = [function_tool("weather", "weather")]
    replies = [await get(RehearsalModel(), input=conversation, tools=tools) for _ in range(2)]
    later = await get(RehearsalModel(), input=[*conversation, *done("weather", "x")], tools=tools)

    assert replies[0] == replies[1]
    assert later.response_id != replies[0].response_id
    assert replies[0].usage.requests == 1


def test_moves_are_tools_then_handoffs_then_the_answer() -> None:
    call = model_call(
        tools=[WebSearchTool(), function_tool("f", "Do it.")],
        handoffs=TUTORS,
        output_schema=AgentOutputSchema(HomeworkOutput),
    )
    offered = moves(call)

    assert [(move.kind, move.name) for move in offered] == [
        ("tool", "f"),
        ("handoff", "transfer_to_history_tutor"),
        ("handoff", "transfer_to_math_tutor"),
        ("answer", "answer"),
    ]
    assert offered[0].description == "Do it."
    assert offered[-1].schema is not None


CHOICES = [
    (None, [], ["f", "g", "answer"]),
    ("auto", [], ["f", "g", "answer"]),
    ("none", [], ["answer"]),
    ("required", [], ["f", "g"]),
    ("required", ["f"], ["g"]),
    ("required", ["f", "g"], ["answer"]),
    ("g", [], ["g"]),
    ("g", ["g"], ["answer"]),
]


@pytest.mark.parametrize(("choice", "used", "names"), CHOICES)
def test_the_tool_choice_is_obeyed_as_long_as_something_is_left(
    choice: str | None, used: list[str], names: list[str]
) -> None:
    conversation = [user("x")]
    for name in used:
        conversation += done(name, "x")
    call = model_call(
        input=conversation,
        tools=[function_tool("f"), function_tool("g")],
        model_settings=ModelSettings(tool_choice=choice),
    )
    assert [move.name for move in moves(call)] == names


async def test_somebody_else_may_choose() -> None:
    tools = [function_tool("f"), function_tool("g")]
    seen: list[list[str]] = []

    def second(offered: list[Move], call: Any) -> Move:
        seen.append([move.name for move in offered])
        return offered[1]

    async def words(offered: list[Move], call: Any) -> str:
        return "My own words."

    chosen: Any = (await get(RehearsalModel(choose=second), tools=tools)).output[0]
    spoken: Any = (await get(RehearsalModel(choose=words), tools=tools)).output[0]

    assert (chosen.name, seen) == ("g", [["f", "g", "answer"]])
    assert spoken.content[0].text == "My own words."


def test_a_move_may_bring_its_own_arguments() -> None:
    move = Move("tool", "f", "", None, arguments='{"city":"Rome"}')
    call: Any = reply_for(move, model_call()).output[0]

    assert call.arguments == '{"city":"Rome"}'


async def test_a_stream_says_the_same_word_by_word() -> None:
    seen = await events(RehearsalModel(), input="hello there")
    deltas = [event.delta for event in seen if event.type == "response.output_text.delta"]

    assert "".join(deltas) == await answer(input="hello there")
    assert len(deltas) > 5
    assert seen[-1].type == "response.completed"


class Verdict(BaseModel):
    is_safe: bool
    allowed: bool
    not_allowed: bool
    is_jailbreak: bool


@pytest.mark.parametrize(("said", "jailbreak"), [("hello", False), ("a jailbreak please", True)])
async def test_verdicts_are_kind_unless_the_input_is_about_what_they_name(
    said: str, jailbreak: bool
) -> None:
    schema = AgentOutputSchema(Verdict)
    verdict = schema.validate_json(await answer(input=said, output_schema=schema))

    assert verdict == Verdict(is_safe=True, allowed=True, not_allowed=False, is_jailbreak=jailbreak)


CONTENT = [
    ("plain", "plain"),
    ([user("first"), user("last")], "last"),
    ([user("said"), {"role": "assistant", "content": "reply"}], "said"),
    ([{"role": "user", "content": [{"type": "input_text", "text": "part"}]}], "part"),
    ([{"role": "assistant", "content": "only a summary"}], "only a summary"),
    ([], "“”"),
]


@pytest.mark.parametrize(("given", "said"), CONTENT, ids=str)
async def test_the_users_last_words_are_found_in_any_form_of_input(given: Any, said: str) -> None:
    assert said in await answer(input=given)


@pytest.mark.parametrize(
    ("said", "about", "related"),
    [
        ("tickets", "ticket", True),
        ("countries", "country", True),
        ("booking", "book", True),
        ("the and of", "the and of", False),
        ("isHomework", "homework", True),
        ("2 + 2", "mathematics", True),
        ("order 66", "mathematics", False),
        ("invoice", "refund", True),
        ("weather", "invoice", False),
    ],
)
def test_words_are_related_by_stem_or_subject(said: str, about: str, related: bool) -> None:
    assert (relatedness(said, about) > 0) is related
    assert stems("") == frozenset()
