"""Reading and validating the arguments that a model writes for a call.

Rule: a message about invalid arguments names the place of each problem and never quotes a value,
which may be private.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, Final

from agentgraph.exceptions import ModelBehaviorError

if TYPE_CHECKING:
    from pydantic import ValidationError

__all__ = [
    "InvalidToolArguments",
    "check_strict",
    "not_strict",
    "problems_of",
    "read_arguments",
]

_MAX_PROBLEMS: Final = 5


class InvalidToolArguments(ModelBehaviorError):
    """The arguments that the model wrote for a tool are not JSON, or violate the tool's schema.

    Attributes:
        tool_name: The tool.
        is_json: Whether the arguments are JSON at all.
    """

    tool_name: str
    is_json: bool

    def __init__(self, tool_name: str, problem: str, *, is_json: bool) -> None:
        self.tool_name = tool_name
        self.is_json = is_json
        super().__init__(f"Invalid JSON input for tool {tool_name}: {problem}")


def read_arguments(arguments: str, tool_name: str) -> dict[str, Any]:
    """Parse the JSON object that a model wrote.

    Args:
        arguments: The text. Empty text stands for no arguments: models send it for tools without
            parameters.
        tool_name: The tool, for messages.

    Raises:
        InvalidToolArguments: The text is not a JSON object, a number in it is not finite, or an
            object holds a key twice. An approval rule cannot compare such a number with a limit,
            and of two values it may read another one than the tool.
    """
    try:
        value = _READER.decode(arguments or "{}")
    except _NotStrict as error:
        raise InvalidToolArguments(tool_name, str(error), is_json=False) from None
    except json.JSONDecodeError as error:
        problem = f"{error.msg} at character {error.pos}"
        raise InvalidToolArguments(tool_name, problem, is_json=False) from None
    except (RecursionError, ValueError):
        # Python limits the digits of an integer and the depth of nesting.
        problem = "a number is too long or a value is nested too deeply"
        raise InvalidToolArguments(tool_name, problem, is_json=False) from None
    if not isinstance(value, dict):
        raise InvalidToolArguments(tool_name, "expected a JSON object", is_json=True)
    return value


def check_strict(arguments: str, tool_name: str) -> None:
    """Refuse numbers that are not finite and repeated keys, before a parser that accepts them reads
    the arguments.

    Args:
        arguments: The text.
        tool_name: The tool, for messages.

    Raises:
        InvalidToolArguments: A number is not finite, or an object holds a key twice.
    """
    if (
        _MAYBE_NOT_FINITE(arguments)
        or (len(arguments) >= 200 and _MANY_DIGITS(arguments))
        or _may_repeat_a_key(arguments)
    ):
        read_arguments(arguments, tool_name)


def not_strict(text: str) -> str | None:
    """Tell why strict JSON forbids a text that other parsers accept.

    Args:
        text: A JSON value.

    Returns:
        The problem; `None` if there is none, or if the text is not JSON at all.
    """
    try:
        _READER.decode(text)
    except _NotStrict as error:
        return str(error)
    except (RecursionError, ValueError):
        pass
    return None


def _may_repeat_a_key(text: str) -> bool:
    """Whether an object may hold a key twice. It cannot if each colon stands behind a key of plain
    letters, and all keys differ."""
    colons = text.count(":")
    if colons < 2:
        return False
    keys = _PLAIN_KEYS(text)
    return len(keys) != colons or len(set(keys)) != colons


_PLAIN_KEYS: Final = re.compile(r'"(\w+)"\s*:').findall
# The pattern begins with a character set, because `re` searches for a set faster than for an
# alternation.
_MAYBE_NOT_FINITE: Final = re.compile(
    r"[NIeE](?:(?<=N)aN|(?<=I)nfinity|(?<=[0-9][eE])\+?[0-9][0-9])"
).search
"""Matches every text with a literal that is not finite, and few other texts. A text with very many
digits may hold such a number too."""
_MANY_DIGITS: Final = re.compile("[0-9]{200}").search


class _NotStrict(ValueError):
    """A text that strict JSON forbids; the message names the problem."""


def _refuse(constant: str) -> Any:
    raise _NotStrict("a number is not finite")


def _finite(literal: str) -> float:
    number = float(literal)
    if math.isinf(number):
        raise _NotStrict("a number is not finite")
    return number


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        raise _NotStrict("an object holds a key twice")
    return entries


_READER: Final = json.JSONDecoder(
    parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_unique
)


def problems_of(error: ValidationError, whole: str = "arguments") -> str:
    """Describe the first few problems of a failed validation: for each its place and its cause.

    Args:
        error: The exception of pydantic.
        whole: The place to name for a problem of the whole value.
    """
    problems = [
        f"{'.'.join(map(str, problem['loc'])) or whole}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    text = "; ".join(problems[:_MAX_PROBLEMS])
    more = len(problems) - _MAX_PROBLEMS
    return f"{text}; and {more} more" if more > 0 else text
