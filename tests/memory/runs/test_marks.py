"""Marks of white space: any reader of JSON passes over them, and they tell runs apart."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgraph.memory.encoding import decode_item, decode_items
from agentgraph.memory.runs.blocks import ConcurrentWrite
from agentgraph.memory.runs.marks import (
    WRITE_LENGTH,
    MarkedTexts,
    common_mark,
    gathered,
    marked_texts,
    new_mark,
    next_write,
)
from tests.memory.stores import user

ITEMS = st.builds(user, st.text(max_size=5))
MARKS = ["", *(new_mark() for _ in range(3))]


@given(ITEMS)
def test_a_marked_text_is_read_as_the_item_that_it_is(item: object) -> None:
    text = json.dumps(item) + new_mark()

    assert json.loads(text) == item
    assert decode_item(text) == decode_item(text.encode()) == item
    assert decode_items([text, text]) == [item, item]


def test_what_is_no_white_space_behind_an_item_is_damage() -> None:
    text = json.dumps(user("x"))

    assert decode_item(f"{text} x") is None
    assert decode_item(f"{text}\x0b") is None


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(MARKS)), max_size=8))
def test_gathering_moves_the_texts_of_one_run_to_the_end_and_no_others(
    stored: list[tuple[str, str]],
) -> None:
    write = new_mark(WRITE_LENGTH)
    texts = [f'"{text}"{mark}{write if mark else ""}' for text, mark in stored]
    block = MarkedTexts(MARKS[1], (write,))

    mine = [text for text in texts if text.endswith(block.mark)]

    assert gathered(texts, block) == [text for text in texts if text not in mine] + mine
    assert marked_texts(mine) == (block if mine else None)


def test_the_texts_of_rows_have_one_mark_in_common() -> None:
    mark = new_mark()

    assert common_mark([f"{{}}{mark}", f"3{mark}"]) == mark


def test_texts_of_a_block_that_another_run_has_gone_on_with_are_left_to_it() -> None:
    block = next_write(None)
    mine, other = next_write(block), next_write(block)
    texts = [f'"a"{block.mark}', f'"b"{other.mark}']

    assert gathered(texts, other) == texts
    for left in (texts, texts[1:]):
        with pytest.raises(ConcurrentWrite):
            gathered(left, mine)
    assert gathered(texts[:1], mine) == texts[:1]
    assert marked_texts(texts) == other


def test_texts_of_several_runs_or_of_another_program_have_no_mark_in_common() -> None:
    one, two = new_mark(), new_mark()

    assert common_mark([f"{{}}{one}", f"{{}}{two}"]) is None
    assert common_mark(["{}", "{}"]) is None
    assert common_mark(["{}\n", "{}\n"]) is None
    assert common_mark([]) is None
