"""Which mutants differ from their workflow at all: the compiled tables say it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import agentgraph
from agentgraph.frontend.bindings import StepBinding
from agentgraph.frontend.lower_tools import enabled
from agentgraph.testing.mutation.changes import Change
from agentgraph.testing.mutation.mutants import planted
from agentgraph_compiler.ir.chart import Enabled

if TYPE_CHECKING:
    from agentgraph.frontend.bindings import Bindings
    from agentgraph.workflow import Source

__all__ = ["Difference", "Tables"]


@dataclass(frozen=True, slots=True)
class Difference:
    """What a change does to the tables of a workflow.

    Attributes:
        exists: Whether a run can differ: a table or its bindings differ, or one has errors.
        refusal: The first error of the compiler, if no run of what differs would start.
    """

    exists: bool
    refusal: str = ""


class Tables:
    """The compiled tables of all runs of a workflow, from whichever agent they start.

    Args:
        sources: The agents and workflows that a run can start with.
    """

    def __init__(self, sources: Iterable[Source]) -> None:
        tables = [(source, _table(source)) for source in sources]
        self._tables = [(source, table) for source, table in tables if not isinstance(table, str)]
        # What does not compile without the change says nothing about it.
        self._are_all = len(self._tables) == len(tables)

    def difference(self, change: Change) -> Difference:
        """Compare the tables with those of a mutant.

        Args:
            change: The change; it is taken back.
        """
        refusal = ""
        with planted(change):
            for source, before in self._tables:
                table = _table(source)
                if isinstance(table, str):
                    refusal = refusal or table
                elif table != before:
                    return Difference(exists=True)
        return Difference(
            exists=bool(refusal) or not self._are_all, refusal=refusal if self._are_all else ""
        )


def _table(source: Source) -> tuple[object, ...] | str:
    """The fingerprint of a machine with the objects behind its symbols; the first error of a
    workflow that has errors."""
    try:
        program = agentgraph.compile(source)
    except agentgraph.CompileError as error:
        first = next(one for one in error.diagnostics if one.severity == "error")
        return f"{first.rule.code} {first.rule.name}: {first.message}"
    bindings = program.bindings
    objects = tuple(
        place for one in (bindings, *bindings.machines.values()) for place in _objects(one)
    )
    return program.machine.fingerprint, objects


def _objects(bindings: Bindings) -> Iterator[tuple[str, int]]:
    """The symbols of a machine with the identities of the objects behind them; no run sees a tool
    that is never on offer."""
    for symbol, part in bindings.symbols.items():
        yield symbol, id(part.step.part if isinstance(part, StepBinding) else part)
    for agent in bindings.agents.values():
        yield agent.id, id(agent.agent)
        for row in agent.tools:
            if enabled(row.tool) is not Enabled.NEVER:
                yield row.symbol, id(row.tool)
        yield from ((row.symbol, id(row.entry)) for row in agent.handoffs)
        yield from ((symbol, id(server)) for symbol, server in agent.servers)
