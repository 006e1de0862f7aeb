"""The short way for JSON values: it takes nothing that the long way would write in another form."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgraph.stored.plain_values import NotPlain, copied
from agentgraph.stored.values import _Writer

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=5)
    | st.sampled_from([10**4000, "$type", (1,), b"x"])
)
VALUES = st.recursive(
    LEAVES,
    lambda part: (
        st.lists(part, max_size=3)
        | st.dictionaries(st.text(st.characters(), max_size=3) | st.integers(), part, max_size=3)
        | st.dictionaries(st.sampled_from(["$type", "a"]), part, max_size=2)
    ),
)


def by_the_long_way(value: Any) -> Any:
    return _Writer().write(value, (None, "value"))


@given(VALUES)
def test_what_it_takes_has_the_form_of_the_long_way(value: Any) -> None:
    try:
        copy = copied(value)
    except NotPlain:
        return
    assert repr(copy) == repr(by_the_long_way(value))


@given(VALUES)
def test_what_it_leaves_has_another_form(value: Any) -> None:
    if repr(by_the_long_way(value)) != repr(value):
        with pytest.raises(NotPlain):
            copied(value)


def test_a_copy_shares_nothing() -> None:
    value: dict[str, Any] = {"a": [{"b": []}]}
    copied(value)["a"][0]["b"].append(1)
    assert value == {"a": [{"b": []}]}


def test_a_value_that_contains_itself_is_left_to_the_long_way_at_once() -> None:
    value: list[Any] = []
    value += [value, value]
    with pytest.raises(NotPlain):
        copied(value)
