"""The look of a picture that several back ends share: colours, marks and samples of arrows."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from agentgraph_compiler.render.picture import Cover, Mark, Meaning, Role, Stroke, Tone

INK, SOFT, PALE = "#1e293b", "#64748b", "#b6c0cc"
GREEN, RED, AMBER, VIOLET = "#2f9e58", "#d64545", "#a16207", "#7c4fe0"
TEAL = "#0f766e"

FILL_AND_EDGE: Mapping[Role, tuple[str, str]] = {
    Role.START: ("#1e293b", "#1e293b"),
    Role.ENTRY: ("#dbe8ff", "#2f6fe4"),
    Role.AGENT: ("#f5f9ff", "#5b8def"),
    Role.TOOL: ("#f6f2ff", "#8b5cf6"),
    Role.CODE: ("#ffffff", "#8b5cf6"),
    Role.OUTSIDE: ("#ffffff", "#94a3b8"),
    Role.FUNCTION: ("#eefbf9", "#14958a"),
    Role.QUESTION: ("#fff1f5", "#c2417c"),
    Role.BRANCHES: ("#fdf7e8", "#a16207"),
    Role.END: ("#e4f7ea", "#2f9e58"),
    Role.GUARDRAIL: ("#fff8e6", "#e0a93b"),
    Role.STATE: ("#ffffff", "#94a3b8"),
    Role.DONE: ("#e4f7ea", "#2f9e58"),
    Role.BLOCKED: ("#fdeaea", "#d64545"),
    Role.EXHAUSTED: ("#f1f3f6", "#7b8794"),
    Role.FAILED: ("#fdeaea", "#d64545"),
}
DASHED_BOXES = frozenset({Role.CODE, Role.OUTSIDE})
PILLS = frozenset({Role.START, Role.END, Role.DONE, Role.BLOCKED, Role.EXHAUSTED, Role.FAILED})
"""Boxes that are small and round: where a run begins and ends."""
SQUARE_BOXES = frozenset({Role.FUNCTION, Role.BRANCHES})
CUT_BOXES = frozenset({Role.QUESTION})
"""Boxes with cut corners: where a run stops for a person."""

INK_OF_TONE: Mapping[Tone, str] = {
    Tone.PLAIN: INK,
    Tone.GUARDRAIL: AMBER,
    Tone.OFF: "#94a3b8",
    Tone.ERROR: RED,
    Tone.WARNING: "#c2570c",
    Tone.NOTE: "#0e7490",
}
SIGN_OF_TONE: Mapping[Tone, str] = {
    Tone.GUARDRAIL: "◆",
    Tone.ERROR: "✖",
    Tone.WARNING: "▲",
    Tone.NOTE: "●",
}
SIGN_OF_MARK: Mapping[Mark, str] = {Mark.ENDS: "◉", Mark.MAY_END: "◎", Mark.STUCK: "⊘"}
INK_OF_MARK: Mapping[Mark, str] = {Mark.ENDS: GREEN, Mark.MAY_END: GREEN, Mark.STUCK: RED}
SIGN_OF_STROKE: Mapping[Stroke, str] = {
    Stroke.SOLID: "→",
    Stroke.DASHED: "┄▸",
    Stroke.OFF: "┄┤",
    Stroke.CALL: "•→",
    Stroke.SOMETIMES_CALL: "•┄▸",
    Stroke.BRANCH: "╌▸",
    Stroke.RETURNING: "→↩",
    Stroke.SOMETIMES_RETURNING: "┄▸↩",
    Stroke.CODE: "··▸",
    Stroke.EDGE: "⇒",
    Stroke.CATCH: "┄⇒",
    Stroke.FAINT: "→",
    Stroke.EACH: "━▸",
}
INK_OF_STROKE: Mapping[Stroke, str] = {
    Stroke.SOLID: "#475569",
    Stroke.DASHED: "#475569",
    Stroke.OFF: PALE,
    Stroke.CALL: VIOLET,
    Stroke.SOMETIMES_CALL: VIOLET,
    Stroke.BRANCH: "#a16207",
    Stroke.RETURNING: "#475569",
    Stroke.SOMETIMES_RETURNING: "#475569",
    Stroke.CODE: VIOLET,
    Stroke.EDGE: TEAL,
    Stroke.CATCH: TEAL,
    Stroke.FAINT: PALE,
    Stroke.EACH: "#475569",
}
FILL_AND_INK_OF_COVER: Mapping[Cover, tuple[str, str]] = {
    Cover.COVERED: ("#e4f7ea", "#1f7a43"),
    Cover.PARTLY: ("#fff3d6", AMBER),
    Cover.MISSING: ("#fdeaea", "#c03434"),
    Cover.EXCUSED: ("#f4f6f8", "#8793a3"),
}
SIGN_OF_COVER: Mapping[Cover, str] = {
    Cover.COVERED: "✓",
    Cover.PARTLY: "◐",
    Cover.MISSING: "✗",
    Cover.EXCUSED: "·",
}


def printable(text: str) -> str:
    """A text as one line: a space for each character that is no letter, sign or mark, among them
    controls and overrides of the direction."""
    return "".join(char if _is_shown(char) else " " for char in text)


def _is_shown(char: str) -> bool:
    # An emoji of several people, and the letters of some scripts, need the joiners between them.
    return char.isprintable() or char in "\u00a0\u200c\u200d"


def columns(text: str) -> int:
    """The width of a text in columns of a terminal."""
    return sum(map(_columns, text))


def _columns(char: str) -> int:
    if unicodedata.combining(char) or char in "\u200c\u200d\ufe0f":
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def sample_of(meaning: Meaning) -> tuple[str, str]:
    """A sign and its colour, for a legend; the sign is empty for text that is crossed out."""
    if isinstance(meaning, Role):
        return "▢" if meaning in DASHED_BOXES else "■", FILL_AND_EDGE[meaning][1]
    if isinstance(meaning, Stroke):
        return SIGN_OF_STROKE[meaning], INK_OF_STROKE[meaning]
    if isinstance(meaning, Mark):
        return SIGN_OF_MARK[meaning], INK_OF_MARK[meaning]
    if isinstance(meaning, Cover):
        return SIGN_OF_COVER[meaning], FILL_AND_INK_OF_COVER[meaning][1]
    return SIGN_OF_TONE.get(meaning, ""), INK_OF_TONE[meaning]
