"""What a function tool sees of its call, and what its output looks like to the model."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from openai.types.responses import ResponseInputItemParam
from pydantic import BaseModel, Field, TypeAdapter
from typing_extensions import TypedDict

from agentgraph import (
    AgentHooks,
    FunctionTool,
    RunContextWrapper,
    RunHooks,
    ToolOutputFileContent,
    ToolOutputImage,
    ToolOutputText,
    UserError,
    function_tool,
)
from agentgraph.testing import ScriptedModel
from agentgraph.tool_context import ToolContext
from agentgraph.tools.errors import FAILED
from tests.api.calls import agent_with, call, script, told
from tests.api.conftest import Play

_INPUT_ITEM: TypeAdapter[Any] = TypeAdapter(ResponseInputItemParam)


class Colour(Enum):
    RED = "red"


class Point(BaseModel):
    x: int
    y: int


@dataclass
class Box:
    width: int


class Options(TypedDict):
    loud: bool


async def test_arguments_arrive_as_the_types_of_the_signature(play: Play) -> None:
    seen: dict[str, Any] = {}

    @function_tool
    async def draw(
        at: Point,
        box: Box,
        colour: Colour,
        options: Options,
        side: Literal["left", "right"],
        size: Annotated[int, Field(ge=1, description="How big.")],
        label: str | None = None,
        *more: int,
    ) -> str:
        seen.update(locals())
        return "drawn"

    reply = [
        call(
            "draw",
            at={"x": 1, "y": 2},
            box={"width": 3},
            colour="red",
            options={"loud": True},
            side="left",
            size=4,
            label=None,
            more=[5, 6],
        )
    ]
    played = await play(agent_with(script(reply), draw))
    assert played.outputs == ["drawn"]
    assert (seen["at"], seen["box"], seen["colour"]) == (Point(x=1, y=2), Box(3), Colour.RED)
    assert (seen["options"], seen["side"], seen["size"]) == ({"loud": True}, "left", 4)
    assert (seen["label"], seen["more"]) == (None, (5, 6))


async def test_the_context_of_the_call_is_the_first_argument(play: Play) -> None:
    @function_tool
    async def which(context: ToolContext[dict[str, Any]], text: str) -> str:
        context.context["text"] = text
        name = context.agent.name if context.agent else None
        return f"{context.tool_name} {context.tool_call_id} {context.tool_arguments} {name}"

    @function_tool
    async def shared(context: RunContextWrapper[dict[str, Any]]) -> int:
        return context.usage.requests

    mine: dict[str, Any] = {}
    model = script([call("which", "c1", text="hi"), call("shared", "c2")])
    played = await play(agent_with(model, which, shared), context=mine)
    assert played.outputs == ['which c1 {"text":"hi"} Clerk', 1]
    assert mine == {"text": "hi"}


async def test_a_sync_function_runs_in_a_thread_with_the_callers_context_variables(
    play: Play,
) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")
    variable.set("seen")
    released = threading.Event()

    @function_tool
    def blocked() -> str:
        # Only the other tool, which runs in the loop, can let it go on.
        assert released.wait(timeout=120)
        return f"{variable.get()} {threading.current_thread() is threading.main_thread()}"

    @function_tool
    async def release() -> str:
        released.set()
        return "released"

    model = script([call("blocked", "c1"), call("release", "c2")])
    played = await play(agent_with(model, blocked, release))
    assert played.outputs == ["seen False", "released"]


async def test_methods_are_tools_with_their_object(play: Play) -> None:
    class Till:
        def __init__(self) -> None:
            self.total = 0

        async def put(self, amount: int) -> int:
            """Put money in."""
            self.total += amount
            return self.total

    till = Till()
    model = script([call("put", "c1", amount=2)], [call("put", "c2", amount=3)])
    played = await play(agent_with(model, function_tool(till.put)))
    assert played.outputs == [2, 5]


async def test_a_tool_built_by_hand_gets_the_arguments_as_the_model_wrote_them(
    play: Play,
) -> None:
    async def invoke(context: ToolContext[Any], arguments: str) -> str:
        return f"{context.tool_call_id}:{arguments}"

    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    tool = FunctionTool("raw", "Raw.", schema, invoke)
    model = script([call("raw", a=1)])
    played = await play(agent_with(model, tool))
    assert played.outputs == ['c1:{"a":1}']


async def test_a_tool_built_by_hand_that_raises_ends_the_run(play: Play) -> None:
    async def invoke(context: ToolContext[Any], arguments: str) -> str:
        raise ZeroDivisionError("by zero")

    tool = FunctionTool("raw", "Raw.", {"type": "object", "properties": {}}, invoke)
    with pytest.raises(UserError, match="tool raw of agent Clerk"):
        await play(agent_with(ScriptedModel([[call("raw")]]), tool))


async def test_hooks_of_run_and_agent_hear_of_every_call(play: Play) -> None:
    heard: list[Any] = []

    class OfRun(RunHooks[Any]):
        async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
            heard.append(("start", context.tool_call_id, agent.name, tool.name))

        async def on_tool_end(self, context: Any, agent: Any, tool: Any, result: object) -> None:
            heard.append(("end", context.tool_arguments, result))

    class OfAgent(AgentHooks[Any]):
        async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
            heard.append(("own start", context.tool_name))

        async def on_tool_end(self, context: Any, agent: Any, tool: Any, result: object) -> None:
            heard.append(("own end", result))

    @function_tool
    async def count() -> int:
        return 7

    agent = agent_with(script([call("count")]), count, hooks=OfAgent())
    await play(agent, hooks=OfRun())
    assert heard == [
        ("start", "c1", "Clerk", "count"),
        ("own start", "count"),
        ("end", "{}", 7),
        ("own end", 7),
    ]


_TEXT = {"type": "input_text", "text": "hi"}
_IMAGE = {"type": "input_image", "image_url": "https://x/a.png", "detail": "low"}
_FILE = {"type": "input_file", "file_id": "f1", "filename": "a.pdf"}
_IMAGE_MODEL = ToolOutputImage(image_url="https://x/a.png", detail="low")
_FILE_MODEL = ToolOutputFileContent(file_id="f1", filename="a.pdf")


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("text", "text"),
        (7, "7"),
        (None, "None"),
        ([], "[]"),
        ({"a": 1}, "{'a': 1}"),
        (Box(3), "Box(width=3)"),
        (ToolOutputText(text="hi"), [_TEXT]),
        ({"type": "text", "text": "hi"}, [_TEXT]),
        (_IMAGE_MODEL, [_IMAGE]),
        ({"type": "image", "image_url": "https://x/a.png", "detail": "low"}, [_IMAGE]),
        (_FILE_MODEL, [_FILE]),
        ({"type": "file", "file_id": "f1", "filename": "a.pdf"}, [_FILE]),
        ([ToolOutputText(text="hi"), _IMAGE_MODEL, _FILE_MODEL], [_TEXT, _IMAGE, _FILE]),
        ([ToolOutputText(text="hi"), "plain"], "[ToolOutputText(type='text', text='hi'), 'plain']"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_the_model_is_sent_what_the_responses_api_wants(
    play: Play, value: Any, sent: Any
) -> None:
    @function_tool
    async def give() -> Any:
        return value

    model = script([call("give")])
    played = await play(agent_with(model, give))
    assert told(model) == {"c1": sent}
    assert played.outputs == [value]
    raw = played.items[1].raw_item
    assert raw == {"type": "function_call_output", "call_id": "c1", "output": sent}
    _INPUT_ITEM.validate_python(raw)


class Mute:
    def __str__(self) -> str:
        raise ZeroDivisionError("no words")


async def test_the_model_is_told_of_a_result_that_cannot_be_sent(play: Play) -> None:
    @function_tool
    async def give() -> Any:
        return Mute()

    model = script([call("give")])
    await play(agent_with(model, give))
    assert told(model) == {"c1": FAILED}


def _raises(context: Any, error: Exception) -> str:
    raise LookupError("secret")


@pytest.mark.parametrize("handler", [None, lambda context, error: None, _raises])
async def test_a_result_that_cannot_be_sent_is_no_failure_of_the_call(
    play: Play, handler: Any, caplog: pytest.LogCaptureFixture
) -> None:
    @function_tool(failure_error_function=handler)
    async def give() -> Any:
        return Mute()

    model = script([call("give")])
    played = await play(agent_with(model, give))
    told_of_it = "The result of tool give of agent Clerk cannot be sent to the model."
    assert told(model) == {"c1": told_of_it}
    assert (played.outputs, played.final) == ([told_of_it], "done")
    (logged,) = [it.getMessage() for it in caplog.records if it.levelname == "ERROR"]
    assert "cannot be sent" in logged
    assert "secret" not in caplog.text
    assert "no words" not in caplog.text


async def test_a_sync_tool_may_use_the_loop_of_its_caller(play: Play) -> None:
    loop = asyncio.get_running_loop()

    async def answer() -> int:
        return 42

    @function_tool
    def ask() -> int:
        return asyncio.run_coroutine_threadsafe(answer(), loop).result(timeout=120)

    assert (await play(agent_with(script([call("ask")]), ask))).outputs == [42]


async def test_the_item_of_a_call_says_what_the_model_was_told_of_the_tool(play: Play) -> None:
    @function_tool
    async def look(where: str) -> str:
        """Look somewhere."""
        return where

    played = await play(agent_with(script([call("look", where="up")]), look))
    assert played.result.new_items[0].description == "Look somewhere."
