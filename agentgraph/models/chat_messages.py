"""Convert the items of a run, in the form of the Responses API, to Chat Completions messages.

All function calls of one reply become one assistant message, as the Chat Completions API requires.
An item or a part that the API cannot express raises an error that names its type. A history may
hold messages in the form of this API too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final

from agentgraph.exceptions import UserError
from agentgraph.items.model_input import conversion

if TYPE_CHECKING:
    from agentgraph.items.responses import TResponseInputItem

__all__ = ["chat_messages"]

_TEXTS: Final = ("input_text", "output_text", "text", "summary_text")
# Fields of `provider_data` that are no fields of a call.
_NOT_OF_CALLS: Final = frozenset(("model", "response_id", "message", "audio"))
# Fields of a message that a server wants back unchanged.
_WANTED_BACK: Final = ("reasoning_details", "thinking_blocks")


def chat_messages(
    items: str | Iterable[TResponseInputItem],
    *,
    model: str = "",
    sends_back: Callable[[Mapping[str, Any]], bool] | None = None,
) -> list[dict[str, Any]]:
    """Turn input items into messages.

    Args:
        items: The user's text, or the items of a conversation, oldest first.
        model: The name of the model that the messages go to. What another model's server added to
            an item is left out.
        sends_back: Whether an item of reasoning goes back to the model; None if none does.

    Returns:
        The messages.

    Raises:
        UserError: An item is of a type that this API does not have.
    """
    if isinstance(items, str):
        return [{"role": "user", "content": items}]
    back = sends_back or _sends_nothing_back
    return conversion(
        items if isinstance(items, list) else list(items),
        (chat_messages, model, back),
        lambda: _Conversion(model, back),
        _Conversion.add_all,
    ).whole


def _sends_nothing_back(item: Mapping[str, Any]) -> bool:
    return False


class _Conversion:
    """The conversion of one conversation."""

    def __init__(self, model: str, sends_back: Callable[[Mapping[str, Any]], bool]) -> None:
        self.messages: list[dict[str, Any]] = []
        self._model = model
        self._sends_back = sends_back
        self._thought: dict[str, Any] = {}
        self._media: list[dict[str, Any]] = []

    def add_all(self, items: Iterable[Mapping[str, Any]]) -> None:
        """Add items."""
        for item in items:
            self.add(item)

    @property
    def whole(self) -> list[dict[str, Any]]:
        """The messages so far, in a new list; later items may extend the last of these messages if
        it is the assistant's, so that one is a copy."""
        messages = self.messages.copy()
        if messages and messages[-1]["role"] == "assistant":
            messages[-1] = deepcopy(messages[-1])
        if self._media:
            messages.append({"role": "user", "content": self._media})
        return messages

    def add(self, item: Mapping[str, Any]) -> None:
        """Add one item."""
        if _kind(item) not in ("function_call_output", "tool", "reasoning"):
            self.show_media()
        match item:
            case {"type": "function_call"}:
                call = {"name": item["name"], "arguments": item["arguments"] or "{}"}
                self._thought |= self._wanted_back(item)
                self._add_call(item["call_id"], call, self._added(item))
            case {"type": "file_search_call"}:
                queries = {"queries": item.get("queries", []), "status": item.get("status")}
                call = {"name": "file_search_call", "arguments": json.dumps(queries)}
                self._add_call(item["id"], call, {})
            case {"type": "function_call_output"}:
                self._add_output(item["call_id"], item["output"])
            case {"type": "reasoning"}:
                self._add_reasoning(item)
            case {"role": "assistant"}:
                self._add_words(item)
            case {"role": "user" | "system" | "developer" as role, "content": content}:
                parts = content if isinstance(content, str) else [_part(part) for part in content]
                self.messages.append({"role": role, "content": parts})
            case {"role": "tool", "tool_call_id": call_id, "content": content}:
                self._add_output(call_id, content)
            case _:
                raise UserError(
                    f"An input item of type {_kind(item)!r} cannot be sent to the Chat Completions "
                    "API; use a model of the Responses API for this conversation."
                )

    def show_media(self) -> None:
        """Show the images and files that tools returned: this API's tool messages hold only text,
        so they stand in a message of the user behind all outputs of the turn."""
        if self._media:
            self.messages.append({"role": "user", "content": self._media})
            self._media = []

    def _assistant(self) -> dict[str, Any]:
        """Return the last message if it is the assistant's, else a new one."""
        if not self.messages or self.messages[-1]["role"] != "assistant":
            self.messages.append({"role": "assistant", "content": None})
        message = self.messages[-1]
        message.update(self._thought)
        self._thought = {}
        return message

    def _add_call(self, call_id: str, function: dict[str, Any], added: dict[str, Any]) -> None:
        """Add a call to the assistant message that it belongs to, or begin one."""
        calls = self._assistant().setdefault("tool_calls", [])
        calls.append({"id": call_id, "type": "function", "function": function, **added})

    def _add_output(self, call_id: str, output: str | list[Any]) -> None:
        if isinstance(output, str):
            content: str | list[dict[str, Any]] = output
        else:
            content = [{"type": "text", "text": part["text"]} for part in output if _is_text(part)]
            if media := [_part(part) for part in output if not _is_text(part)]:
                self._media += [{"type": "text", "text": f"Output of the call {call_id}:"}, *media]
                note = "The images and files of this output are in the next message of the user."
                content.append({"type": "text", "text": note})
            content = content or ""
        self.messages.append({"role": "tool", "tool_call_id": call_id, "content": content})

    def _add_reasoning(self, item: Mapping[str, Any]) -> None:
        self._thought |= self._wanted_back(item)
        if self._sends_back(item):
            parts = (*(item.get("summary") or ()), *(item.get("content") or ()))
            before = self._thought.get("reasoning_content", "")
            texts = [part["text"] for part in parts if part.get("text")]
            self._thought["reasoning_content"] = before + "".join(texts)

    def _add_words(self, item: Mapping[str, Any]) -> None:
        content = item.get("content")
        message: dict[str, Any] = {"role": "assistant", "content": content}
        message |= {**self._thought, **self._wanted_back(item)}
        self._thought = {}
        if isinstance(content, list | tuple):
            texts = [part["text"] for part in content if _is_text(part)]
            refusals = [part["refusal"] for part in content if part.get("type") == "refusal"]
            message["content"] = "\n".join(texts) if texts else None
            if refusals:
                message["refusal"] = "\n".join(refusals)
        spoken = item.get("audio") or self._provider_data(item).get("audio") or {}
        if spoken.get("id"):
            message["audio"] = {"id": spoken["id"]}
        for name in ("name", "refusal", "tool_calls", "reasoning_content"):
            if item.get(name):  # the form of this API
                message[name] = item[name]
        self.messages.append(message)

    def _provider_data(self, item: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what the same model's server added to an item."""
        data = item.get("provider_data") or {}
        return data if data.get("model") == self._model else {}

    def _wanted_back(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a message that the model's server wants back. The published SDK
        keeps them beside the model's name."""
        data = self._provider_data(item)
        of_message = data.get("message") or {}
        fields = {**data, **of_message}
        back = {name: fields[name] for name in _WANTED_BACK if name in fields}
        if "extra_content" in of_message:  # that of a call goes back with the call
            back["extra_content"] = of_message["extra_content"]
        return back

    def _added(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a call that the model's server added."""
        data = dict(self._provider_data(item))
        signature = data.pop("thought_signature", None)  # the published SDK's form
        if signature is not None:
            data["extra_content"] = {"google": {"thought_signature": signature}}
        return {
            name: value
            for name, value in data.items()
            if name not in _NOT_OF_CALLS and name not in _WANTED_BACK
        }


def _kind(item: object) -> Any:
    if not isinstance(item, Mapping):
        return type(item).__name__
    return item.get("type") or item.get("role")


def _is_text(part: object) -> bool:
    return isinstance(part, Mapping) and part.get("type") in _TEXTS


def _part(part: Any) -> dict[str, Any]:
    match part:
        case {"type": "input_text" | "output_text" | "text", "text": text}:
            return {"type": "text", "text": text}
        case {"type": "input_image", "image_url": str(url)}:
            detail = part.get("detail") or "auto"
            return {"type": "image_url", "image_url": {"url": url, "detail": detail}}
        case {"type": "image_url", "image_url": {"url": _}}:
            return {"type": "image_url", "image_url": part["image_url"]}
        case {"type": "image_url", "image_url": str(url)}:
            return {"type": "image_url", "image_url": {"url": url}}
        case {"type": "input_audio", "input_audio": audio}:
            return {"type": "input_audio", "input_audio": audio}
        case {"type": "file", "file": _}:
            return {"type": "file", "file": part["file"]}
        case {"type": "input_file", "file_data": _} | {"type": "input_file", "file_id": _}:
            names = ("file_data", "file_id", "filename")
            return {"type": "file", "file": {name: part[name] for name in names if name in part}}
        case _:
            kind = part.get("type") if isinstance(part, Mapping) else type(part).__name__
            raise UserError(
                f"A content part of type {kind!r} cannot be sent to the Chat "
                "Completions API in this form: images need an image_url, files need file_data or "
                "file_id."
            )
