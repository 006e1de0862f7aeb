"""Journals as text: the rows of a run with everything that a replay needs.

A journal is JSON lines with a header, which a person can read and compare. A state holds the same
rows in one JSON object. Reading a text never imports a module that the text names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from agentgraph.approvals import RunPath
from agentgraph.drivers.journal import Beginning, MemoryJournal, Row
from agentgraph.exceptions import UserError
from agentgraph.frontend.bindings import Bindings
from agentgraph.record.facts import NO_CONVERSATION, ConversationIds, RunFacts
from agentgraph.run_config import RunConfig
from agentgraph.running.payload_forms import read_payload, write_payload
from agentgraph.runtime.state import Facts
from agentgraph.schemas.type_hints import resolve_hints
from agentgraph.stored import journal_file
from agentgraph.stored.control import CodecError, decode_outcome, encode_outcome
from agentgraph.stored.items import decode_input, encode_input
from agentgraph.stored.value_types import NotReadable, Types, classes_in
from agentgraph.usage import deserialize_usage, serialize_usage
from agentgraph.version import installed_version
from agentgraph_compiler.emit import MachineFormatError, machine_from_json
from agentgraph_compiler.machine import Machine

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

SCHEMA = journal_file.SCHEMA_VERSION
SCHEMA_KEY = "$schemaVersion"


def to_lines(state: Mapping[str, Any]) -> str:
    """The JSON data of a state as the lines of a journal file."""
    header = {key: value for key, value in state.items() if key not in ("rows", "machines")}
    machines = [journal_file.machine_row(key, one) for key, one in state["machines"].items()]
    return journal_file.write(header, [*machines, *state["rows"]])


def from_lines(text: str) -> dict[str, Any]:
    """Read what :func:`to_lines` wrote.

    Raises:
        UserError: The text has another version or is damaged; the message names the line.
    """
    return state_of(*journal_file.read(text))


def state_of(header: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The JSON data of a state from the header and the rows of a journal file."""
    machines = {row["fingerprint"]: row["machine"] for row in rows if row.get("kind") == "machine"}
    outcomes = [row for row in rows if "index" in row]
    return {SCHEMA_KEY: SCHEMA, **header, "machines": machines, "rows": outcomes}


def check_version(data: object) -> None:
    """Refuse data that is not a stored run of this version.

    Raises:
        UserError: The version differs; the message names both versions.
    """
    if not isinstance(data, Mapping) or SCHEMA_KEY not in data:
        raise UserError(f"This is not a stored run: it has no {SCHEMA_KEY!r}.")
    version = data[SCHEMA_KEY]
    if version != SCHEMA:
        raise UserError(
            f"The stored run has the version {version!r}; this version of agentgraph reads"
            f" {SCHEMA!r} only."
        )


def classes_of(bindings: Bindings) -> Mapping[str, type[Any]]:
    """The classes that a program declares: output types, those of steps without an agent included,
    and the types of tool functions."""
    declared: list[Any] = []
    for one in (bindings, *bindings.machines.values()):
        declared += [row.step.declared for row in one.steps]
        for bound in one.agents.values():
            output = bound.agent.output_type
            # One of our output schemas names the type of its values.
            declared.append(getattr(output, "output_type", output))
            for row in bound.tools:
                function = getattr(row.tool, "_function", None)
                declared += resolve_hints(function).values() if function is not None else ()
    return classes_in(*(part for part in declared if part is not None))


def head_of(facts: RunFacts, journal: MemoryJournal) -> dict[str, Any]:
    """The data that holds for a whole run, as JSON data."""
    return {
        "run": facts.run_id,
        "code": installed_version(),
        "began": [
            beginning_to_json(path, one, journal) for path, one in journal.beginnings().items()
        ],
        "input": encode_input(facts.input),
        "limit": facts.limit,
        "conversation": list(facts.conversation),
    }


def beginning_to_json(
    path: RunPath, beginning: Beginning, journal: MemoryJournal
) -> dict[str, Any]:
    """What a run began with, as JSON data."""
    named = _named(journal, beginning.machine)
    return {"path": steps_of(path), "facts": list(beginning.facts), **named}


def beginning_from_json(
    data: Mapping[str, Any], machines: Mapping[str, Machine]
) -> tuple[RunPath, Beginning]:
    """Read what :func:`beginning_to_json` wrote.

    Args:
        data: The data.
        machines: The machines by fingerprint.
    """
    whole = machines[data["machine"]]
    part = whole.submachine[data["part"]] if "part" in data else whole
    return path_of(data["path"]), Beginning(part, None, Facts(*data["facts"]))


def path_of(steps: Sequence[Sequence[int]]) -> RunPath:
    """Read what :func:`steps_of` wrote."""
    return tuple(tuple(step) for step in steps)


def steps_of(path: RunPath) -> list[list[int]]:
    """A path as JSON data."""
    return [list(step) for step in path]


def _named(journal: MemoryJournal, machine: Machine) -> dict[str, str]:
    """How a text names a machine: by fingerprint and, if it is a sub-machine, also by name."""
    whole = journal.whole(machine)
    name = {} if whole is machine else {"part": machine.name}
    return {"machine": whole.fingerprint, **name}


def rows_of(journal: MemoryJournal) -> list[dict[str, Any]]:
    """The rows of a journal as JSON data.

    Raises:
        NotStorable: A value of user code has no stored form; the message names its row and its
            place there.
    """
    return [row_to_json(index, row) for index, row in enumerate(journal.all())]


def machines_of(journal: MemoryJournal) -> dict[str, Any]:
    """The machines of a journal, as JSON data, by fingerprint."""
    began = (journal.whole(one.machine) for one in journal.beginnings().values())
    machines = (*began, *journal.machines())
    by_fingerprint = {machine.fingerprint: machine for machine in machines}
    return {key: json.loads(machine.to_json()) for key, machine in by_fingerprint.items()}


def row_to_json(index: int, row: Row) -> dict[str, Any]:
    """One row as JSON data.

    Args:
        index: Its number among the rows.
        row: The row.

    Raises:
        NotStorable: A value of user code has no stored form; the message names its place.
    """
    control = encode_outcome(row.outcome)
    payload = write_payload(row.outcome.payload, f"rows[{index}]")
    return {
        "index": index,
        "path": steps_of(row.path),
        "id": control["id"],
        "event": control["event"],
        "state": row.state,
        "sequence": row.sequence,
        "turn": row.turn,
        **({} if control["reply"] is None else {"reply": control["reply"]}),
        **({} if row.spent is None else {"spent": serialize_usage(row.spent)}),
        **({} if payload is None else {"payload": payload}),
    }


def machine_of(fingerprint: str, text: str) -> Machine:
    """Read the JSON text of a machine.

    Raises:
        UserError: It is another machine.
    """
    machine = machine_from_json(text)
    if machine.fingerprint != fingerprint:
        raise DamagedState(f"machine {fingerprint!r} has another fingerprint")
    return machine


def read_journal(
    head: Mapping[str, Any],
    rows: Iterable[Mapping[str, Any]],
    machines: Mapping[str, Any],
    types: Types | None,
) -> tuple[RunFacts, MemoryJournal]:
    """Read a journal back.

    Args:
        head: The result of :func:`head_of`.
        rows: The result of :func:`rows_of`.
        machines: The result of :func:`machines_of`.
        types: The classes of the program, by path.

    Raises:
        UserError: A part cannot be read; the message names the part.
    """
    with reading("rows"):
        journal = MemoryJournal(row_from_json(index, row, types) for index, row in enumerate(rows))
    with reading("machines"):
        wholes = {key: machine_of(key, json.dumps(one)) for key, one in machines.items()}
    for machine in wholes.values():
        journal.keep_machine(machine, None)
    with reading("began"):
        for one in head["began"]:
            journal.began(*beginning_from_json(one, wholes))
    if () not in journal.beginnings():
        raise DamagedState("began: the row of the outermost run is missing")
    with reading("the head"):
        conversation = ConversationIds(*head["conversation"])
        facts = stored_facts(head["run"], decode_input(head["input"]), head["limit"], conversation)
    return facts, journal


def stored_facts(
    run_id: str,
    input: str | list[TResponseInputItem],
    limit: int | None,
    conversation: ConversationIds = NO_CONVERSATION,
) -> RunFacts:
    """The facts of an outermost run, as far as a store knows them."""
    return RunFacts(
        run_id=run_id,
        path=(),
        machine="",
        input=input,
        config=RunConfig(),
        provider=None,
        limit=limit,
        conversation=conversation,
    )


@contextmanager
def reading(part: str) -> Iterator[None]:
    """Say where a stored run is damaged.

    Args:
        part: The part that is read.

    Raises:
        UserError: The part cannot be read.
    """
    try:
        yield
    except KeyError as error:
        raise DamagedState(f"{part}: {error} is missing") from error
    except NotReadable as error:
        raise DamagedState(f"{part}: {str(error).rstrip('.')}") from error
    except _DAMAGE as error:
        raise DamagedState(f"{part}: {type(error).__name__}: {error}") from error


class DamagedState(UserError):
    """A stored run was changed or damaged after it was written.

    Args:
        reason: Where and how it differs.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"The stored run is damaged: {reason}.")


_DAMAGE = (AttributeError, IndexError, TypeError, ValueError, CodecError, MachineFormatError)
"""What reading a damaged text may raise."""


def row_from_json(index: int, row: Mapping[str, Any], types: Types | None) -> Row:
    """Read what :func:`row_to_json` wrote.

    Args:
        index: Its number among the rows, for messages.
        row: The data.
        types: The classes of the program, by path.

    Raises:
        UserError: It cannot be read.
    """
    with reading(f"rows[{index}]"):
        control = {"version": 2, "id": row["id"], "event": row["event"], "reply": row.get("reply")}
        usage = row.get("spent")
        return Row(
            path=path_of(row["path"]),
            outcome=decode_outcome(control, read_payload(row.get("payload"), types)),
            state=row["state"],
            sequence=row["sequence"],
            turn=row["turn"],
            spent=None if usage is None else deserialize_usage(usage),
        )
