"""Which model a name leads to, with which client, and what happens where no key is set."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAIError

from agentgraph import Agent, Runner, function_tool
from agentgraph.exceptions import UserError
from agentgraph.models.default_models import (
    get_default_model,
    get_default_model_settings,
    is_gpt_5_default,
)
from agentgraph.models.interface import Model, ModelProvider
from agentgraph.models.multi_provider import MultiProvider, MultiProviderMap, default_provider
from agentgraph.models.openai_provider import OpenAIProvider
from agentgraph.models.openai_responses import OpenAIResponsesModel
from agentgraph.models.rehearsal import RehearsalModel
from agentgraph.openai_defaults import (
    openai_defaults,
    set_default_openai_api,
    set_default_openai_client,
    set_default_openai_key,
)
from tests.models.loopback_server import Answer, LoopbackServer
from tests.models.model_calls import get
from tests.models.wire import RESPONSE


@pytest.fixture(autouse=True)
def _fresh_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("key", None), ("client", None), ("api", "responses")):
        monkeypatch.setattr(openai_defaults, name, value)


class OneModel(ModelProvider):
    """A provider of rehearsals that remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str | None] = []
        self.closed = False

    def get_model(self, model_name: str | None) -> Model:
        self.asked.append(model_name)
        return RehearsalModel()

    async def aclose(self) -> None:
        self.closed = True


def openai_model(provider: ModelProvider, name: str | None = None) -> OpenAIResponsesModel:
    model = provider.get_model(name)
    assert isinstance(model, OpenAIResponsesModel)
    return model


def client_of(model: OpenAIResponsesModel) -> AsyncOpenAI:
    return model._client


@pytest.mark.parametrize("provider", [OpenAIProvider, MultiProvider])
@pytest.mark.parametrize("kind", [UserError, OpenAIError])
def test_without_a_key_there_is_no_model_and_the_message_names_the_ways(
    provider: type[ModelProvider], kind: type[Exception]
) -> None:
    """The SDK's client raises `OpenAIError`, so programs catch that too."""
    with pytest.raises(kind) as caught:
        provider().get_model(None)
    for way in (
        "Set OPENAI_API_KEY",
        "set_default_openai_key()",
        "AGENTGRAPH_MODEL=rehearsal",
        "RunConfig(model=RehearsalModel())",
        "`agentgraph run --rehearse`",
    ):
        assert way in str(caught.value)


async def test_a_run_without_a_key_raises_before_a_tool_acts() -> None:
    agent = Agent(name="A", tools=[function_tool(lambda: pytest.fail("acted"), name_override="t")])
    with pytest.raises(UserError, match="There is no API key"):
        await Runner.run(agent, "please do not refund my order")


@pytest.mark.parametrize("name", [None, "gpt-5", "openai/gpt-5", "litellm/other"])
def test_the_environment_asks_for_a_rehearsal_of_every_model_with_a_name(
    monkeypatch: pytest.MonkeyPatch, name: str | None
) -> None:
    monkeypatch.setenv("AGENTGRAPH_MODEL", "rehearsal")
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    assert isinstance(MultiProvider().get_model(name), RehearsalModel)
    assert isinstance(OpenAIProvider(api_key="k").get_model(name), RehearsalModel)


def test_the_environment_may_ask_for_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTGRAPH_MODEL", "rehersal")
    with pytest.raises(UserError, match="'rehersal'; the only value that it knows is 'rehearsal'"):
        MultiProvider().get_model(None)


def test_an_address_without_a_key_is_an_error_that_says_what_to_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(UserError, match="OPENAI_API_KEY"):
        OpenAIProvider(base_url="http://127.0.0.1:1/v1").get_model(None)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    with pytest.raises(UserError, match=r"127\.0\.0\.1"):
        OpenAIProvider().get_model(None)


NOT_ENCODED = "http://user:s3cret/s3cret@x/v1"


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://user:s3cret@x/v1", None),
        ("http://x/v1?key=s3cret", None),
        (NOT_ENCODED, None),
        (NOT_ENCODED, "k"),
    ],
)
def test_no_message_shows_the_secrets_of_a_base_url(url: str, key: str | None) -> None:
    with pytest.raises(UserError) as caught:
        OpenAIProvider(base_url=url, api_key=key).get_model("m")
    assert "s3cret" not in f"{caught.value} {caught.value.__cause__}"
    assert "http://x/v1" in str(caught.value)


async def test_the_key_comes_from_the_provider_then_the_process_then_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "of-environment")
    from_environment = client_of(openai_model(OpenAIProvider())).api_key
    set_default_openai_key("of-process")
    from_process = client_of(openai_model(OpenAIProvider())).api_key
    from_provider = client_of(openai_model(OpenAIProvider(api_key="of-provider"))).api_key

    assert (from_environment, from_process, from_provider) == (
        "of-environment",
        "of-process",
        "of-provider",
    )
    assert openai_defaults.key_for_tracing == "of-process"


async def test_a_key_may_be_set_late(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = default_provider()
    with pytest.raises(UserError):
        provider.get_model(None)
    monkeypatch.setenv("OPENAI_API_KEY", "k")

    assert isinstance(provider.get_model(None), OpenAIResponsesModel)
    await provider.aclose()


async def test_the_address_of_the_environment_is_the_one_that_is_called(
    monkeypatch: pytest.MonkeyPatch, server: LoopbackServer
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    server.answer(Answer(RESPONSE))
    provider = OpenAIProvider(organization="o", project="p")
    await get(provider.get_model("gpt-x"))
    await provider.aclose()
    (request,) = server.requests

    assert request.json["model"] == "gpt-x"
    assert request.headers["authorization"] == "Bearer k"
    assert request.headers["openai-organization"] == "o"
    assert request.headers["openai-project"] == "p"


async def test_the_default_client_is_used_unless_the_provider_has_values_of_its_own() -> None:
    client = AsyncOpenAI(api_key="mine")
    set_default_openai_client(client)

    assert client_of(openai_model(OpenAIProvider())) is client
    assert client_of(openai_model(OpenAIProvider(api_key="other"))) is not client
    assert client_of(openai_model(OpenAIProvider(openai_client=client))) is client


async def test_one_client_serves_all_models_of_a_provider_until_it_is_closed() -> None:
    provider = OpenAIProvider(api_key="k")
    first, second = (client_of(openai_model(provider, name)) for name in ("a", "b"))
    await provider.aclose()

    assert first is second
    assert first.is_closed()
    assert client_of(openai_model(provider)) is not first


def test_each_event_loop_has_a_client_of_its_own() -> None:
    provider = OpenAIProvider(api_key="k")

    async def client() -> AsyncOpenAI:
        made = client_of(openai_model(provider))
        await provider.aclose()
        return made

    assert asyncio.run(client()) is not asyncio.run(client())


async def test_a_client_that_was_given_stays_open() -> None:
    client = AsyncOpenAI(api_key="k")
    provider = OpenAIProvider(openai_client=client)
    openai_model(provider)
    await provider.aclose()

    assert not client.is_closed()


CONTRADICTIONS: list[tuple[dict[str, Any], str]] = [
    ({"openai_client": object(), "api_key": "k"}, "not both"),
    ({"openai_client": object(), "base_url": "u"}, "not both"),
    ({"agent_registration": {}}, "register"),
]


@pytest.mark.parametrize(("arguments", "message"), CONTRADICTIONS)
def test_arguments_that_cannot_be_met_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        OpenAIProvider(**arguments)


def test_an_api_that_does_not_exist_cannot_be_the_default() -> None:
    unknown: Any = "telepathy"
    with pytest.raises(UserError, match="telepathy"):
        set_default_openai_api(unknown)


NAMES = [
    ({}, "gpt-x", "gpt-x"),
    ({}, "openai/gpt-x", "gpt-x"),
    ({"openai_prefix_mode": "model_id"}, "openai/gpt-x", "openai/gpt-x"),
    ({"unknown_prefix_mode": "model_id"}, "meta/llama", "meta/llama"),
]


@pytest.mark.parametrize(("modes", "name", "asked_for"), NAMES)
async def test_the_prefix_of_openai_is_taken_off_unless_it_is_part_of_the_name(
    modes: dict[str, Any], name: str, asked_for: str
) -> None:
    provider = MultiProvider(openai_api_key="k", **modes)

    assert openai_model(provider, name).model == asked_for


async def test_no_name_is_the_default_model(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = MultiProvider(openai_api_key="k")
    assert openai_model(provider).model == get_default_model()
    monkeypatch.setenv("OPENAI_DEFAULT_MODEL", "My-Model")

    assert openai_model(provider).model == "my-model"


def test_an_unknown_prefix_is_an_error_that_names_the_known_ones() -> None:
    added = MultiProviderMap()
    added.add_provider("mine", OneModel())
    with pytest.raises(UserError, match=r"'opnai'.*groq, litellm, .*, mine, .*, openai, .*, vllm"):
        MultiProvider(provider_map=added).get_model("opnai/gpt-x")


async def test_added_providers_win_and_get_the_rest_of_the_name() -> None:
    mine = OneModel()
    added = MultiProviderMap()
    added.set_mapping({"openai": mine})
    added.add_provider("mine", mine)
    provider = MultiProvider(provider_map=added)
    provider.get_model("mine/a/b")
    provider.get_model("openai/c")
    await provider.aclose()

    assert mine.asked == ["a/b", "c"]
    assert mine.closed
    assert added.has_prefix("mine")
    added.remove_provider("mine")
    assert not added.has_prefix("mine")


def test_modes_that_do_not_exist_are_refused() -> None:
    unknown: Any = "sometimes"
    with pytest.raises(UserError, match="openai_prefix_mode 'sometimes'"):
        MultiProvider(openai_prefix_mode=unknown)
    with pytest.raises(UserError, match="unknown_prefix_mode 'sometimes'"):
        MultiProvider(unknown_prefix_mode=unknown)


SETTINGS = [
    ("gpt-5", "low", "low"),
    ("gpt-5-2025-08-07", "low", "low"),
    ("gpt-5-mini", None, "low"),
    ("gpt-5.1", "none", "low"),
    ("gpt-5.2-pro", "medium", "low"),
    ("gpt-5.4-mini", "none", "low"),
    ("gpt-5.6-luna-2026-01-01", "none", "low"),
    ("gpt-5-chat-latest", None, None),
    ("gpt-4.1", None, None),
]


@pytest.mark.parametrize(("name", "effort", "verbosity"), SETTINGS)
def test_default_settings_go_with_the_model(
    name: str, effort: str | None, verbosity: str | None
) -> None:
    settings = get_default_model_settings(name)

    assert (settings.reasoning and settings.reasoning.effort, settings.verbosity) == (
        effort,
        verbosity,
    )


def test_the_default_model_decides_on_the_default_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_gpt_5_default()
    monkeypatch.setenv("OPENAI_DEFAULT_MODEL", "gpt-4.1")

    assert not is_gpt_5_default()
    assert get_default_model_settings().verbosity is None


async def test_a_provider_that_cannot_be_closed_keeps_no_other_open() -> None:
    class Stuck(OneModel):
        async def aclose(self) -> None:
            raise ConnectionError("stuck")

    stuck, other = Stuck(), OneModel()
    providers = MultiProviderMap()
    providers.set_mapping({"stuck": stuck, "other": other})
    with pytest.raises(ConnectionError, match="stuck"):
        await MultiProvider(provider_map=providers).aclose()

    assert other.closed


async def test_a_provider_under_two_prefixes_is_closed_once() -> None:
    class Counting(OneModel):
        closings = 0

        async def aclose(self) -> None:
            self.closings += 1

    one, providers = Counting(), MultiProviderMap()
    providers.set_mapping({"a": one, "b": one})
    provider = MultiProvider(provider_map=providers)
    providers.add_provider("self", provider)
    await provider.aclose()

    assert one.closings == 1
