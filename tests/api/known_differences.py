"""Where drawn workflows behave differently on the published SDK and here, on purpose.

Each function changes what the SDK showed into what is expected here. The reasons stand in
`docs/coming-from-the-sdk.md`.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from tests.api.scenarios import Observed

_HISTORIES: Final = ("session", "to_input_list")
_TRIPPED: Final = "ToolOutputGuardrailTripwireTriggered"


def expected(published: Observed, ours: Observed, *, streamed: bool) -> tuple[Observed, set[str]]:
    """What is expected here, and the differences by which it is not what the SDK showed.

    Args:
        published: What the SDK showed.
        ours: What was seen here.
        streamed: Whether the runs were streamed.
    """
    changed, applied = copy.deepcopy(published), set[str]()
    for change in _CHANGES:
        before = copy.deepcopy(changed)
        change(changed, ours, streamed)
        if changed != before:
            applied.add(change.__name__)
    return changed, applied


def unknown_tools_name_the_agent(changed: Observed, ours: Observed, streamed: bool) -> None:
    """The message on a tool that is missing names the agent."""
    for item, other in _items(changed, ours):
        if item[:-1] == other[:-1] and item[-1] == _without_agents(other[-1]):
            item[-1] = other[-1]


def nested_histories_have_other_words(changed: Observed, ours: Observed, streamed: bool) -> None:
    """The sentence before a nested history is ours."""
    for item, other in _items(changed, ours):
        if "<CONVERSATION HISTORY>" not in str(item[-1]):
            continue
        if item[-1].partition("\n")[2] == _without_agents(other[-1]).partition("\n")[2]:
            item[-1] = other[-1]


def _without_agents(text: Any) -> str:
    return re.sub(r" not found in agent '\w+'\.", " not found.", str(text))


def _items(changed: Observed, ours: Observed) -> Iterator[tuple[list[Any], list[Any]]]:
    """The items of histories in pairs."""
    for history in _HISTORIES:
        yield from zip(changed.get(history, ()), ours.get(history, ()), strict=False)


def waiting_calls_are_no_history(changed: Observed, ours: Observed, streamed: bool) -> None:
    """A call that waits is in no history; what was said and done beside it is stored at once, and
    its item stands after the outputs of the turn."""
    history = changed.get("to_input_list", [])
    answered = {item[1] for item in history if item[0] == "function_call_output"}
    waiting = [item for item in history if item[0] == "function_call" and item[3] not in answered]
    if not waiting:
        return
    changed["to_input_list"] = [item for item in history if item not in waiting]
    items = changed["items"]
    asked = [item for item in items if item[0] == "tool_approval_item"]
    changed["items"] = [item for item in items if item not in asked] + asked
    if "session" in changed:
        stored = [item for item in changed["session"] if item not in waiting]
        new = ours["session"][len(stored) :]
        is_of_the_run = all(item in changed["to_input_list"] for item in new)
        if ours["session"][: len(stored)] == stored and is_of_the_run:
            stored = ours["session"]
        changed["session"] = stored


def errors_carry_data(changed: Observed, ours: Observed, streamed: bool) -> None:
    """Every error of the library that leaves a run carries its data, with every reply."""
    theirs, own = changed.get("run_data"), ours.get("run_data")
    if own is None or changed.get("raised") != ours.get("raised"):
        return
    if theirs is None:
        changed["run_data"] = own
    elif own["responses"] == theirs["responses"] + 1:
        theirs["responses"] += 1


def tools_that_ran_leave_a_trace(changed: Observed, ours: Observed, streamed: bool) -> None:
    """A call that has run stays in the session, the data and the events, although a guardrail that
    judges its output ends the run; a note stands in place of the output."""
    if not changed.get("raised") == ours.get("raised") == _TRIPPED:
        return
    if "session" in changed:
        stored, own = changed["session"], ours["session"]
        note = "The output is withheld: a guardrail failed before it could judge it."
        added = own[len(stored) :]
        kinds = [item[0] for item in added]
        if own[: len(stored)] == stored and kinds == ["function_call", "function_call_output"]:
            changed["session"] = own if added[-1][-1] == note else stored
    items = changed["run_data"]["items"]
    own_items = ours["run_data"]["items"]
    new = [kind for kind, _ in own_items[len(items) :]]
    if own_items[: len(items)] == items and new == ["tool_call_item", "tool_call_output_item"]:
        changed["run_data"]["items"] = own_items
    if streamed and [*changed["events"], "tool_output"] == ours["events"]:
        changed["events"] = ours["events"]


def inputs_are_stored_first(changed: Observed, ours: Observed, streamed: bool) -> None:
    """The input is stored before an input guardrail can fail, streamed as in a plain run."""
    is_failed = changed.get("raised") == ours.get("raised") == "Failed"
    if streamed and is_failed and changed.get("session") == [] and len(ours["session"]) == 1:
        changed["session"] = ours["session"]


_CHANGES: Final[tuple[Callable[[Observed, Observed, bool], None], ...]] = (
    waiting_calls_are_no_history,
    unknown_tools_name_the_agent,
    nested_histories_have_other_words,
    errors_carry_data,
    tools_that_ran_leave_a_trace,
    inputs_are_stored_first,
)
NAMES: Final = frozenset(change.__name__ for change in _CHANGES)
