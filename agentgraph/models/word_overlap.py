"""How closely two texts are related, judged by their words alone.

A rehearsal uses this instead of a language model. It handles plurals, `-ing`, stop words and a few
everyday subjects. It is deterministic and claims nothing more.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

__all__ = ["relatedness", "stems"]

_WORD: Final = re.compile(r"[^\W\d_]+")
_ARITHMETIC: Final = re.compile(r"\d\s*[-+*/×÷^=]\s*\d")


def _word_set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_STOP_WORDS: Final = _word_set(
    "a about agent all also an and any are as ask at be been but by can could did do does for"
    " from get give hand handle handoff has have he help her him his how i if in into is it"
    " its just let like me more my need no not of on or our out please provide question"
    " request respond send she should so some specialist specialise specialize tell than that"
    " the their them then there these they this to transfer up us use user want was we were"
    " what when where which who whose why will with would you your"
)

_SUBJECTS: Final = tuple(
    _word_set(words)
    for words in (
        # Subjects of school: a question about one of them is likely to be homework.
        "history historical past president king queen emperor empire war revolution century"
        " ancient medieval independence constitution treaty dynasty nation country capital"
        " civilization",
        "math maths mathematic mathematics mathematical algebra geometry calculus equation solve"
        " sum integral derivative add plus minus subtract multiply times divide square root"
        " fraction percent triangle arithmetic",
        "science scientific physics chemistry biology atom molecule cell gravity photosynthesis"
        " planet",
        "literature novel poem poet author essay grammar shakespeare",
        # Subjects of everyday services.
        "billing bill invoice charge payment pay refund price cost subscription money",
        "travel flight fly plane airline seat booking book airport ticket baggage luggage trip"
        " hotel",
        "weather rain rainy sun sunny snow temperature forecast wind umbrella",
        "technical error crash bug broken install login password reset device troubleshoot",
        "shipping order package delivery deliver ship track parcel",
        "language translate translation translator spanish french german english italian japanese",
    )
)
_SCHOOL_SUBJECTS: Final = 4
_SCHOOL: Final = _word_set("homework assignment exercise school study lesson")

_SAME_SUBJECT = 0.5
"""The score of two different words of one subject; the same word scores one."""


@lru_cache(maxsize=1024)
def stems(text: str) -> frozenset[str]:
    """Return the stems of a text's words, without stop words.

    Args:
        text: A sentence, or a name such as `get_weather` or `isHomework`.

    Returns:
        The stems in lower case, without plural and `-ing` endings.
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    words = {word.lower() for word in _WORD.findall(spaced)}
    result = {_stem(word) for word in words if word not in _STOP_WORDS and len(word) > 1}
    if _ARITHMETIC.search(text):
        result.add("arithmetic")
    return frozenset(result - _STOP_WORDS)


def relatedness(message: str, about: str) -> float:
    """Score how closely a message relates to a name or description.

    Args:
        message: A person's message.
        about: A name or description.

    Returns:
        One for each word of `message` that `about` contains, plus a half for each other word that
        belongs to a subject of `about`; zero if they share nothing.
    """
    targets = stems(about)
    subjects = _subjects(targets)
    score = 0.0
    for word in stems(message):
        if word in targets:
            score += 1.0
        elif subjects & _subjects(frozenset((word,))):
            score += _SAME_SUBJECT
    return score


@lru_cache(maxsize=1024)
def _subjects(words: frozenset[str]) -> frozenset[int]:
    """Return the numbers of the words' subjects; a word about school has all school subjects."""
    subjects = {number for number, subject in enumerate(_STEMMED_SUBJECTS) if subject & words}
    if words & _SCHOOL:
        subjects.update(range(_SCHOOL_SUBJECTS))
    return frozenset(subjects)


def _stem(word: str) -> str:
    for ending, replacement in (("ies", "y"), ("sses", "ss"), ("ing", ""), ("s", "")):
        rest = word.removesuffix(ending)
        if rest != word and len(rest) > 2 and not rest.endswith("s"):
            return rest + replacement
    return word


_STEMMED_SUBJECTS: Final = tuple(
    frozenset(_stem(word) for word in subject) for subject in _SUBJECTS
)
