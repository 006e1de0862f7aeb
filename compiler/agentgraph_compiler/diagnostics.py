"""Rules and diagnostics: what the compiler says about a chart, as plain data.

Every diagnostic names its rule, the place in the user's own source and what to write instead.
Nothing here decides what to do with them: the pipeline collects all of them, sorts them by origin
and returns them to its caller.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How serious a diagnostic is: an ``ERROR`` stops compilation, the others never stop a run."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """Where the user wrote something.

    Args:
        file: Path of the source file as Python reported it; empty when unknown.
        line: First line of the statement, counted from 1; 0 when unknown.
    """

    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.file else "<unknown>"


UNKNOWN = Origin()


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing the compiler checks.

    Args:
        code: ``AG`` and three digits; the first digit is the family. A code is never reused.
        name: Kebab-case name that states the fault and reads well after "allow".
        severity: How serious a violation is.
        summary: One sentence for lists of rules.
    """

    code: str
    name: str
    severity: Severity
    summary: str

    def is_named(self, term: str) -> bool:
        """Whether a term is the code of the rule, the beginning of the code, or the name."""
        term = term.strip()
        return bool(term) and (self.code.startswith(term.upper()) or self.name == term.lower())


@dataclass(frozen=True, slots=True)
class Note:
    """A remark that belongs to a diagnostic, with its own place in the source."""

    message: str
    origin: Origin = UNKNOWN


@dataclass(frozen=True, slots=True)
class Renaming:
    """A name that becomes another one.

    Args:
        origin: The first line of the call that holds the name; of a keyword, its own line.
        old: The name as it stands there.
        new: The name that takes its place.
        agent: The name of the agent that the call makes; empty if the call makes none.
        argument: The keyword argument in whose texts the name stands; empty if the name is itself
            the keyword.
    """

    origin: Origin
    old: str
    new: str
    agent: str = ""
    argument: str = ""


@dataclass(frozen=True, slots=True)
class NewArgument:
    """A keyword argument that the call of an agent gets.

    Args:
        origin: The first line of the call.
        agent: The name of the agent.
        keyword: The keyword, which the call does not have yet.
        text: The value, a text.
    """

    origin: Origin
    agent: str
    keyword: str
    text: str


@dataclass(frozen=True, slots=True)
class NewHandoff:
    """A handoff that an agent gets.

    Args:
        origin: The first line of the call that makes the agent.
        agent: The name of the agent.
        target_origin: The first line of the call that makes the target.
        target: The name of the target.
    """

    origin: Origin
    agent: str
    target_origin: Origin
    target: str


Change = Renaming | NewArgument | NewHandoff


@dataclass(frozen=True, slots=True)
class Fix:
    """A safe way out of a finding, in terms of the objects at fault; the command line turns it into
    edits of the source.

    Args:
        title: What it does, as in "rename 'instruction' to 'instructions'".
        changes: All of them are made, or none.
    """

    title: str
    changes: tuple[Change, ...]

    @classmethod
    def in_text(cls, change: Renaming) -> Fix:
        """Rename in the texts of an argument."""
        return cls(f"rename '{change.old}' to '{change.new}' in {change.argument}", (change,))


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    Args:
        rule: The rule that was broken.
        message: What is wrong, naming the agent, tool or guardrail.
        origin: The user's own line.
        notes: Further places and facts that explain it.
        help: What to write instead; empty when there is nothing to add.
        fix: A safe change of the source that resolves it, if there is one.
    """

    rule: Rule
    message: str
    origin: Origin = UNKNOWN
    notes: tuple[Note, ...] = ()
    help: str = ""
    fix: Fix | None = None

    @property
    def severity(self) -> Severity:
        return self.rule.severity

    def __str__(self) -> str:
        kind = f"{self.severity.value}[{self.rule.code}]"
        return f"{self.origin}: {kind}: {self.message} ({self.rule.name})"


def in_source_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Sort by origin, then code, then message: the order in which people read them."""
    return tuple(sorted(diagnostics, key=lambda one: (one.origin, one.rule.code, one.message)))


def errors(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Only the diagnostics that stop compilation."""
    return tuple(one for one in diagnostics if one.severity is Severity.ERROR)
