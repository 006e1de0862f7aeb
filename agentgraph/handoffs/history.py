"""Telling the next agent the conversation so far in one message, instead of replaying it.

The summary is an assistant message: numbered lines between two markers. A plain message of one line
is written as `role: text`, everything else as JSON, so that a summary can be read back. That is how
a chain of handoffs yields one flat summary, never a summary inside a summary.
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
_SPOKEN: Final = re.compile(r"(user|assistant|system|developer): (.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Wrappers:
    start: str = "<CONVERSATION HISTORY>"
    end: str = "</CONVERSATION HISTORY>"


class _Setting:
    """The markers in force. The SDK's functions make them a setting of the whole process."""

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
    now = _Setting.wrappers
    _Setting.wrappers = _Wrappers(
        start=now.start if start is None else start, end=now.end if end is None else end
    )


def reset_conversation_history_wrappers() -> None:
    """Go back to the markers `<CONVERSATION HISTORY>` and `</CONVERSATION HISTORY>`."""
    _Setting.wrappers = _Wrappers()


def get_conversation_history_wrappers() -> tuple[str, str]:
    """Return the opening and the closing marker in force."""
    return _Setting.wrappers.start, _Setting.wrappers.end


def nest_handoff_history(
    handoff_input_data: HandoffInputData, *, history_mapper: HandoffHistoryMapper | None = None
) -> HandoffInputData:
    """Summarise the conversation for the next agent.

    The messages of the current turn are kept word for word, in their place between the summaries of
    what came before and after. The run items themselves stay as they are for sessions and results.

    Args:
        handoff_input_data: The conversation at the handoff.
        history_mapper: Makes the next agent's whole input from the flattened transcript, in place
            of the summaries.

    Returns:
        Data whose `input_history` is all that the next agent is given.
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
        A list of the one message.
    """
    start, end = get_conversation_history_wrappers()
    lines = [f"{number}. {_write(item)}" for number, item in enumerate(transcript, start=1)]
    content = "\n".join([_INTRODUCTION, start, *(lines or ["(nothing yet)"]), end])
    return [{"role": "assistant", "content": content}]


def _summarise_around_messages(
    earlier: list[TResponseInputItem], new_items: Iterable[RunItem]
) -> Iterator[TResponseInputItem]:
    waiting = list(earlier)
    for item in new_items:
        forms = _input_forms([item])
        if item.type == "message_output_item":
            if waiting:
                yield from default_handoff_history_mapper(waiting)
            yield from forms
            waiting = []
        else:
            waiting.extend(forms)
    if waiting:
        yield from default_handoff_history_mapper(waiting)


def _as_items(history: str | tuple[TResponseInputItem, ...]) -> tuple[TResponseInputItem, ...]:
    return ({"role": "user", "content": history},) if isinstance(history, str) else history


def _input_forms(items: Iterable[RunItem]) -> list[TResponseInputItem]:
    # A pending approval is a question to a person, not part of what was said.
    return [item.to_input_item() for item in items if item.type != "tool_approval_item"]


def _flatten(items: Iterable[TResponseInputItem]) -> Iterator[TResponseInputItem]:
    for item in items:
        yield from _read_summary(cast("dict[str, Any]", item)) or (item,)


def _read_summary(item: dict[str, Any]) -> list[TResponseInputItem] | None:
    """Read the items back out of a summary; `None` when the item is not a summary of ours."""
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
        and _SPOKEN.fullmatch(spoken := f"{fields['role']}: {content}")
    ):
        return spoken
    return json.dumps(fields, ensure_ascii=False, default=str)


def _read(written: str) -> TResponseInputItem | None:
    if spoken := _SPOKEN.fullmatch(written):
        role, content = spoken.groups()
        return cast("TResponseInputItem", {"role": role, "content": content})
    try:
        item = json.loads(written)
    except ValueError:
        return None
    return cast("TResponseInputItem", item) if isinstance(item, dict) else None
