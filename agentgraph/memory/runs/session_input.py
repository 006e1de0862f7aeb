"""What a run with a session gives to the model and what of it is new to the session.

History that something else damaged is mended on the way to the model. The session itself is not
rewritten: that is for `agentgraph sessions repair`, which a person calls.
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
        model_input: What the model sees: the history and the new input, or what the callback made
            of them.
        to_store: What of it the session does not have yet, in order.
        changes: What was mended in the history. A request for approval that nobody has answered is
            left out without being a fault: the session keeps it for the input that does.
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
    """Put the stored history and the input of a run together.

    Args:
        history: What stands in the session before the input; not changed.
        new: The input of the run; not changed, and never mended: it is the caller's.
        callback: `RunConfig.session_input_callback`; may be a coroutine function. It gets copies.
        stored: The input as a run that failed has stored it; None if the session does not have it.
        done: What that run had done about it, which the model is shown after everything else.
        legal: Whether the history is known to be legal as it is.

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
    history_given, new_given = copy.deepcopy(mended.items), copy.deepcopy(new)
    # Copies of the lists: the callback may change the ones it gets and still return our items.
    result = callback(list(history_given), list(new_given))
    combined = await result if inspect.isawaitable(result) else result
    if not isinstance(combined, list):
        raise InvalidSessionInput(
            "session_input_callback must return a list of input items, "
            f"got {type(combined).__name__}"
        )
    if stored is None:
        unknown = _unknown(combined, history_given, new_given)
    else:
        unknown = _unknown(combined, [*history_given, *new_given, *stored], [])
    return SessionInput([*combined, *done], unknown, changes)


def _waits(item: TResponseInputItem) -> bool:
    return item.get("type") == "mcp_approval_request"


def _unknown(
    combined: Sequence[TResponseInputItem],
    history: Sequence[TResponseInputItem],
    new: Sequence[TResponseInputItem],
) -> list[TResponseInputItem]:
    """Return the items that are not history.

    An item is the one it is identical to. A copy is history as often as the history has its like.
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
