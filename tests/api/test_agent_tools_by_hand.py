"""`Agent.as_tool(…).on_invoke_tool(context, json)`, called by the program's own code."""

from __future__ import annotations

import json
from dataclasses import replace
from types import ModuleType

import pytest

from agentgraph import Agent, FunctionTool, RunContextWrapper, Runner, ToolContext
from agentgraph.exceptions import ModelBehaviorError
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from tests.published_sdk import needs_the_published_sdk, published

SAME = """
import asyncio, json
from dataclasses import dataclass
from PACKAGE import Agent, RunConfig, Usage, SQLiteSession, function_tool
from PACKAGE.tool_context import ToolContext
from PACKAGE.testing import ScriptedModel, assistant_message, function_call

@dataclass
class Job:
    text: str
    times: int = 1

seen = []

@function_tool
def look(ctx: ToolContext, place: str) -> str:
    arguments = getattr(ctx, "tool_input", None) or {}
    seen.append([ctx.context, arguments.get("text"), arguments.get("times")])
    return place

@function_tool(needs_approval=True)
def book(place: str) -> str:
    return place

place = '{"place": "a"}'

def desk(*replies, **more):
    return Agent(name="Desk", model=ScriptedModel([*replies]), **more)

def words(text):
    return [assistant_message(text)]

events = []

def heard(event):
    events.append(event["agent"].name)

looking = [[function_call("look", place, call_id="1")], words("Seen.")]
tools = [
    (desk(words("Yes.")).as_tool("ask", "Ask"), '{"input": "Well?"}'),
    (desk(*looking, tools=[look]).as_tool(None, None), '{"input": "Well?"}'),
    (desk(*looking, tools=[look]).as_tool("typed", None, parameters=Job), '{"text": "x"}'),
    (desk(words("")).as_tool("empty", None), '{"input": "Well?"}'),
    (desk(words("Yes."), output_type=str).as_tool(
        "out", None, custom_output_extractor=lambda r: later(r.final_output.upper())),
     '{"input": "Well?"}'),
    (desk(words("Yes.")).as_tool("stream", None, on_stream=heard),
     '{"input": "Well?"}'),
    (desk(*looking, tools=[look]).as_tool("short", None, max_turns=1), '{"input": "Well?"}'),
    (desk(*looking, tools=[look]).as_tool("raises", None, max_turns=1,
     failure_error_function=None), '{"input": "Well?"}'),
    (desk([function_call("book", place, call_id="1")], tools=[book]).as_tool("waits", None),
     '{"input": "Well?"}'),
    (desk(words("Yes.")).as_tool("kept", None, session=SQLiteSession("s")), '{"input": "Well?"}'),
]

async def later(value):
    return value

async def call(tool, text):
    context = ToolContext("c", usage=Usage(), tool_name=tool.name, tool_call_id="9",
                          tool_arguments=text, run_config=RunConfig())
    try:
        output = await tool.on_invoke_tool(context, text)
    except Exception as error:
        output = type(error).__name__
    return [tool.name, output, context.usage.requests]

async def main():
    return [await call(*one) for one in tools]

results = asyncio.run(main())
print(json.dumps([results, seen, sorted({*events})]))
"""


@needs_the_published_sdk
def test_a_call_by_hand_does_what_that_of_the_published_sdk_does(
    capsys: pytest.CaptureFixture[str],
) -> None:
    exec(SAME.replace("PACKAGE", "agentgraph"), vars(ModuleType(__name__)))
    ours = json.loads(capsys.readouterr().out.splitlines()[-1])
    theirs = published(SAME)
    assert ours == theirs
    assert ours[0][0] == ["ask", "Yes.", 1]


def desk(*replies: str) -> Agent:
    return Agent(name="Desk", model=ScriptedModel([[assistant_message(text)] for text in replies]))


async def test_a_tool_may_call_the_tool_of_an_agent_and_its_usage_counts() -> None:
    inner = desk("Inside.").as_tool("ask", None)

    async def wrap(context: ToolContext[object], arguments: str) -> object:
        return f"wrapped: {await inner.on_invoke_tool(context, arguments)}"

    model = ScriptedModel(
        [[function_call("ask", '{"input": "a"}', call_id="1")], [assistant_message("Done.")]]
    )
    outer = FunctionTool(
        name="ask",
        description="",
        params_json_schema=inner.params_json_schema,
        on_invoke_tool=wrap,
    )
    result = await Runner.run(Agent(name="Guide", model=model, tools=[outer]), "Go")
    [output] = [item for item in result.new_items if item.type == "tool_call_output_item"]
    assert output.output == "wrapped: Inside."
    assert result.context_wrapper.usage.requests == 3


async def test_a_copy_of_the_tool_runs_its_own_agent() -> None:
    copy = replace(desk("One.").as_tool("ask", None), agent=desk("Two."))
    context = RunContextWrapper(None)
    assert await copy.on_invoke_tool(context, '{"input": "a"}') == "Two."  # type: ignore[arg-type]


async def test_wrong_arguments_are_answered_or_raised() -> None:
    tool = desk().as_tool("ask", None)
    context = ToolContext(None, tool_name="ask", tool_call_id="1", tool_arguments="{}")
    assert "input: must be a text" in await tool.on_invoke_tool(context, "{}")
    with pytest.raises(ModelBehaviorError, match="input: must be a text"):
        await desk().as_tool("ask", None, failure_error_function=None).on_invoke_tool(context, "{}")
