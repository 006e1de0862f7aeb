"""What a misbehaving server may answer, as a table: one row, one fault.

A row of `ANY` is sent to both APIs, streamed and not. `CHAT` has messages of Chat Completions: each
is sent whole, and as the one chunk of a stream. `RESPONSES` has responses: each is sent whole, and
in the last event of a stream.

`NO_ANSWER` stands for an exception of ours that names model and server, `CLIENT` for one of the
client's, and a text for the final output of the run: such a fault costs nothing.
"""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

import openai

from agentgraph.exceptions import ModelBehaviorError, ModelRefusalError
from tests.models.misbehaving_server import Wire, plain, sse
from tests.models.wire import MESSAGE, response

NO_ANSWER: Final = ModelBehaviorError
REFUSED: Final = ModelRefusalError
CLIENT: Final = openai.OpenAIError

HTML: Final = b"<!doctype html><html><body>Sign in</body></html>"
JSON: Final = "application/json"


class Fault(NamedTuple):
    """One row.

    Attributes:
        name: What is wrong.
        wire: The answer.
        outcome: How the run ends: with an exception, or with a text.
    """

    name: str
    wire: Wire
    outcome: type[Exception] | str


ANY: Final = [
    Fault("a page of HTML", Wire(HTML, kind="text/html"), NO_ANSWER),
    Fault("a page of HTML as JSON", Wire(HTML), NO_ANSWER),
    Fault("a text", Wire(b"ok", kind="text/plain"), NO_ANSWER),
    Fault("nothing", Wire(), NO_ANSWER),
    Fault("nothing of no type", Wire(kind="text/plain"), NO_ANSWER),
    Fault("a list", plain([]), NO_ANSWER),
    Fault("a list of replies", plain([{"id": "x"}]), NO_ANSWER),
    Fault("null", plain(None), NO_ANSWER),
    Fault("a number", plain(7), NO_ANSWER),
    Fault("a JSON text", plain("hello"), NO_ANSWER),
    Fault("true", plain(True), NO_ANSWER),
    Fault("an empty object", plain({}), NO_ANSWER),
    Fault("an object of something else", plain({"x": 1}), NO_ANSWER),
    Fault("an error", plain({"error": {"message": "no", "code": "x"}}), NO_ANSWER),
    Fault("an error as a text", plain({"error": "no"}), NO_ANSWER),
    Fault("an error that is a list", plain({"error": ["no"]}), NO_ANSWER),
    Fault("half a JSON object", Wire(b'{"id": "x", "choi'), NO_ANSWER),
    Fault("bytes that are no UTF-8", Wire(b'{"id": "\xff\xfe"}'), NO_ANSWER),
    Fault("deep JSON", Wire(b"[" * 100_000), NO_ANSWER),
    Fault("NaN", Wire(b"NaN"), NO_ANSWER),
    Fault("a wrong encoding", Wire(b"{}", headers={"content-encoding": "gzip"}), CLIENT),
    Fault("a body that is cut off", plain({"id": "x" * 100}, cut=50), CLIENT),
    Fault("no answer at all", Wire(status=0), CLIENT),
    *(
        Fault(f"status {status}", plain({"error": {"message": "no"}}, status=status), CLIENT)
        for status in (400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529)
    ),
    Fault("status 500 with HTML", Wire(HTML, status=500, kind="text/html"), CLIENT),
    Fault("status 400 with a list", plain([1], status=400), CLIENT),
    Fault("status 429 with a wait of nonsense", plain({}, status=429), CLIENT),
]


def _chat(message: Any, finish: str | None = "stop", **choice: Any) -> dict[str, Any]:
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "finish_reason": finish, "message": message, **choice}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


def _said(text: Any = "fine", **fields: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": text, **fields}


def _called(**call: Any) -> dict[str, Any]:
    whole = {
        "id": "c",
        "type": "function",
        "function": {"name": "ping", "arguments": "{}"},
        **call,
    }
    return {"role": "assistant", "content": None, "tool_calls": [whole]}


def _function(**fields: Any) -> dict[str, Any]:
    return {"function": {"name": "ping", "arguments": "{}", **fields}}


_CHAT_BODIES: Final[list[tuple[str, Any, type[Exception] | str]]] = [
    ("choices null", {**_chat(_said()), "choices": None}, NO_ANSWER),
    ("no choices", {**_chat(_said()), "choices": []}, NO_ANSWER),
    ("choices an object", {**_chat(_said()), "choices": {}}, NO_ANSWER),
    ("a null choice", {**_chat(_said()), "choices": [None]}, NO_ANSWER),
    ("an empty choice", {**_chat(_said()), "choices": [{}]}, NO_ANSWER),
    ("a choice of text", {**_chat(_said()), "choices": ["x"]}, NO_ANSWER),
    ("no message", _chat(None, None), NO_ANSWER),
    ("a message of text", _chat("hello", None), NO_ANSWER),
    ("a message that is a list", _chat([], None), NO_ANSWER),
    ("content a number", _chat(_said(7)), NO_ANSWER),
    ("content an object", _chat(_said({})), NO_ANSWER),
    ("a part of an unknown type", _chat(_said([{"type": "video"}])), NO_ANSWER),
    ("a part that is null", _chat(_said([None])), NO_ANSWER),
    ("withheld by the filter", _chat(_said(""), "content_filter"), REFUSED),
    ("withheld in the middle", _chat(_said("One"), "content_filter"), REFUSED),
    ("cut before the first word", _chat(_said(""), "length"), NO_ANSWER),
    ("cut inside a call", _chat(_called(**_function(arguments='{"a')), "length"), NO_ANSWER),
    ("cut behind a call", _chat(_called(), "length"), NO_ANSWER),
    ("an error as the end", _chat(_said("On"), "error"), NO_ANSWER),
    ("calls that are not there", _chat(_said(None), "tool_calls"), NO_ANSWER),
    ("calls that are a text", _chat({**_called(), "tool_calls": "ping"}), NO_ANSWER),
    ("calls that are null", _chat({**_called(), "tool_calls": [None]}), NO_ANSWER),
    ("calls that are an object", _chat({**_called(), "tool_calls": {"a": 1}}), NO_ANSWER),
    ("a call without id", _chat(_called(id=None)), NO_ANSWER),
    ("a call with an empty id", _chat(_called(id="")), NO_ANSWER),
    ("a call with a number as id", _chat(_called(id=7)), NO_ANSWER),
    ("a call of another type", _chat(_called(type="custom")), NO_ANSWER),
    ("a call without function", _chat(_called(function=None)), NO_ANSWER),
    ("a call of a text", _chat(_called(function="ping")), NO_ANSWER),
    ("a call without name", _chat(_called(**_function(name=None))), NO_ANSWER),
    ("a call of an unknown tool", _chat(_called(**_function(name="pong"))), NO_ANSWER),
    ("arguments a number", _chat(_called(**_function(arguments=7))), NO_ANSWER),
    ("an old call without id", _chat(_said(None, function_call={"name": "ping"})), NO_ANSWER),
    ("content null", _chat(_said(None)), ""),
    ("a reason of its own", _chat(_said(), "eos"), "fine"),
    ("content in parts", _chat(_said([{"type": "text", "text": "fine"}])), "fine"),
    ("thoughts in parts", _chat(_said([{"type": "thinking", "thinking": "hm"}])), ""),
    ("half a pair", _chat(_said("fi\ud800ne")), "fi\ufffdne"),
    ("usage a text", {**_chat(_said()), "usage": "x"}, "fine"),
    ("usage a list", {**_chat(_said()), "usage": []}, "fine"),
    ("usage empty", {**_chat(_said()), "usage": {}}, "fine"),
    ("usage of nulls", {**_chat(_said()), "usage": {"prompt_tokens": None}}, "fine"),
    ("usage negative", {**_chat(_said()), "usage": {"prompt_tokens": -1}}, "fine"),
    ("created missing", {k: v for k, v in _chat(_said()).items() if k != "created"}, "fine"),
    ("model null", {**_chat(_said()), "model": None}, "fine"),
    ("id null", {**_chat(_said()), "id": None}, "fine"),
    ("object of nonsense", {**_chat(_said()), "object": 7}, "fine"),
    ("logprobs of nonsense", _chat(_said(), logprobs=[1]), "fine"),
    ("annotations of nonsense", _chat(_said(annotations="x")), "fine"),
    ("annotations of nulls", _chat(_said(annotations=[None])), "fine"),
    ("audio of nonsense", _chat(_said(audio=7)), "fine"),
    ("reasoning a number", _chat(_said(reasoning=7)), "fine"),
    ("an unknown field", _chat(_said(mood={"a": [1]})), "fine"),
]


def _as_chunk(body: Any) -> Any:
    """Return a whole reply as the chunk of a stream."""
    if not isinstance(body, dict) or not isinstance(body.get("choices"), list):
        return body
    choices = [
        {("delta" if name == "message" else name): value for name, value in choice.items()}
        if isinstance(choice, dict)
        else choice
        for choice in body["choices"]
    ]
    return {**body, "object": "chat.completion.chunk", "choices": choices}


def _response(*items: Any, **fields: Any) -> dict[str, Any]:
    return response(output=list(items), **fields)


def _message(*parts: Any, **fields: Any) -> dict[str, Any]:
    return {**MESSAGE, "content": list(parts), **fields}


def _text(text: Any, **fields: Any) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], **fields}


def _call(**fields: Any) -> dict[str, Any]:
    whole = {"type": "function_call", "id": "f", "call_id": "c", "name": "ping", "arguments": "{}"}
    return {**whole, **fields}


_RESPONSES_BODIES: Final[list[tuple[str, Any, type[Exception] | str]]] = [
    ("output null", response(output=None), NO_ANSWER),
    ("output an object", response(output={}), NO_ANSWER),
    ("output a text", response(output="hi"), NO_ANSWER),
    ("no output", {k: v for k, v in response().items() if k != "output"}, NO_ANSWER),
    ("in progress", response(status="in_progress"), NO_ANSWER),
    ("queued", response(status="queued"), NO_ANSWER),
    ("cancelled", response(status="cancelled"), NO_ANSWER),
    ("failed", response(status="failed", error={"message": "no", "code": "x"}), NO_ANSWER),
    ("failed without error", response(status="failed"), NO_ANSWER),
    ("completed with an error", response(error={"message": "no", "code": "x"}), NO_ANSWER),
    ("incomplete", response(status="incomplete"), NO_ANSWER),
    (
        "cut at the limit",
        response(status="incomplete", incomplete_details={"reason": "max_output_tokens"}),
        NO_ANSWER,
    ),
    (
        "withheld by the filter",
        response(status="incomplete", incomplete_details={"reason": "content_filter"}),
        REFUSED,
    ),
    ("a null item", _response(None), NO_ANSWER),
    ("an empty item", _response({}), NO_ANSWER),
    ("an item of text", _response("hi"), NO_ANSWER),
    ("an item with a number as type", _response({"type": 7}), NO_ANSWER),
    ("content a number", _response({**MESSAGE, "content": 7}), NO_ANSWER),
    ("a part that is null", _response(_message(None)), NO_ANSWER),
    ("a part that is a number", _response(_message(7)), NO_ANSWER),
    ("text a number", _response(_message(_text(7))), NO_ANSWER),
    ("a call without id", _response(_call(call_id=None)), NO_ANSWER),
    ("a call with an empty id", _response(_call(call_id="")), NO_ANSWER),
    ("a call with a number as id", _response(_call(call_id=7)), NO_ANSWER),
    ("a call without name", _response(_call(name=None)), NO_ANSWER),
    ("a call of an unknown tool", _response(_call(name="pong")), NO_ANSWER),
    ("arguments a number", _response(_call(arguments=7)), NO_ANSWER),
    ("arguments an object", _response(_call(arguments=[1])), NO_ANSWER),
    ("two calls with one id", _response(_call(), _call(arguments='{"a": 1}')), NO_ANSWER),
    ("text null", _response(_message(_text(None))), ""),
    ("content null", _response({**MESSAGE, "content": None}), ""),
    ("no item", _response(), ""),
    ("half a pair", _response(_message(_text("fi\ud800ne"))), "fi\ufffdne"),
    ("a status of its own", response(status="done"), "hi"),
    ("no status", {k: v for k, v in response().items() if k != "status"}, "hi"),
    ("usage a text", response(usage="x"), "hi"),
    ("usage a list", response(usage=[1]), "hi"),
    ("usage empty", response(usage={}), "hi"),
    ("usage of nulls", response(usage={"input_tokens": None}), "hi"),
    ("usage negative", response(usage={"input_tokens": -1}), "hi"),
    ("created missing", {k: v for k, v in response().items() if k != "created_at"}, "hi"),
    ("id null", response(id=None), "hi"),
    ("model null", response(model=None), "hi"),
    ("tools of nonsense", response(tools=7), "hi"),
    ("annotations null", _response(_message(_text("hi", annotations=None))), "hi"),
    ("annotations of nonsense", _response(_message(_text("hi", annotations=7))), "hi"),
    ("logprobs of nonsense", _response(_message(_text("hi", logprobs=7))), "hi"),
    ("an unknown part beside", _response(_message({"type": "video"}, _text("hi"))), "hi"),
    ("an unknown item beside", _response({"type": "x_call", "id": "x"}, MESSAGE), "hi"),
    ("an unknown field", response(mood={"a": [1]}), "hi"),
]

CHAT: Final = [Fault(name, plain(body), outcome) for name, body, outcome in _CHAT_BODIES]
RESPONSES: Final = [Fault(name, plain(body), outcome) for name, body, outcome in _RESPONSES_BODIES]

_PIECE: Final = _as_chunk(_chat(_said("The transfer of 100"), None))
_HALF_CALL: Final = _as_chunk(_chat(_called(**_function(arguments='{"amount": 1')), None))
_CREATED: Final = {"type": "response.created", "response": response(output=[])}


def _completed(body: Any) -> dict[str, Any]:
    return {"type": "response.completed", "sequence_number": 1, "response": body}


STREAMED_CHAT: Final = [
    *(Fault(name, sse(_as_chunk(body)), outcome) for name, body, outcome in _CHAT_BODIES),
    Fault("no chunk", sse(), NO_ANSWER),
    Fault("no chunk and no end", sse(done=False), NO_ANSWER),
    Fault("a text that is cut off", sse(_PIECE, done=False), NO_ANSWER),
    Fault("a call that is cut off", sse(_HALF_CALL, done=False), NO_ANSWER),
    Fault("a connection that is cut off", sse(_PIECE, done=False, cut=1), CLIENT),
    Fault("an error in the middle", sse(_PIECE, {"error": {"message": "no"}}), CLIENT),
    Fault("an error as a text", sse(_PIECE, {"error": "no"}), CLIENT),
    Fault("half a chunk", sse(_PIECE, '{"id": "c1", "cho'), NO_ANSWER),
    Fault("a chunk that is a list", sse(_PIECE, [], done=False), NO_ANSWER),
    Fault("a chunk that is null", sse(_PIECE, None, done=False), NO_ANSWER),
    Fault("a chunk of text", sse(_PIECE, '"x"', done=False), NO_ANSWER),
    Fault("HTML in a chunk", sse(_PIECE, HTML.decode()), NO_ANSWER),
    Fault("bytes that are no UTF-8", Wire(b"data: \xff\n\n", kind="text/event-stream"), NO_ANSWER),
    Fault("a text with its mark alone", sse(_PIECE), "The transfer of 100"),
    Fault("an open connection", sse(_as_chunk(_chat(_said())), hold=True), "fine"),
    Fault("a whole reply in place of a stream", plain(_chat(_said())), "fine"),
]
STREAMED_RESPONSES: Final = [
    *(
        Fault(name, sse(_CREATED, _completed(body), done=False), outcome)
        for name, body, outcome in _RESPONSES_BODIES
    ),
    Fault("no event", sse(), NO_ANSWER),
    Fault("no last event", sse(_CREATED), NO_ANSWER),
    Fault(
        "a last event without response", sse(_CREATED, {"type": "response.completed"}), NO_ANSWER
    ),
    Fault("a connection that is cut off", sse(_CREATED, _CREATED, done=False, cut=9), CLIENT),
    Fault("an error in the middle", sse(_CREATED, {"error": {"message": "no"}}), CLIENT),
    Fault("an error event", sse(_CREATED, {"type": "error", "message": "no"}), NO_ANSWER),
    Fault("half an event", sse(_CREATED, '{"type": "resp'), NO_ANSWER),
    Fault("an event that is a list", sse(_CREATED, []), NO_ANSWER),
    Fault("an event without type", sse(_CREATED, {"x": 1}), NO_ANSWER),
    Fault("HTML in an event", sse(_CREATED, HTML.decode()), NO_ANSWER),
    Fault("bytes that are no UTF-8", Wire(b"data: \xff\n\n", kind="text/event-stream"), NO_ANSWER),
    Fault("a whole response in place of a stream", plain(response()), NO_ANSWER),
    Fault("an open connection", sse(_CREATED, _completed(response()), hold=True), "hi"),
]

SOUND_CHAT: Final = json.dumps(_chat(_said("sound")))
SOUND_RESPONSE: Final = json.dumps(_response(_message(_text("sound"))))
