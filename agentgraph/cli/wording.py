"""How calls and long texts are written for a person, in runs and in stored sessions alike."""

from __future__ import annotations

import json

__all__ = ["shortened", "written_call"]


def written_call(name: str, arguments: object) -> str:
    """A call as Python would write it, where the arguments are what they should be.

    Args:
        name: The tool or handoff.
        arguments: The arguments as the model wrote them, a JSON text.
    """
    try:
        given = json.loads(str(arguments or "{}"))
    except ValueError:
        given = None
    if not isinstance(given, dict):
        return f"{name} {arguments}"
    written = (f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in given.items())
    return f"{name}({', '.join(written)})"


def shortened(text: str, most: int) -> str:
    """The beginning of a text, and how much more there is.

    Args:
        text: The text.
        most: How many of its characters are written.
    """
    if len(text) <= most:
        return text
    return f"{text[:most]}… (and {len(text) - most:,} characters more)"
