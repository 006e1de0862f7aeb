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


class ItemDocument(TypedDict):
    """One thing that a run can do.

    Keys:
        subject: `agent`, `handoff`, `tool`, `guardrail`, `state` or `transition`.
        part: The agent tool whose run does it; empty for the workflow itself.
        name: The id of the agent or state, the symbol, or the words of the transition.
        outcome: `visited`, `taken`, `called`, `approved`, `rejected`, `failed`, `passed` or
            `tripped`.
        agent: The name of the agent; empty for the states that all agents share.
        title: The name for people.
        file: Where the program constructs it; empty where that is not known.
        line: The line there, counted from 1; 0 where that is not known.
        count: How often runs met it.
        excuse: Why no test owes it; empty for an item that counts.
    """

    subject: str
    part: str
    name: str
    outcome: str
    agent: str
    title: str
    file: str
    line: int
    count: int
    excuse: str


class CountDocument(TypedDict):
    """How often runs of a version met an item; the first four keys are those of the item."""

    subject: str
    part: str
    name: str
    outcome: str
    count: int


class ToolGuardrailDocument(TypedDict):
    """A guardrail of a tool.

    Keys:
        part: As in an item.
        tool: The symbol of the tool.
        name: The name of the guardrail.
        about_output: Whether it judges the output rather than the arguments.
    """

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
