"""What a program attaches to the output of a function tool for itself, as SDK 0.24 has it."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest

from agentgraph import (
    FunctionTool,
    FunctionToolCustomDataContext,
    SQLiteSession,
    ToolGuardrailFunctionOutput,
    function_tool,
    tool_input_guardrail,
    tool_output_guardrail,
)
from agentgraph.tool_guardrails import ToolInputGuardrailData, ToolOutputGuardrailData
from tests.api.calls import agent_with, call, script, told
from tests.api.conftest import Play


def tool(extractor: Any, **settings: Any) -> FunctionTool:
    def weigh() -> dict[str, int]:
        return {"grams": 5}

    return function_tool(weigh, custom_data_extractor=extractor, **settings)


async def attached(play: Play, tool: FunctionTool) -> Any:
    """What stands on the one output of a run that calls the tool."""
    played = await play(agent_with(script([call("weigh")]), tool))
    (item,) = [item for item in played.items if item.type == "tool_call_output_item"]
    return item.custom_data


async def test_stands_on_the_output_and_reaches_neither_model_nor_session(play: Play) -> None:
    def extract(context: FunctionToolCustomDataContext) -> dict[str, Any]:
        context.raw_item["output"] = "changed"  # type: ignore[index]
        name, id = context.tool.name, context.tool_context.tool_call_id
        return {"seen": [name, id, context.output["grams"]]}

    model, session = script([call("weigh")]), SQLiteSession("scale")
    played = await play(agent_with(model, tool(extract)), session=session)
    assert played.items[1].custom_data == {"seen": ["weigh", "c1", 5]}
    assert told(model) == {"c1": "{'grams': 5}"}
    for history in (played.result.to_input_list(), await session.get_items()):
        assert "seen" not in str(history)
    session.close()


@tool_output_guardrail
def allow(data: ToolOutputGuardrailData) -> ToolGuardrailFunctionOutput:
    return ToolGuardrailFunctionOutput.allow()


async def wait(context: Any) -> dict[str, Any]:
    return {"waited": True}


@pytest.mark.parametrize(
    ("extractor", "expected"),
    [
        (wait, {"waited": True}),
        (lambda context: MappingProxyType({"a": (1, 2)}), {"a": [1, 2]}),
        (lambda context: None, None),
        (lambda context: {}, None),
    ],
)
@pytest.mark.parametrize("guardrails", [None, [allow]], ids=["unjudged", "judged"])
async def test_a_mapping_is_kept_as_json_and_nothing_as_none(
    play: Play, extractor: Any, expected: Any, guardrails: Any
) -> None:
    assert await attached(play, tool(extractor, tool_output_guardrails=guardrails)) == expected


@pytest.mark.parametrize(
    "extractor",
    [
        lambda context: "secret",
        lambda context: {1: "secret"},
        lambda context: {"secret": object()},
        lambda context: {"secret": float("nan")},
        lambda context: {}["secret"],
    ],
)
@pytest.mark.parametrize("handled", [True, False])
@pytest.mark.parametrize("judged", [True, False])
async def test_an_extractor_that_fails_leaves_the_output_without_data_and_is_logged(
    play: Play, extractor: Any, handled: bool, judged: bool, caplog: pytest.LogCaptureFixture
) -> None:
    settings: dict[str, Any] = {} if handled else {"failure_error_function": None}
    if judged:
        settings["tool_output_guardrails"] = [allow]
    model = script([call("weigh")])
    played = await play(agent_with(model, tool(extractor, **settings)))
    assert told(model) == {"c1": "{'grams': 5}"}
    assert (played.items[1].output, played.items[1].custom_data) == ({"grams": 5}, None)
    assert played.final == "done"
    (logged,) = [it.getMessage() for it in caplog.records if it.levelname == "ERROR"]
    assert "custom_data_extractor of tool weigh of agent Clerk failed" in logged
    assert "secret" not in caplog.text


@tool_input_guardrail
def refuse(data: ToolInputGuardrailData) -> ToolGuardrailFunctionOutput:
    return ToolGuardrailFunctionOutput.reject_content("no")


@tool_output_guardrail
def replace(data: ToolOutputGuardrailData) -> ToolGuardrailFunctionOutput:
    return ToolGuardrailFunctionOutput.reject_content("hidden")


async def test_a_call_that_was_not_made_has_none(play: Play) -> None:
    def extract(context: FunctionToolCustomDataContext) -> dict[str, Any]:
        return {"made": True}

    assert await attached(play, tool(extract, tool_input_guardrails=[refuse])) is None
    agent = agent_with(script([call("weigh")]), tool(extract, needs_approval=True))
    waiting = await play(agent)
    state = waiting.result.to_state()
    state.reject(waiting.result.interruptions[0])
    rejected = await play(agent, state)
    assert [getattr(item, "custom_data", None) for item in rejected.items] == [None] * 4


async def test_the_extractor_sees_what_the_model_is_shown(play: Play) -> None:
    def extract(context: FunctionToolCustomDataContext) -> dict[str, Any]:
        return {"output": str(context.output)}

    def fail() -> str:
        raise ValueError("broken")

    replaced = tool(extract, tool_output_guardrails=[replace])
    assert await attached(play, replaced) == {"output": "hidden"}
    failing = function_tool(
        fail,
        name_override="weigh",
        custom_data_extractor=extract,
        failure_error_function=lambda context, error: f"said: {error}",
    )
    assert await attached(play, failing) == {"output": "said: broken"}


async def test_a_tool_built_by_hand_has_it_too(play: Play) -> None:
    async def invoke(context: Any, arguments: str) -> str:
        return arguments

    by_hand = FunctionTool(
        name="weigh",
        description="",
        params_json_schema={},
        on_invoke_tool=invoke,
        custom_data_extractor=lambda context: {"raw": context.raw_item["output"]},
    )
    assert await attached(play, by_hand) == {"raw": "{}"}
