"""Prefixes that select a server of the Chat Completions API: its address, key and quirks."""

from __future__ import annotations

import pytest
from openai import AsyncOpenAI

from agentgraph import Agent, Runner
from agentgraph.exceptions import UserError
from agentgraph.models.chat_servers import CHAT_SERVERS, ChatServer, ChatServerProvider
from agentgraph.models.gate.quirks import ServerQuirks
from agentgraph.models.multi_provider import MultiProvider
from agentgraph.models.openai_chatcompletions import OpenAIChatCompletionsModel
from agentgraph.models.openai_responses import OpenAIResponsesModel
from agentgraph.models.rehearsal import RehearsalModel
from tests.models.loopback_server import Answer, LoopbackServer
from tests.models.test_chat_completions import completion

ROWS = pytest.mark.parametrize(("prefix", "server"), CHAT_SERVERS.items(), ids=CHAT_SERVERS)


def chat_model(name: str, provider: MultiProvider | None = None) -> OpenAIChatCompletionsModel:
    model = (provider or MultiProvider()).get_model(name)
    assert isinstance(model, OpenAIChatCompletionsModel)
    return model


def client_of(model: OpenAIChatCompletionsModel) -> AsyncOpenAI:
    return model._client


@ROWS
def test_a_prefix_sets_the_address_and_the_key(
    prefix: str, server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in server.key_variables:
        monkeypatch.setenv(name, f"key of {name}")
    model = chat_model(f"{prefix}/maker/model-x")

    assert model.model == "maker/model-x"
    assert str(client_of(model).base_url).rstrip("/") == server.base_url
    assert client_of(model).api_key == f"key of {server.key_variables[0]}"


@ROWS
def test_a_missing_key_is_an_error_that_names_the_variable(prefix: str, server: ChatServer) -> None:
    if server.needs_key:
        with pytest.raises(UserError, match=f"set {' or '.join(server.key_variables)}"):
            MultiProvider().get_model(f"{prefix}/m")
    else:
        assert client_of(chat_model(f"{prefix}/m")).api_key == "none"


@pytest.mark.parametrize("name", ["GEMINI_API_KEY", "GOOGLE_API_KEY"])
def test_any_of_the_variables_holds_the_key(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "k")

    assert client_of(chat_model("gemini/m")).api_key == "k"


def test_the_quirks_are_those_of_the_row_wherever_the_server_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "k")
    monkeypatch.setenv("GEMINI_BASE_URL", "http://proxy/gemini")
    monkeypatch.setenv("VLLM_BASE_URL", "http://proxy/vllm")

    gemini = ServerQuirks(call_ids="missing", usage_in_streams=True)
    assert chat_model("gemini/m").server_quirks == gemini
    assert chat_model("vllm/m").server_quirks == ServerQuirks(usage_in_streams=True)
    assert chat_model("vllm/kimi-k3").server_quirks.wants_reasoning_back


async def test_a_run_calls_the_address_of_the_environment_without_the_data_of_openai(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "key of OpenAI")
    monkeypatch.setenv("OPENAI_ORG_ID", "org of OpenAI")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project of OpenAI")
    server.answer(Answer(completion(content="hi")))
    result = await Runner.run(Agent(name="A", model="ollama/llama3.3"), "hello")
    (request,) = server.requests

    assert result.final_output == "hi"
    assert request.path == "/v1/chat/completions"
    assert request.json["model"] == "llama3.3"
    assert "of OpenAI" not in str(request.headers)


async def test_a_provider_of_one_server_takes_values_of_its_own() -> None:
    provider = ChatServerProvider("groq", base_url="http://h/v1", api_key="mine")
    first, second = provider.get_model("a"), provider.get_model("b")
    assert isinstance(first, OpenAIChatCompletionsModel)
    assert isinstance(second, OpenAIChatCompletionsModel)
    client = client_of(first)
    await provider.aclose()

    assert (client.api_key, str(client.base_url)) == ("mine", "http://h/v1/")
    assert client is client_of(second)
    assert client.is_closed()


async def test_the_provider_of_all_closes_the_clients_of_the_servers() -> None:
    provider = MultiProvider()
    client = client_of(chat_model("ollama/m", provider))
    await provider.aclose()

    assert client.is_closed()


def test_a_prefix_stays_in_the_name_where_the_program_asks_for_that() -> None:
    """`unknown_prefix_mode`, as in the published SDK, which knows none of these prefixes."""
    provider = MultiProvider(openai_api_key="k", unknown_prefix_mode="model_id")
    model = provider.get_model("openrouter/openai/gpt-4o")

    assert isinstance(model, OpenAIResponsesModel)
    assert model.model == "openrouter/openai/gpt-4o"


def test_a_server_or_a_model_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UserError, match="no server 'olama'; use gemini"):
        ChatServerProvider("olama")
    with pytest.raises(UserError, match="Name a model of ollama"):
        ChatServerProvider("ollama").get_model(None)


def test_a_rehearsal_answers_for_every_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTGRAPH_MODEL", "rehearsal")

    assert isinstance(MultiProvider().get_model("groq/m"), RehearsalModel)
    assert isinstance(ChatServerProvider("groq").get_model("m"), RehearsalModel)
