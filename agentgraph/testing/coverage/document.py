"""The JSON form of a coverage (docs/testing.md, "Coverage").

`workflows[].items` is for readers; `workflows[].versions` is what `Coverage.from_json` reads, and
what two documents are merged by.
"""

from __future__ import annotations

from typing import Final, TypedDict

__all__ = [
    "FORMAT",
    "VERSION",
    "CountDocument",
    "CoverageDocument",
    "ItemDocument",
    "TallyDocument",
    "ToolGuardrailDocument",
    "VersionDocument",
    "WorkflowDocument",
]

FORMAT: Final = "agentgraph-coverage"
VERSION: Final = 1


class TallyDocument(TypedDict):
    """How much is covered.

    Keys:
        owed: The number of items that tests owe.
        covered: How many of these some run has met.
        percent: The share of those, from 0 to 100; 100 if nothing is owed.
    """

    owed: int
    covered: int
    percent: float


class CountDocument(TypedDict):
    """How often runs of a version met an item; its keys are attributes of `Item`."""

    subject: str
    part: str
    name: str
    outcome: str
    count: int


class ItemDocument(CountDocument):
    """An `Item`; its keys are the attributes, but for the origin.

    Keys:
        file: Where the program constructs it; empty where that is not known.
        line: The line there, counted from 1; 0 where that is not known.
    """

    agent: str
    title: str
    file: str
    line: int
    excuse: str


class ToolGuardrailDocument(TypedDict):
    """A `ToolGuardrail`; its keys are the attributes."""

    part: str
    tool: str
    name: str
    about_output: bool


class VersionDocument(TypedDict):
    """One compiled version of a workflow.

    Keys:
        fingerprint: The fingerprint of its machine.
        chart: Its chart, as `agentgraph ir` prints it.
        simulated: Whether it is made of stand-ins (`explore`, `walk`, `play`, `routing_test`).
        tool_guardrails: The guardrails of its tools.
        counts: The items that runs met.
    """

    fingerprint: str
    chart: str
    simulated: bool
    tool_guardrails: list[ToolGuardrailDocument]
    counts: list[CountDocument]


class WorkflowDocument(TypedDict):
    """A workflow; `subjects` has a tally for each subject that it has items of."""

    name: str
    file: str
    line: int
    total: TallyDocument
    subjects: dict[str, TallyDocument]
    items: list[ItemDocument]
    versions: list[VersionDocument]


class CoverageDocument(TypedDict):
    """A whole coverage."""

    format: str
    version: int
    total: TallyDocument
    subjects: dict[str, TallyDocument]
    workflows: list[WorkflowDocument]
