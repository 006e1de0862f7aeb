"""Names of the client's unions load nothing in annotations, and elsewhere are the unions."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from typing import Any, Optional, Union, get_args, get_origin, get_type_hints

import pytest
from openai.types import responses
from pydantic import BaseModel, TypeAdapter, ValidationError

from agentgraph import items
from agentgraph.items import ToolCallItemTypes, TResponseInputItem, TResponseOutputItem, wire_unions

ALIASES = [
    ("TResponseInputItem", responses.ResponseInputItemParam),
    ("TResponseOutputItem", responses.ResponseOutputItem),
    ("TResponseStreamEvent", responses.ResponseStreamEvent),
    ("ToolCallItemTypes", wire_unions.ToolCallItemTypes),
    ("ToolCallOutputTypes", wire_unions.ToolCallOutputTypes),
    ("ToolApprovalRawItem", wire_unions.ToolApprovalRawItem),
]


@pytest.mark.parametrize(("name", "alias"), ALIASES)
def test_a_lazy_alias_is_the_alias_to_who_looks_into_it(name: str, alias: Any) -> None:
    lazy = getattr(items, name)
    assert (lazy == alias, alias == lazy, hash(lazy) == hash(alias)) == (True, True, True)
    assert get_args(lazy) == get_args(alias)
    assert get_origin(lazy) == get_origin(alias)
    assert isinstance(lazy, type(alias))


def test_a_copy_of_a_lazy_alias_is_the_alias() -> None:
    assert pickle.loads(pickle.dumps(TResponseInputItem)) == responses.ResponseInputItemParam
    assert copy.deepcopy(TResponseInputItem) == responses.ResponseInputItemParam


@pytest.mark.parametrize(("name", "alias"), ALIASES)
@pytest.mark.parametrize("other", [None, str, dict[str, int], list[Any] | int])
def test_a_union_with_a_lazy_alias_is_of_the_kind_that_the_alias_gives(
    name: str, alias: Any, other: Any
) -> None:
    lazy = getattr(items, name)
    for union, same in ((lazy | other, alias | other), (other | lazy, other | alias)):
        assert union == same
        assert isinstance(union, type(same))
        assert get_args(union) == get_args(same)


def test_two_lazy_aliases_make_a_union() -> None:
    both = responses.ResponseInputItemParam | wire_unions.ToolCallItemTypes
    assert (TResponseInputItem | ToolCallItemTypes) == both
    assert Optional[TResponseInputItem] == Optional[responses.ResponseInputItemParam]  # noqa: UP045
    assert Union[TResponseInputItem, str] == Union[responses.ResponseInputItemParam, str]  # noqa: UP007


def test_pydantic_takes_a_lazy_alias_for_the_alias() -> None:
    class Lazy(BaseModel):
        given: list[TResponseInputItem]
        output: TResponseOutputItem | None = None

    class Plain(BaseModel):
        given: list[responses.ResponseInputItemParam]
        output: responses.ResponseOutputItem | None = None

    assert Lazy.model_json_schema() == {**Plain.model_json_schema(), "title": "Lazy"}
    with pytest.raises(ValidationError):
        TypeAdapter(TResponseInputItem).validate_python(7)


def test_hints_of_a_function_give_the_alias() -> None:
    def function(given: str | list[TResponseInputItem]) -> None: ...

    hint = get_type_hints(function)["given"]
    assert hint == str | list[responses.ResponseInputItemParam]


def test_annotations_of_lazy_aliases_load_no_client() -> None:
    program = (
        "from agentgraph import TResponseInputItem as Item\n"
        "from agentgraph.items import TResponseOutputItem, ToolCallItemTypes\n"
        "def one(given: str | list[Item], more: Item | None = None) -> dict[str, Item | str]: ...\n"
        "async def two(given: None | ToolCallItemTypes) -> list[TResponseOutputItem]: ...\n"
        "import sys; sys.exit('openai' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False)
    assert done.returncode == 0


def test_an_attribute_that_no_alias_has_is_refused_without_loading_it() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'handoffs'"):
        _ = TResponseInputItem.handoffs  # type: ignore[attr-defined]
