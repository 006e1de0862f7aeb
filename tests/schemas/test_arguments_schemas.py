"""The schema of a function's arguments is the one that pydantic's own generator writes."""

from __future__ import annotations

import json
import warnings
from typing import Annotated, Any, Generic, Literal, TypeVar

import pytest
from hypothesis import given
from pydantic import BaseModel, Field, RootModel, create_model

from agentgraph.exceptions import UserError
from agentgraph.run_context import RunContextWrapper
from agentgraph.schemas.parameters import arguments_json_schema
from agentgraph.schemas.signatures import function_schema
from agentgraph.tool_context import ToolContext
from tests.schemas.test_arguments_arrive_equal import Address, Color, Signature, Size, signatures

T = TypeVar("T")


class Box(BaseModel, Generic[T]):
    content: T


class Node(BaseModel):
    """A node of a tree."""

    label: str = "$ref"
    children: list[Node] = []


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


class Names(RootModel[list[str]]):
    pass


class Exampled(BaseModel):
    shown: Annotated[str, Field(examples=["#/$defs/Node", {"$ref": "#/$defs/Node"}])] = ""


NAMESAKE: Any = create_model("Address", zip=(int, 0))
Pet = Annotated[Cat | Dog, Field(discriminator="kind")]
TYPES: dict[str, Any] = {
    "a plain type": int,
    "a nested model": Address,
    "a model in a list and alone": tuple[Address, list[Address]],
    "two types of one name": tuple[Address, NAMESAKE],
    "a recursive model": Node,
    "a generic model of two types": tuple[Box[int], Box[Size]],
    "a choice with a discriminator": Pet,
    "an enum": Color,
    "a root model": Names,
    "a type with the name of the arguments": create_model("tool_args", x=(int, ...)),
    "a type whose name is no plain word": create_model("naïve", x=(int, ...)),
    "examples that look like references": tuple[Exampled, Node],
    "constraints and a text": Annotated[int, Field(ge=1, description="A count.")],
}
DEFAULTS: dict[str, Any] = {
    "text": "a",
    "a number": 1,
    "true": True,
    "nothing": None,
    "infinity": float("inf"),
    "a list": [{"b": 1, "a": 2}],
    "an object": {"b": 1, "a": {"d": 1, "c": 2}},
    "a member": Color.RED,
    "a model": Size(1),
    "what JSON has no form for": object(),
}


def assert_as_pydantic(model: type[BaseModel]) -> None:
    with warnings.catch_warnings():
        # Pydantic warns of a default that has no JSON form, which a tool may well have.
        warnings.simplefilter("ignore")
        expected = model.model_json_schema()
    # As text, because the order of the keywords is part of what a provider caches.
    assert json.dumps(arguments_json_schema(model)) == json.dumps(expected)


@pytest.mark.parametrize("annotation", TYPES.values(), ids=TYPES)
def test_each_type_is_written_as_pydantic_writes_it(annotation: Any) -> None:
    assert_as_pydantic(create_model("tool_args", z=(annotation, ...), a=(annotation, None)))


@pytest.mark.parametrize("default", DEFAULTS.values(), ids=DEFAULTS)
def test_each_default_is_written_as_pydantic_writes_it(default: Any) -> None:
    assert_as_pydantic(create_model("tool_args", a=(Any, default)))


@given(signatures())
def test_any_signature_is_described_as_pydantic_describes_it(signature: Signature) -> None:
    scope: dict[str, Any] = {"RunContextWrapper": RunContextWrapper}
    scope.update({f"T_{name}": typed.annotation for name, typed in signature.types.items()})
    exec(f"def tool({signature.text}): pass", scope)
    assert_as_pydantic(
        function_schema(scope["tool"], strict_json_schema=False).params_pydantic_model
    )


def test_a_type_without_a_json_schema_is_refused_with_the_name_of_the_tool() -> None:
    def tool(a: type) -> None: ...

    def nested(a: list[ToolContext[None]]) -> None: ...

    for function in (tool, nested):
        with pytest.raises(UserError, match=rf"arguments of {function.__name__} cannot be"):
            function_schema(function)
