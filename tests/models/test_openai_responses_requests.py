"""What `OpenAIResponsesModel` sends: the request's JSON as a server on loopback received it."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest
from openai import AsyncOpenAI
from openai.types.shared import Reasoning
from pydantic import BaseModel, TypeAdapter

from agentgraph.agent_output import AgentOutputSchema
from agentgraph.computer import Computer
from agentgraph.exceptions import UserError
from agentgraph.handoffs import Handoff
from agentgraph.model_settings import MCPToolChoice, ModelSettings
from agentgraph.models.fake_id import FAKE_RESPONSES_ID
from agentgraph.models.openai_responses import Converter, OpenAIResponsesModel
from agentgraph.tools.hosted import (
    CodeInterpreterTool,
    ComputerTool,
    FileSearchTool,
    HostedMCPTool,
    ImageGenerationTool,
    LocalShellTool,
    WebSearchTool,
)
from agentgraph.tools.shell import ShellTool
from tests.models.loopback_server import Answer, LoopbackServer
from tests.models.model_calls import WEATHER_SCHEMA, function_tool, get
from tests.models.wire import RESPONSE


class Screen(Computer):
    """A computer that is only described."""

    @property
    def environment(self) -> Any:
        return "browser"

    @property
    def dimensions(self) -> tuple[int, int]:
        return (1024, 768)

    def screenshot(self) -> str:
        raise NotImplementedError

    def click(self, x: int, y: int, button: Any) -> None: ...
    def double_click(self, x: int, y: int) -> None: ...
    def scroll(self, x: int, y: int, scroll_x: int, scroll_y: int) -> None: ...
    def type(self, text: str) -> None: ...
    def wait(self) -> None: ...
    def move(self, x: int, y: int) -> None: ...
    def keypress(self, keys: list[str]) -> None: ...
    def drag(self, path: list[tuple[int, int]]) -> None: ...


class Trip(BaseModel):
    city: str


def shell_handoff() -> Handoff[Any, Any]:
    async def never_called(context: Any, arguments: str) -> Any:
        raise AssertionError("a model does not hand off")

    return Handoff(
        tool_name="transfer_to_pilot",
        tool_description="Ask the pilot.",
        input_json_schema={
            "type": "object",
            "properties": {},
            "required": [],
            "additionalProperties": False,
        },
        on_invoke_handoff=never_called,
        agent_name="Pilot",
    )


@pytest.fixture
def model(client: AsyncOpenAI) -> OpenAIResponsesModel:
    return OpenAIResponsesModel("gpt-x", client)


@pytest.fixture
def sent(server: LoopbackServer, model: OpenAIResponsesModel) -> Any:
    """Return a function that makes a call and returns the JSON that the server received."""

    async def send(**changes: Any) -> Any:
        server.answer(Answer(RESPONSE))
        await get(changes.pop("model", model), **changes)
        return server.requests[-1].json

    return send


async def test_a_bare_call_sends_nothing_but_the_model_and_the_input(sent: Any) -> None:
    assert await sent(input="hi") == {
        "model": "gpt-x",
        "input": [{"role": "user", "content": "hi"}],
    }


async def test_instructions_and_conversation_are_sent(sent: Any) -> None:
    request = await sent(
        system_instructions="Be brief.", previous_response_id="resp_0", conversation_id="conv_1"
    )
    assert request["instructions"] == "Be brief."
    assert request["previous_response_id"] == "resp_0"
    assert request["conversation"] == "conv_1"


async def test_every_setting_of_this_api_is_sent_under_its_name(
    sent: Any, server: LoopbackServer
) -> None:
    settings = ModelSettings(
        temperature=0.1,
        top_p=0.2,
        parallel_tool_calls=True,
        truncation="auto",
        max_tokens=9,
        reasoning=Reasoning(effort="low"),
        verbosity="high",
        metadata={"a": "b"},
        store=False,
        prompt_cache_retention="24h",
        response_include=["reasoning.encrypted_content"],
        top_logprobs=2,
        extra_query={"q": "1"},
        extra_body={"from_the_body": 1},
        extra_headers={"x-trace": "t"},
        extra_args={"service_tier": "flex"},
        context_management=[{"type": "compaction", "compact_threshold": 1000}],
    )
    request = await sent(
        model_settings=settings,
        tools=[function_tool("f"), FileSearchTool(["v"], include_search_results=True)],
        output_schema=AgentOutputSchema(Trip),
    )
    tools = request.pop("tools")
    form = request["text"].pop("format")

    assert [tool["type"] for tool in tools] == ["function", "file_search"]
    assert (form["type"], form["name"], form["strict"]) == ("json_schema", "final_output", True)
    assert form["schema"]["required"] == ["city"]
    assert request == {
        "model": "gpt-x",
        "input": [{"role": "user", "content": "hello"}],
        "temperature": 0.1,
        "top_p": 0.2,
        "parallel_tool_calls": True,
        "truncation": "auto",
        "max_output_tokens": 9,
        "reasoning": {"effort": "low"},
        "text": {"verbosity": "high"},
        "metadata": {"a": "b"},
        "store": False,
        "prompt_cache_retention": "24h",
        "include": [
            "file_search_call.results",
            "reasoning.encrypted_content",
            "message.output_text.logprobs",
        ],
        "top_logprobs": 2,
        "from_the_body": 1,
        "service_tier": "flex",
        "context_management": [{"type": "compaction", "compact_threshold": 1000}],
    }
    assert server.requests[-1].path == "/v1/responses?q=1"
    assert server.requests[-1].headers["x-trace"] == "t"


async def test_parallel_calls_are_not_mentioned_where_there_is_nothing_to_call(sent: Any) -> None:
    wanted = await sent(model_settings=ModelSettings(parallel_tool_calls=True))
    unwanted = await sent(model_settings=ModelSettings(parallel_tool_calls=False))

    assert "parallel_tool_calls" not in wanted
    assert unwanted["parallel_tool_calls"] is False


async def test_extra_args_that_repeat_a_setting_are_refused(sent: Any) -> None:
    settings = ModelSettings(temperature=0.5, extra_args={"temperature": 1})
    with pytest.raises(UserError, match="extra_args sets 'temperature'"):
        await sent(model_settings=settings)


async def test_a_stored_prompt_decides_on_the_model_unless_somebody_chose_one(
    sent: Any, client: AsyncOpenAI
) -> None:
    unchosen = OpenAIResponsesModel("gpt-x", client, model_is_explicit=False)

    assert (await sent(prompt={"id": "p"}))["model"] == "gpt-x"
    assert "model" not in await sent(prompt={"id": "p"}, model=unchosen)


async def test_plain_text_asks_for_no_format(sent: Any) -> None:
    assert "text" not in await sent(output_schema=AgentOutputSchema(str))


async def test_function_tools_and_handoffs_are_functions(sent: Any) -> None:
    request = await sent(tools=[function_tool("f", "Do it.")], handoffs=[shell_handoff()])

    assert request["tools"] == [
        {
            "type": "function",
            "name": "f",
            "description": "Do it.",
            "parameters": WEATHER_SCHEMA,
            "strict": True,
        },
        {
            "type": "function",
            "name": "transfer_to_pilot",
            "description": "Ask the pilot.",
            "parameters": {
                "type": "object",
                "properties": {},
                "required": [],
                "additionalProperties": False,
            },
            "strict": True,
        },
    ]


HOSTED = [
    (WebSearchTool(), {"type": "web_search", "search_context_size": "medium"}),
    (
        WebSearchTool(
            user_location={"type": "approximate", "city": "Oslo"},
            search_context_size="low",
            external_web_access=False,
        ),
        {
            "type": "web_search",
            "user_location": {"type": "approximate", "city": "Oslo"},
            "search_context_size": "low",
            "external_web_access": False,
        },
    ),
    (
        WebSearchTool(search_content_types=["text", "image"], image_settings={"max_results": 2}),
        {
            "type": "web_search",
            "search_context_size": "medium",
            "search_content_types": ["text", "image"],
            "image_settings": {"max_results": 2},
        },
    ),
    (
        FileSearchTool(
            ["v1"],
            max_num_results=3,
            ranking_options={"ranker": "auto"},
            filters={"type": "eq", "key": "k", "value": "v"},
        ),
        {
            "type": "file_search",
            "vector_store_ids": ["v1"],
            "max_num_results": 3,
            "ranking_options": {"ranker": "auto"},
            "filters": {"type": "eq", "key": "k", "value": "v"},
        },
    ),
    (
        CodeInterpreterTool({"type": "code_interpreter", "container": {"type": "auto"}}),
        {"type": "code_interpreter", "container": {"type": "auto"}},
    ),
    (
        HostedMCPTool(
            {
                "type": "mcp",
                "server_label": "docs",
                "server_url": "https://example.com/mcp",
                "require_approval": "never",
            }
        ),
        {
            "type": "mcp",
            "server_label": "docs",
            "server_url": "https://example.com/mcp",
            "require_approval": "never",
        },
    ),
    (
        ImageGenerationTool({"type": "image_generation", "quality": "low"}),
        {"type": "image_generation", "quality": "low"},
    ),
    (LocalShellTool(executor=lambda request: ""), {"type": "local_shell"}),
    (ComputerTool(Screen()), {"type": "computer"}),
    (
        ShellTool(executor=lambda request: ""),
        {"type": "shell", "environment": {"type": "local"}},
    ),
]


async def test_a_response_has_the_images_of_a_search_that_finds_some(sent: Any) -> None:
    texts = WebSearchTool(search_content_types=["text"])
    images = WebSearchTool(search_content_types=["text", "image"])
    assert "include" not in await sent(tools=[texts])
    assert (await sent(tools=[images]))["include"] == ["web_search_call.results"]


@pytest.mark.parametrize(("tool", "payload"), HOSTED, ids=lambda part: type(part).__name__)
async def test_a_hosted_tool_is_sent_as_the_clients_types_want_it(
    sent: Any, tool: Any, payload: dict[str, Any]
) -> None:
    from openai.types.responses import ToolParam

    assert (await sent(tools=[tool]))["tools"] == [payload]
    TypeAdapter(ToolParam).validate_python(payload)


async def test_the_preview_computer_model_is_told_the_size_of_the_screen(
    sent: Any, client: AsyncOpenAI
) -> None:
    model = OpenAIResponsesModel("computer-use-preview-2025-03-11", client)
    request = await sent(tools=[ComputerTool(Screen())], model=model)

    assert request["tools"] == [
        {
            "type": "computer_use_preview",
            "environment": "browser",
            "display_width": 1024,
            "display_height": 768,
        }
    ]


async def test_two_computers_are_refused(sent: Any) -> None:
    with pytest.raises(UserError, match="only one ComputerTool"):
        await sent(tools=[ComputerTool(Screen()), ComputerTool(Screen())])


def test_a_tool_that_the_api_does_not_know_is_refused_by_name() -> None:
    class Crowbar:
        name = "crowbar"

    unknown: Any = Crowbar()
    with pytest.raises(UserError, match="'crowbar'"):
        Converter.convert_tools([unknown], [])


CHOICES = [
    ("auto", "auto"),
    ("required", "required"),
    ("none", "none"),
    ("f", {"type": "function", "name": "f"}),
    ("transfer_to_pilot", {"type": "function", "name": "transfer_to_pilot"}),
    ("absent", {"type": "function", "name": "absent"}),
    ("web_search", {"type": "web_search"}),
    ("file_search", {"type": "file_search"}),
    ("code_interpreter", {"type": "code_interpreter"}),
    ("image_generation", {"type": "image_generation"}),
    ("mcp", {"type": "mcp"}),
    ("computer", {"type": "computer"}),
    ("computer_use_preview", {"type": "computer"}),
    (MCPToolChoice("docs", "search"), {"type": "mcp", "server_label": "docs", "name": "search"}),
]


@pytest.mark.parametrize(("choice", "payload"), CHOICES, ids=str)
async def test_a_tool_choice_is_a_mode_a_function_or_a_hosted_tool(
    sent: Any, choice: Any, payload: Any
) -> None:
    request = await sent(
        model_settings=ModelSettings(tool_choice=choice),
        tools=[function_tool("f"), ComputerTool(Screen())],
        handoffs=[shell_handoff()],
    )
    assert request["tool_choice"] == payload


async def test_a_function_tool_with_the_name_of_a_hosted_one_is_the_one_chosen(sent: Any) -> None:
    request = await sent(
        model_settings=ModelSettings(tool_choice="web_search"), tools=[function_tool("web_search")]
    )
    assert request["tool_choice"] == {"type": "function", "name": "web_search"}


async def test_input_items_go_out_as_they_are_but_for_what_only_others_know(sent: Any) -> None:
    image = {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "auto"}
    kept = [
        {"role": "user", "content": [{"type": "input_text", "text": "what is this?"}, image]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}", "id": "fc_1"},
        {"type": "function_call_output", "call_id": "c", "output": [image]},
        {"type": "reasoning", "id": "rs_1", "summary": []},
    ]
    foreign: list[dict[str, Any]] = [
        {"type": "message", "id": FAKE_RESPONSES_ID, "role": "assistant", "content": []},
        {"type": "reasoning", "id": "rs_2", "summary": [], "provider_data": {"model": "other"}},
        {"role": "user", "content": "x", "provider_data": {"model": "other"}},
    ]
    request = await sent(input=[*kept, *foreign])

    assert request["input"] == [
        *kept,
        {"type": "message", "role": "assistant", "content": []},
        {"role": "user", "content": "x"},
    ]
    assert foreign[0]["id"] == FAKE_RESPONSES_ID


async def test_a_long_conversation_does_not_hold_up_the_event_loop(sent: Any) -> None:
    """The client itself would need a quarter of a second for these 1,000 items and 50 tools."""
    items = [
        {"type": "function_call_output", "call_id": f"c{number}", "output": "x"}
        for number in range(1000)
    ]
    tools = [function_tool(f"f{number}") for number in range(50)]
    await sent(input=items, tools=tools)

    spent = []
    for _ in range(3):
        start = time.process_time()
        await sent(input=items, tools=tools)
        spent.append(time.process_time() - start)
    assert min(spent) < 0.1


async def test_nothing_that_was_said_reaches_a_log_of_ours(
    sent: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="agentgraph")
    await sent(input="a secret", system_instructions="another secret")

    assert "secret" not in "".join(
        record.getMessage() for record in caplog.records if record.name.startswith("agentgraph")
    )
