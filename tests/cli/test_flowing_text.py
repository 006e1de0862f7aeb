"""Text shown while it is written: nothing is lost, and lines break between words."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from agentgraph.cli.flowing_text import FlowingText

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z", "M")), min_size=1)
TEXTS = st.lists(WORDS | st.sampled_from([" ", "  ", "\n", "\n\n"])).map("".join)


def shown(deltas: list[str], width: int, *, terminal: bool = True) -> str:
    console = Console(width=width, force_terminal=terminal, color_system=None)
    with console.capture() as capture:
        text = FlowingText(console)
        for delta in deltas:
            text.write(delta)
        text.end()
    return capture.get()


def test_a_word_that_does_not_fit_begins_the_next_line() -> None:
    assert shown(["one two th", "ree four"], 12) == "  one two\n  three four\n"


def test_lines_of_the_text_stay_lines() -> None:
    assert shown(["one\n", "\n two", "\n"], 40) == "  one\n\n   two\n"


def test_what_is_piped_is_not_broken() -> None:
    words = ["word "] * 100
    assert shown(words, 40, terminal=False) == "  " + "".join(words).rstrip() + "\n"


def test_a_word_is_shown_before_it_is_complete_if_it_is_long() -> None:
    console = Console(width=80, force_terminal=True, color_system=None)
    with console.capture() as capture:
        FlowingText(console).write("文" * 40)
    assert capture.get() == "  " + "文" * 40


@given(TEXTS, st.lists(st.integers(0, 60)), st.integers(20, 100))
def test_no_letter_is_lost_however_the_text_comes_in_pieces(
    text: str, cuts: list[int], width: int
) -> None:
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[start:end] for start, end in pairwise(places)]
    out = shown(pieces, width)
    assert "".join(out.split()) == "".join(text.split())
    wide = [line for line in out.splitlines() if cell_len(line) > width]
    assert all(cell_len(line.split()[-1]) + 2 > width - 24 for line in wide)
