"""Replies and items as JSON: the words of a model, its input, and the run items made of them.

A raw item that is one of the client's models is stored under `$type: item` with its class and the
fields that the provider sent. It comes back as the client itself would make it from a response. A
raw item that is a dictionary stays a dictionary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any, Final, get_args

from agentgraph.items import run_items
from agentgraph.items.item_classes import ITEM_CLASSES
from agentgraph.items.responses import ModelResponse
from agentgraph.items.tool_origin import ToolOrigin
from agentgraph.stored.stand_ins import Gone, Lookup, SymbolOf, symbol_or_name
from agentgraph.stored.value_types import NotReadable, NotStorable, Types, class_path
from agentgraph.stored.values import decode, encode
from agentgraph.usage import Usage, deserialize_usage, serialize_usage

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = [
    "decode_input",
    "decode_raw_item",
    "decode_response",
    "decode_run_item",
    "encode_input",
    "encode_raw_item",
    "encode_response",
    "encode_run_item",
]


@cache
def _item_classes() -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The client's classes of output items, by name and by the type of their items."""
    from openai.types import responses

    union, *_ = get_args(responses.ResponseOutputItem)
    by_type = {
        kind: cls
        for cls in get_args(union)
        for kind in get_args(cls.model_fields["type"].annotation)
    }
    return {cls.__name__: cls for cls in by_type.values()}, by_type


def encode_raw_item(item: object, path: str = "item") -> Any:
    """Turn a raw item into JSON data.

    Args:
        item: A dictionary or one of the client's models.
        path: What the item is, for messages.

    Raises:
        NotStorable: The item is neither, or one of its parts has no stored form.
    """
    if isinstance(item, dict):
        return encode(item, path)
    dump = getattr(item, "model_dump", None)
    if dump is None:
        raise NotStorable(path, class_path(type(item)), "a raw item is a dictionary or a model")
    # Python values, not JSON: pydantic would write NaN as null and bytes as text.
    sent = dump(exclude_unset=True, by_alias=True, warnings=False)
    return {"$type": "item", "class": type(item).__name__, "fields": encode(sent, path)}


def decode_raw_item(data: object, path: str = "item") -> Any:
    """Read what `encode_raw_item` wrote.

    Returns:
        A dictionary or an object of the client. An item is also a dictionary if the installed
        client knows neither its class nor its type.

    Raises:
        NotReadable: The form is damaged.
    """
    if not isinstance(data, Mapping):
        raise NotReadable(path, f"an item is an object, not {type(data).__name__}")
    if data.get("$type") != "item":
        return decode(data, path=path)
    sent = decode(data.get("fields"), path=path)
    if not isinstance(sent, dict):
        raise NotReadable(path, "an item lacks its fields")
    by_name, by_type = _item_classes()
    cls = by_name.get(str(data.get("class"))) or by_type.get(str(sent.get("type")))
    return sent if cls is None else _client_model(cls, sent)


def _client_model(cls: type[BaseModel], sent: dict[str, Any]) -> BaseModel:
    """Make a model as the client does when it reads a response: whatever the fields are.

    Its own way costs fifty times as much as a validation. If the item has no parts and no unknown
    fields, and validation changes nothing, both make the same model.
    """
    parts = any(type(value) in (dict, list) for value in sent.values())
    if parts or not sent.keys() <= cls.model_fields.keys():
        return cls.model_construct(**sent)
    try:
        model = cls.model_validate(sent)
    except ValueError:
        return cls.model_construct(**sent)
    dumped = model.model_dump(exclude_unset=True, by_alias=True, warnings=False)
    # The texts differ between 1, 1.0 and True, which are equal.
    return model if repr(dumped) == repr(sent) else cls.model_construct(**sent)


def encode_input(items: str | list[Any]) -> Any:
    """Turn the input of a run or of a model call into JSON data: text, or a list of items.

    Raises:
        NotStorable: An item has no stored form.
    """
    if isinstance(items, str):
        return encode(items, "input")
    return [encode_raw_item(item, f"input[{index}]") for index, item in enumerate(items)]


def decode_input(data: object) -> str | list[Any]:
    """Read what `encode_input` wrote.

    Raises:
        NotReadable: The form is damaged.
    """
    if isinstance(data, list):
        return [decode_raw_item(item, f"input[{index}]") for index, item in enumerate(data)]
    text = decode(data, path="input")
    if not isinstance(text, str):
        raise NotReadable("input", "it is neither text nor a list of items")
    return text


def encode_response(response: ModelResponse) -> dict[str, Any]:
    """Turn a model's reply into JSON data.

    Raises:
        NotStorable: A part of it has no stored form.
    """
    usage = response.usage or Usage()
    return {
        "output": [
            encode_raw_item(item, f"output[{index}]") for index, item in enumerate(response.output)
        ],
        "usage": serialize_usage(usage),
        "response_id": response.response_id,
        "request_id": response.request_id,
        "raw_usage": encode(response.raw_usage, "raw_usage"),
        **({"answered_by": response.answered_by} if response.answered_by is not None else {}),
    }


def decode_response(data: Mapping[str, Any]) -> ModelResponse:
    """Read what `encode_response` wrote.

    Raises:
        NotReadable: The form is damaged.
    """
    try:
        output = [
            decode_raw_item(item, f"output[{index}]") for index, item in enumerate(data["output"])
        ]
        usage = deserialize_usage(decode(data["usage"], path="usage"))
        raw_usage = decode(data.get("raw_usage"), path="raw_usage")
        return ModelResponse(
            output=output,
            usage=usage,
            response_id=data["response_id"],
            request_id=data.get("request_id"),
            raw_usage=raw_usage,
            answered_by=data.get("answered_by"),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise NotReadable("response", f"it lacks a part: {error!r}") from error


_ORIGIN: Final = "tool_origin"


def encode_run_item(item: run_items.RunItem, symbol_of: SymbolOf | None = None) -> dict[str, Any]:
    """Turn a run item into JSON data.

    Args:
        item: The run item. Fields at their defaults are left out.
        symbol_of: Returns the symbol of an agent. Without it, or if it returns `None`, the name is
            the symbol.

    Returns:
        Its kind, its raw item, its agents as symbol and name, and its other fields.

    Raises:
        NotStorable: A part of it has no stored form.
    """
    cls: type[Any] = type(item)
    kind: str = item.type
    if kind not in ITEM_CLASSES or ITEM_CLASSES[kind] is not cls:
        raise NotStorable("item", class_path(cls), "a run has no items of this class")
    agents = {name: symbol_or_name(symbol_of, getattr(item, name)) for name in cls._agent_fields}
    return {
        "kind": kind,
        "raw_item": encode_raw_item(item.raw_item, "raw_item"),
        "agents": encode(agents, "agents"),
        "fields": {
            name: value.to_json_dict() if name == _ORIGIN else encode(value, name)
            for name, default in _other_fields(cls).items()
            if (value := getattr(item, name)) is not default
        },
    }


def decode_run_item(
    data: Mapping[str, Any], agents: Lookup | None = None, types: Types | None = None
) -> Any:
    """Read what `encode_run_item` wrote.

    Args:
        data: The stored form.
        agents: Returns the agent of a symbol. Without it, or if it returns `None`, a `Gone` with
            the agent's name takes the place.
        types: The classes of the program, as `decode` takes them.

    Raises:
        NotReadable: The form is damaged, or this version does not know its kind.
    """
    cls = ITEM_CLASSES.get(str(data.get("kind")))
    if cls is None:
        raise NotReadable("item", f"this version knows no run items of kind {data.get('kind')!r}")
    try:
        named = decode(data["agents"], path="agents")
        values = {name: decode(one, types, name) for name, one in data["fields"].items()}
        if _ORIGIN in values:
            values[_ORIGIN] = ToolOrigin.from_json_dict(values[_ORIGIN])
        return cls(
            **{name: _agent(agents, named[name]) for name in cls._agent_fields},
            raw_item=decode_raw_item(data["raw_item"], "raw_item"),
            **values,
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise NotReadable("item", f"its form does not fit {cls.__name__}: {error!r}") from error


def _agent(agents: Lookup | None, named: Mapping[str, str] | None) -> Any:
    if named is None:  # the agent was garbage-collected before the item was stored
        return None
    agent = None if agents is None else agents(named["symbol"])
    return Gone(named["name"]) if agent is None else agent


@cache
def _other_fields(cls: type[Any]) -> Mapping[str, Any]:
    """The fields of a run item besides agents and raw item, with their defaults."""
    own = {"raw_item", "type", *cls._agent_fields}
    return {field.name: field.default for field in fields(cls) if field.name not in own}
