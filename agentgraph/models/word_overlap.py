"""How much two texts have to do with each other, judged by their words alone.

This is what a rehearsal has instead of a language model. It knows plurals, `-ing`, words that say
nothing, and a few everyday subjects; it is deterministic and makes no claim beyond that.
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
"""What two different words of one subject count, where the same word counts one."""


@lru_cache(maxsize=1024)
def stems(text: str) -> frozenset[str]:
    """Return the stems of the words of a text that say what it is about.

    Args:
        text: A sentence, or a name such as `get_weather` or `isHomework`.

    Returns:
        Lower-case stems without plural and `-ing` endings, without words that carry no subject.
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    words = {word.lower() for word in _WORD.findall(spaced)}
    found = {_stem(word) for word in words if word not in _STOP_WORDS and len(word) > 1}
    if _ARITHMETIC.search(text):
        found.add("arithmetic")
    return frozenset(found - _STOP_WORDS)


def relatedness(said: str, about: str) -> float:
    """Judge how much what was said has to do with what something is about.

    Args:
        said: What a person said.
        about: A name or description.

    Returns:
        One for each word of `said` that stands in `about`, half of one for each that belongs to a
        subject of `about`; zero if they share nothing.
    """
    targets = stems(about)
    subjects = _subjects(targets)
    score = 0.0
    for word in stems(said):
        if word in targets:
            score += 1.0
        elif subjects & _subjects(frozenset((word,))):
            score += _SAME_SUBJECT
    return score


@lru_cache(maxsize=1024)
def _subjects(words: frozenset[str]) -> frozenset[int]:
    """Return the numbers of the subjects that words belong to; school stands for all of its own."""
    found = {number for number, subject in enumerate(_STEMMED_SUBJECTS) if subject & words}
    if words & _SCHOOL:
        found.update(range(_SCHOOL_SUBJECTS))
    return frozenset(found)


def _stem(word: str) -> str:
    for ending, replacement in (("ies", "y"), ("sses", "ss"), ("ing", ""), ("s", "")):
        rest = word.removesuffix(ending)
        if rest != word and len(rest) > 2 and not rest.endswith("s"):
            return rest + replacement
    return word


_STEMMED_SUBJECTS: Final = tuple(
    frozenset(_stem(word) for word in subject) for subject in _SUBJECTS
)
