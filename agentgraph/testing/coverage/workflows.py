"""What is covered of a workflow: its versions, and the items that they have together."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, NamedTuple

from agentgraph.testing.coverage.counting import tool_guardrail
from agentgraph_compiler.analysis.obligations import obligations
from agentgraph_compiler.analysis.owed import CALLED, PASSED, TRIPPED, Key, Obligation, Subject
from agentgraph_compiler.diagnostics import UNKNOWN, Origin
from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.ir.text import parse_chart

__all__ = [
    "OF_THE_WAY",
    "Identity",
    "Item",
    "Tally",
    "ToolGuardrail",
    "Version",
    "WorkflowCoverage",
    "tallies_of",
    "tally_of",
]


class ToolGuardrail(NamedTuple):
    """A guardrail of a tool; the chart says only that a tool has some.

    Args:
        part: The sub-chart of the tool; empty for the workflow itself.
        tool: The symbol of the tool.
        name: The name of the guardrail.
        about_output: Whether it judges the output rather than the arguments.
    """

    part: str
    tool: str
    name: str
    about_output: bool


class Identity(NamedTuple):
    """What makes two versions versions of one workflow: its name, and the line that makes it."""

    name: str
    file: str
    line: int


@dataclass
class Version:
    """One compiled version of a workflow.

    Args:
        fingerprint: The fingerprint of its machine.
        text: Its chart, printed.
        tool_guardrails: The guardrails of its tools.
        counts: How often runs met each obligation.
        simulated: Whether it is made of stand-ins, which lack what only the workflow itself has.
    """

    fingerprint: str
    text: str
    tool_guardrails: tuple[ToolGuardrail, ...] = ()
    counts: Counter[Key] = field(default_factory=Counter)
    simulated: bool = False

    def add(self, other: Version) -> None:
        """Add what runs met of the same machine; every order of adding gives the same."""
        self.counts.update(other.counts)
        self.simulated &= other.simulated
        guardrails = tuple(sorted({*self.tool_guardrails, *other.tool_guardrails}))
        text = min(self.text, other.text)  # one of the places that make the machine
        if (text, guardrails) != (self.text, self.tool_guardrails):
            self.text, self.tool_guardrails = text, guardrails
            self.__dict__.pop("chart", None)
            self.__dict__.pop("obligations", None)

    @cached_property
    def chart(self) -> Chart:
        """Its chart."""
        return parse_chart(self.text)

    @property
    def identity(self) -> Identity:
        """The workflow that it is a version of."""
        chart = self.chart
        origin = chart.agent[chart.start].origin if chart.origin == UNKNOWN else chart.origin
        return Identity(chart.name, os.path.abspath(origin.file), origin.line)

    @cached_property
    def obligations(self) -> tuple[Obligation, ...]:
        """What its tests owe, and what they do not."""
        own = obligations(self.chart)
        called = {one.key[1:3]: one for one in own if one.key.outcome == CALLED}
        more = [
            _of_tool_guardrail(guardrail, called[guardrail.part, guardrail.tool], outcome)
            for guardrail in self.tool_guardrails
            if (guardrail.part, guardrail.tool) in called
            for outcome in (PASSED, TRIPPED)
        ]
        return (*own, *more)


def _of_tool_guardrail(guardrail: ToolGuardrail, tool: Obligation, outcome: str) -> Obligation:
    name = tool_guardrail(guardrail.tool, guardrail.name, about_output=guardrail.about_output)
    what = "output" if guardrail.about_output else "arguments"
    return replace(
        tool,
        key=Key(Subject.GUARDRAIL, guardrail.part, name, outcome),
        title=f"{guardrail.name} ({what} of {tool.title})",
    )


OF_THE_WAY: Final = frozenset(
    {Subject.AGENT, Subject.HANDOFF, Subject.EDGE, Subject.FUNCTION, Subject.QUESTION}
)
"""The subjects whose title needs no name of an agent before it."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a run of a workflow can do.

    Attributes:
        subject: What it is: an agent, a handoff, a tool, a guardrail, an edge, a function,
            a question, a limit, a state or a transition.
        part: The agent tool whose run does it; empty for the workflow itself.
        name: The id of the agent or state, the symbol, or the words of the transition.
        outcome: What a run must do there: `visited`, `taken`, `called`, `approved`, `rejected`,
            `failed`, `passed`, `tripped`, `reached`, `exhausted` or `answered`.
        agent: The name of the agent; empty for the states that all agents share.
        title: The name for people.
        origin: Where the program constructs it.
        count: How often runs met it.
        excuse: Why no test owes it; empty for an item that counts.
    """

    subject: str
    part: str
    name: str
    outcome: str
    agent: str
    title: str
    origin: Origin
    count: int
    excuse: str

    @property
    def owed(self) -> bool:
        """Whether it counts."""
        return not self.excuse

    @property
    def missing(self) -> bool:
        """Whether tests owe it and no run met it."""
        return self.owed and not self.count

    def __str__(self) -> str:
        part = f" (in the run of {self.part} as a tool)" if self.part else ""
        match self.subject:
            case Subject.STATE | Subject.TRANSITION:
                return f"{self.title}{part}"
            case subject if subject in OF_THE_WAY:
                return f"{self.title} {self.outcome}{part}"
            case _:
                return f"{self.agent}: {self.title} {self.outcome}{part}"


@dataclass(frozen=True, slots=True)
class Tally:
    """How much is covered: how many items tests owe, and how many of these some run has met."""

    owed: int
    covered: int

    @property
    def percent(self) -> float:
        """The share that is covered, from 0 to 100; 100 if nothing is owed."""
        return 100.0 * self.covered / self.owed if self.owed else 100.0


def tally_of(items: Iterable[Item]) -> Tally:
    """Count items."""
    owed = [item for item in items if item.owed]
    return Tally(len(owed), sum(item.count > 0 for item in owed))


def tallies_of(items: Iterable[Item]) -> Iterator[tuple[str, Tally]]:
    """Count the items of each subject that there are items of."""
    groups: dict[str, list[Item]] = {subject.value: [] for subject in Subject}
    for item in items:
        groups[item.subject].append(item)
    return ((subject, tally_of(group)) for subject, group in groups.items() if group)


@dataclass(frozen=True)
class WorkflowCoverage:
    """What is covered of one workflow.

    Attributes:
        identity: Its name, and the line that makes it.
        versions: The versions of it that runs used.
    """

    identity: Identity
    versions: tuple[Version, ...]

    @property
    def name(self) -> str:
        """The name of the workflow."""
        return self.identity.name

    @property
    def chart(self) -> Chart:
        """The chart of its largest version, for a drawing."""
        return max(self._described, key=lambda one: len(one.obligations)).chart

    @property
    def _described(self) -> tuple[Version, ...]:
        """The versions that say what there is: those without stand-ins, if there are any."""
        return tuple(one for one in self.versions if not one.simulated) or self.versions

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """What its runs can do, in the order of the chart. Tests owe an item if they owe it in
        some version, and what runs met in one version is met."""
        merged: dict[Key, Obligation] = {}
        for obligation in (one for version in self._described for one in version.obligations):
            before = merged.setdefault(obligation.key, obligation)
            if before.excuse and not obligation.excuse:
                merged[obligation.key] = obligation
        counts = sum((version.counts for version in self.versions), Counter[Key]())
        order = list(Subject)
        rows = sorted(merged.values(), key=lambda one: (one.key.part, order.index(one.key.subject)))
        return tuple(_item(one, counts[one.key]) for one in rows)

    @property
    def missing(self) -> tuple[Item, ...]:
        """The items that tests owe and no run met."""
        return tuple(item for item in self.items if item.missing)

    @property
    def excused(self) -> tuple[Item, ...]:
        """The items that do not count, each with its excuse."""
        return tuple(item for item in self.items if not item.owed)

    @property
    def total(self) -> Tally:
        """How much of it is covered."""
        return tally_of(self.items)

    @property
    def percent(self) -> float:
        """The share of the owed items that runs met, from 0 to 100."""
        return self.total.percent

    def subjects(self) -> Iterator[tuple[str, Tally]]:
        """How much is covered of each subject that it has items of."""
        return tallies_of(self.items)


def _item(obligation: Obligation, count: int) -> Item:
    key = obligation.key
    return Item(
        subject=key.subject.value,
        part=key.part,
        name=key.name,
        outcome=key.outcome,
        agent=obligation.agent,
        title=obligation.title,
        origin=obligation.origin,
        count=count,
        excuse=obligation.excuse,
    )
