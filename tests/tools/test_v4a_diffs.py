"""Diffs in the V4A format: where a hunk is found and what it changes."""

from __future__ import annotations

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgraph.tools.patch_format import apply_diff

TWICE = "class A:\n  def f(self):\n    1\nclass B:\n  def f(self):\n    1\n"

APPLIED = [
    ("a line is replaced", "a\nb\nc\n", "@@\n a\n-b\n+B\n c\n", "a\nB\nc\n"),
    ("an anchor is not needed", "a\nb\nc\n", " a\n-b\n+B\n c", "a\nB\nc\n"),
    ("several hunks, in order", "a\nb\nc\nd\n", "@@\n-b\n+B\n@@\n-d\n+D", "a\nB\nc\nD\n"),
    ("the first match counts", "x\nx\n", "-x\n+y", "y\nx\n"),
    ("the end of the file can be asked for", "x\nx\n", "-x\n+y\n*** End of File", "x\ny\n"),
    ("without a last newline too", "x\nx", "-x\n+y\n*** End of File", "x\ny"),
    ("anchors nest", TWICE, "@@ class B:\n@@   def f(self):\n-    1\n+    2", TWICE[:-3] + " 2\n"),
    ("an unknown anchor is skipped", "a\n", "@@ nope\n-a\n+b", "b\n"),
    ("empty lines may lack their space", "a\n\nb\n", " a\n\n-b\n+c", "a\n\nc\n"),
    ("white space at the end is forgiven and kept", "a  \nb\n", " a\n-b\n+c", "a  \nc\n"),
    ("indentation is forgiven and kept", "  a\nb\n", " a\n-b\n+c", "  a\nc\n"),
    ("line ends are the text's", "a\r\nb\r\n", "-b\n+c", "a\r\nc\r\n"),
    ("a lone addition stands first", "a\nb", "+c", "c\na\nb"),
    ("everything can go", "a\nb\n", "-a\n-b", ""),
    ("an empty text can grow", "", "+x", "x\n"),
    ("an empty diff changes nothing", "a\n", "", "a\n"),
    ("what follows the end is not read", "a\n", " a\n+b\n*** End Patch\nrest", "a\nb\n"),
]


@pytest.mark.parametrize(
    ("text", "diff", "changed"), [row[1:] for row in APPLIED], ids=[row[0] for row in APPLIED]
)
def test_a_diff_is_applied(text: str, diff: str, changed: str) -> None:
    assert apply_diff(text, diff) == changed


@pytest.mark.parametrize(
    ("text", "diff", "message"),
    [
        ("a\n", "zzz", "must start with"),
        ("a\n", "*** Begin Patch\n a", "must start with"),
        ("a\n", "-b", "no such lines"),
        ("a\nb\n", "@@\n-b\n+B\n@@\n-a\n+A", "no such lines after line 2"),
    ],
)
def test_a_diff_that_does_not_fit_is_an_error(text: str, diff: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        apply_diff(text, diff)


def test_a_new_file_is_made_of_added_lines() -> None:
    assert apply_diff("", "+a\n+\n+b\n", mode="create") == "a\n\nb"
    assert apply_diff("", "", mode="create") == ""
    with pytest.raises(ValueError, match="start with"):
        apply_diff("", "+a\nb", mode="create")


texts = st.lists(st.text("ab ", max_size=3), max_size=8).map("\n".join)


@given(texts, texts)
def test_the_whole_text_as_one_hunk_turns_any_text_into_any_other(old: str, new: str) -> None:
    signs = {"  ": " ", "- ": "-", "+ ": "+"}
    diff = [
        signs[line[:2]] + line[2:]
        for line in difflib.ndiff(old.split("\n"), new.split("\n"))
        if line[:2] in signs
    ]
    assert apply_diff(old, "\n".join(diff)) == new
