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

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from typing_extensions import TypeIs

from agentgraph.cli.capture.places import project_root
from agentgraph.cli.faults import CommandFault
from agentgraph.cli.rules import rule_options
from agentgraph_compiler.options import OptionError, OptionValues, read_options

__all__ = ["Settings", "settings_of"]

_FILE: Final = "pyproject.toml"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the project says about its checks.

    Args:
        paths: What to check if the command line names nothing.
        exclude: Patterns of files and folders to leave out below folders.
        select: The rules that count: codes, beginnings of codes, names.
        ignore: The rules that do not.
        severity: Severities by rule.
        options: Options of rules, by code.
        per_file_ignores: Rules that do not count in files, by pattern.
        baseline: The file of the findings that are left out.
    """

    paths: tuple[str, ...] = (".",)
    exclude: tuple[str, ...] = ()
    select: tuple[str, ...] = ("AG",)
    ignore: tuple[str, ...] = ()
    severity: Mapping[str, str] = field(default_factory=dict)
    options: OptionValues = field(default_factory=dict)
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    baseline: str = ""


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
        raise CommandFault(f"{file} cannot be read: {error}") from error
    settings = table.get("tool", {}).get("agentgraph", {})
    return _settings(settings, str(file))


def _settings(table: object, file: str) -> Settings:
    if not isinstance(table, dict):
        raise CommandFault(f"{file}: [tool.agentgraph] must be a table")
    names = [one.name.replace("_", "-") for one in fields(Settings)]
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name not in names:
            close = get_close_matches(name, names, n=1)
            hint = f"did you mean {close[0]}?" if close else f"settings are {', '.join(names)}"
            raise CommandFault(f"{file}: [tool.agentgraph] has no setting '{name}'", help=hint)
        values[name.replace("-", "_")] = _checked(name, value, file)
    return Settings(**values)


def _checked(name: str, value: object, file: str) -> Any:
    match name:
        case "baseline":
            if isinstance(value, str):
                return value
            expected = "a text"
        case "options":
            try:
                return read_options(value, rule_options())
            except OptionError as error:
                place = f"{file}: options of [tool.agentgraph]"
                raise CommandFault(f"{place}: {error.message}", help=error.help) from error
        case "severity":
            if isinstance(value, dict) and all(isinstance(one, str) for one in value.values()):
                return value
            expected = "a table of texts"
        case "per-file-ignores":
            if isinstance(value, dict) and all(map(_is_texts, value.values())):
                return {pattern: tuple(rules) for pattern, rules in value.items()}
            expected = "a table of lists of texts"
        case _:
            if _is_texts(value):
                return tuple(value)
            expected = "a list of texts"
    raise CommandFault(f"{file}: {name} in [tool.agentgraph] must be {expected}")


def _is_texts(value: object) -> TypeIs[list[str]]:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
