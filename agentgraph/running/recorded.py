"""A recorded run as a test sees it: what each model was asked and replied, what each tool returned,
what people decided, and how the run ended.

It is read from the text of a state or from the lines of a journal, by the fold over its rows with
the machine in the text. No program is needed: agents are known by name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from agentgraph.approvals import Ruling, RunPath
from agentgraph.drivers.aio import Driver
from agentgraph.drivers.journal import MemoryJournal, Row
from agentgraph.drivers.run import Run
from agentgraph.exceptions import UserError
from agentgraph.items.responses import ModelResponse, TResponseInputItem
from agentgraph.items.run_items import call_content, raw_field
from agentgraph.program import program_for
from agentgraph.record.facts import RunFacts
from agentgraph.record.payloads import (
    FailedAttempt,
    Failure,
    GuardrailVerdict,
    Loaded,
    ModelReply,
    Request,
    Resumed,
    ToolReturn,
)
from agentgraph.running.payload_forms import FORMS
from agentgraph.running.persist import (
    DamagedState,
    check_version,
    classes_of,
    read_journal,
    state_of,
)
from agentgraph.running.unbound import beginnings_of, inner_facts, unbound_driver
from agentgraph.runtime.commands import Perform, Rest
from agentgraph.runtime.step import ProtocolError
from agentgraph.stored import journal_file
from agentgraph.stored.faults import Fault, error_of
from agentgraph.stored.journal_file import DamagedJournal
from agentgraph.stored.value_types import Types
from agentgraph_compiler.machine import Machine, WorkKind

if TYPE_CHECKING:
    from agentgraph.workflow import Source

__all__ = [
    "CALL",
    "RecordedCall",
    "RecordedResult",
    "Recording",
    "identity_of",
    "read_recording",
    "state_in",
]

CALL = "call"
"""The kind of a row with a reply that belongs to no recorded run: one that was added later."""

_TOOLS = frozenset({WorkKind.FUNCTION, WorkKind.ACTION})


class RecordedCall(NamedTuple):
    """One call of a model.

    Args:
        row: The index of its row; -1 for a call beside the run.
        path: The run that made it.
        agent: The name of the agent; empty if it is not recorded.
        input: What the model was shown; None if the journal does not say.
        request: The rest of the request; None for a call that failed or was never answered.
        response: The reply; None if the call failed or was never answered.
        fault: Why it failed.
    """

    row: int
    path: RunPath
    agent: str
    input: list[TResponseInputItem] | None
    request: Request | None
    response: ModelResponse | None = None
    fault: Fault | None = None

    @property
    def error(self) -> BaseException | None:
        """The exception with which the call failed, made again."""
        return None if self.fault is None else error_of(self.fault)


class RecordedResult(NamedTuple):
    """What one call of a tool returned.

    Args:
        row: The index of its row.
        name: The tool, as the model calls it.
        call_id: The id of the call.
        content: The arguments, or the content of an action.
        payload: What it returned, or how it failed.
    """

    row: int
    name: str
    call_id: str
    content: str
    payload: ToolReturn | Failure


@dataclass(slots=True)
class Recording:
    """A recorded run.

    Attributes:
        name: The file, for messages.
        header: The header of the journal, as JSON data.
        input: The input of the run; None for calls without a run.
        history: What a session showed the model first, the input included; None without a session.
        calls: The calls of models, in the order of their rows.
        results: The results of tools, in the order of their rows.
        resumptions: What people decided and added, for each time that the run went on.
        rest: How the run came to rest; None if the rows end in the middle of work.
        cause: The payload with the final output or the cause of the end.
        agents: The agents at work, in order, without repetitions side by side.
        machine: The machine of the run, or None.
    """

    name: str
    header: Mapping[str, Any]
    input: str | list[TResponseInputItem] | None = None
    history: tuple[TResponseInputItem, ...] | None = None
    calls: list[RecordedCall] = field(default_factory=list)
    results: list[RecordedResult] = field(default_factory=list)
    resumptions: list[Resumed] = field(default_factory=list)
    rest: Rest | None = None
    cause: object = None
    agents: list[str] = field(default_factory=list)
    machine: Machine | None = None

    @property
    def rulings(self) -> list[Ruling]:
        """All decisions, in order."""
        return [ruling for one in self.resumptions for ruling in one.rulings]


def read_recording(text: str, name: str, program: Source | None = None) -> Recording:
    """Read a recorded run.

    Args:
        text: The lines of a journal (`RunState.to_journal`), or the JSON text of a state
            (`RunState.to_string`).
        name: The file, for messages.
        program: The agent or workflow whose classes the values have; without it, and for classes
            that it does not name, they come back as `Stored`.

    Raises:
        UserError: The text is no journal, has another version or is damaged; the message names the
            file.
    """
    types = None
    if program is not None:
        types = classes_of(program_for(program, whole=True).bindings)
    try:
        data, further = _data_of(text)
        check_version(data)
        recording = Recording(name, {k: v for k, v in data.items() if k not in _PARTS})
        if data.get("began") or data["rows"]:
            facts, journal = read_journal(data, data["rows"], data["machines"], types)
            _Reader(recording, journal).read(facts)
        recording.calls += [_beside(row, types) for row in further]
    except DamagedJournal as error:
        if error.line > 1:
            raise UserError(f"{name} cannot be replayed. {error}") from error
        raise UserError(
            f"{name} is no journal: its first line is no header. Write one with"
            " RunState.to_journal() or agentgraph.testing.save_recording()."
        ) from error
    except UserError as error:
        raise UserError(f"{name} cannot be replayed. {error}") from error
    except (KeyError, TypeError, ValueError, ProtocolError) as error:
        reason = DamagedState(f"{type(error).__name__}: {error}")
        raise UserError(f"{name} cannot be replayed. {reason}") from error
    return recording


_PARTS = frozenset({"rows", "machines"})


def _data_of(text: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The data of a state, and the rows of calls beside its run."""
    state = state_in(text)
    if state is not None:
        return state, []
    header, rows = journal_file.read(text)
    return state_of(header, rows), [row for row in rows if row.get("kind") == CALL]


def state_in(text: str) -> dict[str, Any] | None:
    """The JSON data of a state, if that is what a text holds; None for the lines of a journal."""
    try:
        whole = json.loads(text)
    except ValueError:
        return None  # several lines, or no JSON at all
    return whole if isinstance(whole, dict) and "rows" in whole else None


def _beside(row: Mapping[str, Any], types: Types | None) -> RecordedCall:
    reply: ModelReply = FORMS["reply"].read(row["payload"], types)
    replaced = reply.request.replaced
    return RecordedCall(
        row=-1,
        path=(),
        agent="",
        input=None if replaced is None else list(replaced),
        request=reply.request,
        response=reply.response,
    )


class _Reader:
    """Replays the runs of a journal, the outer ones first, and notes what a test needs."""

    def __init__(self, recording: Recording, journal: MemoryJournal) -> None:
        self._recording, self._journal = recording, journal
        self._index = {id(row): index for index, row in enumerate(journal.all())}
        self._arguments: dict[RunPath, str] = {}

    def read(self, facts: RunFacts) -> None:
        """Read all runs.

        Args:
            facts: Those of the outermost run.
        """
        recording = self._recording
        recording.input = facts.input
        for path, beginning in beginnings_of(self._journal):
            if not path:
                self._run(facts, beginning.machine, knows_input=True)
                continue
            machine, inner = beginning.machine, self._inner_input(path)
            nested = inner_facts(facts, path, machine, "" if inner is None else inner)
            self._run(nested, machine, knows_input=inner is not None)
        recording.calls.sort(key=lambda call: call.row)
        recording.results.sort(key=lambda result: result.row)

    def _inner_input(self, path: RunPath) -> str | None:
        """The input of an agent tool that takes one text; code of the program makes all others."""
        try:
            arguments = json.loads(self._arguments[path])
        except (KeyError, ValueError):
            return None
        match arguments:
            case {"input": str(text)} if len(arguments) == 1:
                return text
            case _:
                return None

    def _run(self, facts: RunFacts, machine: Machine, *, knows_input: bool) -> None:
        driver = unbound_driver(facts, machine, self._journal)
        run = driver.run
        for row, command in driver.replay_rows():
            self._take(run, row, command, knows_input)
            self._note_unanswered(driver, row, knows_input)
        if facts.path:
            return
        recording, rest = self._recording, driver.rest
        recording.machine, recording.rest = machine, rest
        if rest is not None and rest.source is not None:
            recording.cause = run.record.payloads.get(rest.source)

    def _take(self, run: Run, row: Row, command: Perform | None, knows_input: bool) -> None:
        """Note a row; the record is as it was before the row."""
        recording, index = self._recording, self._index[id(row)]
        payload, path, view = row.outcome.payload, row.path, run.bench.view
        kind = None if command is None else command.phase.kind
        agent = "" if command is None else _name_of(run.caches.machine, command.agent)
        if not path and agent and recording.agents[-1:] != [agent]:
            recording.agents.append(agent)
        match payload:
            case ModelReply():
                recording.calls.append(
                    RecordedCall(
                        row=index,
                        path=path,
                        agent=agent,
                        input=view.input_of(payload.request) if knows_input else None,
                        request=payload.request,
                        response=payload.response,
                    )
                )
                self._note_arguments(row, payload)
            case FailedAttempt() | Failure() if kind is WorkKind.MODEL:
                recording.calls.append(
                    RecordedCall(
                        row=index,
                        path=path,
                        agent=agent,
                        input=view.model_input()[0] if knows_input else None,
                        request=None,
                        fault=payload.fault,
                    )
                )
            case ToolReturn() | Failure() if kind in _TOOLS and command is not None:
                called = identity_of(run.bench.call(command))
                recording.results.append(RecordedResult(index, *called, payload))
            case Resumed() if not path:
                recording.resumptions.append(payload)
            case Loaded() if not path:
                recording.history = payload.shown
            case _:
                pass

    def _note_arguments(self, row: Row, payload: ModelReply) -> None:
        """Remember the arguments of calls, which are the inputs of the runs inside them."""
        reply = row.outcome.reply
        for lane, call in enumerate(() if reply is None else reply.calls):
            item = payload.response.output[call.position]
            inside = (*row.path, (*row.outcome.id, lane))
            self._arguments[inside] = getattr(item, "arguments", "") or ""

    def _note_unanswered(self, driver: Driver, row: Row, knows_input: bool) -> None:
        """Note a call of a model that a guardrail ended before its reply."""
        payload = row.outcome.payload
        if not (isinstance(payload, GuardrailVerdict) and payload.tripped):
            return
        for command in driver.owed.values():
            if command.phase.kind is WorkKind.MODEL and command.id != row.outcome.id:
                self._recording.calls.append(
                    RecordedCall(
                        row=self._index[id(row)],
                        path=row.path,
                        agent=_name_of(driver.caches.machine, command.agent),
                        input=driver.bench.view.model_input()[0] if knows_input else None,
                        request=None,
                    )
                )


def identity_of(raw: object) -> tuple[str, str, str]:
    """What names a call in a recording: the tool, the id of the call, its content."""
    name = raw_field(raw, "name") or raw_field(raw, "type")
    call_id = raw_field(raw, "call_id") or raw_field(raw, "id") or ""
    return str(name), str(call_id), call_content(raw)


def _name_of(machine: Machine, agent_id: str) -> str:
    return next((one.name for one in machine.agents if one.id == agent_id), agent_id)
