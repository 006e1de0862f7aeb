"""Reading the text of items, and making input from text and items.

Every function accepts a raw item as one of the client's models or as a dictionary, and a message as
a raw item or as a `MessageOutputItem`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from agentgraph.items.responses import input_form
from agentgraph.items.run_items import MessageOutputItem, RunItem, raw_field
from agentgraph.items.text import carried
from agentgraph.items.tool_payload import to_output_payload

if TYPE_CHECKING:
    from openai.types.responses import ResponseFunctionToolCall
    from openai.types.responses.response_input_item_param import FunctionCallOutput

    from agentgraph.items.responses import TResponseInputItem, TResponseOutputItem

__all__ = ["ItemHelpers"]


class ItemHelpers:
    """Functions on items."""

    @classmethod
    def extract_last_content(cls, message: MessageOutputItem | TResponseOutputItem) -> str:
        """Read the last part of a message.

        Args:
            message: A message, raw or as a run item.

        Returns:
            The text or refusal of that part; empty text if the item is not a message or its last
            part is neither.
        """
        part = _last_part(message)
        return _text(part) or raw_field(part, "refusal") or ""

    @classmethod
    def extract_last_text(cls, message: MessageOutputItem | TResponseOutputItem) -> str | None:
        """Read the last part of a message, provided that it is text.

        Args:
            message: A message, raw or as a run item.

        Returns:
            The text, or `None` if the last part is not text or the item is not a message.
        """
        return _text(_last_part(message))

    @classmethod
    def extract_text(cls, message: MessageOutputItem | TResponseOutputItem) -> str | None:
        """Read all text of a message.

        Args:
            message: A message, raw or as a run item.

        Returns:
            The text parts, joined, or `None` if there are none.
        """
        texts = [text for part in _parts(message) if (text := _text(part)) is not None]
        return "".join(texts) if texts else None

    @classmethod
    def extract_refusal(cls, message: MessageOutputItem | TResponseOutputItem) -> str | None:
        """Read all refusals of a message.

        Args:
            message: A message, raw or as a run item.

        Returns:
            The refusals, joined, or `None` if there are none.
        """
        refusals = [r for part in _parts(message) if (r := raw_field(part, "refusal"))]
        return "".join(refusals) if refusals else None

    @classmethod
    def input_to_new_input_list(
        cls, input: str | Iterable[str | TResponseInputItem]
    ) -> list[TResponseInputItem]:
        """Convert input into a list of plain input items.

        Args:
            input: One text, or a list of items and texts. A text becomes a message of the user.

        Returns:
            A new list of new dictionaries and lists; it shares nothing with `input`.
        """
        if isinstance(input, str):
            return [_user_message(input)]
        return [
            _user_message(item) if isinstance(item, str) else _plain(item)
            for item in cast("Iterable[Any]", input)
        ]

    @classmethod
    def text_message_outputs(cls, items: Iterable[RunItem]) -> str:
        """Read the text of all messages among some items.

        Args:
            items: Run items of any kind.

        Returns:
            The texts, joined.
        """
        return "".join(
            cls.text_message_output(item) for item in items if isinstance(item, MessageOutputItem)
        )

    @classmethod
    def text_message_output(cls, message: MessageOutputItem) -> str:
        """Read all text of a message.

        Args:
            message: A message.

        Returns:
            The text parts, joined; empty text if there are none.
        """
        return cls.extract_text(message) or ""

    @classmethod
    def tool_call_output_item(
        cls, tool_call: ResponseFunctionToolCall, output: object
    ) -> FunctionCallOutput:
        """Answer a call of a function tool.

        Args:
            tool_call: The model's call.
            output: The return value of the tool: text, structured outputs, or any value with a
                text form.

        Returns:
            The answer as an input item.
        """
        return {
            "call_id": tool_call.call_id,
            "output": cast("Any", to_output_payload(output)),
            "type": "function_call_output",
        }


def _parts(message: object) -> list[Any]:
    raw = message.raw_item if isinstance(message, MessageOutputItem) else message
    if raw_field(raw, "type") != "message":
        return []
    content = raw_field(raw, "content")
    return content if isinstance(content, list) else []


def _last_part(message: object) -> Any:
    parts = _parts(message)
    return parts[-1] if parts else None


def _text(part: object) -> str | None:
    text = raw_field(part, "text")
    return text if isinstance(text, str) else None


def _user_message(text: str) -> TResponseInputItem:
    return {"content": text if text.isascii() else carried(text), "role": "user"}


def _plain(value: object) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else carried(value)
    if value is None or isinstance(value, bytes | int | float | bool):
        return value
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if hasattr(value, "model_dump"):
        return input_form(value)
    if isinstance(value, Iterable):
        return [_plain(item) for item in value]
    return value
