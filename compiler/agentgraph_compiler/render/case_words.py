"""Cases of routes in words."""

from __future__ import annotations

import re

_ALWAYS, _OTHERS = "always", "others"
_INTERVAL = re.compile(r"(<=|>=)?(-?\d+)(?:\.\.(-?\d+))?")


def case_words(label: str) -> str:
    """The label of a case as a reader says it: ``up to 999`` for ``<=999``; none for the only way
    out of a step."""
    if label in (_ALWAYS, _OTHERS):
        return "" if label == _ALWAYS else "otherwise"
    interval = _INTERVAL.fullmatch(label)
    if interval is None:
        return label
    sign, number, most = interval.groups()
    if most is not None:
        return f"{number} to {most}"
    return {"<=": f"up to {number}", ">=": f"{number} and above"}.get(sign, label)


def rounds_words(rounds: int) -> str:
    """How often a run may take a case."""
    return "at most once" if rounds == 1 else f"at most {rounds} times"


def after_words(rounds: int) -> str:
    """When a run has taken a case as often as it may."""
    return f"after {rounds} time{'s' if rounds > 1 else ''}"


def with_remark(words: str, *remarks: str) -> str:
    """A case with what holds for it: ``false (at most 3 times)``."""
    remark = ", ".join(word for word in remarks if word)
    return f"{words} ({remark})" if words and remark else words or remark
