"""What a rehearsal would like to put into the properties of a schema, judging by their names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from agentgraph.models.instances import Schema
from agentgraph.models.word_overlap import relatedness, stems

__all__ = ["REHEARSAL_NOTICE", "Wishes"]

REHEARSAL_NOTICE: Final = "[rehearsal: no language model is at work]"
"""What every text of a rehearsal begins with."""

_POSITIVE: Final = stems(
    "ok okay allowed approved valid safe appropriate relevant passed acceptable correct success"
)
_PROSE: Final = stems(
    "answer comment content description explanation feedback message note output rationale reason"
    " reasoning reply response result summary text thought"
)
_NUMBERED: Final = stems("id number no code reference account order invoice ticket")
_USER_WORDS: Final = stems("input query prompt message text request task topic search content body")


class Wishes:
    """What a rehearsal would like to put into a property, judging by the property's name."""

    def __init__(self, said: str) -> None:
        self._said = said
        self._numbers = [float(number) for number in re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?", said)]
        self._numerals = re.findall(r"(?<![\w.])\d+(?![\w.]*\w)", said)
        # Names are the capitalised words that do not begin a sentence, and whatever has a digit in
        # it.
        self._names = re.findall(r"(?<=[\w,] )(?!I\b)[A-Z][\w-]+|\b[A-Za-z-]+\d[\w-]*", said)

    def __call__(self, name: str, schema: Schema) -> Iterator[Any]:
        words = stems(name)
        if choices := schema.get("enum"):
            mentioned = self._said.lower()
            yield from (choice for choice in choices if str(choice).lower() in mentioned)
            return
        match schema.get("type"):
            case "boolean":
                about = f"{name} {schema.get('description', '')}"
                negated = "not" in name.lower().split("_")
                yield bool(words & _POSITIVE and not negated) or relatedness(self._said, about) > 0
            case "integer" | "number" if self._numbers:
                number = self._numbers.pop(0)
                yield int(number) if number.is_integer() else number
            case "string" if "pattern" in schema:
                yield from re.findall(r"\w[\w-]*", self._said)
            case "string" if words & _USER_WORDS:
                if self._said:
                    yield self._said
            case "string" if words & _NUMBERED and not self._names and self._numerals:
                yield self._numerals.pop(0)
            case "string" if words & _PROSE:
                yield f"{REHEARSAL_NOTICE} {name}"
            case "string":
                yield self._names.pop(0) if self._names else name
