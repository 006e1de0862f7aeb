"""The results of a recorded run in place of its tools, and replies that a test adds to it."""

from __future__ import annotations

import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Sequence
from typing import Any

from agentgraph.exceptions import UserError
from agentgraph.items.responses import ModelResponse
from agentgraph.items.run_items import raw_field
from agentgraph.model_settings import ModelSettings
from agentgraph.record.payloads import Failure, ModelReply, Request, ToolReturn
from agentgraph.running.payload_forms import write_payload
from agentgraph.running.persist import to_lines
from agentgraph.running.recorded import CALL, Recording, identity_of, state_in
from agentgraph.stored import journal_file
from agentgraph.stored.faults import error_of

__all__ = ["RecordedTools", "added_row", "changed_lines", "lines_to_append"]


class RecordedTools:
    """Answers the calls of tools with what they returned in a recorded run (a `StandIn`).

    Args:
        recording: The recorded run.
        run: The names of the tools that run nevertheless.

    Raises:
        UserError: The recording knows no tool of such a name.
    """

    def __init__(self, recording: Recording, run: Collection[str] = ()) -> None:
        self._name, self._run = recording.name, frozenset(run)
        self._results: dict[tuple[str, str, str], deque[ToolReturn | Failure]] = defaultdict(deque)
        for result in recording.results:
            place = (result.name, result.call_id, result.content)
            self._results[place].append(result.payload)
        tools = {result.name for result in recording.results}
        for call in recording.calls:
            tools.update(() if call.request is None else call.request.offered)
        for name in sorted(self._run - tools):
            raise UserError(
                f"There is no tool {name!r} to run: the recording {self._name} has"
                f" {', '.join(sorted(tools)) or 'none'}."
            )

    def __call__(self, tool: str, call: object) -> ToolReturn | None:
        """What a call returned; None for a tool that runs.

        Raises:
            UserError: The recording has no result of the call.
        """
        name, call_id, content = identity_of(call)
        if not self._run.isdisjoint((tool, name)):
            return None
        results = self._results.get((name, call_id, content))
        if not results:
            raise UserError(
                f"The recording {self._name} has no further result of tool {tool!r} for call"
                f" {call_id!r} with {raw_field(call, 'arguments') or 'its content'}. In a replay"
                f" tools run only by name: run_tools=[{tool!r}]."
            )
        payload = results.popleft()
        if isinstance(payload, Failure):
            raise error_of(payload.fault)
        return payload


def added_row(
    response: ModelResponse,
    *,
    instructions: str | None,
    input: Sequence[Any],
    settings: ModelSettings,
    offered: Sequence[str],
) -> dict[str, Any]:
    """The row of a reply that no recorded run has: the payload of a reply, with its whole request.

    Args:
        response: The reply.
        instructions: The agent's instructions.
        input: What the model was shown.
        settings: The settings of the call.
        offered: The names of the tools and handoffs on offer.

    Raises:
        NotStorable: A value has no stored form.
    """
    request = Request(
        instructions=instructions,
        first=0,
        last=0,
        epoch=0,
        replaced=tuple(input),
        settings=settings,
        offered=tuple(offered),
    )
    return {"kind": CALL, "payload": write_payload(ModelReply(response, "", request), "the reply")}


def changed_lines(text: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> str:
    """The lines of a journal with every line changed.

    Args:
        text: The lines of a journal, or the JSON text of a state, which comes back as lines.
        change: Takes the header or a row, as JSON data; returns what takes its place.

    Raises:
        UserError: The text is no journal, or is damaged.
    """
    state = state_in(text)
    header, rows = journal_file.read(text if state is None else to_lines(state))
    return journal_file.write(change(header), map(change, rows))


def lines_to_append(text: str, row: dict[str, Any]) -> str:
    """The lines that add a row to the text of a journal.

    Args:
        text: The text so far; empty for a new journal, whose header comes first.
        row: The row.

    Raises:
        UserError: The text is the JSON of a state, to which no line can be added.
    """
    header, *rows = journal_file.write({"run": uuid.uuid4().hex}, [row]).splitlines(keepends=True)
    if not text:
        return header + "".join(rows)
    journal_file.read(text)
    return ("" if text.endswith("\n") else "\n") + "".join(rows)
