"""Mutants: the faults that the operators would plant in a workflow, under names that hold in every
process."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from os.path import realpath
from typing import Any, NamedTuple

from agentgraph.frontend.origins import origin_of
from agentgraph.testing.mutation.changes import Change, Operator, Parts, label_of
from agentgraph_compiler.diagnostics import Origin

__all__ = ["Mutant", "MutantName", "mutants_of", "planted"]


class MutantName(NamedTuple):
    """What identifies a mutant in another process that executes the same file.

    Attributes:
        operator: The name of the operator.
        owner: The name of the changed object.
        part: The changed part of it.
        file: The file that makes the object, without symbolic links.
        line: The line.
    """

    operator: str
    owner: str
    part: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Mutant:
    """A fault, and what would notice it.

    Attributes:
        name: Its name.
        change: The fault.
        scenario: A run that notices the fault, move by move, in words.
        origin: The line of the program that the fault is about.
    """

    name: MutantName
    change: Change
    scenario: tuple[str, ...]
    origin: Origin


def mutants_of(parts: Parts, operators: Iterable[Operator]) -> Iterator[Mutant]:
    """The mutants of a workflow, each once.

    Args:
        parts: Its agents.
        operators: The operators.
    """
    names: set[MutantName] = set()
    for operator in operators:
        for change in operator.changes(parts):
            name = _name(operator, change)
            if name not in names:  # agents may share a tool
                names.add(name)
                scenario = (*parts.way_to(change.agent), *change.moves)
                origin = origin_of(change.place)
                yield Mutant(name, change, scenario, origin)


def changes_named(parts: Parts, operator: Operator, name: MutantName) -> Iterator[Change]:
    """The changes that a mutant consists of: several if a function made several such agents."""
    for change in operator.changes(parts):
        if _name(operator, change) == name:
            yield change


@contextlib.contextmanager
def planted(change: Change) -> Iterator[None]:
    """Make a change, and take it back at the end of the context."""
    before: dict[str, Any] = {name: getattr(change.owner, name) for name in change.values}
    plant(change)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(change.owner, name, value)


def plant(change: Change) -> None:
    """Make a change."""
    for name, value in change.values.items():
        setattr(change.owner, name, value)


def _name(operator: Operator, change: Change) -> MutantName:
    origin = origin_of(change.owner)
    return MutantName(
        operator=operator.name,
        owner=label_of(change.owner),
        part=change.part,
        file=realpath(origin.file) if origin.file else "",
        line=origin.line,
    )
