"""Options of rules: what a project may set about one rule, each declared in the rule's own file.

A rule reads ``OPTION.of(values)``; what a project writes passes ``read_options`` first, so a value
has the type that the rule expects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Generic, TypeAlias, TypeVar, cast

from agentgraph_compiler.diagnostics import Rule

_Value = TypeVar("_Value", int, tuple[str, ...])
OptionValues: TypeAlias = Mapping[str, Mapping[str, int | tuple[str, ...]]]
"""What a project sets: values by the code of the rule and the name of the option."""
NO_OPTIONS: OptionValues = {}


@dataclass(frozen=True, slots=True)
class Option(Generic[_Value]):
    """An option of a rule.

    Args:
        rule: The rule.
        name: Kebab-case name.
        default: Its value where a project sets none; it decides the type.
        summary: One sentence that says what it changes.
    """

    rule: Rule
    name: str
    default: _Value
    summary: str

    def of(self, values: OptionValues) -> _Value:
        """The value that a project sets, or else the default."""
        return cast(_Value, values.get(self.rule.code, NO_OPTIONS).get(self.name, self.default))

    @property
    def expected(self) -> str:
        """What a value must be, in words."""
        if isinstance(self.default, int):
            return "a whole number of at least 1"
        return "a list of texts"

    def read(self, value: object) -> int | tuple[str, ...]:
        """A value as the rule expects it.

        Raises:
            OptionError: It has another type.
        """
        is_number = isinstance(value, int) and not isinstance(value, bool) and value >= 1
        if isinstance(self.default, int):
            if is_number:
                return cast(int, value)
        elif isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
            return tuple(value)
        place = f"{self.rule.code}.{self.name}"
        raise OptionError(f"{place} must be {self.expected}, not {value!r}", help=self.summary)


AnyOption: TypeAlias = Option[int] | Option[tuple[str, ...]]


class OptionError(ValueError):
    """An option that no rule has, or a value of another type.

    Args:
        message: What is wrong, with the code of the rule and the name of the option.
        help: What is allowed.
    """

    def __init__(self, message: str, *, help: str) -> None:
        super().__init__(f"{message}; {help}")
        self.message, self.help = message, help


def options_of(parts: Iterable[object]) -> tuple[AnyOption, ...]:
    """The options that modules of rules declare."""
    return tuple(
        value for part in parts for value in vars(part).values() if isinstance(value, Option)
    )


def read_options(table: object, options: Sequence[AnyOption]) -> OptionValues:
    """What a project sets, as the rules read it.

    Args:
        table: For each rule, by code or name, its options with their values.
        options: The options that there are.

    Raises:
        OptionError: There is no such rule or option, or a value has another type.
    """
    if not isinstance(table, Mapping):
        raise OptionError("the options must be a table", help="as in AG212.fewest-handoffs = 3")
    return {
        rule: {name: option.read(value) for name, option, value in _settings(term, row, options)}
        for term, row in table.items()
        for rule in [_code(str(term), options)]
    }


def _code(term: str, options: Sequence[AnyOption]) -> str:
    for option in options:
        if term in (option.rule.code, option.rule.name):
            return option.rule.code
    codes = ", ".join(sorted({option.rule.code for option in options}))
    raise OptionError(f"no rule '{term}' has options", help=f"rules with options are {codes}")


def _settings(
    term: str, row: object, options: Sequence[AnyOption]
) -> list[tuple[str, AnyOption, object]]:
    code = _code(term, options)
    own = {option.name: option for option in options if option.rule.code == code}
    listed = f"options are {', '.join(own)}"
    if not isinstance(row, Mapping):
        raise OptionError(f"{term} must be a table of options, not {row!r}", help=listed)
    for name in row:
        if name not in own:
            close = get_close_matches(str(name), own, n=1)
            hint = f"did you mean {close[0]}?" if close else listed
            raise OptionError(f"{term} has no option '{name}'", help=hint)
    return [(str(name), own[name], value) for name, value in row.items()]


def described(page: str | None, options: Sequence[AnyOption]) -> str:
    """The page of a rule, with a section about its options if it has any."""
    if not options:
        return page or ""
    code = options[0].rule.code
    lines = [
        f"- `{one.name}`: {one.expected}, by default {_default_in_words(one)}. {one.summary}"
        for one in options
    ]
    example = f"{options[0].name} = {_example(options[0])}"
    return "\n".join(
        [
            (page or "").rstrip(),
            "",
            "## Options",
            "",
            *lines,
            "",
            "```toml",
            f"[tool.agentgraph.options.{code}]",
            example,
            "```",
            "",
        ]
    )


def _default_in_words(option: AnyOption) -> str:
    return str(option.default) if isinstance(option.default, int) else "empty"


def _example(option: AnyOption) -> str:
    return str(option.default + 1) if isinstance(option.default, int) else '["…"]'
