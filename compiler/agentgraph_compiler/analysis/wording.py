"""The words of texts that models read, reduced so that a check can compare them.

A stem is the beginning of a word in lower case, without the endings of English plurals and verb
forms: ``refunds``, ``refunding`` and ``refunded`` have one stem.
"""

from __future__ import annotations

import re
from collections.abc import Set
from functools import lru_cache
from typing import Final

_WORD: Final = re.compile(r"[^\W_]+")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ENDING: Final = re.compile(r"(?:ations?|ing|ed|ions?|ment|ies|es|s|e|y)$")
_DOUBLED: Final = re.compile(r"([bdgklmnprt])\1$")
_SHORTEST: Final = 3
"""The fewest letters of a stem: shorter words have no ending to lose."""
_LONGEST: Final = 6
"""The most letters of a stem, so that ``translator`` and ``translation`` have one."""
_INSIGNIFICANT: Final = re.compile(
    "an?|agents?|and|another|any|appropriate|assistants?|at|available|back|best|bot|by|colleagues?"
    "|correct|corresponding|dedicated|experts?|for|from|handoff|handler|her|him|his|in|its?|main"
    "|matching|new|next|of|on|one|or|original|other|our|previous|proper|relevant|right|same"
    "|speciali[sz]ed|specialists?|sub|suitable|team|that|the|them|their|then|these|this|those|to"
    "|tool|us|user|we|who|with|you|your"
)
"""Words that say nothing about which agent is meant."""


def words(text: str) -> list[str]:
    """The words of a text or a name, in lower case; ``camelCase`` and ``snake_case`` are parted."""
    return _WORD.findall(_CAMEL.sub(" ", text).lower())


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """The beginning of a word, without its ending."""
    shorter = _DOUBLED.sub(r"\1", _ENDING.sub("", word))
    return (shorter if len(shorter) >= _SHORTEST else word)[:_LONGEST]


def stems(text: str) -> frozenset[str]:
    """The stems of all words of a text."""
    return frozenset(map(stem, words(text)))


def significant(text: str) -> frozenset[str]:
    """The stems of the words of a name or phrase that say which agent is meant."""
    return frozenset(stem(word) for word in words(text) if not _INSIGNIFICANT.fullmatch(word))


def mentions(stems_of_text: Set[str], name: str) -> bool:
    """Whether a text has every significant word of a name.

    Args:
        stems_of_text: The stems of the text.
        name: The name of an agent.
    """
    stems_of_name = significant(name)
    return bool(stems_of_name) and stems_of_name <= stems_of_text
