"""`Coverage`: what the runs of a test session met, of each of their workflows."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain

from agentgraph.exceptions import UserError
from agentgraph.testing.coverage.document import (
    FORMAT,
    VERSION,
    CoverageDocument,
    ItemDocument,
    TallyDocument,
    VersionDocument,
    WorkflowDocument,
)
from agentgraph.testing.coverage.text import report
from agentgraph.testing.coverage.workflows import (
    Identity,
    Item,
    Tally,
    ToolGuardrail,
    Version,
    WorkflowCoverage,
    tallies_of,
    tally_of,
)
from agentgraph_compiler.analysis.owed import Key, Subject
from agentgraph_compiler.ir.text import ChartSyntaxError

__all__ = ["Coverage"]


class Coverage:
    """What runs met of what the tables of their workflows offer.

    Versions of a workflow have the same name and are made on the same line; they are merged. Two
    machines with one fingerprint are one version, wherever they are made.

    Args:
        versions: The versions that runs used.
    """

    def __init__(self, versions: Iterable[Version] = ()) -> None:
        self._versions: dict[str, Version] = {}
        for version in versions:
            self.add(version)

    def add(self, version: Version) -> None:
        """Add what runs met of one version."""
        before = self._versions.get(version.fingerprint)
        if before is None:
            own = self._versions[version.fingerprint] = copy.copy(version)
            own.counts = Counter(version.counts)
        else:
            before.add(version)

    def merge(self, other: Coverage) -> None:
        """Add what other runs met, of another process or another session."""
        for version in other._versions.values():
            self.add(version)

    def only(self, identities: Iterable[Identity]) -> Coverage:
        """What runs met of some workflows alone."""
        kept = frozenset(identities)
        return Coverage(one for one in self._versions.values() if one.identity in kept)

    @property
    def workflows(self) -> tuple[WorkflowCoverage, ...]:
        """The workflows, by name."""
        groups: dict[Identity, list[Version]] = {}
        for version in sorted(self._versions.values(), key=lambda one: one.fingerprint):
            groups.setdefault(version.identity, []).append(version)
        return tuple(
            WorkflowCoverage(identity, tuple(groups[identity])) for identity in sorted(groups)
        )

    def items(self) -> Iterator[Item]:
        """The items of all workflows."""
        return chain.from_iterable(workflow.items for workflow in self.workflows)

    @property
    def missing(self) -> tuple[Item, ...]:
        """The items of all workflows that tests owe and no run met."""
        return tuple(item for item in self.items() if item.missing)

    @property
    def total(self) -> Tally:
        """How much is covered."""
        return tally_of(self.items())

    @property
    def percent(self) -> float:
        """The share of the owed items that runs met, from 0 to 100; 100 if nothing is owed."""
        return self.total.percent

    def report(self, *, missing: bool = False) -> str:
        """The report as a table.

        Args:
            missing: Whether to list, under the table, what is missing and what does not count.
        """
        return report(self.workflows, missing=missing)

    def __str__(self) -> str:
        return self.report()

    def document(self) -> CoverageDocument:
        """The report as JSON data."""
        workflows = self.workflows
        items = tuple(item for one in workflows for item in one.items)
        return {
            "format": FORMAT,
            "version": VERSION,
            "total": _tally(tally_of(items)),
            "subjects": {subject: _tally(tally) for subject, tally in tallies_of(items)},
            "workflows": [_workflow(one) for one in workflows],
        }

    def to_json(self, *, indent: int | None = None) -> str:
        """The report as JSON text, which `from_json` reads back."""
        return json.dumps(self.document(), indent=indent, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Coverage:
        """Read what `to_json` wrote.

        Raises:
            UserError: The text is no coverage, or one of another version.
        """
        try:
            document = json.loads(text)
        except ValueError as error:
            raise UserError(f"This is no coverage of agentgraph: {error}.") from error
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise UserError(f"This is no coverage of agentgraph: its format is not {FORMAT!r}.")
        if document.get("version") != VERSION:
            raise UserError(
                f"The coverage has version {document.get('version')!r}; this version of agentgraph"
                f" reads {VERSION!r} only."
            )
        try:
            workflows = document["workflows"]
            return cls(_version(one) for workflow in workflows for one in workflow["versions"])
        except (KeyError, TypeError, ValueError, ChartSyntaxError) as error:
            raise UserError(f"The coverage is damaged: {type(error).__name__}: {error}.") from error


def _tally(tally: Tally) -> TallyDocument:
    percent = round(tally.percent, 2)
    return {"owed": tally.owed, "covered": tally.covered, "percent": percent}


def _workflow(workflow: WorkflowCoverage) -> WorkflowDocument:
    name, file, line = workflow.identity
    return {
        "name": name,
        "file": file,
        "line": line,
        "total": _tally(workflow.total),
        "subjects": {subject: _tally(tally) for subject, tally in workflow.subjects()},
        "items": [_item(item) for item in workflow.items],
        "versions": [_of_version(version) for version in workflow.versions],
    }


def _item(item: Item) -> ItemDocument:
    return {
        "subject": item.subject,
        "part": item.part,
        "name": item.name,
        "outcome": item.outcome,
        "agent": item.agent,
        "title": item.title,
        "file": item.origin.file if item.origin.line else "",
        "line": item.origin.line,
        "count": item.count,
        "excuse": item.excuse,
    }


def _of_version(version: Version) -> VersionDocument:
    return {
        "fingerprint": version.fingerprint,
        "chart": version.text,
        "simulated": version.simulated,
        "tool_guardrails": [
            {
                "part": one.part,
                "tool": one.tool,
                "name": one.name,
                "about_output": one.about_output,
            }
            for one in version.tool_guardrails
        ],
        "counts": [
            {
                "subject": key.subject.value,
                "part": key.part,
                "name": key.name,
                "outcome": key.outcome,
                "count": count,
            }
            for key, count in sorted(version.counts.items())
        ],
    }


def _version(document: VersionDocument) -> Version:
    counts = Counter[Key]()
    for one in document["counts"]:
        key = Key(Subject(one["subject"]), one["part"], one["name"], one["outcome"])
        counts[key] += int(one["count"])
    guardrails = [
        ToolGuardrail(one["part"], one["tool"], one["name"], one["about_output"])
        for one in document["tool_guardrails"]
    ]
    version = Version(
        fingerprint=document["fingerprint"],
        text=document["chart"],
        tool_guardrails=tuple(guardrails),
        counts=counts,
        simulated=document["simulated"],
    )
    assert version.chart is not None  # a chart that cannot be parsed raises here
    return version
