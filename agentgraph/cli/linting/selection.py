"""Which findings count, and how much: rules by code, by the beginning of a code, or by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from agentgraph.cli.faults import CommandFault
from agentgraph.cli.linting.files import matches
from agentgraph.cli.linting.settings import Settings
from agentgraph.cli.rules import rule_pages
from agentgraph_compiler.diagnostics import Diagnostic, Rule, Severity

__all__ = ["Selection"]

_Codes = frozenset[str]


@dataclass(frozen=True, slots=True)
class Selection:
    """The findings that count.

    Args:
        codes: The codes of the rules that count.
        severities: Severities that differ from those of the rules, by code.
        ignored: The codes that do not count in files, by pattern.
    """

    codes: _Codes
    severities: Mapping[str, Severity] = field(default_factory=dict)
    ignored: Mapping[str, _Codes] = field(default_factory=dict)

    @classmethod
    def of(
        cls, settings: Settings, select: Sequence[str] = (), ignore: Sequence[str] = ()
    ) -> Selection:
        """The selection of a project, with that of a command line.

        Args:
            settings: The project's.
            select: If there are any, the rules that count instead of the project's.
            ignore: Rules that do not count, beside the project's.

        Raises:
            CommandFault: There is no such rule, or no such severity.
        """
        selected = _codes(select or settings.select)
        severities = {
            code: _severity(value)
            for term, value in settings.severity.items()
            for code in _codes([term])
        }
        per_file = {pattern: _codes(terms) for pattern, terms in settings.per_file_ignores.items()}
        return cls(selected - _codes([*settings.ignore, *ignore]), severities, per_file)

    def applied(self, diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
        """The findings that count, with their severities."""
        return [self._weighed(one) for one in diagnostics if self._counts(one)]

    def _counts(self, finding: Diagnostic) -> bool:
        code = finding.rule.code
        return code in self.codes and not any(
            code in codes and matches(finding.origin.file, pattern)
            for pattern, codes in self.ignored.items()
        )

    def _weighed(self, finding: Diagnostic) -> Diagnostic:
        severity = self.severities.get(finding.rule.code)
        if severity is None:
            return finding
        return replace(finding, rule=replace(finding.rule, severity=severity))


def _codes(terms: Iterable[str]) -> _Codes:
    rules = [*rule_pages()]
    return frozenset(rule.code for term in terms for rule in _named(term.strip(), rules))


def _named(term: str, rules: Sequence[Rule]) -> list[Rule]:
    named = [rule for rule in rules if rule.is_named(term)]
    if not named:
        word = "".join(get_close_matches(term.lower(), [rule.name for rule in rules], n=1))
        listed = "agentgraph explain --all shows the rules"
        hint = f"did you mean {word}? {listed}" if word else listed
        raise CommandFault(f"there is no rule '{term}'", help=hint)
    return named


def _severity(text: str) -> Severity:
    try:
        return Severity(text)
    except ValueError as error:
        raise CommandFault(
            f"there is no severity '{text}'", help=f"severities are {', '.join(Severity)}"
        ) from error
