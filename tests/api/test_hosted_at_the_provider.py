"""Tools that run at the provider's side: what is sent of them, and their items and events."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.responses import ToolParam
from pydantic import TypeAdapter

from agentgraph import (
    CodeInterpreterTool,
    ComputerTool,
    FileSearchTool,
    HostedMCPTool,
    ImageGenerationTool,
    LocalShellTool,
    WebSearchTool,
)
from agentgraph.models.openai_responses import Converter
from agentgraph.testing import ScriptedModel, assistant_message
from tests.api.calls import agent_with, call, echo, script
from tests.api.conftest import Play
from tests.api.hosted import RecordedComputer

_TOOL: TypeAdapter[Any] = TypeAdapter(ToolParam)

_TOOLS: list[tuple[Any, dict[str, Any]]] = [
    (
        WebSearchTool(user_location={"type": "approximate", "city": "Rome"}),
        {
            "type": "web_search",
            "user_location": {"type": "approximate", "city": "Rome"},
            "search_context_size": "medium",
        },
    ),
    (
        FileSearchTool(vector_store_ids=["v1"], max_num_results=3),
        {"type": "file_search", "vector_store_ids": ["v1"], "max_num_results": 3},
    ),
    (
        CodeInterpreterTool({"type": "code_interpreter", "container": {"type": "auto"}}),
        {"type": "code_interpreter", "container": {"type": "auto"}},
    ),
    (
        ImageGenerationTool({"type": "image_generation", "quality": "low"}),
        {"type": "image_generation", "quality": "low"},
    ),
    (
        HostedMCPTool({"type": "mcp", "server_label": "wiki", "server_url": "https://x"}),
        {"type": "mcp", "server_label": "wiki", "server_url": "https://x"},
    ),
    (LocalShellTool(lambda request: ""), {"type": "local_shell"}),
    (ComputerTool(RecordedComputer()), {"type": "computer"}),
]


@pytest.mark.parametrize(("tool", "payload"), _TOOLS, ids=lambda entry: type(entry).__name__)
async def test_a_tool_is_sent_as_the_client_declares_it(tool: Any, payload: dict[str, Any]) -> None:
    (sent,) = Converter.convert_tools([tool], []).tools
    assert sent == payload
    _TOOL.validate_python(sent)


def test_the_first_computer_models_are_told_of_the_screen() -> None:
    tools = [ComputerTool(RecordedComputer())]
    (sent,) = Converter.convert_tools(tools, [], model="computer-use-preview-2025").tools
    assert sent == {
        "type": "computer_use_preview",
        "environment": "browser",
        "display_width": 800,
        "display_height": 600,
    }
    _TOOL.validate_python(sent)


_WORK: list[dict[str, Any]] = [
    {
        "type": "web_search_call",
        "id": "w1",
        "status": "completed",
        "action": {"type": "search", "query": "x"},
    },
    {"type": "file_search_call", "id": "f1", "status": "completed", "queries": ["x"]},
    {
        "type": "code_interpreter_call",
        "id": "i1",
        "status": "completed",
        "container_id": "c",
        "code": "1",
        "outputs": [],
    },
    {"type": "image_generation_call", "id": "g1", "status": "completed", "result": "x"},
]


@pytest.mark.parametrize("work", _WORK, ids=lambda work: str(work["type"]))
async def test_work_of_the_provider_is_an_item_and_the_message_beside_it_is_final(
    play: Play, work: dict[str, Any]
) -> None:
    model = ScriptedModel([[work, assistant_message("found")]])
    played = await play(agent_with(model, *(tool for tool, _ in _TOOLS)))
    assert played.kinds == ["tool_call_item", "message_output_item"]
    assert played.items[0].tool_name == work["type"]
    assert played.final == "found"


@pytest.mark.parametrize("work", _WORK, ids=lambda work: str(work["type"]))
async def test_work_of_the_provider_alone_is_followed_by_another_turn(
    play: Play, work: dict[str, Any]
) -> None:
    model = script([work])
    played = await play(agent_with(model, *(tool for tool, _ in _TOOLS)))
    assert played.final == "done"
    assert len(model.calls) == 2


async def test_work_of_the_provider_beside_a_function_call(play: Play) -> None:
    model = script([_WORK[0], call("echo", text="a")])
    played = await play(agent_with(model, WebSearchTool(), echo))
    assert played.kinds == [
        "tool_call_item",
        "tool_call_item",
        "tool_call_output_item",
        "message_output_item",
    ]
