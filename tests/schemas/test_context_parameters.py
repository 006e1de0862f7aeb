"""Where a function takes the context of its call: first or by name only, and also as an option."""

from __future__ import annotations

from typing import Annotated, Any, Optional, TypeVar, Union

import pytest
from typing_extensions import TypeAliasType

from agentgraph.decorators import function_tool
from agentgraph.exceptions import UserError
from agentgraph.run_context import RunContextWrapper
from agentgraph.schemas.signatures import context_type, function_schema
from agentgraph.tool_context import ToolContext
from tests.tools.calls import invoke


class City:
    name: str


Alias = TypeAliasType("Alias", RunContextWrapper[City])
T = TypeVar("T")
Maybe = TypeAliasType("Maybe", ToolContext[T] | None, type_params=(T,))

OPTIONAL = [
    Optional[RunContextWrapper[City]],  # noqa: UP045 - the form that people write
    Union[ToolContext[City], RunContextWrapper[City]],  # noqa: UP007 - the same
    ToolContext[City] | None,
    Annotated[ToolContext[City] | None, "note"],
    Optional[Annotated[RunContextWrapper[City], "note"]],  # noqa: UP045 - the same
    Alias,
    Alias | None,
    Maybe[City],
    "Optional[RunContextWrapper[City]]",
    "None | ToolContext[City]",
]


@pytest.mark.parametrize("annotation", OPTIONAL)
async def test_a_context_that_may_be_none_is_given_and_not_asked_of_the_model(
    annotation: Any,
) -> None:
    def seen(ctx: Any, a: int) -> list[Any]:
        return [ctx.context, a]

    seen.__annotations__["ctx"] = annotation
    tool = function_tool(seen)
    assert list(tool.params_json_schema["properties"]) == ["a"]
    assert await invoke(tool, {"a": 1}, context="kept") == ["kept", 1]
    assert context_type(seen) is City


@pytest.mark.parametrize("annotation", OPTIONAL)
async def test_a_context_by_name_only_may_stand_anywhere(annotation: Any) -> None:
    async def seen(a: int, *rest: int, ctx: Any = None, b: int) -> list[Any]:
        return [a, rest, ctx.context, b]

    seen.__annotations__["ctx"] = annotation
    tool = function_tool(seen)
    assert list(tool.params_json_schema["properties"]) == ["a", "rest", "b"]
    arguments = {"a": 1, "rest": [2], "b": 3}
    assert await invoke(tool, arguments, context="kept") == [1, (2,), "kept", 3]
    assert context_type(seen) is City


@pytest.mark.parametrize(
    "annotation",
    [
        "RunContextWrapper[Later] | None",
        "Optional[ToolContext[Later]]",
        "Annotated[RunContextWrapper[Later], 'note']",
        "Union[RunContextWrapper[Later], ToolContext[Later], None]",
    ],
)
def test_it_is_recognised_when_only_the_type_checker_knows_its_type(annotation: str) -> None:
    def tool(ctx: Any, a: int) -> None: ...

    tool.__annotations__["ctx"] = annotation
    schema = function_schema(tool)
    assert schema.takes_context
    assert list(schema.params_json_schema["properties"]) == ["a"]


@pytest.mark.parametrize(
    "annotation", ["RunContextWrapper[Later] | Later", "Optional[Later]", "None | None | Later"]
)
def test_something_else_that_only_the_type_checker_knows_is_refused(annotation: str) -> None:
    def tool(ctx: Any, a: int) -> None: ...

    tool.__annotations__["ctx"] = annotation
    with pytest.raises(UserError, match="parameter ctx of function"):
        function_schema(tool)


def test_a_function_takes_one_context() -> None:
    def tool(ctx: RunContextWrapper[City], *, call: ToolContext[City]) -> None: ...

    with pytest.raises(UserError, match="ctx and call of function tool"):
        function_schema(tool)


def test_a_context_is_no_free_form_keyword() -> None:
    def tool(**ctx: RunContextWrapper[City]) -> None: ...

    with pytest.raises(UserError, match="Parameter ctx of function tool"):
        function_schema(tool, strict_json_schema=False)


def test_arguments_are_arranged_by_a_schema_made_by_hand() -> None:
    def tool(a: int, *, ctx: ToolContext[City]) -> None: ...

    made = function_schema(tool)
    arguments = made.params_pydantic_model.model_validate({"a": 1})
    assert made.to_call_args(arguments) == ([1], {})
    assert made.to_call_args_with("context", arguments) == ([1], {"ctx": "context"})
