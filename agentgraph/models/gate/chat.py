"""Read a reply of Chat Completions: whole, or one piece after the other.

A whole message is read as one piece, so both ways have the same rules. The client does not validate
what a server sends, so each field is read as if it could be anything.

Some servers send content as a list of parts, reasoning under other names, arguments as an object,
several calls under one index, or a call's name only in a later piece: all of that is read. A field
that this module does not know is kept on the item (`provider_data`). A part of an unknown type is
an error that names it.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, TypeAlias
from uuid import uuid4

from agentgraph.items.run_items import raw_field
from agentgraph.models.gate.quirks import ServerQuirks
from agentgraph.models.gate.server import Server

__all__ = ["ChatCall", "ChatMessage", "ChatReading", "Piece", "PieceKind", "TextKind"]

TextKind: TypeAlias = Literal["output_text", "refusal"]
PieceKind: TypeAlias = TextKind | Literal["reasoning", "call"]

_REASONING: Final = ("reasoning_content", "reasoning")
_MESSAGE_FIELDS: Final = frozenset(
    (
        *("role", "content", "refusal", "tool_calls", "function_call", "annotations", "audio"),
        *(*_REASONING, "index", "name", "tool_call_id"),
    )
)
_CALL_FIELDS: Final = frozenset(("id", "index", "type", "function"))


class Piece(NamedTuple):
    """A piece of text that arrived.

    Attributes:
        kind: What the text belongs to.
        text: The text. That of a call are its arguments.
        call: The number of the call; 0 for other kinds.
    """

    kind: PieceKind
    text: str
    call: int = 0


@dataclass(slots=True)
class ChatCall:
    """A function call while it arrives.

    Attributes:
        id: Its id; empty until it arrives.
        name: The function's name; empty until it arrives.
        server_id: The id that the server gave it.
        pieces: The pieces of its arguments so far.
        extra: Fields that the server adds, such as a signature of the model's thoughts.
    """

    id: str = ""
    name: str = ""
    server_id: str = ""
    pieces: list[str] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def arguments(self) -> str:
        """The arguments so far."""
        return "".join(self.pieces)


@dataclass(slots=True)
class ChatMessage:
    """What has arrived of a reply.

    Text that grows is kept as the list of its pieces.

    Attributes:
        reasoning: The model's reasoning.
        reasoning_field: The name under which the server sends it.
        texts: The text and the refusal, in the order in which they began.
        calls: The function calls.
        annotations: The citations of the text, as the server sends them.
        logprobs: The log probabilities of the text's tokens, as the server sends them.
        audio: The spoken reply.
        extra: Fields that the server adds.
        finish_reason: Why the model stopped; None if the server did not say.
    """

    reasoning: list[str] = field(default_factory=list)
    reasoning_field: str = "reasoning_content"
    texts: dict[TextKind, list[str]] = field(default_factory=dict)
    calls: list[ChatCall] = field(default_factory=list)
    annotations: list[Any] = field(default_factory=list)
    logprobs: list[Any] = field(default_factory=list)
    audio: dict[str, Any] | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    finish_reason: str | None = None


class ChatReading:
    """The reading of one reply.

    Args:
        server: The sender.
        quirks: What the server does differently.
    """

    def __init__(self, server: Server, quirks: ServerQuirks) -> None:
        self.message = ChatMessage()
        self._server, self._quirks = server, quirks
        self._at_index: dict[Hashable, int] = {}

    def read_whole(self, reply: object, *, keep_cut_text: bool) -> None:
        """Read a reply that came in one piece.

        Args:
            reply: The reply.
            keep_cut_text: Whether a text that the limit of tokens cut off is a reply.

        Raises:
            ModelBehaviorError: It has no message, or is cut off.
        """
        choices = raw_field(reply, "choices")
        if not isinstance(choices, list) or not choices:
            raise self._server.fault("sent a reply without choices.")
        if not _is_object(raw_field(choices[0], "message")):
            raise self._server.fault("sent a reply without a message.")
        for _ in (*self.take(choices[0]), *self.finish(ended=True, keep_cut_text=keep_cut_text)):
            pass

    def take(self, choice: object) -> Iterator[Piece]:
        """Read the choice of a reply or of a chunk of it.

        Yields:
            The pieces of text, in the order in which the API lists the fields.

        Raises:
            ModelBehaviorError: A part of the content has a type that cannot be read.
        """
        if isinstance(reason := raw_field(choice, "finish_reason"), str) and reason:
            self.message.finish_reason = reason
        self.message.logprobs += _list_of(raw_field(choice, "logprobs"), "content")
        delta = raw_field(choice, "delta") or raw_field(choice, "message")
        if _is_object(delta):
            yield from self._read(_fields(delta))

    def finish(self, *, ended: bool, keep_cut_text: bool) -> Iterator[Piece]:
        """Check that the reply is complete.

        Args:
            ended: Whether the server ended its reply: a whole reply, or a stream with its last
                mark.
            keep_cut_text: Whether a text that the limit of tokens cut off is a reply.

        Yields:
            The refusal, if the server's filter withheld the reply.

        Raises:
            ModelBehaviorError: The reply is cut off, or has a call without an id.
        """
        message, reason = self.message, self.message.finish_reason
        if reason is None and not ended:
            raise self._server.fault("broke off its stream before the reply was complete.")
        if reason is None and not (message.texts or message.calls or message.reasoning):
            raise self._server.fault("ended its reply without a word or a call.")
        if reason == "error":
            raise self._server.fault("ended its reply with an error (finish_reason 'error').")
        if reason == "length":
            self._check_cut(keep_cut_text)
        if reason in ("tool_calls", "function_call") and not message.calls:
            raise self._server.fault(f"ended with finish_reason {reason!r}, but called no tool.")
        if lost := [call.name for call in message.calls if not call.id]:
            raise self._server.fault(
                f"called the tool {lost[0]!r} without a call id, so its output could not be sent "
                "back. If the server never sends ids, say so with "
                "server_quirks=ServerQuirks(call_ids='missing')."
            )
        if reason == "content_filter" and "refusal" not in message.texts:
            yield self._grown("refusal", "The provider's content filter withheld the reply.")

    def _check_cut(self, keep_cut_text: bool) -> None:
        """Refuse a reply that the limit of tokens cut off, unless it is a text that is wanted."""
        message = self.message
        where = "inside a tool call" if message.calls else "before its first word"
        if message.texts and not message.calls:
            if keep_cut_text:
                return
            where = "inside its text"
        raise self._server.fault(
            f"stopped {where} at the limit of tokens (finish_reason 'length'). Raise "
            "ModelSettings.max_tokens."
        )

    def _read(self, delta: Mapping[str, Any]) -> Iterator[Piece]:
        message = self.message
        for name in _REASONING:
            if isinstance(thought := delta.get(name), str) and thought:
                message.reasoning_field = name
                yield self._grown("reasoning", thought)
                break
        yield from self._content(delta.get("content"))
        if isinstance(refusal := delta.get("refusal"), str) and refusal:
            yield self._grown("refusal", refusal)
        if _is_object(audio := delta.get("audio")):
            yield from self._sound(_fields(audio))
        message.annotations += _list_of(delta, "annotations")
        calls = delta.get("tool_calls") or []
        if not isinstance(calls, list) or not all(map(_is_object, calls)):
            raise self._server.fault("sent tool_calls that are no list of objects.")
        for position, call in enumerate(calls):
            index = raw_field(call, "index")
            yield from self._call(call, index if isinstance(index, int | str) else position)
        if (function := delta.get("function_call")) is not None:
            yield from self._call({"function": function}, "function_call")
        _add_extra(message.extra, delta, _MESSAGE_FIELDS)

    def _content(self, content: object) -> Iterator[Piece]:
        if isinstance(content, str):
            if content:
                yield self._grown("output_text", content)
            return
        if content is not None and not isinstance(content, list):
            raise self._server.fault(f"sent content that is a {type(content).__name__}.")
        for part in content or ():
            kind = raw_field(part, "type")
            match kind:
                case "text" | "output_text":
                    yield from self._content(raw_field(part, "text"))
                case "refusal":
                    yield self._grown("refusal", str(raw_field(part, "refusal") or ""))
                case "thinking" | "reasoning":
                    yield self._grown("reasoning", _thought(part))
                case _:
                    raise self._server.fault(
                        f"sent a part of type {kind!r}, which a reply of Chat Completions has not."
                    )

    def _sound(self, audio: Mapping[str, Any]) -> Iterator[Piece]:
        if self.message.audio is None:
            self.message.audio = {}
        _add_extra(self.message.audio, audio, frozenset())
        if isinstance(words := audio.get("transcript"), str) and words:
            yield self._grown("output_text", words)

    def _call(self, delta: object, index: Hashable) -> Iterator[Piece]:
        calls = self.message.calls
        sent = raw_field(delta, "id")
        id = sent if isinstance(sent, str) else ""
        number = self._at_index.get(index)
        # Some servers give several calls one index; a call with another id is another call.
        if number is None or (id and calls[number].server_id not in ("", id)):
            number = self._at_index[index] = len(calls)
            calls.append(ChatCall(id=self._new_id(id)))
        call, function = calls[number], raw_field(delta, "function")
        if raw_field(delta, "type") not in (None, "", "function"):
            raise self._server.fault(
                f"made a tool call of type {raw_field(delta, 'type')!r}; through the Chat "
                "Completions API only function calls can be carried out."
            )
        call.id, call.server_id = call.id or id, call.server_id or id
        name = raw_field(function, "name")
        call.name = call.name or (name if isinstance(name, str) else "")
        _add_extra(call.extra, delta, _CALL_FIELDS)
        arguments = raw_field(function, "arguments")
        if isinstance(arguments, Mapping | list):  # Ollama's own form
            arguments = json.dumps(arguments)
        if arguments is not None and not isinstance(arguments, str):
            raise self._server.fault(f"sent arguments that are a {type(arguments).__name__}.")
        text = arguments or ""
        call.pieces.append(text)
        yield Piece("call", text, number)

    def _new_id(self, id: str) -> str:
        """Return the id of a new call: the server's own, or one of ours if the server's ids are
        known not to be unique (`ServerQuirks.call_ids`)."""
        rule = self._quirks.call_ids
        return (
            f"call_{uuid4().hex}" if rule == "per_reply" or (rule == "missing" and not id) else id
        )

    def _grown(self, kind: TextKind | Literal["reasoning"], text: str) -> Piece:
        if kind == "reasoning":
            self.message.reasoning.append(text)
        else:
            self.message.texts.setdefault(kind, []).append(text)
        return Piece(kind, text)


def _is_object(value: object) -> bool:
    return isinstance(value, Mapping) or hasattr(value, "model_fields_set")


def _list_of(owner: object, name: str) -> list[Any]:
    """Return a list that is bookkeeping: anything else counts as none."""
    value = raw_field(owner, name)
    return [part for part in value if _is_object(part)] if isinstance(value, list) else []


def _fields(value: object) -> dict[str, Any]:
    """Return the fields of a part that the client made, or of a dictionary."""
    if isinstance(value, Mapping):
        return dict(value)
    return {**vars(value), **(getattr(value, "model_extra", None) or {})}


def _add_extra(extra: dict[str, Any], delta: object, read: frozenset[str]) -> None:
    """Add the fields that this module does not read; texts that arrive in pieces are joined."""
    more = getattr(delta, "model_extra", None) if not isinstance(delta, Mapping) else delta
    for name, value in (more or {}).items():
        if name in read or value in (None, "", [], {}):
            continue
        before = extra.get(name)
        if name == "thinking_blocks" and isinstance(value, list):
            extra[name] = _joined_blocks(before or [], value)
            continue
        joined = isinstance(before, str | list) and type(before) is type(value)
        extra[name] = before + value if joined else value


def _joined_blocks(before: list[Any], more: list[Any]) -> list[Any]:
    """Return blocks of thoughts; a block goes on until its signature has come."""
    blocks = list(before)
    for block in more:
        last = blocks[-1] if blocks else {}
        if last.get("type") == "thinking" == block.get("type") and not last.get("signature"):
            text = (last.get("thinking") or "") + (block.get("thinking") or "")
            blocks[-1] = {**last, **block, "thinking": text}
        else:
            blocks.append(block)
    return blocks


def _thought(part: object) -> str:
    """Return the text of a part with reasoning: a text, or a list of parts with text."""
    thought = raw_field(part, "thinking") or raw_field(part, "text") or ""
    if isinstance(thought, str):
        return thought
    return "".join(str(raw_field(piece, "text") or "") for piece in thought)
