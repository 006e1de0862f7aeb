"""What a child process tells its parent: one message a line, as JSON.

The messages are plain data. No agent leaves the child.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from agentgraph.cli.capture.loading import Ending
from agentgraph_compiler.analysis.bounds import RunBounds
from agentgraph_compiler.analysis.coverage import Coverage
from agentgraph_compiler.diagnostics import UNKNOWN, Diagnostic, Origin

__all__ = [
    "AgentSeen",
    "AgentsChecked",
    "ChartPrinted",
    "Cost",
    "FactorySeen",
    "FaultSeen",
    "FilesRead",
    "Message",
    "MutantSeen",
    "ReadOnly",
    "Refusal",
    "StartSeen",
    "decoded",
    "encoded",
]


@dataclass(frozen=True, slots=True)
class AgentSeen:
    """An agent of the file."""

    name: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class StartSeen:
    """A start of the file.

    Args:
        name: The name of the agent or workflow.
        label: Its name in the file, else its own.
        reason: Why it is a start.
        origin: Where it is made.
        place: The line that begins the run; unknown if none does.
        context: The type of the run's context; empty if the run has none.
        max_turns: The most turns of the run; `None` if the run has no limit or was not recorded.
        session: The type of the run's session; empty if the run has none.
    """

    name: str
    label: str
    reason: str
    origin: Origin
    place: Origin = UNKNOWN
    context: str = ""
    max_turns: int | None = None
    session: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that the file tried while it was loaded, and was refused."""

    action: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class ReadOnly:
    """The file could not be imported. Its calls of the library were read instead.

    Args:
        reason: Why, in one line.
        origin: Where.
        agents: The number of agents in its source.
        details: The traceback.
    """

    reason: str
    origin: Origin
    agents: int
    details: str = ""


@dataclass(frozen=True, slots=True)
class ChartPrinted:
    """The chart of the start that the command takes.

    Args:
        text: The chart in its printed form.
        output: The types of the final outputs, in words.
        label: The label of the start.
        why: Why this start; empty if there is no other.
        others: The labels of the others.
    """

    text: str
    output: str
    label: str
    why: str = ""
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FaultSeen:
    """Why the command cannot do its work with the file."""

    message: str
    help: str = ""
    details: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class FilesRead:
    """The files that the file consists of: itself, and the modules beside it that it imports."""

    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AgentsChecked:
    """Where the agents of the charts of the file are made, and where its runs begin."""

    places: tuple[Origin, ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU time, in seconds: of loading the file, and of finding and checking its agents."""

    loading: float
    checking: float


@dataclass(frozen=True, slots=True)
class MutantSeen:
    """A fault that could be planted in the workflows of the file.

    Args:
        operator: The kind of fault.
        owner: The object that is changed.
        part: The changed part of it.
        file: The file that makes the object, without symbolic links.
        line: The line.
        text: What is different then.
        scenario: A run that notices the fault, move by move.
        origin: The line of the program that the fault is about.
        exists: Whether any table differs.
        refusal: Why the compiler refuses it; empty if it does not.
    """

    operator: str
    owner: str
    part: str
    file: str
    line: int
    text: str
    scenario: tuple[str, ...]
    origin: Origin
    exists: bool
    refusal: str


@dataclass(frozen=True, slots=True)
class FactorySeen:
    """A function of the file that makes agents."""

    name: str


Message = (
    AgentSeen
    | StartSeen
    | Refusal
    | ReadOnly
    | ChartPrinted
    | FaultSeen
    | FilesRead
    | AgentsChecked
    | Cost
    | MutantSeen
    | FactorySeen
    | Ending
    | Diagnostic
    | RunBounds
    | Coverage
)

_KINDS: Final[dict[str, type[Message]]] = {kind.__name__: kind for kind in get_args(Message)}


def encoded(message: Message) -> bytes:
    """A message as a line."""
    return json.dumps([type(message).__name__, asdict(message)]).encode() + b"\n"


def decoded(line: bytes) -> Message:
    """The message of a line.

    Raises:
        ValueError: The line is no message.
    """
    try:
        kind, values = json.loads(line)
        message: Message = _value(_KINDS[kind], values)
    except (KeyError, TypeError) as error:
        raise ValueError(f"no message: {line[:80]!r}") from error
    return message


def _value(kind: object, value: Any) -> Any:
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{one.name: _value(hints[one.name], value[one.name]) for one in fields(kind)})
    if get_origin(kind) is tuple:
        return tuple(_value(get_args(kind)[0], one) for one in value)
    if get_origin(kind) in (UnionType, Union):
        return None if value is None else _value(_member(get_args(kind), value), value)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    return value


def _member(kinds: tuple[type, ...], value: object) -> type:
    """The member of a union that has the fields of a value; the first one for a plain value."""
    names = {*value} if isinstance(value, dict) else set()
    return next(
        (
            kind
            for kind in kinds
            if is_dataclass(kind) and {one.name for one in fields(kind)} == names
        ),
        kinds[0],
    )


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
