"""The name of a stream event equals the published name and the one in the reference."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, get_args

import pytest
from pydantic import TypeAdapter

from agentgraph import Agent, MessageOutputItem, RunItemStreamEvent
from agentgraph.stream_events import NAMES, EventName, RunItemEventName
from agentgraph.testing import assistant_message
from tests.published_sdk import needs_the_published_sdk, published

PAIRS = sorted(set(NAMES.values()))
AGENT: Agent[Any] = Agent(name="A")


def event(name: Any) -> RunItemStreamEvent:
    item = MessageOutputItem(agent=AGENT, raw_item=assistant_message("hello"))
    return RunItemStreamEvent(name=name, item=item)


@needs_the_published_sdk
def test_the_published_names_are_those_of_the_published_package() -> None:
    names = published(
        "import json, typing\n"
        "from PACKAGE import RunItemStreamEvent\n"
        "print(json.dumps(typing.get_args(typing.get_type_hints(RunItemStreamEvent)['name'])))"
    )
    assert {name for name, _ in PAIRS} == set(names)


def test_the_type_lists_both_vocabularies_and_no_name_has_two_meanings() -> None:
    assert sorted(get_args(RunItemEventName)) == sorted({name for pair in PAIRS for name in pair})
    assert len(PAIRS) == len({name for name, _ in PAIRS}) == len({name for _, name in PAIRS})


@pytest.mark.parametrize(("published_name", "reference"), PAIRS)
@pytest.mark.parametrize("made_with", [0, 1])
def test_a_name_is_the_published_one_and_equals_both(
    published_name: str, reference: str, made_with: int
) -> None:
    name = event((published_name, reference)[made_with]).name
    assert str(name) == published_name
    assert type(str(name)) is str
    assert f"{name}" == published_name
    assert hash(name) == hash(published_name)
    assert name == published_name
    assert name == reference
    assert reference == name
    assert not name != reference  # noqa: SIM202 - `!=` is an operator of its own
    assert name in ["another", reference]


def test_match_finds_a_name_of_either_vocabulary() -> None:
    def name_of(name: str) -> str:
        match name:
            case "handoff_called":
                return "by the reference"
            case "tool_output":
                return "by the published name"
        return "not at all"

    assert name_of(event("handoff_requested").name) == "by the reference"
    assert name_of(event("tool_output_created").name) == "by the published name"
    assert name_of(event("tool_called").name) == "not at all"


@pytest.mark.parametrize(
    "other", ["handoff_called", "tool_output ", "", None, 3, b"tool_output", EventName("x")]
)
def test_a_name_differs_from_all_else(other: object) -> None:
    name = EventName("tool_output")
    assert name != other
    assert not name == other  # noqa: SIM201 - `==` is an operator of its own


@pytest.mark.parametrize(
    "carry",
    [
        copy.copy,
        copy.deepcopy,
        lambda name: pickle.loads(pickle.dumps(name)),
        lambda name: pickle.loads(pickle.dumps(name, 0)),
        lambda name: asdict(event(name))["name"],
        lambda name: TypeAdapter(RunItemStreamEvent).validate_python(event(name)).name,
    ],
    ids=["copy", "deepcopy", "pickle", "first pickle protocol", "asdict", "pydantic"],
)
def test_a_name_survives_being_carried_about(carry: Callable[[EventName], Any]) -> None:
    name = carry(EventName("handoff_requested"))
    assert name == "handoff_requested"
    assert name == "handoff_called"


def test_json_has_the_published_name() -> None:
    assert json.dumps({"name": event("reasoning_created").name}) == (
        '{"name": "reasoning_item_created"}'
    )


def test_a_set_finds_the_published_name_only() -> None:
    """The limit that decision 0007 states."""
    name = EventName("tool_output")
    assert name in {"tool_output"}
    assert name not in {"tool_output_created"}


def test_a_name_of_neither_vocabulary_is_kept() -> None:
    assert event("of_my_own").name == "of_my_own"


def test_sdk_name_still_answers_and_is_deprecated() -> None:
    with pytest.warns(DeprecationWarning, match=r"event\.name is the published name"):
        assert event("tool_output_created").sdk_name == "tool_output"
