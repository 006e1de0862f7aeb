"""Applying a diff in the V4A format, in which models write changes of a file.

A diff is a list of hunks. A hunk may open with anchors (`@@ class Desk:`), which move the place
where its lines are looked for; then come lines that stay (a space in front), go (`-`) or are new
(`+`). There are no line numbers: a hunk is found by its own lines, after the place of the one
before.

Rule: lines that stay are the file's own, so a match that differs in white space changes nothing but
what the diff says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

__all__ = ["ApplyDiffMode", "apply_diff"]

ApplyDiffMode = Literal["default", "create"]
"""Whether a diff changes a text or is a new one, every line with a `+` in front."""

_ANCHOR: Final = "@@"
_END_OF_FILE: Final = "*** End of File"
_END_OF_DIFF: Final = ("*** End Patch", "*** Update File:", "*** Add File:", "*** Delete File:")
# How exactly a line of the diff must equal one of the text; the most exact way that fits wins.
_COMPARISONS: Final[tuple[Callable[[str], str], ...]] = (str, str.rstrip, str.strip)


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
        The changed text, with the line ends of `input`.

    Raises:
        ValueError: When the diff is malformed or a hunk is not found in the text.
    """
    diff_lines = _lines_of(diff)
    if diff_lines and diff_lines[-1] == "":
        diff_lines.pop()
    if mode == "create":
        return "\n".join(_added(line) for line in diff_lines)
    newline = "\r\n" if "\r\n" in input else "\n"
    return newline.join(_apply(_lines_of(input), _parse(diff_lines)))


def _lines_of(text: str) -> list[str]:
    return text.replace("\r\n", "\n").split("\n")


def _added(line: str) -> str:
    if not line.startswith("+"):
        raise ValueError(f"Every line of a new file must start with '+', but one is {line!r}.")
    return line[1:]


def _parse(diff_lines: Sequence[str]) -> list[_Hunk]:
    hunks = [_Hunk()]
    for line in diff_lines:
        if line.startswith(_END_OF_DIFF):
            break
        if line == _END_OF_FILE:
            hunks[-1].is_at_end = True
        elif line.startswith(_ANCHOR):
            if hunks[-1].lines:
                hunks.append(_Hunk())
            if anchor := line.removeprefix(_ANCHOR).removeprefix(" "):
                hunks[-1].anchors.append(anchor)
        elif line == "" or line[0] in " -+":
            # Models leave out the space in front of an empty line that stays.
            hunks[-1].lines.append((line[:1] or " ", line[1:]))
        else:
            raise ValueError(
                f"A line of a diff must start with ' ', '-', '+' or '@@', but one is {line!r}."
            )
    return [hunk for hunk in hunks if hunk.lines]


def _apply(lines: list[str], hunks: Sequence[_Hunk]) -> list[str]:
    result: list[str] = []
    position = 0
    for hunk in hunks:
        start = _find(lines, hunk, _after_anchors(lines, hunk.anchors, position))
        result += lines[position:start]
        position = start
        for sign, text in hunk.lines:
            if sign == "+":
                result.append(text)
                continue
            if sign == " ":
                result.append(lines[position])
            position += 1
    return result + lines[position:]


def _after_anchors(lines: Sequence[str], anchors: Sequence[str], position: int) -> int:
    """Move behind each anchor in turn; one that is not found does not move anything."""
    for anchor in anchors:
        found = _find_lines(lines, [anchor], position)
        position = position if found is None else found + 1
    return position


def _find(lines: list[str], hunk: _Hunk, position: int) -> int:
    old = hunk.old
    if hunk.is_at_end:
        # A text that ends with a newline has an empty last line, which a diff does not show.
        length = len(lines) - (1 if lines[-1] == "" and old[-1:] != [""] else 0)
        at_end = length - len(old)
        if at_end >= position and _find_lines(lines[:length], old, at_end) is not None:
            return at_end
    found = _find_lines(lines, old, position)
    if found is None:
        shown = "\n".join(old)
        raise ValueError(f"The text has no such lines after line {position}:\n{shown}")
    return found


def _find_lines(lines: Sequence[str], wanted: Sequence[str], position: int) -> int | None:
    for form in _COMPARISONS:
        target = [form(line) for line in wanted]
        for start in range(position, len(lines) - len(wanted) + 1):
            if [form(line) for line in lines[start : start + len(wanted)]] == target:
                return start
    return None
