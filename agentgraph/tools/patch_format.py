"""Applying a diff in the V4A format, in which models write changes of a file.

A diff is a list of hunks. A hunk may open with anchors (`@@ class Desk:`), which move the place
where its lines are searched; then come lines that stay (a space in front), go (`-`) or are new
(`+`). There are no line numbers: a hunk is found by its own lines, after the place of the one
before.

Rule: an anchor or a line that the text does not have is an error; a hunk is never applied at
another place. Lines that stay are the file's own, line end included, so a match that differs in
white space changes nothing but what the diff says.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, takewhile
from typing import Final, Literal

__all__ = ["ApplyDiffMode", "InvalidDiff", "apply_diff"]

ApplyDiffMode = Literal["default", "create"]
"""Whether a diff changes a text or is a new one, every line with a `+` in front."""

_ANCHOR: Final = "@@"
_END_OF_FILE: Final = "*** End of File"
_END_OF_DIFF: Final = ("*** End Patch", "*** Update File:", "*** Add File:", "*** Delete File:")
# How exactly a line of the diff must equal one of the text; the most exact way that fits wins.
_COMPARISONS: Final[tuple[Callable[[str], str], ...]] = (str, str.rstrip, str.strip)


class InvalidDiff(ValueError):
    """A diff that is malformed or does not fit the text: the model that wrote it may read why."""


@dataclass(slots=True)
class _Hunk:
    anchors: list[str] = field(default_factory=list)
    # Each line with its sign: " ", "-" or "+".
    lines: list[tuple[str, str]] = field(default_factory=list)
    is_at_end: bool = False

    @property
    def old(self) -> list[str]:
        """The lines that the text must have."""
        return [text for sign, text in self.lines if sign != "+"]


def apply_diff(input: str, diff: str, mode: ApplyDiffMode = "default") -> str:
    """Apply a diff in the V4A format.

    Args:
        input: The text to change; not read when a text is created.
        diff: The diff, without the lines that name the file.
        mode: `create` to make a new text.

    Returns:
        The changed text. Lines that stay keep their line ends; new ones end as those of `input`
        do (`\\r\\n` if any line does), or as those of the diff where `input` has none.

    Raises:
        InvalidDiff: The diff is malformed (`Invalid Line`), or the text does not have an anchor
            (`Invalid Anchor`) or the lines of a hunk (`Invalid Context`). It is a `ValueError`.
    """
    diff_lines = [line.rstrip("\r") for line in diff.split("\n")]
    if diff_lines[-1] == "":
        diff_lines.pop()
    diff_lines = list(takewhile(lambda line: not line.startswith(_END_OF_DIFF), diff_lines))
    newline = (
        "\r\n" if "\r\n" in (diff if mode == "create" or "\n" not in input else input) else "\n"
    )
    if mode == "create":
        return newline.join(_added(line) for line in diff_lines)
    return _Text(input).changed(_parse(diff_lines), newline)


def _added(line: str) -> str:
    if not line.startswith("+"):
        raise InvalidDiff(f"Invalid Line: a line of a new file must start with '+': {line!r}")
    return line[1:]


def _parse(diff_lines: Iterable[str]) -> list[_Hunk]:
    hunks: list[_Hunk] = []
    for line in diff_lines:
        if line == _ANCHOR or line.startswith(f"{_ANCHOR} "):
            if not hunks or hunks[-1].lines:
                hunks.append(_Hunk())
            if anchor := _anchor(line):
                hunks[-1].anchors.append(anchor)
            continue
        if not hunks:
            hunks.append(_Hunk())
        if line == _END_OF_FILE:
            hunks[-1].is_at_end = True
        elif hunks[-1].is_at_end:
            raise InvalidDiff(f"Invalid Line: only '@@' may follow {_END_OF_FILE!r}, not {line!r}")
        elif line == "" or line[0] in " -+":
            # Models leave out the space in front of an empty line that stays.
            hunks[-1].lines.append((line[:1] or " ", line[1:]))
        else:
            raise InvalidDiff(f"Invalid Line: it must start with ' ', '-', '+' or '@@ ': {line!r}")
    if hunks and not hunks[-1].lines:
        raise InvalidDiff("Invalid Line: the last hunk of the diff has no lines")
    return hunks


def _anchor(line: str) -> str:
    """Return the line that is named, or nothing for the line numbers of a unified diff."""
    anchor = line.removeprefix(_ANCHOR).removeprefix(" ")
    return "" if anchor.startswith("-") and anchor.endswith(_ANCHOR) else anchor


class _Text:
    """The text that is changed, as lines and their ends."""

    def __init__(self, text: str) -> None:
        *whole, last = text.split("\n")
        self._lines = [*(line.removesuffix("\r") for line in whole), last]
        self._ends = [*("\r\n" if line.endswith("\r") else "\n" for line in whole), ""]
        self._searches = [_Search(self._lines, form) for form in _COMPARISONS]

    def changed(self, hunks: Sequence[_Hunk], newline: str) -> str:
        """Return the text with all hunks applied, in their order."""
        lines: list[str] = []
        ends: list[str] = []
        position = 0

        def keep(until: int) -> None:
            lines.extend(self._lines[position:until])
            ends.extend(self._ends[position:until])

        for hunk in hunks:
            start = self._place(hunk, position)
            keep(start)
            position = start
            for sign, text in hunk.lines:
                if sign == "+":
                    lines.append(text)
                    ends.append(newline)
                    continue
                if sign == " ":
                    keep(position + 1)
                position += 1
        keep(len(self._lines))
        # The last line of the old text has no end, wherever it stands now.
        ends = [*(end or newline for end in ends[:-1]), ""]
        return "".join(line + end for line, end in zip(lines, ends, strict=False))

    def _after_anchors(self, anchors: Sequence[str], position: int) -> int:
        """Move behind each anchor in turn; the first may stand before the place already."""
        exact, _, stripped = self._searches
        searches = (exact, stripped)
        for depth, anchor in enumerate(anchors):
            if depth == 0:
                firsts = (search.first(anchor) for search in searches)
            else:
                firsts = (search.find([anchor], position) for search in searches)
            at = next((first for first in firsts if first is not None), None)
            if at is None:
                raise InvalidDiff(
                    f"Invalid Anchor {position}: after line {position} no line is {anchor!r}"
                )
            position = max(position, at + 1)
        return position

    def _place(self, hunk: _Hunk, floor: int) -> int:
        """Return the place of the first line of a hunk, at or after `floor`, counted from zero."""
        old = hunk.old
        position = self._after_anchors(hunk.anchors, floor)
        starts = [position]
        if hunk.is_at_end:
            # A text that ends with a newline has an empty last line, which a diff does not show.
            unseen = self._lines[-1] == ""
            starts = [max(floor, len(self._lines) - unseen - len(old)), position]
        for start in starts:
            for search in self._searches:
                if (at := search.find(old, start)) is not None:
                    return at
        raise InvalidDiff(
            f"Invalid Context {position}: the text has no such lines after line {position}:\n"
            + "\n".join(old)
        )


class _Search:
    """Finds lines as they look in one comparison.

    `str.find` searches the joined lines: its work grows with the length of the text, however much
    of the text repeats.
    """

    def __init__(self, lines: Sequence[str], form: Callable[[str], str]) -> None:
        self._lines = lines
        self._form = form

    @cached_property
    def _formed(self) -> list[str]:
        return [self._form(line) for line in self._lines]

    @cached_property
    def _joined(self) -> str:
        return "\n".join(("", *self._formed, ""))

    @cached_property
    def _starts(self) -> list[int]:
        return list(accumulate((len(line) + 1 for line in self._formed), initial=0))

    @cached_property
    def _firsts(self) -> dict[str, int]:
        return {line: at for at, line in reversed(list(enumerate(self._formed)))}

    def first(self, line: str) -> int | None:
        """Return where a line stands first, or None."""
        return self._firsts.get(self._form(line))

    def find(self, lines: Sequence[str], position: int) -> int | None:
        """Return the first place at or after `position` where all lines follow each other."""
        formed = [self._form(line) for line in lines]
        if not all(line in self._firsts for line in formed):
            return None
        at = self._joined.find("\n".join(("", *formed, "")), self._starts[position])
        return None if at < 0 else bisect_left(self._starts, at)
