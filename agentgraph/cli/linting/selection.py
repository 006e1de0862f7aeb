"""Which findings count, and how much: rules by code, by the beginning of a code, or by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from agentgraph.cli.linting.files import matches
from agentgraph.cli.linting.settings import Settings
from agentgraph.cli.rules import selected_codes
from agentgraph_compiler.diagnostics import Diagnostic, Severity

__all__ = ["Selection"]


@dataclass(frozen=True, slots=True)
class Selection:
    """The findings that count.

    Args:
        codes: The codes of the rules that count.
        severities: Severities that differ from those of the rules, by code.
        ignored: The codes that do not count in files, by pattern.
        root: The folder from which the patterns begin.
    """

    codes: frozenset[str]
    severities: Mapping[str, Severity] = field(default_factory=dict)
    ignored: Mapping[str, frozenset[str]] = field(default_factory=dict)
    root: str = "."

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
            CommandFault: The command line names a rule that there is not.
        """
        selected = selected_codes(select, "--select") if select else settings.select
        ignored = settings.ignore | selected_codes(ignore, "--ignore")
        codes = selected - ignored
        return cls(codes, settings.severity, settings.per_file_ignores, settings.root)

    def applied(self, diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
        """The findings that count, with their severities."""
        return [self._weighed(one) for one in diagnostics if self._counts(one)]

    def _counts(self, finding: Diagnostic) -> bool:
        code = finding.rule.code
        return code in self.codes and not any(
            code in codes and matches(finding.origin.file, pattern, self.root)
            for pattern, codes in self.ignored.items()
        )

    def _weighed(self, finding: Diagnostic) -> Diagnostic:
        severity = self.severities.get(finding.rule.code)
        if severity is None:
            return finding
        return replace(finding, rule=replace(finding.rule, severity=severity))
