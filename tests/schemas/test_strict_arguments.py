"""The quick look that finds most arguments strict agrees with the parser that finds out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgraph.schemas.arguments import InvalidToolArguments, check_strict, not_strict

KEYS = st.sampled_from(["a", "b", ":", ", ", '"', "\\", "a b", "ä", 'a":', '", "a'])
VALUES = st.recursive(
    KEYS | st.integers(),
    lambda inner: st.lists(inner, max_size=2) | st.lists(st.tuples(KEYS, inner), max_size=3),
    max_leaves=6,
)
PAIRS = st.lists(st.tuples(KEYS, VALUES), min_size=1, max_size=4)


def written(pairs: Any) -> str:
    """Write pairs as an object, with each key as often as it comes."""
    if isinstance(pairs, list) and all(isinstance(pair, tuple) for pair in pairs):
        members = (f"{json.dumps(key)}: {written(value)}" for key, value in pairs)
        return "{" + ", ".join(members) + "}"
    if isinstance(pairs, list):
        return "[" + ", ".join(map(written, pairs)) + "]"
    return json.dumps(pairs)


@given(PAIRS)
def test_a_repeated_key_is_found_wherever_it_stands(pairs: Any) -> None:
    text = written(pairs)
    try:
        check_strict(text, "f")
        problem = None
    except InvalidToolArguments as error:
        problem = str(error)

    assert (problem is None) == (not_strict(text) is None)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 2}',
        '{"a": 1, "\\u0061": 2}',
        '{"a": "v", ":x": 1, ":x": 2}',
        '{"a": {"b": 1, "b": 2}}',
        '{"a" : 1, "a"\n:2}',
    ],
)
def test_a_key_that_stands_twice_is_refused(text: str) -> None:
    with pytest.raises(InvalidToolArguments, match="a key twice"):
        check_strict(text, "f")


@pytest.mark.parametrize("text", ['{"a": {"b": 1}, "c": {"b": 1}}', '{"a": "b: c", "b": ":"}'])
def test_one_key_in_two_objects_is_legal(text: str) -> None:
    check_strict(text, "f")
