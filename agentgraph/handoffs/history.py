"""Giving the next agent a summary of the conversation in one message, in place of all its items.

The summary is an assistant message with numbered lines between two markers. A one-line message is
written as `role: text`, any other item as JSON, so that the next handoff can read the items back
from the summary. A chain of handoffs therefore yields one flat summary, never a nested one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast

from agentgraph.exceptions import UserError
from agentgraph.handoffs.input_data import HandoffHistoryMapper, HandoffInputData

if TYPE_CHECKING:
    from agentgraph.items.responses import TResponseInputItem
    from agentgraph.items.run_items import RunItem

__all__ = [
    "default_handoff_history_mapper",
    "get_conversation_history_wrappers",
    "nest_handoff_history",
    "reset_conversation_history_wrappers",
    "set_conversation_history_wrappers",
]

_INTRODUCTION: Final = "This is what was said before the conversation was handed to you:"
_LINE: Final = re.compile(r"\d+\. (.*)", re.DOTALL)
_MESSAGE: Final = re.compile(r"(user|assistant|system|developer): (.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Wrappers:
    start: str = "<CONVERSATION HISTORY>"
    end: str = "</CONVERSATION HISTORY>"


class _Setting:
    """The current markers: a setting of the whole process, as in the SDK."""

    wrappers = _Wrappers()


def set_conversation_history_wrappers(*, start: str | None = None, end: str | None = None) -> None:
    """Change the markers around summaries, for the whole process.

    Args:
        start: The opening marker; unchanged when left out.
        end: The closing marker; unchanged when left out.

    Raises:
        UserError: A marker is empty.
    """
    if start == "" or end == "":
        raise UserError("A conversation history marker must not be empty.")
    current = _Setting.wrappers
    _Setting.wrappers = _Wrappers(
        start=current.start if start is None else start,
        end=current.end if end is None else end,
    )


def reset_conversation_history_wrappers() -> None:
    """Restore the markers `<CONVERSATION HISTORY>` and `</CONVERSATION HISTORY>`."""
    _Setting.wrappers = _Wrappers()


def get_conversation_history_wrappers() -> tuple[str, str]:
    """Return the current opening and closing markers."""
    return _Setting.wrappers.start, _Setting.wrappers.end


def nest_handoff_history(
    handoff_input_data: HandoffInputData, *, history_mapper: HandoffHistoryMapper | None = None
) -> HandoffInputData:
    """Summarise the conversation for the next agent.

    The messages of the current turn stay word for word. A summary stands for the items before each
    of them, and another for the items after the last. The run items themselves stay unchanged, for
    sessions and results.

    Args:
        handoff_input_data: The conversation at the handoff.
        history_mapper: Makes the next agent's whole input from the flattened transcript, in place
            of the summaries.

    Returns:
        Data whose `input_history` is the whole input of the next agent.
    """
    earlier = [
        *_flatten(_as_items(handoff_input_data.input_history)),
        *_input_forms(handoff_input_data.pre_handoff_items),
    ]
    if history_mapper is not None:
        transcript = [*earlier, *_input_forms(handoff_input_data.new_items)]
        nested = list(history_mapper(transcript))
    else:
        nested = list(_summarise_around_messages(earlier, handoff_input_data.new_items))
    return replace(
        handoff_input_data,
        input_history=tuple(nested),
        pre_handoff_items=(),
        input_items=(),
    )


def default_handoff_history_mapper(
    transcript: list[TResponseInputItem],
) -> list[TResponseInputItem]:
    """Summarise a transcript in one assistant message.

    Args:
        transcript: Input items, oldest first.

    Returns:
        A list with that one message.
    """
    start, end = get_conversation_history_wrappers()
    lines = [f"{number}. {_write(item)}" for number, item in enumerate(transcript, start=1)]
    content = "\n".join([_INTRODUCTION, start, *(lines or ["(nothing yet)"]), end])
    return [{"role": "assistant", "content": content}]


def _summarise_around_messages(
    earlier: list[TResponseInputItem], new_items: Iterable[RunItem]
) -> Iterator[TResponseInputItem]:
    pending = list(earlier)
    for item in new_items:
        forms = _input_forms([item])
        if item.type == "message_output_item":
            if pending:
                yield from default_handoff_history_mapper(pending)
            yield from forms
            pending = []
        else:
            pending.extend(forms)
    if pending:
        yield from default_handoff_history_mapper(pending)


def _as_items(history: str | tuple[TResponseInputItem, ...]) -> tuple[TResponseInputItem, ...]:
    return ({"role": "user", "content": history},) if isinstance(history, str) else history


def _input_forms(items: Iterable[RunItem]) -> list[TResponseInputItem]:
    # A pending approval is a request to a person, not part of the conversation.
    return [item.to_input_item() for item in items if item.type != "tool_approval_item"]


def _flatten(items: Iterable[TResponseInputItem]) -> Iterator[TResponseInputItem]:
    for item in items:
        yield from _read_summary(cast("dict[str, Any]", item)) or (item,)


def _read_summary(item: dict[str, Any]) -> list[TResponseInputItem] | None:
    """Read the items back from a summary; `None` if the item is not one of our summaries."""
    content = item.get("content")
    if item.get("role") != "assistant" or not isinstance(content, str):
        return None
    start, end = get_conversation_history_wrappers()
    opening = f"{start}\n"
    begin = content.find(opening)
    if begin < 0 or not content.endswith(f"\n{end}"):
        return None
    entries: list[TResponseInputItem] = []
    for line in content[begin + len(opening) : -len(end) - 1].split("\n"):
        numbered = _LINE.fullmatch(line)
        entry = _read(numbered.group(1)) if numbered else None
        if entry is None:
            return None
        entries.append(entry)
    return entries


def _write(item: TResponseInputItem) -> str:
    fields = cast("dict[str, Any]", item)
    content = fields.get("content")
    if (
        fields.keys() == {"role", "content"}
        and isinstance(content, str)
        and "\n" not in content
        and _MESSAGE.fullmatch(line := f"{fields['role']}: {content}")
    ):
        return line
    return json.dumps(fields, ensure_ascii=False, default=str)


def _read(line: str) -> TResponseInputItem | None:
    if message := _MESSAGE.fullmatch(line):
        role, content = message.groups()
        return cast("TResponseInputItem", {"role": role, "content": content})
    try:
        item = json.loads(line)
    except ValueError:
        return None
    return cast("TResponseInputItem", item) if isinstance(item, dict) else None
