"""What English instructions tell an agent to do: to hand a conversation over, and to call tools.

The reading is narrow on purpose. It takes orders (*transfer to the billing agent*, *you must
escalate to a human*), and passes over what is denied (*do not transfer*), what the user may do (*if
the user asks to transfer*), and talk about others (*the desk transfers calls*).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

_SENTENCE: Final = re.compile(r"[^.!?;\n]+")
_TOKEN: Final = re.compile(r"[\w'’]+|[,:()*#\-–—]")
_STRONG: Final = "transfer|handoff|hand[ -](?:off|over|back)|hand|escalate|delegate|redirect|route"
_WEAK: Final = "send|pass|forward|connect|direct"
_TARGET: Final = re.compile(
    r"(?P<object>(?:\s+[\w'’\-/]+){0,7}?)\s+to\s+(?P<target>[^,:()\n]{1,60})", re.I
)
_ENDS_TARGET: Final = re.compile(
    r"\s+(?:if|when|whenever|for|and|or|so|who|which|that|with|via|using|by|unless|because|as|after"
    r"|before|in|on|once|immediately|directly|where|while|to|without|at|instead|about|rather)\b(?!-)"
    r"|\s+[-–—]|[\"“”*]",
    re.I,
)
_BEFORE: Final = re.compile(
    r"[,:()*#\-–—]|then|and|or|please|always|immediately|just|simply|directly|instead|also|\d+|must"
    r"|should|can|will|may|could|to|politely|promptly|do|only"
)
_MODAL: Final = re.compile(r"must|should|can|will|may|could")
_WISH: Final = re.compile(
    r"ask(s|ed|ing)?|want(s|ed|ing)?|wish(es)?|request(s|ed|ing)?|likes?|needs|prefers?|demands?"
    r"|insists?|how|tr(y|ies)|attempts?|refuses?|able|allowed|permitted|decides?|says?"
)
_DENIAL: Final = re.compile(
    r"not|never|cannot|without|avoid|no|unable|rather|instead of|nor|neither|\w+n['’]t|impossible"
)
_FAR: Final = 200
"""The most characters before a verb that say what it means."""
_DENIED_WITHIN: Final = 6
"""The most words between a denial and the verb that it denies."""
_AGENT: Final = re.compile(r"\b(agents?|assistants?|specialists?)\b", re.I)
_PERSON: Final = re.compile(
    r"\b(humans?|representatives?|reps?|teams?|departments?|supervisors?|managers?|desk|operators?"
    r"|persons?|people|staff|colleagues?|tutors?|experts?|support|triage)\b",
    re.I,
)
_GOODS: Final = re.compile(
    r"\b(money|funds?|amounts?|balances?|payments?|files?|data|ownership|files|emails?|e-mails?"
    r"|messages?|links?|reports?|copy|copies|summary|invoices?|\$\d+|euros?|dollars?)\b",
    re.I,
)
_NAME: Final = r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+"
_CALL: Final = re.compile(
    rf"\b(?:call|calling|invoke|invoking)\s+(?:the\s+)?[`'\"]?(?P<called>{_NAME})\b(?!<)"
    rf"|\b(?P<transfer>transfer_to_[A-Za-z0-9_]*[A-Za-z0-9])\b(?![<{{…])"
    rf"|(?P<kind>`[A-Za-z]\w*`|\b{_NAME})(?:\(\))?[`'\"]?\s+(?:tool|function|handoff)\b"
    rf"|\buse\s+(?:the\s+)?[`'\"]?(?P<used>{_NAME})\b(?!<)",
    re.I,
)
_KIND: Final = re.compile(r"[`'\"]?\s+(?:tool|function|handoff)\b")


@dataclass(frozen=True, slots=True)
class Handover:
    """An order to hand a conversation over.

    Args:
        sentence: The sentence with the order.
        target: The words for whom it should go to.
        is_person: Whether the words may mean people, whom an agent reaches by any kind of tool.
        is_return: Whether it should go back to where it came from.
    """

    sentence: str
    target: str
    is_person: bool
    is_return: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A name that instructions use as that of a tool.

    Args:
        name: The name.
        is_certain: Whether the instructions say that it is a tool; otherwise it may be the name of
            something else, such as a field.
    """

    name: str
    is_certain: bool


def handovers(text: str, verbs: Sequence[str] = ()) -> Iterator[Handover]:
    """The orders to hand a conversation over, in time linear in the text.

    Args:
        text: The instructions of an agent.
        verbs: Further words that give such an order.
    """
    pattern = _verb(tuple(verbs))
    if pattern.search(text) is None:
        return  # most instructions
    for sentence in _SENTENCE.finditer(text.replace("*", "")):
        for verb in pattern.finditer(sentence.group()):
            handover = _handover(sentence.group(), verb)
            if handover is not None:
                yield handover


def calls(text: str) -> Iterator[Call]:
    """The names that instructions use as those of tools, in time linear in the text.

    Args:
        text: The instructions of an agent.
    """
    for match in _CALL.finditer(text):
        kind = match.lastgroup or ""
        name = match.group(kind).strip("`")
        is_tool = name.startswith("transfer_to_") or _KIND.match(text, match.end()) is not None
        yield Call(name, is_tool or kind != "used")


@cache
def _verb(further: tuple[str, ...]) -> re.Pattern[str]:
    """What finds the verbs of orders to hand over."""
    strong = "|".join((_STRONG, *map(re.escape, further)))
    return re.compile(rf"\b(?:(?P<strong>{strong})|(?P<weak>{_WEAK}))\b(?![-_(])", re.I)


def _handover(sentence: str, verb: re.Match[str]) -> Handover | None:
    match = _TARGET.match(sentence, verb.end())
    if match is None or not _is_order(sentence[max(0, verb.start() - _FAR) : verb.start()]):
        return None
    if _GOODS.search(match["object"]):
        return None
    target = _ENDS_TARGET.split(match["target"], maxsplit=1)[0].strip(" '’`")
    if agent := _AGENT.search(target):
        target = target[: agent.end()]
    named = bool(re.search(r"(?:^|the )[A-Z]", target)) and verb["strong"] is not None
    is_person = verb["strong"] is not None and _PERSON.search(target) is not None
    if agent is None and not is_person and not named:
        return None
    around = sentence[max(0, verb.start() - _FAR) : match.end()]
    is_return = "back" in f"{verb.group()} {match['object']}".lower().split()
    return Handover(" ".join(around.split()), target, is_person, is_return)


def _is_order(before: str) -> bool:
    """Whether the words before a verb make it an order to the reader."""
    tokens = _TOKEN.findall(before.lower())
    clause = _TOKEN.findall(re.split(r"[,:]", before.lower())[-1])
    if any(map(_DENIAL.fullmatch, clause[-_DENIED_WITHIN:])):
        return False
    if not tokens:
        return True
    last, earlier = tokens[-1], tokens[-2] if len(tokens) > 1 else ""
    if not _BEFORE.fullmatch(last):
        return False
    if last == "to":
        return _WISH.fullmatch(earlier) is None
    return earlier == "you" if _MODAL.fullmatch(last) else True
