"""The arguments that a model wrote for a call, read and judged.

Rule: of arguments that cannot be used the places are told, what stands there is not: it may be
private.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from agentgraph.exceptions import ModelBehaviorError

if TYPE_CHECKING:
    from pydantic import ValidationError

__all__ = ["InvalidToolArguments", "problems_of", "read_arguments"]

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
        InvalidToolArguments: The text is no JSON object.
    """
    try:
        value = json.loads(arguments or "{}")
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
