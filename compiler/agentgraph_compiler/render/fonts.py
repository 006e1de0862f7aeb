"""Letters that no font of this machine has: a picture made here shows a box in place of each."""

from __future__ import annotations

import subprocess
import unicodedata
from collections.abc import Iterable

_LATIN = 0x24F
_MOST_SCRIPTS = 12
_SECONDS = 5.0


def without_font(texts: Iterable[str]) -> str:
    """Letters without a font, one of each script.

    Args:
        texts: The texts of a picture.

    Returns:
        The letters; empty if there are none, or if this machine cannot list its fonts.
    """
    samples: dict[str, str] = {}
    for char in "".join(texts):
        if ord(char) > _LATIN and char.isprintable():
            samples.setdefault(_script(char), char)
    return "".join(char for char in list(samples.values())[:_MOST_SCRIPTS] if not _has_font(char))


def _script(char: str) -> str:
    """The first word of a letter's name (`CYRILLIC`, `CJK`), or the category of another sign."""
    if char.isalpha():
        return unicodedata.name(char, "").partition(" ")[0].partition("-")[0]
    return unicodedata.category(char)


def _has_font(char: str) -> bool:
    command = ["fc-list", f":charset={ord(char):x}", "family"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return True
    return done.returncode != 0 or bool(done.stdout.strip())
