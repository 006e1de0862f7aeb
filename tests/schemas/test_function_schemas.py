"""From a signature to a JSON schema and back to a call."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict, Unpack

from agentgraph.exceptions import UserError
from agentgraph.run_context import RunContextWrapper
from agentgraph.schemas.signatures import FuncSchema, context_type, function_schema
from agentgraph.tool_context import ToolContext

if TYPE_CHECKING:
    from somewhere import Later  # type: ignore[import-not-found]  # never imported at run time


class City(BaseModel):
    name: str


class Point(TypedDict):
    x: float
    y: float


@dataclass
class Size:
    width: int
    height: int = 1


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


def lax(func: Callable[..., Any]) -> FuncSchema:
    return function_schema(func, strict_json_schema=False)


def call(schema: FuncSchema, /, **arguments: Any) -> tuple[list[Any], dict[str, Any]]:
    return schema.to_call_args(schema.params_pydantic_model.model_validate(arguments))


def test_each_kind_of_type_has_its_schema() -> None:
    def tool(  # type: ignore[no-untyped-def]
        text: str,
        count: int,
        ratio: float,
        flag: bool,
        city: City,
        size: Size,
        point: Point,
        color: Color,
        mode: Literal["a", "b"],
        maybe: str | None,
        either: int | str,
        many: list[City],
        pair: tuple[int, str],
        anything: Any,
        nothing,
    ) -> None: ...

    schema = function_schema(tool).params_json_schema
    properties = schema["properties"]
    assert schema["required"] == list(inspect.signature(tool).parameters)
    assert schema["additionalProperties"] is False
    assert {name: properties[name].get("type") for name in ("text", "count", "ratio", "flag")} == {
        "text": "string",
        "count": "integer",
        "ratio": "number",
        "flag": "boolean",
    }
    assert properties["city"] == {"$ref": "#/$defs/City"}
    assert schema["$defs"]["Size"]["required"] == ["width", "height"]
    assert schema["$defs"]["Point"]["additionalProperties"] is False
    assert schema["$defs"]["Color"]["enum"] == ["red", "blue"]
    assert properties["mode"]["enum"] == ["a", "b"]
    assert [option["type"] for option in properties["maybe"]["anyOf"]] == ["string", "null"]
    assert [option["type"] for option in properties["either"]["anyOf"]] == ["integer", "string"]
    assert properties["many"]["items"] == {"$ref": "#/$defs/City"}
    assert [item["type"] for item in properties["pair"]["prefixItems"]] == ["integer", "string"]
    assert "type" not in properties["anything"]
    assert "type" not in properties["nothing"]


def test_a_default_makes_an_argument_optional_unless_the_schema_is_strict() -> None:
    def tool(a: int, b: str = "x", c: list[int] | None = None) -> None: ...

    assert lax(tool).params_json_schema["required"] == ["a"]
    assert lax(tool).params_json_schema["properties"]["b"]["default"] == "x"
    assert function_schema(tool).params_json_schema["required"] == ["a", "b", "c"]
    assert call(lax(tool), a=1) == ([1, "x", None], {})


def test_a_default_that_json_cannot_express_is_left_out_and_still_used() -> None:
    marker = object()

    def tool(a: Any = marker) -> None: ...

    assert "default" not in lax(tool).params_json_schema["properties"]["a"]
    assert call(lax(tool)) == ([marker], {})


def test_a_mutable_default_is_never_shared_between_calls() -> None:
    def tool(a: list[int] = []) -> None: ...  # noqa: B006 - the point of the test

    first, second = call(lax(tool))[0][0], call(lax(tool))[0][0]
    first.append(1)
    assert second == []


def test_constraints_of_fields_hold() -> None:
    def tool(
        a: Annotated[int, Field(gt=3, description="more than three")],
        b: int = Field(7, lt=10, description="less than ten"),
        c: int = Field(..., lt=4),
    ) -> None: ...

    schema = lax(tool)
    assert schema.params_json_schema["properties"]["a"]["exclusiveMinimum"] == 3
    assert schema.params_json_schema["properties"]["b"]["exclusiveMaximum"] == 10
    assert schema.params_json_schema["properties"]["b"]["default"] == 7
    assert schema.params_json_schema["required"] == ["a", "c"]
    assert call(schema, a=4, c=1) == ([4, 7, 1], {})
    with pytest.raises(ValueError, match="greater than 3"):
        call(schema, a=3, c=1)


def test_every_way_of_passing_arrives() -> None:
    def tool(a: int, /, b: int, *rest: int, c: int, **named: str) -> None: ...

    schema = lax(tool)
    properties = schema.params_json_schema["properties"]
    assert properties["rest"]["type"] == "array"
    assert properties["rest"]["items"] == {"type": "integer"}
    assert properties["named"]["additionalProperties"] == {"type": "string"}
    assert schema.params_json_schema["required"] == ["a", "b", "c"]
    assert call(schema, a=1, b=2, c=3) == ([1, 2], {"c": 3})
    assert call(schema, a=1, b=2, rest=[3, 4], c=5, named={"d": "e"}) == (
        [1, 2, 3, 4],
        {"c": 5, "d": "e"},
    )


def test_keywords_beside_the_free_form_ones_are_refused() -> None:
    def tool(a: int, **named: int) -> None: ...

    def keyword_only(*, a: int, **named: int) -> None: ...

    with pytest.raises(ValueError, match="stray"):
        call(lax(tool), a=1, stray=2)
    with pytest.raises(UserError, match="two values for"):
        call(lax(keyword_only), a=1, named={"a": 2})


def test_typed_keywords_have_a_strict_schema_and_free_form_ones_do_not() -> None:
    def typed(**place: Unpack[Point]) -> None: ...

    def free(**place: float) -> None: ...

    assert call(function_schema(typed), place={"x": 1, "y": 2}) == ([], {"x": 1, "y": 2})
    with pytest.raises(UserError, match=r"free-form keys.*strict_mode=False"):
        function_schema(free)


@pytest.mark.parametrize("name", ["_a", "__a", "model_config", "schema", "copy", "json", "model_x"])
def test_a_name_that_pydantic_keeps_for_itself_is_still_the_models(name: str) -> None:
    scope: dict[str, Any] = {}
    exec(f"def tool({name}: int, p{name}: int = 0): ...", scope)
    schema = lax(scope["tool"])
    assert list(schema.params_json_schema["properties"]) == [name, f"p{name}"]
    assert call(schema, **{name: 1, f"p{name}": 2}) == ([1, 2], {})


def test_the_context_comes_first_and_is_not_shown_to_the_model() -> None:
    def wrapped(ctx: RunContextWrapper[City], a: int) -> None: ...

    def called(ctx: ToolContext[Any], a: int) -> None: ...

    def bare(ctx: RunContextWrapper, a: int) -> None: ...

    for tool in (wrapped, called, bare):
        schema = function_schema(tool)
        assert schema.takes_context
        assert list(schema.params_json_schema["properties"]) == ["a"]
        assert call(schema, a=1) == ([1], {})


def test_the_context_is_recognised_when_only_the_type_checker_knows_its_type() -> None:
    def tool(ctx: RunContextWrapper[Later], a: int) -> None: ...

    schema = function_schema(tool)
    assert schema.takes_context
    assert schema.params_json_schema["properties"]["a"]["type"] == "integer"


@pytest.mark.parametrize("annotation", [RunContextWrapper[Any], ToolContext[Any]])
def test_a_context_anywhere_else_is_refused(annotation: Any) -> None:
    def tool(a: int, ctx: Any) -> None: ...

    tool.__annotations__["ctx"] = annotation
    with pytest.raises(UserError, match=r"Parameter ctx of function tool.*non-first position"):
        function_schema(tool)


def test_an_annotation_that_means_nothing_is_named() -> None:
    def tool(a: Later) -> None: ...

    with pytest.raises(UserError, match=r"'Later' of parameter a of function.*tool"):
        function_schema(tool)


def test_an_annotation_may_name_a_class_of_the_enclosing_function() -> None:
    class Local(BaseModel):
        x: int

    def tool(a: Local) -> Local:
        return Local(x=a.x)

    assert call(function_schema(tool), a={"x": 1}) == ([Local(x=1)], {})


@pytest.mark.parametrize("strict", [True, False])
def test_a_type_without_a_schema_is_refused_by_name(strict: bool) -> None:
    def tool(a: Callable[[], int]) -> None: ...

    with pytest.raises(UserError, match="arguments of tool cannot be described"):
        function_schema(tool, strict_json_schema=strict)


class Desk:
    """A desk."""

    def reserve(self, seats: int) -> int:
        """Reserve seats."""
        return seats

    @classmethod
    def open(cls, ctx: RunContextWrapper[Any], name: str) -> str:
        return name

    @staticmethod
    def close(name: str) -> str:
        return name

    def __call__(self, question: str) -> str:
        """Ask the desk."""
        return question


@pytest.mark.parametrize(
    ("tool", "name", "arguments"),
    [
        (Desk().reserve, "reserve", ["seats"]),
        (Desk.open, "open", ["name"]),
        (Desk.close, "close", ["name"]),
        (Desk(), "Desk", ["question"]),
    ],
)
def test_bound_methods_and_callable_objects_are_functions(
    tool: Callable[..., Any], name: str, arguments: list[str]
) -> None:
    schema = function_schema(tool)
    assert schema.name == name
    assert list(schema.params_json_schema["properties"]) == arguments


def test_a_method_without_its_object_is_refused() -> None:
    with pytest.raises(UserError, match="bound method"):
        function_schema(Desk.reserve)


def documented(a: int, b: Annotated[int, "from the annotation"], c: int = 1) -> None:
    """Do it.

    Args:
        a: from the docstring
        b: from the docstring
    """


def test_the_docstring_describes_function_and_arguments() -> None:
    schema = function_schema(documented)
    properties = schema.params_json_schema["properties"]
    assert schema.description == "Do it."
    assert properties["a"]["description"] == "from the docstring"
    assert properties["b"]["description"] == "from the docstring"
    assert "description" not in properties["c"]


def test_without_the_docstring_annotations_and_overrides_still_describe() -> None:
    schema = function_schema(
        documented, use_docstring_info=False, name_override="n", description_override="d"
    )
    properties = schema.params_json_schema["properties"]
    assert (schema.name, schema.description) == ("n", "d")
    assert "description" not in properties["a"]
    assert properties["b"]["description"] == "from the annotation"
    assert function_schema(documented, use_docstring_info=False).description is None


def test_the_result_type_is_kept() -> None:
    def tool() -> City: ...  # type: ignore[empty-body]

    def undeclared():  # type: ignore[no-untyped-def]
        ...

    assert function_schema(tool).return_annotation is City
    assert function_schema(undeclared).return_annotation is inspect.Signature.empty


class TestContextType:
    """What the rule `context-type-mismatch` is told about a function."""

    @pytest.mark.parametrize(
        ("annotation", "expected"),
        [
            (RunContextWrapper[City], City),
            (ToolContext[City], City),
            (Annotated[ToolContext[City], "note"], City),
            (RunContextWrapper[dict[str, int]], dict),
            (RunContextWrapper[Any], None),
            (RunContextWrapper[City | None], None),
            (RunContextWrapper, None),
            (City, None),
        ],
    )
    def test_it_is_the_argument_of_a_leading_context(self, annotation: Any, expected: Any) -> None:
        def tool(ctx: Any, a: int) -> None: ...

        tool.__annotations__["ctx"] = annotation
        assert context_type(tool) is expected

    def test_it_is_unknown_without_a_leading_context(self) -> None:
        def tool(a: int, ctx: RunContextWrapper[City]) -> None: ...

        assert context_type(tool) is None
        assert context_type(lambda: None) is None
        assert context_type(print) is None

    def test_it_is_unknown_when_only_the_type_checker_knows_it(self) -> None:
        def tool(ctx: RunContextWrapper[Later]) -> None: ...

        assert context_type(tool) is None
