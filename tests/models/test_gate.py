"""The gate: replies in every vendor's form are read, and a damaged part costs nothing else."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from openai.types.chat import ChatCompletionChunk

from agentgraph.exceptions import ModelBehaviorError
from agentgraph.items.responses import ModelResponse
from agentgraph.model_settings import ModelSettings
from agentgraph.models.chat_items import output_items
from agentgraph.models.chat_messages import chat_messages
from agentgraph.models.chat_stream import chat_events
from agentgraph.models.gate.chat import ChatReading
from agentgraph.models.gate.counts import usage_of
from agentgraph.models.gate.quirks import ServerQuirks, quirks_of
from agentgraph.models.gate.reply import sound_reply
from agentgraph.models.gate.server import Server, shown_url
from agentgraph.models.openai_chatcompletions import OpenAIChatCompletionsModel
from agentgraph.models.openai_responses import OpenAIResponsesModel
from agentgraph.models.reasoning_content_replay import (
    ReasoningContentReplayContext,
    default_should_replay_reasoning_content,
)
from agentgraph.models.response_events import in_progress_response
from agentgraph.usage import Usage
from tests.models.loopback_server import Answer, LoopbackServer
from tests.models.model_calls import events, finished, get
from tests.models.wire import MESSAGE, event, response

SERVER = Server("m")
NO_QUIRKS = ServerQuirks()


def chunk(finish: str | None = None, **delta: Any) -> ChatCompletionChunk:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return ChatCompletionChunk.model_construct(
        **{"id": "c1", "model": "m", "choices": [choice], "usage": None}
    )


def piece(arguments: str | None = None, index: int | None = 0, **fields: Any) -> dict[str, Any]:
    name = fields.pop("name", None)
    return {"index": index, "function": {"arguments": arguments, "name": name}, **fields}


async def streamed(
    *deltas: dict[str, Any], finish: str | None = "stop", quirks: ServerQuirks = NO_QUIRKS
) -> list[Any]:
    """Return the events of a stream with these deltas."""

    async def chunks() -> Any:
        for delta in deltas:
            yield chunk(**delta)
        yield chunk(finish)

    reading = ChatReading(SERVER, quirks)
    return [
        event
        async for event in chat_events(
            in_progress_response("m"), chunks(), reading, has_ended=lambda: False
        )
    ]


def whole(message: dict[str, Any], quirks: ServerQuirks = NO_QUIRKS, **choice: Any) -> list[Any]:
    """Return the items of a whole reply."""
    reading = ChatReading(SERVER, quirks)
    reply = {"choices": [{"message": message, "finish_reason": "stop", **choice}]}
    reading.read_whole(reply, keep_cut_text=True)
    return list(output_items(reading.message, {"model": "m", "response_id": "c1"}))


async def streamed_items(*deltas: dict[str, Any], **options: Any) -> list[Any]:
    return list((await streamed(*deltas, **options))[-1].response.output)


def calls(items: Iterable[Any]) -> list[tuple[str, str, str]]:
    return [(i.call_id, i.name, i.arguments) for i in items if i.type == "function_call"]


async def test_arguments_in_single_characters_arrive_whole() -> None:
    arguments = '{"text": "' + "x" * 5_000 + '"}'
    pieces = [{"tool_calls": [piece(letter)]} for letter in arguments]
    first = {"tool_calls": [piece("", id="a", name="f")]}

    assert calls(await streamed_items(first, *pieces)) == [("a", "f", arguments)]


async def test_calls_under_one_index_are_told_apart_by_their_ids() -> None:
    deltas = [
        {"tool_calls": [piece('{"a": 1}', id="a", name="f")]},
        {"tool_calls": [piece('{"b"', id="b", name="g")]},
        {"tool_calls": [piece(": 2}")]},
    ]

    assert calls(await streamed_items(*deltas)) == [("a", "f", '{"a": 1}'), ("b", "g", '{"b": 2}')]


async def test_a_name_may_come_late_or_never() -> None:
    late = [{"tool_calls": [piece("{", id="a")]}, {"tool_calls": [piece("}", name="f")]}]
    never = [{"tool_calls": [piece("{}", id="a")]}]

    assert calls(await streamed_items(*late)) == [("a", "f", "{}")]
    assert calls(await streamed_items(*never)) == [("a", "", "{}")]


async def test_calls_without_an_index_are_those_of_their_place() -> None:
    both = [piece("{}", None, id="a", name="f"), piece("{}", None, id="b", name="g")]

    assert calls(await streamed_items({"tool_calls": both})) == [("a", "f", "{}"), ("b", "g", "{}")]


async def test_arguments_may_be_an_object() -> None:
    call = {"id": "a", "function": {"name": "f", "arguments": {"city": "Oslo"}}}

    assert calls(whole({"tool_calls": [call]})) == [("a", "f", '{"city": "Oslo"}')]


async def test_reasoning_after_the_text_is_an_item_of_its_own() -> None:
    seen = await streamed({"reasoning": "hm"}, {"content": "hi"}, {"reasoning_content": "oh"})
    items = seen[-1].response.output
    closed = [event.output_index for event in seen if event.type == "response.output_item.done"]

    assert [item.type for item in items] == ["reasoning", "message", "reasoning"]
    assert [items[0].summary[0].text, items[2].summary[0].text] == ["hm", "oh"]
    assert sorted(closed) == [0, 1, 2]


async def test_text_after_a_refusal_is_kept_in_its_place() -> None:
    (message,) = await streamed_items({"refusal": "no"}, {"content": "but"}, {"refusal": "!"})

    assert [part.type for part in message.content] == ["refusal", "output_text"]
    assert (message.content[0].refusal, message.content[1].text) == ("no!", "but")


MESSAGES: list[dict[str, Any]] = [
    {"content": "hi"},
    {"content": [{"type": "text", "text": "h"}, {"type": "text", "text": "i"}]},
    {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]},
    {"content": None, "audio": {"id": "a", "data": "AA", "transcript": "hello"}},
    {"reasoning": "hm", "reasoning_details": [{"data": "x"}], "content": "hi"},
    {"content": "see", "annotations": [{"type": "url_citation", "url_citation": {"url": "u"}}]},
    {"tool_calls": [piece("{}", id="a", name="f", extra_content={"google": {"s": "x"}})]},
    {"refusal": "no", "content": "hi", "mood": "sad"},
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: "-".join(message))
async def test_a_message_is_read_alike_whole_and_streamed(message: dict[str, Any]) -> None:
    as_stream = await streamed_items(message)

    assert [i.model_dump() for i in whole(message)] == [i.model_dump() for i in as_stream]


def test_citations_probabilities_and_sound_are_kept() -> None:
    page = {"start_index": 0, "end_index": 1, "title": "T", "url": "http://u"}
    token = {"token": "x", "logprob": -0.1, "bytes": [120], "top_logprobs": []}
    message = {
        "content": "x",
        "annotations": [{"type": "url_citation", "url_citation": page}],
        "audio": {"id": "a", "data": "AA"},
    }
    (item,) = whole(message, logprobs={"content": [token]})

    assert item.content[0].annotations[0].url == "http://u"
    assert item.content[0].logprobs[0].logprob == -0.1
    assert item.provider_data["audio"] == {"id": "a", "data": "AA"}


@pytest.mark.parametrize("rule", ["missing", "per_reply"])
def test_ids_that_a_server_does_not_make_unique_are_made_so(rule: Any) -> None:
    sent = {} if rule == "missing" else {"id": "call_0"}
    message = {"tool_calls": [piece("{}", name="f", **sent), piece("{}", 1, name="g", **sent)]}
    replies = [whole(message, ServerQuirks(call_ids=rule)) for _ in range(2)]
    ids = [call_id for items in replies for call_id, _, _ in calls(items)]

    assert len(set(ids)) == 4
    assert all(ids)


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        ({"prompt_tokens": 3, "completion_tokens": 2}, (3, 2, 5, 0, 0, 0)),
        ({"prompt_tokens": 3, "completion_tokens": None, "total_tokens": 3}, (3, 0, 3, 0, 0, 0)),
        ({"prompt_tokens": 9, "prompt_cache_hit_tokens": 4}, (9, 0, 9, 4, 0, 0)),
        ({"input_tokens": 9, "cache_read_input_tokens": 4}, (9, 0, 9, 4, 0, 0)),
        (
            {"prompt_tokens": 9, "prompt_tokens_details": {"cache_write_tokens": 2}},
            (9, 0, 9, 0, 2, 0),
        ),
        ({"input_tokens": 9, "cache_creation_input_tokens": 2}, (9, 0, 9, 0, 2, 0)),
        (
            {"completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 4}},
            (0, 5, 5, 0, 0, 4),
        ),
        ({"prompt_tokens": float("nan"), "completion_tokens": -1, "total_tokens": "7"}, (0,) * 6),
        ({"prompt_tokens": 3.0}, (3, 0, 3, 0, 0, 0)),
    ],
)
def test_usage_is_read_in_every_vendors_form(usage: Any, counts: tuple[int, ...]) -> None:
    read = usage_of(usage)
    details = read.input_tokens_details

    assert read.requests == 1
    assert counts == (
        read.input_tokens,
        read.output_tokens,
        read.total_tokens,
        details.cached_tokens,
        getattr(details, "cache_write_tokens", 0),
        read.output_tokens_details.reasoning_tokens,
    )


@pytest.mark.parametrize("usage", [None, "x", [], 7, True])
def test_anything_else_is_no_usage(usage: Any) -> None:
    assert usage_of(usage) == Usage(requests=1)


async def test_usage_beside_a_choice_counts() -> None:
    async def chunks() -> Any:
        choice = {"delta": {"content": "hi"}, "usage": {"prompt_tokens": 3}}
        yield {"id": "c1", "choices": [{**choice, "finish_reason": "stop"}]}

    seen = chat_events(
        in_progress_response("m"), chunks(), ChatReading(SERVER, NO_QUIRKS), has_ended=bool
    )
    last: Any = [event async for event in seen][-1]

    assert last.response.usage.input_tokens == 3


REASONING = {
    "type": "reasoning",
    "summary": [{"type": "summary_text", "text": "hm"}],
    "provider_data": {"model": "deepseek-x", "response_id": "r"},
}
CALL = {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"}


def sends_back(model: str, url: str = "http://x") -> Any:
    def rule(item: Any) -> bool:
        data = item.get("provider_data") or {}
        source = type("Source", (), {"origin_model": data.get("model"), "provider_data": data})
        context = ReasoningContentReplayContext(model, url, source())
        return default_should_replay_reasoning_content(context)

    return rule


@pytest.mark.parametrize(
    ("model", "url", "origin", "expected"),
    [
        ("deepseek-reasoner", "http://x", "deepseek-reasoner", True),
        ("DeepSeek-R1", "http://x", None, True),
        ("m", "https://api.moonshot.ai/v1", "kimi-k2", True),
        ("deepseek-reasoner", "http://x", "gpt-x", False),
        ("gpt-x", "http://x", "deepseek-reasoner", False),
        ("gpt-x", "http://x", None, False),
    ],
)
def test_reasoning_goes_back_to_the_models_that_need_it(
    model: str, url: str, origin: str | None, expected: bool
) -> None:
    data = {"model": origin} if origin else {}
    messages = chat_messages(
        [{**REASONING, "provider_data": data}, CALL], model=model, sends_back=sends_back(model, url)
    )

    assert [message.get("reasoning_content") for message in messages] == [
        "hm" if expected else None
    ]


def test_what_a_server_added_goes_back_to_the_same_model_only() -> None:
    signature = {"google": {"thought_signature": "s"}}
    message = {
        "reasoning": "hm",
        "reasoning_details": [{"data": "x"}],
        "tool_calls": [piece("{}", id="a", name="f", extra_content=signature)],
    }
    history = [item.model_dump(exclude_unset=True) for item in whole(message)]
    (same,), (other,) = (chat_messages(history, model=model) for model in ("m", "n"))

    assert same["reasoning_details"] == [{"data": "x"}]
    assert same["tool_calls"][0]["extra_content"] == signature
    assert (set(other), set(other["tool_calls"][0])) == (
        {"role", "content", "tool_calls"},
        {"id", "type", "function"},
    )


def test_a_signature_that_the_published_sdk_kept_goes_back() -> None:
    call = {**CALL, "provider_data": {"model": "m", "thought_signature": "s"}}
    (message,) = chat_messages([call], model="m")

    assert message["tool_calls"][0]["extra_content"] == {"google": {"thought_signature": "s"}}


def test_a_history_in_the_form_of_chat_is_sent_as_it_is() -> None:
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    image = {"type": "image_url", "image_url": {"url": "http://u"}}
    history: list[Any] = [
        {"role": "user", "content": [{"type": "text", "text": "look"}, image]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "a", "content": "seen"},
    ]

    assert chat_messages(history) == history


def test_outputs_of_images_follow_the_outputs_of_the_turn() -> None:
    image = {"type": "input_image", "image_url": "http://u"}
    outputs: list[Any] = [
        {"type": "function_call_output", "call_id": "a", "output": [image]},
        {"type": "function_call_output", "call_id": "b", "output": "text"},
    ]
    messages = chat_messages([*outputs, {"role": "user", "content": "and?"}])

    assert [message["role"] for message in messages] == ["tool", "tool", "user", "user"]
    assert "next message" in messages[0]["content"][0]["text"]
    assert messages[2]["content"][1]["image_url"]["url"] == "http://u"


@pytest.mark.parametrize(
    ("url", "is_openai"),
    [
        ("https://api.openai.com/v1", True),
        ("https://eu.api.openai.com/v1", True),
        ("https://API.OpenAI.com/v1", True),
        ("https://api.openai.com.evil/v1", False),
        ("https://api.openai.com@evil/v1", False),
        ("https://notapi.openai.com/v1", False),
        ("http://x/api.openai.com", False),
    ],
)
def test_a_host_is_openai_by_its_whole_name(url: str, is_openai: bool) -> None:
    assert quirks_of(url, "m").stores is is_openai


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://x/v1/", "http://x/v1"),
        ("http://user:word@x:8000/v1?key=abc", "http://x:8000/v1"),
        ("http://user:wo/rd@x:8000/v1", "http://x:8000/v1"),
        ("https://x/sk1234567890abcdefghij/v1", "https://x/…/v1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("http://x/openai/deployments/gpt-4o/", "http://x/openai/deployments/gpt-4o"),
    ],
)
def test_a_url_is_shown_without_anything_secret(url: str, shown: str) -> None:
    assert shown_url(url) == shown


def reply_of(*output: Any) -> ModelResponse:
    return ModelResponse(output=list(output), usage=Usage(), response_id=None)


def strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for part in value.values():
                yield from strings(part)
        case list():
            for part in value:
                yield from strings(part)


@pytest.mark.parametrize(
    "item",
    [
        {**MESSAGE, "content": [{"type": "output_text", "text": "a\ud800", "annotations": []}]},
        {**MESSAGE, "content": [{"type": "refusal", "refusal": "a\udc00"}]},
        {**CALL, "arguments": '{"a": "\ud800"}'},
        {**CALL, "name": "f\ud800"},
        {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "\ud800"}]},
        {"type": "custom_tool_call", "call_id": "a", "name": "f", "input": "\ud800"},
        {"type": "x_call", "id": "x", "data": {"\ud800": ["\ud800"]}},
        {"type": "x_call", "id": "x", "data": dict(zip("\ufffd\ud800", "12", strict=True))},
    ],
)
def test_half_a_surrogate_pair_is_replaced_and_logged(
    item: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        (sound,) = sound_reply(reply_of(item), "A", None).to_input_items()

    assert [text.encode() for text in strings(sound)]
    assert "\ufffd" in "".join([*strings(sound), *map(str, dict(sound).get("data", ()))])
    assert "surrogate" in caplog.text


def test_both_halves_of_a_pair_are_joined() -> None:
    part = {"type": "output_text", "text": "a\ud83d\ude00", "annotations": []}
    (message,) = sound_reply(reply_of({**MESSAGE, "content": [part]}), "A", None).output

    assert message.content[0].text == "a😀"


def test_a_sound_reply_is_not_copied() -> None:
    reply = sound_reply(reply_of(MESSAGE, CALL), "A", None)

    assert sound_reply(reply, "A", None) is reply


def test_items_of_a_users_own_classes_are_read_too() -> None:
    part = SimpleNamespace(type="output_text", text="hi")
    message = SimpleNamespace(type="message", content=[part])
    call = SimpleNamespace(type="function_call", call_id="a", name="f", arguments=None)
    reply = ModelResponse(output=[message, call], usage=Usage(), response_id=None)  # type: ignore[list-item]
    sound: Any = sound_reply(reply, "A", None).output

    assert (sound[0].content[0].text, sound[1].arguments, call.arguments) == ("hi", "{}", None)


@pytest.mark.parametrize("kind", ["function_call", "custom_tool_call", "shell_call"])
def test_a_call_without_an_id_names_agent_and_tool(kind: str) -> None:
    with pytest.raises(ModelBehaviorError, match=r"Agent 'A'.*without a call id"):
        sound_reply(reply_of({"type": kind, "name": "f", "call_id": None}), "A", None)


@pytest.mark.parametrize("setting", [None, "keep", "raise"])
async def test_a_text_that_is_cut_off_is_a_reply_if_the_setting_says_so(
    client: Any, server: LoopbackServer, setting: Any
) -> None:
    details = {"reason": "max_output_tokens"}
    cut = response(status="incomplete", incomplete_details=details)
    choice = {"index": 0, "finish_reason": "length", "message": {"content": "hi"}}
    streamed_choice = {"index": 0, "finish_reason": "length", "delta": {"content": "hi"}}
    chat = {"id": "c", "model": "m", "choices": [choice]}
    pieces = [{"type": "chunk", "id": "c", "choices": [streamed_choice]}]
    ways = [
        (OpenAIResponsesModel, [Answer(cut)], "keep"),
        (
            OpenAIResponsesModel,
            [Answer([event("response.incomplete", response=cut)], stream=True)],
            "keep",
        ),
        (OpenAIChatCompletionsModel, [Answer(chat)], None),
        (OpenAIChatCompletionsModel, [Answer(pieces, stream=True)], None),
    ]
    settings = ModelSettings(truncated_text=setting)
    for make, answers, needed in ways:
        server.answer(*answers)
        model: Any = make("m", client)
        kept = setting == "keep" or (setting is None and needed is None)
        try:
            if answers[0].stream:
                reply = finished(await events(model, model_settings=settings), settings)
            else:
                reply = await get(model, model_settings=settings)
            text = reply.output[0].content[0].text
        except ModelBehaviorError as error:
            text = str(error)
        assert (text == "hi") is kept
        assert kept or "max_tokens" in text
