"""A text that matches a regular expression, for the expressions that JSON schemas are written with.

Understood are literals, escapes, classes, groups, alternatives, anchors and greedy or lazy
quantifiers. Whatever is built is checked with `re` before it is returned, so a sample never fails
to match; what is not understood (look-around, back references) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

__all__ = ["UnsupportedPattern", "pattern_sample"]

_PRINTABLE: Final = "".join(chr(code) for code in range(32, 127))
_DIGITS: Final = "0123456789"
_WORD: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_" + _DIGITS
_CLASSES: Final = {
    "d": _DIGITS,
    "w": _WORD,
    "s": " \t\n",
    "D": "".join(char for char in _PRINTABLE if char not in _DIGITS),
    "W": "".join(char for char in _PRINTABLE if char not in _WORD),
    "S": _PRINTABLE[1:],
}
_CONTROL: Final = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v"}
_ATTEMPTS: Final = 64


class UnsupportedPattern(ValueError):
    """No text that matches the expression could be found."""


@dataclass(frozen=True, slots=True)
class _Variation:
    """Which of the texts of an expression is wanted.

    Attributes:
        shift: How far down its list each class and alternative takes its choice.
        extra: How many repetitions each open quantifier adds to its least number.
    """

    shift: int
    extra: int


_Piece: TypeAlias = Callable[[_Variation], str]


def pattern_sample(
    pattern: str, *, least: int = 0, most: float = float("inf"), nth: int = 0
) -> str:
    """Return a text that matches an expression, the `nth` of those that are found.

    Args:
        pattern: A regular expression, searched for anywhere in the text unless it is anchored.
        least: The smallest length, in characters.
        most: The greatest length, in characters.
        nth: How many different texts to leave out.

    Returns:
        The text.

    Raises:
        UnsupportedPattern: The expression is not understood, or no such text was found.
    """
    build = _parsed(pattern)
    checked = re.compile(pattern)
    found: list[str] = []
    for variation in _variations(least):
        text = build(variation)
        if least <= len(text) <= most and text not in found and checked.search(text):
            found.append(text)
            if len(found) > nth:
                return text
    raise UnsupportedPattern(f"no text was found that matches the pattern {pattern!r}")


def _variations(least: int) -> Iterator[_Variation]:
    """Go through the variations, those with the shortest texts first."""
    for extra in range(max(least, 1) + 1):
        for shift in range(_ATTEMPTS):
            yield _Variation(shift, extra)


@lru_cache(maxsize=256)
def _parsed(pattern: str) -> _Piece:
    parser = _Parser(pattern)
    piece = parser.alternatives()
    if not parser.at_end:
        raise UnsupportedPattern(f"the pattern {pattern!r} has an unexpected ')'")
    return piece


class _Parser:
    """Reads one expression from left to right; each method reads one construct."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    @property
    def at_end(self) -> bool:
        """Whether everything was read."""
        return self._at >= len(self._pattern)

    def _peek(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _take(self) -> str:
        char = self._peek()
        if not char:
            raise self._refused("it ends too early")
        self._at += 1
        return char

    def _accept(self, text: str) -> bool:
        found = self._pattern.startswith(text, self._at)
        if found:
            self._at += len(text)
        return found

    def _refused(self, why: str) -> UnsupportedPattern:
        return UnsupportedPattern(f"the pattern {self._pattern!r} is not understood: {why}")

    def alternatives(self) -> _Piece:
        """Read alternatives up to the end of the group or of the expression."""
        branches = [self._sequence()]
        while self._accept("|"):
            branches.append(self._sequence())
        return lambda v: branches[v.shift % len(branches)](v)

    def _sequence(self) -> _Piece:
        pieces: list[_Piece] = []
        while self._peek() not in ("", "|", ")"):
            pieces.append(self._quantified(self._atom()))
        return lambda v: "".join(piece(v) for piece in pieces)

    def _atom(self) -> _Piece:
        char = self._take()
        match char:
            case "^" | "$":
                return lambda v: ""
            case ".":
                return _one_of(_WORD)
            case "[":
                return _one_of(self._char_class())
            case "(":
                return self._group()
            case "\\":
                return self._escape()
            case "*" | "+" | "?":
                raise self._refused(f"nothing stands before {char!r}")
            case _:
                return lambda v: char

    def _group(self) -> _Piece:
        if self._accept("?"):
            named = self._accept("P<") or (self._accept("<") and self._peek() not in ("=", "!"))
            if named:
                while self._take() != ">":
                    pass
            elif not self._accept(":"):
                raise self._refused("it looks around or sets flags")
        piece = self.alternatives()
        if not self._accept(")"):
            raise self._refused("a group is not closed")
        return piece

    def _escape(self) -> _Piece:
        char = self._take()
        if char in _CLASSES:
            return _one_of(_CLASSES[char])
        if char in "AZbBz":
            return lambda v: ""
        if char.isdigit():
            raise self._refused("it refers back to a group")
        literal = self._escaped(char)
        return lambda v: literal

    def _escaped(self, char: str) -> str:
        digits = {"x": 2, "u": 4}.get(char)
        if digits is None:
            return _CONTROL.get(char, char)
        return chr(int("".join(self._take() for _ in range(digits)), 16))

    def _char_class(self) -> str:
        negated = self._accept("^")
        chars = ""
        first = True
        while first or self._peek() != "]":
            first = False
            low = self._class_member()
            if len(low) == 1 and self._peek() == "-" and self._pattern[self._at + 1 :][:1] != "]":
                self._take()
                high = self._class_member()
                chars += "".join(chr(code) for code in range(ord(low), ord(high) + 1))
            else:
                chars += low
        self._take()
        if negated:
            chars = "".join(char for char in _WORD + _PRINTABLE if char not in chars)
        if not chars:
            raise self._refused("a class is empty")
        return chars

    def _class_member(self) -> str:
        char = self._take()
        if char != "\\":
            return char
        char = self._take()
        return _CLASSES[char] if char in _CLASSES else self._escaped(char)

    def _quantified(self, piece: _Piece) -> _Piece:
        least, most = self._bounds()
        if (least, most) == (1, 1):
            return piece

        def repeated(v: _Variation) -> str:
            times = least + v.extra
            return piece(v) * (times if most is None else min(times, most))

        return repeated

    def _bounds(self) -> tuple[int, int | None]:
        """Read a quantifier: its least and greatest number of repetitions, None for no end."""
        bounds: tuple[int, int | None] = (1, 1)
        if self._accept("*"):
            bounds = (0, None)
        elif self._accept("+"):
            bounds = (1, None)
        elif self._accept("?"):
            bounds = (0, 1)
        elif found := re.compile(r"\{(\d*)(,?)(\d*)\}").match(self._pattern, self._at):
            self._at = found.end()
            low, comma, high = found.groups()
            least = int(low or 0)
            bounds = (least, (int(high) if high else None) if comma else least)
        else:
            return bounds
        _ = self._accept("?") or self._accept("+")
        return bounds


def _one_of(chars: str) -> _Piece:
    return lambda v: chars[v.shift % len(chars)]
