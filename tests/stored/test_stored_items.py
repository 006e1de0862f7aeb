"""Replies and items as JSON: what comes back, of which class, and what stands for what is gone."""

from __future__ import annotations

import json
from dataclasses import fields
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from openai.types.responses import (
    ResponseFunctionToolCall,
    ResponseOutputItem,
    ResponseOutputMessage,
    ResponseReasoningItem,
)
from pydantic import BaseModel

from agentgraph.agent import Agent
from agentgraph.items import (
    HandoffOutputItem,
    InputItem,
    MessageOutputItem,
    ModelResponse,
    ToolApprovalItem,
    ToolCallItem,
    ToolCallOutputItem,
    run_items,
)
from agentgraph.items.tool_origin import ToolOrigin, ToolOriginType
from agentgraph.stored.items import (
    decode_input,
    decode_raw_item,
    decode_response,
    decode_run_item,
    encode_input,
    encode_raw_item,
    encode_response,
    encode_run_item,
)
from agentgraph.stored.values import NotReadable, NotStorable, classes_in
from agentgraph.testing import assistant_message
from agentgraph.usage import Usage
from tests.stored.program_classes import Point

WRITER: Agent[Any] = Agent(name="writer")
EDITOR: Agent[Any] = Agent(name="editor")
AGENTS = {"agents/0": WRITER, "agents/1": EDITOR}
ORIGIN = ToolOrigin(ToolOriginType.MCP, mcp_server_name="web")
ITEM_CLASSES = get_args(get_args(ResponseOutputItem)[0])
CALL = ResponseFunctionToolCall(
    type="function_call", call_id="c1", name="search", arguments='{"q": "ü"}'
)
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "1"}


def symbol_of(agent: Any) -> str | None:
    return next((symbol for symbol, one in AGENTS.items() if one is agent), None)


def through_json(form: Any) -> Any:
    return json.loads(json.dumps(form, allow_nan=False))


def _sample(annotation: Any) -> Any:
    """JSON data that fits an annotation of the client."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return arguments[0]
    if origin in (Union, UnionType):
        return _sample(arguments[0])
    if origin is list:
        return [_sample(arguments[0])]
    if origin is dict:
        return {"key": _sample(arguments[1])}
    if hasattr(annotation, "__metadata__"):
        return _sample(arguments[0])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {
            field.alias or name: _sample(field.annotation)
            for name, field in annotation.model_fields.items()
        }
    return {str: "text", int: 1, float: 1.5, bool: True}.get(annotation)


@pytest.mark.parametrize("cls", ITEM_CLASSES, ids=lambda cls: cls.__name__)
def test_every_kind_of_output_item_comes_back_as_the_client_made_it(cls: Any) -> None:
    sent = {**_sample(cls), "field_of_next_year": {"a": [1]}}
    item = cls.model_construct(**sent)
    again = decode_raw_item(through_json(encode_raw_item(item)))
    assert type(again) is cls
    assert again == item
    assert again.model_dump(exclude_unset=True) == item.model_dump(exclude_unset=True)
    assert again.to_json() == item.to_json()


def test_an_item_keeps_apart_what_was_sent_and_what_was_not() -> None:
    again = decode_raw_item(through_json(encode_raw_item(CALL)))
    assert again.model_fields_set == {"type", "call_id", "name", "arguments"}


def test_an_item_that_the_client_would_not_validate_comes_back_all_the_same() -> None:
    item = ResponseOutputMessage.model_construct(type="message", content=None, status="odd")
    again = decode_raw_item(through_json(encode_raw_item(item)))
    assert (type(again), again) == (ResponseOutputMessage, item)


def test_a_dictionary_stays_a_dictionary() -> None:
    item = {"type": "message", "role": "user", "content": "a", "$type": "item"}
    assert decode_raw_item(through_json(encode_raw_item(item))) == item


def test_an_item_of_a_type_that_the_client_does_not_know_comes_back_as_a_dictionary() -> None:
    class HologramCall(BaseModel):
        type: str
        depth: float

    again = decode_raw_item(through_json(encode_raw_item(HologramCall(type="hologram", depth=2))))
    assert again == {"type": "hologram", "depth": 2.0}


def test_a_class_of_another_name_is_found_by_the_type_of_its_items() -> None:
    class MyCall(ResponseFunctionToolCall):
        pass

    call = MyCall(type="function_call", call_id="c", name="n", arguments="{}")
    assert type(decode_raw_item(through_json(encode_raw_item(call)))) is ResponseFunctionToolCall


def test_what_is_no_item_is_refused() -> None:
    with pytest.raises(NotStorable, match=r"output\[1\] of type builtins\.object"):
        encode_response(ModelResponse([CALL, object()], Usage(), None))  # type: ignore[list-item]


def test_a_reply_comes_back_whole() -> None:
    usage = Usage()
    usage.add(Usage(requests=1, input_tokens=3, output_tokens=4, total_tokens=7))
    reasoning = ResponseReasoningItem(
        id="r", type="reasoning", summary=[], encrypted_content="x", status="completed"
    )
    response = ModelResponse(
        [reasoning, assistant_message("hello"), CALL, {"type": "hologram"}],  # type: ignore[list-item]
        usage,
        "resp_1",
        "req_1",
        {"input_tokens": 3, "odd": [None]},
    )
    again = decode_response(through_json(encode_response(response)))
    assert again == response
    assert [type(item) for item in again.output] == [type(item) for item in response.output]
    assert again.to_input_items() == response.to_input_items()


@pytest.mark.parametrize("items", ["text \ud800", [], [{"role": "user", "content": "a"}, CALL]])
def test_input_comes_back(items: Any) -> None:
    assert decode_input(through_json(encode_input(items))) == items


RUN_ITEMS: list[Any] = [
    InputItem(WRITER, {"role": "user", "content": "a"}),
    MessageOutputItem(WRITER, assistant_message("a")),
    ToolCallItem(WRITER, CALL, description="looks up", title="Search", tool_origin=ORIGIN),
    ToolCallOutputItem(WRITER, OUTPUT, output=Point(1), custom_data={"a": [1]}),  # type: ignore[arg-type]
    ToolCallOutputItem(WRITER, OUTPUT, output=None),
    HandoffOutputItem(EDITOR, OUTPUT, source_agent=WRITER, target_agent=EDITOR),  # type: ignore[arg-type]
    ToolApprovalItem(WRITER, CALL, tool_namespace="web", tool_origin=ORIGIN),
    ToolApprovalItem(WRITER, {"type": "mcp_approval_request", "name": "n", "id": "i"}),
    *(
        cls(agent=WRITER, raw_item=CALL)
        for cls in get_args(run_items.RunItem)
        if cls not in (HandoffOutputItem, ToolCallOutputItem)
    ),
]


@pytest.mark.parametrize("item", RUN_ITEMS, ids=lambda item: item.type)
def test_a_run_item_comes_back_with_its_agents(item: Any) -> None:
    form = through_json(encode_run_item(item, symbol_of))
    again = decode_run_item(form, AGENTS.get, classes_in(Point))
    assert type(again) is type(item)
    for field in fields(item):
        assert getattr(again, field.name) == getattr(item, field.name)
    assert again.agent is item.agent


def test_every_kind_of_run_item_is_tried() -> None:
    assert {type(item) for item in RUN_ITEMS} == set(get_args(run_items.RunItem))


def test_an_agent_that_is_gone_is_shown_by_its_name() -> None:
    [item] = [item for item in RUN_ITEMS if isinstance(item, HandoffOutputItem)]
    form = through_json(encode_run_item(item, symbol_of))
    again = decode_run_item(form, {"agents/1": EDITOR}.get)
    assert again.source_agent.name == "writer"
    assert not hasattr(again.source_agent, "tools")
    assert again.agent is EDITOR
    again.release_agent()


def test_an_item_whose_agent_was_collected_is_stored_without_one() -> None:
    item = MessageOutputItem(Agent(name="short-lived"), assistant_message("a"))
    item.release_agent()
    assert item.agent is None
    assert decode_run_item(through_json(encode_run_item(item)), AGENTS.get).agent is None


def test_an_output_without_a_stored_form_is_named() -> None:
    item = ToolCallOutputItem(WRITER, OUTPUT, output={"socket": print})
    with pytest.raises(NotStorable, match=r"output\.socket"):
        encode_run_item(item)


def test_an_output_that_is_like_no_other_is_not_compared_with_the_default() -> None:
    class Unequal(list[int]):
        def __ne__(self, other: object) -> bool:
            raise AssertionError("compared")

    item = ToolCallOutputItem(WRITER, OUTPUT, output=Unequal([1]))
    assert encode_run_item(item)["fields"]["output"]["value"] == [1]


@pytest.mark.parametrize(
    ("form", "named"),
    [
        ({"kind": "of_next_year"}, "of_next_year"),
        ({}, "None"),
        ({"kind": "tool_call_item"}, "agents"),
        ({"kind": "tool_call_item", "agents": {}, "fields": {}, "raw_item": {}}, "agent"),
        (
            {
                "kind": "tool_call_item",
                "agents": {"agent": None},
                "fields": {"odd": 1},
                "raw_item": {},
            },
            "odd",
        ),
    ],
)
def test_a_damaged_run_item_is_named(form: dict[str, Any], named: str) -> None:
    with pytest.raises(NotReadable, match=named):
        decode_run_item(form)


@pytest.mark.parametrize("form", [3, {"$type": "item"}, {"$type": "item", "fields": [1]}])
def test_a_damaged_raw_item_is_named(form: Any) -> None:
    with pytest.raises(NotReadable, match=r"input\[0\]"):
        decode_input([form])


@pytest.mark.parametrize("form", [{}, {"output": 3}, {"output": [], "usage": {}}])
def test_a_damaged_reply_is_named(form: dict[str, Any]) -> None:
    with pytest.raises(NotReadable, match="response"):
        decode_response(form)


@pytest.mark.parametrize("name", [1, True, 1.0, "1"])
def test_a_field_of_another_type_stays_as_it_was_sent(name: Any) -> None:
    item = ResponseFunctionToolCall.model_construct(
        type="function_call", call_id="c", name=name, arguments="{}", strict=1
    )
    again = decode_raw_item(through_json(encode_raw_item(item)))
    assert (repr(again), again.model_fields_set) == (repr(item), item.model_fields_set)
