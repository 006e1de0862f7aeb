"""Calls and long texts as a person reads them, in runs and in stored sessions alike."""

from __future__ import annotations

import json

__all__ = ["shortened", "written_call"]


def written_call(name: str, arguments: object) -> str:
    """A call in Python's notation; if the arguments are not a JSON object, they follow as they are.

    Args:
        name: The tool or handoff.
        arguments: The arguments as the model wrote them, a JSON text.
    """
    try:
        values = json.loads(str(arguments or "{}"))
    except ValueError:
        values = None
    if not isinstance(values, dict):
        return f"{name} {arguments}"
    pairs = (f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in values.items())
    return f"{name}({', '.join(pairs)})"


def shortened(text: str, most: int) -> str:
    """The beginning of a text, and the number of characters left out.

    Args:
        text: The text.
        most: The most characters of it to write.
    """
    if len(text) <= most:
        return text
    return f"{text[:most]}… (and {len(text) - most:,} characters more)"
