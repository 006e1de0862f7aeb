"""The arguments that a model wrote for a call, read and judged.

Rule: of arguments that cannot be used the places are told, what stands there is not: it may be
private.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, Final

from agentgraph.exceptions import ModelBehaviorError

if TYPE_CHECKING:
    from pydantic import ValidationError

__all__ = ["InvalidToolArguments", "check_numbers", "problems_of", "read_arguments"]

_MAX_PROBLEMS: Final = 5


class InvalidToolArguments(ModelBehaviorError):
    """The arguments that the model wrote for a tool are no JSON, or not what the schema asks for.

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
    """Read the JSON object that a model wrote.

    Args:
        arguments: The text; none at all stands for no arguments, as models send it for tools
            without parameters.
        tool_name: The tool, for messages.

    Raises:
        InvalidToolArguments: The text is no JSON object, or a number in it is not finite: no rule
            of approval can compare such a number with a limit.
    """
    try:
        value = json.loads(arguments or "{}", parse_constant=_refuse, parse_float=_finite)
    except _NotFinite:
        problem = "a number is not finite"
        raise InvalidToolArguments(tool_name, problem, is_json=False) from None
    except json.JSONDecodeError as error:
        problem = f"{error.msg} at character {error.pos}"
        raise InvalidToolArguments(tool_name, problem, is_json=False) from None
    except (RecursionError, ValueError):
        # Python reads a number of so many digits, and lists within lists, up to a limit only.
        problem = "a number is too long or a value is nested too deeply"
        raise InvalidToolArguments(tool_name, problem, is_json=False) from None
    if not isinstance(value, dict):
        raise InvalidToolArguments(tool_name, "expected a JSON object", is_json=True)
    return value


def check_numbers(arguments: str, tool_name: str) -> None:
    """Refuse arguments with numbers that are not finite, for a reader that takes them.

    Args:
        arguments: The text.
        tool_name: The tool, for messages.

    Raises:
        InvalidToolArguments: There is such a number.
    """
    if _MAYBE_NOT_FINITE(arguments) or (len(arguments) >= 200 and _MANY_DIGITS(arguments)):
        read_arguments(arguments, tool_name)


# Begins with a set of letters, which is searched for faster than a choice.
_MAYBE_NOT_FINITE: Final = re.compile(
    r"[NIeE](?:(?<=N)aN|(?<=I)nfinity|(?<=[0-9][eE])\+?[0-9][0-9])"
).search
"""What a text holds that has such a number, and few others do; so does one with many digits."""
_MANY_DIGITS: Final = re.compile("[0-9]{200}").search


class _NotFinite(ValueError):
    """A number that JSON does not have, or that is larger than any that Python has."""


def _refuse(constant: str) -> Any:
    raise _NotFinite


def _finite(written: str) -> float:
    number = float(written)
    if math.isinf(number):
        raise _NotFinite
    return number


def problems_of(error: ValidationError, whole: str = "arguments") -> str:
    """Say where validation failed and why, the first places only.

    Args:
        error: What pydantic raised.
        whole: What a problem of the whole is a problem of.
    """
    problems = [
        f"{'.'.join(map(str, problem['loc'])) or whole}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    shown = "; ".join(problems[:_MAX_PROBLEMS])
    more = len(problems) - _MAX_PROBLEMS
    return f"{shown}; and {more} more" if more > 0 else shown
