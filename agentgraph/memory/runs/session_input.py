"""The model's input in a run with a session, and the part of it that is new to the session.

A damaged history is repaired on the way to the model. The session itself is not rewritten: a person
does that with `agentgraph sessions repair`.
"""

from __future__ import annotations

import copy
import inspect
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentgraph.memory.errors import InvalidSessionInput
from agentgraph.memory.transcripts.histories import Change, Repair, repair

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem
    from agentgraph.memory.util import SessionInputCallback

__all__ = ["SessionInput", "combine"]


@dataclass(frozen=True, slots=True)
class SessionInput:
    """The input of a run that has a session.

    Attributes:
        model_input: What the model sees: the history and the new input, or the callback's result.
        to_store: The items of it that the session does not have yet, in order.
        changes: The repairs of the history. They do not count unanswered requests for approval,
            which the model does not see: the session keeps them for an input that answers.
    """

    model_input: list[TResponseInputItem]
    to_store: list[TResponseInputItem]
    changes: tuple[Change, ...]


async def combine(
    history: list[TResponseInputItem],
    new: list[TResponseInputItem],
    callback: SessionInputCallback | None = None,
    *,
    stored: list[TResponseInputItem] | None = None,
    done: list[TResponseInputItem] | None = None,
    legal: bool = False,
) -> SessionInput:
    """Combine the stored history and the input of a run.

    Args:
        history: The items of the session before the input; not changed.
        new: The input of the run; not changed, and never repaired: it is the caller's.
        callback: `RunConfig.session_input_callback`; may be a coroutine function. It gets copies.
        stored: The input as a failed run stored it; None if the session does not have it.
        done: The work of that run, which the model sees after everything else.
        legal: Whether the history is known to be legal.

    Raises:
        InvalidSessionInput: The callback did not return a list.
    """
    done = repair(done).items if done else []
    # An output in the new input answers a call in the history: a person ran the tool, or approved.
    mended = Repair(history, ()) if legal else repair(history, followed_by=[*new, *done])
    changes = tuple(change for change in mended.changes if not _waits(history[change.index]))
    if callback is None:
        to_store = [] if stored is not None else list(new)
        return SessionInput([*mended.items, *new, *done], to_store, changes)
    history_copy, new_copy = copy.deepcopy(mended.items), copy.deepcopy(new)
    # Copies of the lists: the callback may change them and still return our items.
    result = callback(list(history_copy), list(new_copy))
    combined = await result if inspect.isawaitable(result) else result
    if not isinstance(combined, list):
        raise InvalidSessionInput(
            "session_input_callback must return a list of input items, "
            f"got {type(combined).__name__}"
        )
    if stored is None:
        unknown = _unknown(combined, history_copy, new_copy)
    else:
        unknown = _unknown(combined, [*history_copy, *new_copy, *stored], [])
    return SessionInput([*combined, *done], unknown, changes)


def _waits(item: TResponseInputItem) -> bool:
    return item.get("type") == "mcp_approval_request"


def _unknown(
    combined: Sequence[TResponseInputItem],
    history: Sequence[TResponseInputItem],
    new: Sequence[TResponseInputItem],
) -> list[TResponseInputItem]:
    """Return the items that are not history.

    An item is history if it is the same object. A copy counts as history as often as the history
    has equal items.
    """
    from_history, from_new = {id(item) for item in history}, {id(item) for item in new}
    identical = Counter(_content(item) for item in combined if id(item) in from_history)
    unclaimed = Counter(map(_content, history)) - identical
    unknown = []
    for item in combined:
        if id(item) in from_history:
            continue
        content = _content(item)
        if id(item) not in from_new and unclaimed[content] > 0:
            unclaimed[content] -= 1
            continue
        unknown.append(item)
    return unknown


def _content(item: TResponseInputItem) -> str:
    return json.dumps(item, sort_keys=True, default=repr)
