"""Diffs in the V4A format: where a hunk is found and what it changes."""

from __future__ import annotations

import difflib
import json
import os
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgraph.apply_diff import apply_diff

TWICE = "class A:\n  def f(self):\n    1\nclass B:\n  def f(self):\n    1\n"

APPLIED = [
    ("a line is replaced", "a\nb\nc\n", "@@\n a\n-b\n+B\n c\n", "a\nB\nc\n"),
    ("an anchor is not needed", "a\nb\nc\n", " a\n-b\n+B\n c", "a\nB\nc\n"),
    ("several hunks, in order", "a\nb\nc\nd\n", "@@\n-b\n+B\n@@\n-d\n+D", "a\nB\nc\nD\n"),
    ("the first match counts", "x\nx\n", "-x\n+y", "y\nx\n"),
    ("the end of the file can be asked for", "x\nx\n", "-x\n+y\n*** End of File", "x\ny\n"),
    ("without a last newline too", "x\nx", "-x\n+y\n*** End of File", "x\ny"),
    ("anchors nest", TWICE, "@@ class B:\n@@   def f(self):\n-    1\n+    2", TWICE[:-3] + " 2\n"),
    (
        "an anchor's white space is forgiven",
        TWICE,
        "@@ class B: \n-    1\n+    2",
        TWICE[:-3] + " 2\n",
    ),
    ("an anchor is a whole line", "ab\nx\na\nx\n", "@@ a\n-x\n+y", "ab\nx\na\ny\n"),
    (
        "an exact anchor comes before one with other white space",
        " a\nx\na\nx\n",
        "@@ a\n-x",
        " a\nx\na\n",
    ),
    ("an anchor that was passed holds", "f\nx\ny\nx\nf\nx\n", "-y\n@@ f\n-x", "f\nx\nf\nx\n"),
    (
        "the outer anchor may be passed",
        "A\nf\n1\ng\n1\n",
        "@@ A\n@@ f\n-1\n@@ A\n@@ g\n-1",
        "A\nf\ng\n",
    ),
    ("line numbers are no anchor", "a\nb\n", "@@ -1,2 +1,2 @@\n-a\n+b", "b\nb\n"),
    (
        "the end of the file may stand before the anchor's next line",
        "a\nf\n",
        "@@ f\n-f\n+g\n*** End of File",
        "a\ng\n",
    ),
    ("what is new at the end of the file", "a\nb\n", "@@ a\n+c\n*** End of File", "a\nb\nc\n"),
    ("empty lines may lack their space", "a\n\nb\n", " a\n\n-b\n+c", "a\n\nc\n"),
    ("white space at the end is forgiven and kept", "a  \nb\n", " a\n-b\n+c", "a  \nc\n"),
    ("indentation is forgiven and kept", "  a\nb\n", " a\n-b\n+c", "  a\nc\n"),
    ("line ends are the text's", "a\r\nb\r\n", "-b\n+c", "a\r\nc\r\n"),
    ("not the diff's", "a\nb\n", "-b\r\n+c\r\n", "a\nc\n"),
    ("the diff's where the text has none", "", "+a\r\n+b\r\n", "a\r\nb\r\n"),
    ("after a last line without an end", "a\r\nb", " b\n+c", "a\r\nb\r\nc"),
    ("before a last line that goes", "a\r\nb", "-b", "a"),
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


REFUSED = [
    ("a\n", "zzz", "Invalid Line.*must start with"),
    ("a\n", "*** Begin Patch\n a", "Invalid Line.*must start with"),
    ("a\n", "@@a\n-a", "Invalid Line.*must start with"),
    ("a\n", "@@ a", "Invalid Line.*no lines"),
    ("a\nb\n", " a\n*** End of File\n-b", "Invalid Line.*only '@@' may follow"),
    ("a\n", "-b", "Invalid Context 0.*no such lines"),
    ("a\nb\n", "@@\n-b\n+B\n@@\n-a\n+A", "Invalid Context 2.*no such lines after line 2"),
    ("a\nb\n", "@@ a\n-a", "Invalid Context 1"),
    (TWICE, "@@ class C:\n@@   def f(self):\n-    1\n+    2", "Invalid Anchor 0"),
    (TWICE, "@@ class A:\n@@   def g(self):\n-    1\n+    2", "Invalid Anchor 1.*def g"),
    (TWICE, "@@ class B:\n@@ class A:\n-    1\n+    2", "Invalid Anchor 4.*class A"),
]

# The SDK refuses only nested anchors, and applies a hunk after any other where its lines match.
REFUSED_HERE = [
    ("a\n", "@@ nope\n-a\n+b", "Invalid Anchor 0.*'nope'"),
    (TWICE, "@@ class C:\n-    1\n+    2", "Invalid Anchor 0.*'class C:'"),
    (TWICE, "@@ class C:\n+    2", "Invalid Anchor 0"),
    (TWICE, "@@ class\n-    1\n+    2", "Invalid Anchor 0"),
    (TWICE, "@@ class A:\n-    1\n+    2\n@@ class C:\n-    1\n+    2", "Invalid Anchor 3"),
]


@pytest.mark.parametrize(("text", "diff", "message"), REFUSED + REFUSED_HERE)
def test_a_diff_that_does_not_fit_is_refused(text: str, diff: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"(?s){message}"):
        apply_diff(text, diff)


def test_lines_that_stay_keep_their_ends_in_a_text_that_mixes_them() -> None:
    assert apply_diff("a\nb\r\nc\nd\n", " a\n-b\n+B\n c") == "a\nB\r\nc\nd\n"


def test_a_new_file_is_made_of_added_lines() -> None:
    assert apply_diff("", "+a\n+\n+b\n", mode="create") == "a\n\nb"
    assert apply_diff("", "", mode="create") == ""
    assert apply_diff("a\n", "+a\r\n+b\r\n", mode="create") == "a\r\nb"
    assert apply_diff("", "+a\n*** End Patch\n", mode="create") == "a"
    with pytest.raises(ValueError, match="start with"):
        apply_diff("", "+a\nb", mode="create")


def repeated(size: int) -> list[tuple[str, str]]:
    """Texts that repeat a line, each with a diff that nearly fits at every place of the text."""
    half = "\n".join([" x"] * (size // 2))
    hunks = "\n".join(["@@ x", "-x", "+y"] * (size // 2))
    return [
        ("x\n" * size + "z\n", f"{half}\n-z"),
        ("  x\n" * size + "z\n", f"{half}\n-z"),
        ("x\n" * size + "z\nx\n", f"{half}\n-z\n+y\n-z"),
        ("  x\n" * size, hunks),
    ]


def seconds(text: str, diff: str) -> float:
    """Return the least processor time of three times."""
    times = []
    for _ in range(3):
        started = time.process_time()
        with suppress(ValueError):
            apply_diff(text, diff)
        times.append(time.process_time() - started)
    return min(times)


@pytest.mark.parametrize("case", range(4))
def test_repeated_lines_take_time_that_grows_with_their_number_only(case: int) -> None:
    short, long = (seconds(*repeated(size)[case]) for size in (2_500, 20_000))
    # Eight times the lines: linear work takes about 8 times as long, quadratic work 64 times.
    assert long < 30 * short + 0.05, (short, long)


@pytest.mark.skipif(
    "AGENTGRAPH_SDK_PYTHON" not in os.environ,
    reason="set AGENTGRAPH_SDK_PYTHON to a Python that has the published Agents SDK",
)
def test_the_published_sdk_does_the_same_but_for_what_the_guide_names() -> None:
    script = """
import json, sys
from agents.apply_diff import apply_diff

results = []
for text, diff in json.load(sys.stdin):
    try:
        results.append(apply_diff(text, diff))
    except ValueError:
        results.append(None)
json.dump(results, sys.stdout)
"""
    pairs = [row[1:3] for row in APPLIED] + [row[:2] for row in REFUSED + REFUSED_HERE]
    done = subprocess.run(
        [os.environ["AGENTGRAPH_SDK_PYTHON"], "-c", script],
        input=json.dumps(pairs),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    expected = [row[3] for row in APPLIED] + [None for _ in REFUSED + REFUSED_HERE]
    differences = [
        diff
        for (_, diff), here, there in zip(pairs, expected, json.loads(done.stdout), strict=True)
        if here != there
    ]
    assert differences == [diff for _, diff, _ in REFUSED_HERE]
    page = Path(__file__).parents[2] / "docs" / "coming-from-the-sdk.md"
    assert "`apply_diff` and a lone anchor" in page.read_text(encoding="utf-8")


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
