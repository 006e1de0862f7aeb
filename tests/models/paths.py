"""The ways from a run to a server's API, and scenarios that must end the same on each of them.

LiteLLM and any-llm are installed in an environment of their own (`make` makes `.cache/providers`).
There all ways are open; elsewhere those of the `openai` client.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import openai
from openai import AsyncOpenAI, DefaultAsyncHttpxClient
from pydantic import BaseModel

from agentgraph import Agent, Runner, RunResultStreaming, function_tool
from agentgraph.extensions.models.any_llm_model import AnyLLMModel
from agentgraph.extensions.models.litellm_model import LitellmModel
from agentgraph.models.interface import Model
from agentgraph.models.openai_chatcompletions import OpenAIChatCompletionsModel
from agentgraph.models.openai_responses import OpenAIResponsesModel


@dataclass(frozen=True)
class Path:
    """A way to a server.

    Attributes:
        name: Its name.
        make: Makes the model for the server and the key of a client.
        api: The API that the server must have.
        settings: Settings that keep the library from repeating calls.
    """

    name: str
    make: Callable[[AsyncOpenAI], Model]
    api: str = "chat"
    settings: dict[str, Any] = field(default_factory=dict)

    @asynccontextmanager
    async def model(self, url: str, key: str) -> AsyncIterator[Model]:
        """Make the model of a server, and close its connections afterwards."""
        # To load the certificates of the system costs more than all the rest of a test.
        http = DefaultAsyncHttpxClient(verify=False)
        async with AsyncOpenAI(
            api_key=key, base_url=url, max_retries=0, http_client=http
        ) as client:
            model = self.make(client)
            yield model
            await model.close()


def _through(library: Callable[..., Model], **options: Any) -> Callable[[AsyncOpenAI], Model]:
    """Make a model of a library with the address and the key of a client."""
    return lambda client: library(
        "openai/model-x", base_url=str(client.base_url), api_key=client.api_key, **options
    )


PATHS = [
    Path("responses", lambda client: OpenAIResponsesModel("model-x", client), api="responses"),
    Path("chat", lambda client: OpenAIChatCompletionsModel("model-x", client)),
]
if find_spec("litellm") is not None:
    no_retries = {"extra_args": {"max_retries": 0}}
    PATHS.append(Path("litellm", _through(LitellmModel), settings=no_retries))
if find_spec("any_llm") is not None:
    chat = _through(AnyLLMModel, api="chat_completions")
    PATHS += [
        Path("any-llm-responses", _through(AnyLLMModel), api="responses"),
        Path("any-llm-chat", chat),
    ]


class Trip(BaseModel):
    """What the scenario `structured` asks for."""

    city: str
    days: int


@dataclass(frozen=True)
class Scenario:
    """A run on the server of `aimock_server`, and how it ends.

    Attributes:
        input: What the user says, which selects the server's answer.
        items: The new items: their type, and the text, the call or the output.
        output: The final output, or the class of the error.
        tokens: The tokens, where the server says them.
        output_type: The type of the output.
    """

    input: str
    items: list[tuple[str, ...]]
    output: Any
    tokens: int | None = None
    output_type: type | None = None


WELCOME = "Good day to you, and welcome to the loopback."
SCENARIOS = [
    Scenario("hello", [("message_output_item", WELCOME)], WELCOME, tokens=18),
    Scenario(
        "weather",
        [
            ("tool_call_item", "get_weather", '{"city":"Oslo"}', "call_oslo"),
            ("tool_call_item", "get_weather", '{"city":"Rome"}', "call_rome"),
            ("tool_call_output_item", "sunny in Oslo"),
            ("tool_call_output_item", "sunny in Rome"),
            ("message_output_item", "Sunny in both."),
        ],
        "Sunny in both.",
    ),
    Scenario(
        "think",
        [("reasoning_item", "Six by nine, roughly."), ("message_output_item", "Forty-two.")],
        "Forty-two.",
    ),
    Scenario(
        "structured",
        [("message_output_item", '{"city":"Oslo","days":3}')],
        Trip(city="Oslo", days=3),
        output_type=Trip,
    ),
    Scenario("always too fast", [], openai.RateLimitError),
    Scenario("break", [], openai.InternalServerError),
]


@dataclass(frozen=True)
class Outcome:
    """What a run came to.

    Attributes:
        items: As in `Scenario`.
        output: As in `Scenario`.
        tokens: The tokens of all requests.
        events: The names of the events about items; empty if the run was not streamed.
        deltas: The streamed text.
    """

    items: list[tuple[str, ...]]
    output: Any
    tokens: int
    events: list[str]
    deltas: str


@function_tool
def get_weather(city: str) -> str:
    """Look up the weather of a city."""
    return f"sunny in {city}"


async def outcome(agent: Agent[Any], text: str, streamed: bool, **options: Any) -> Outcome:
    """Run an agent.

    Args:
        agent: The agent.
        text: What the user says.
        streamed: Whether the run is streamed.
        options: Further arguments of the run.
    """
    events, deltas = list[str](), ""
    if streamed:
        result: Any = Runner.run_streamed(agent, text, **options)
        async for event in result.stream_events():
            if event.type == "run_item_stream_event":
                events.append(event.name)
            elif getattr(event, "data", None) is not None:
                is_text = event.data.type == "response.output_text.delta"
                deltas += event.data.delta if is_text else ""
    else:
        result = await Runner.run(agent, text, **options)
    usage = result.context_wrapper.usage
    items = [_summary(item) for item in result.new_items]
    assert isinstance(result, RunResultStreaming) is streamed
    return Outcome(items, result.final_output, usage.total_tokens, events, deltas)


def _summary(item: Any) -> tuple[str, ...]:
    raw = item.raw_item
    match item.type:
        case "message_output_item":
            return item.type, "".join(part.text for part in raw.content)
        case "tool_call_item":
            return item.type, raw.name, raw.arguments, raw.call_id
        case "reasoning_item":
            return item.type, "".join(part.text for part in raw.summary)
        case _:
            return item.type, item.output
