"""The settings of a check: `[tool.agentgraph]` in `pyproject.toml`, below the command line.

[tool.agentgraph]
paths = ["src", "notebooks/*.ipynb"]
exclude = ["src/vendored"]
select = ["AG"]
ignore = ["unseen-by-the-compiler"]
severity = { AG201 = "error" }
options = { AG212 = { fewest-handoffs = 3 } }
per-file-ignores = { "tests/*" = ["AG5"] }
baseline = "agentgraph-baseline.json"
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from typing_extensions import TypeIs

from agentgraph.cli.capture.places import project_root
from agentgraph.cli.faults import CommandFault
from agentgraph.cli.rules import rule_options, rule_pages, selected_codes
from agentgraph_compiler.diagnostics import Severity
from agentgraph_compiler.options import OptionError, OptionValues, read_options

__all__ = ["Settings", "settings_of"]

_FILE: Final = "pyproject.toml"
_TABLE: Final = "[tool.agentgraph]"
_OF_RULES: Final = frozenset({"select", "ignore"})
_EXAMPLES: Final = {
    "paths": '["src"]',
    "exclude": '["src/vendored"]',
    "select": '["AG2", "unreachable-agent"]',
    "ignore": '["AG2", "unreachable-agent"]',
    "severity": '{ AG201 = "error" }',
    "options": "{ AG212 = { fewest-handoffs = 3 } }",
    "per-file-ignores": '{ "tests/*" = ["AG5"] }',
    "baseline": '"agentgraph-baseline.json"',
}


def _all_codes() -> frozenset[str]:
    return frozenset(rule.code for rule in rule_pages())


@dataclass(frozen=True, slots=True)
class Settings:
    """What the project says about its checks.

    Args:
        paths: What to check if the command line names nothing; by default the working folder.
        exclude: Patterns of files and folders to leave out below folders.
        select: The codes of the rules that count.
        ignore: The codes of the rules that do not.
        severity: Severities by code.
        options: Options of rules, by code.
        per_file_ignores: The codes of rules that do not count in files, by pattern.
        baseline: The file of the findings that are left out.
        file: Where the settings come from.
    """

    paths: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    select: frozenset[str] = field(default_factory=_all_codes)
    ignore: frozenset[str] = frozenset()
    severity: Mapping[str, Severity] = field(default_factory=dict)
    options: OptionValues = field(default_factory=dict)
    per_file_ignores: Mapping[str, frozenset[str]] = field(default_factory=dict)
    baseline: str = ""
    file: str = ""

    @property
    def root(self) -> str:
        """The folder from which paths and patterns begin."""
        return os.path.dirname(self.file) or "."

    def here(self, path: str) -> str:
        """A path of the project, from the working folder."""
        return os.path.relpath(os.path.join(self.root, path))

    def place(self, name: str) -> str:
        """Where a setting stands, for errors."""
        return _place(self.file, name)


def settings_of(folder: Path) -> Settings:
    """The settings for a folder: those of its project.

    Raises:
        CommandFault: The file is no TOML, or a setting is unknown or has the wrong type.
    """
    root = project_root(folder)
    file = None if root is None else root / _FILE
    if file is None or not file.is_file():
        return Settings()
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandFault(
            f"{file} cannot be read: {error}", help="settings are TOML, in UTF-8"
        ) from error
    tools = table.get("tool")
    return _settings(tools.get("agentgraph", {}) if isinstance(tools, dict) else {}, str(file))


def _settings(table: object, file: str) -> Settings:
    if not isinstance(table, dict):
        raise CommandFault(
            f"{file}: {_TABLE} must be a table, not {table!r}",
            help=f"begin a section with the line {_TABLE}, and write a setting on each line",
        )
    names = [*_EXAMPLES]
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name not in names:
            close = get_close_matches(name, names, n=1)
            hint = f"did you mean {close[0]}?" if close else f"settings are {', '.join(names)}"
            raise CommandFault(f"{file}: {_TABLE} has no setting '{name}'", help=hint)
        values[name.replace("-", "_")] = _checked(name, value, file)
    return Settings(**values, file=file)


def _checked(name: str, value: object, file: str) -> Any:
    place = _place(file, name)
    match name:
        case "baseline":
            if isinstance(value, str):
                return value
            expected = "a text"
        case "options":
            try:
                return read_options(value, rule_options())
            except OptionError as error:
                raise CommandFault(f"{place}: {error.message}", help=error.help) from error
        case "severity":
            if isinstance(value, dict):
                return {
                    code: _severity(severity, f"{place}: {term}")
                    for term, severity in value.items()
                    for code in selected_codes([term], place)
                }
            expected = "a table of severities"
        case "per-file-ignores":
            if isinstance(value, dict) and all(map(_is_texts, value.values())):
                return {
                    pattern: selected_codes(terms, f"{place}: '{pattern}'")
                    for pattern, terms in value.items()
                }
            expected = "a table of lists of texts"
        case _:
            if _is_texts(value):
                return selected_codes(value, place) if name in _OF_RULES else tuple(value)
            expected = "a list of texts"
    raise CommandFault(
        f"{place} must be {expected}, not {value!r}", help=f"write {name} = {_EXAMPLES[name]}"
    )


def _place(file: str, name: str) -> str:
    return f"{file}: {name} in {_TABLE}"


def _severity(value: object, place: str) -> Severity:
    if isinstance(value, str) and value in {*Severity}:
        return Severity(value)
    close = get_close_matches(str(value).lower(), [*Severity], n=1)
    listed = f"severities are {', '.join(Severity)}"
    raise CommandFault(
        f"{place}: there is no severity {value!r}",
        help=f"did you mean {close[0]}? {listed}" if close else listed,
    )


def _is_texts(value: object) -> TypeIs[list[str]]:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
