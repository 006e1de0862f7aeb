"""What `function_tool` and `FunctionTool` make, and what they refuse."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from typing import Any

import pytest

from agentgraph.decorators import function_tool, tool
from agentgraph.exceptions import AgentDefinitionError, UserError
from agentgraph.tool_context import ToolContext
from agentgraph.tools.function import FunctionTool

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


async def invoke(ctx: ToolContext[Any], arguments: str) -> str:
    return arguments


async def lookup(city: str) -> str:
    """Look a city up."""
    return city


def test_a_bare_decorator_makes_a_tool() -> None:
    @function_tool
    def weather(city: str) -> str:
        """Tell the weather.

        Args:
            city: where
        """
        return city

    assert isinstance(weather, FunctionTool)
    assert (weather.name, weather.description) == ("weather", "Tell the weather.")
    assert weather.params_json_schema["properties"]["city"]["description"] == "where"
    assert weather.strict_json_schema
    assert weather.is_enabled is True
    assert weather.needs_approval is False


def test_a_decorator_with_arguments_makes_the_same_kind_of_tool() -> None:
    made = function_tool(
        name_override="find",
        description_override="Find it.",
        strict_mode=False,
        is_enabled=False,
        needs_approval=True,
        timeout=5,
        timeout_behavior="raise_exception",
        defer_loading=True,
    )(lookup)
    assert (made.name, made.description) == ("find", "Find it.")
    assert not made.strict_json_schema
    assert made.is_enabled is False
    assert made.needs_approval is True
    assert (made.timeout_seconds, made.timeout_behavior) == (5, "raise_exception")
    assert made.defer_loading


def test_tool_is_a_short_name() -> None:
    assert tool is function_tool


def test_a_function_without_a_docstring_has_an_empty_description() -> None:
    assert function_tool(lambda a: a, name_override="f").description == ""


def test_a_decorated_function_is_located_at_its_first_line() -> None:
    made = function_tool(lookup)
    assert made._origin == (__file__, inspect.getsourcelines(lookup)[1])


def test_a_tool_made_by_hand_is_located_where_it_is_made() -> None:
    frame = inspect.currentframe()
    assert frame is not None
    made = FunctionTool("t", "", {}, invoke)
    assert made._origin == (__file__, frame.f_lineno - 1)


def test_a_copy_keeps_the_place_of_the_original() -> None:
    original = function_tool(lookup)
    renamed = dataclasses.replace(original, name="other")
    assert renamed.name == "other"
    assert renamed._origin == original._origin
    assert renamed.on_invoke_tool is original.on_invoke_tool


def test_a_strict_schema_is_a_copy_of_the_given_one() -> None:
    made = FunctionTool("t", "", SCHEMA, invoke)
    assert made.params_json_schema["required"] == ["a"]
    assert made.params_json_schema["additionalProperties"] is False
    assert "required" not in SCHEMA
    assert FunctionTool("t", "", SCHEMA, invoke, False).params_json_schema is SCHEMA


def test_tools_are_told_apart_by_identity() -> None:
    one, other = (FunctionTool("t", "", SCHEMA, invoke) for _ in range(2))
    assert len({one, other}) == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", 3),
        ("name", ""),
        ("description", None),
        ("params_json_schema", []),
        ("on_invoke_tool", "call me"),
        ("is_enabled", "yes"),
        ("needs_approval", 1),
        ("timeout_seconds", "3"),
        ("timeout_seconds", True),
        ("timeout_error_function", "oops"),
    ],
)
def test_a_field_of_the_wrong_type_is_named(field: str, value: Any) -> None:
    fields: dict[str, Any] = {
        "name": "t",
        "description": "",
        "params_json_schema": {},
        "on_invoke_tool": invoke,
    }
    with pytest.raises(AgentDefinitionError, match=field) as caught:
        FunctionTool(**{**fields, field: value})
    assert isinstance(caught.value, TypeError)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_a_timeout_is_a_positive_time(seconds: float) -> None:
    with pytest.raises(ValueError, match="timeout_seconds"):
        function_tool(lookup, timeout=seconds)


def test_an_unknown_timeout_behaviour_is_refused() -> None:
    with pytest.raises(ValueError, match="error_as_result, raise_exception"):
        function_tool(lookup, timeout_behavior="shrug")  # type: ignore[call-overload]


def test_a_sync_function_cannot_have_a_timeout() -> None:
    with pytest.raises(ValueError, match="async"):

        @function_tool(timeout=1)
        def blocking() -> None: ...


def test_free_form_keys_need_strict_mode_off() -> None:
    def store(values: dict[str, int]) -> None: ...

    with pytest.raises(UserError, match=r"store.*strict_mode=False"):
        function_tool(store)
    assert not function_tool(store, strict_mode=False).strict_json_schema


@pytest.mark.parametrize("value", [3, "lookup", functools.partial(lookup, "Rome")])
def test_only_functions_with_a_readable_signature_become_tools(value: Any) -> None:
    with pytest.raises(UserError, match="function_tool"):
        function_tool(value)
