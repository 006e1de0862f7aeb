"""The grammar of stream events, read from docs/streaming.md and turned into a regular expression.

Only what that grammar uses of EBNF is understood: quoted words, names, ``,`` ``|`` ``{}`` ``[]``
and ``()``. The grammar is regular: no rule reaches itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from tests.docs.markdown_blocks import blocks_of

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "streaming.md"
_TOKEN = re.compile(r'"(?P<word>[^"]+)"|(?P<name>[a-z][a-z ]*[a-z])|(?P<mark>[,|{}\[\]()])')
_MARKS = {"{": "(?:", "}": ")*", "[": "(?:", "]": ")?", "(": "(?:", ")": ")", ",": "", "|": "|"}


def rules() -> dict[str, str]:
    """The rules of the grammar by name."""
    [block] = blocks_of(DOCUMENT, "ebnf")
    results = {}
    for rule in block.text.split(";"):
        name, equals, expression = rule.partition("=")
        if equals:
            results[name.strip()] = " ".join(expression.split())
    return results


def expression_of(rule: str, grammar: dict[str, str]) -> str:
    """The regular expression of a rule over words that end with a space each."""

    def translated(match: re.Match[str]) -> str:
        if match["word"]:
            return re.escape(f"{match['word']} ")
        if match["name"]:
            return f"(?:{expression_of(match['name'], grammar)})"
        return _MARKS[match["mark"]]

    return "".join(map(translated, _TOKEN.finditer(grammar[rule])))


def is_word(names: Iterable[str]) -> bool:
    """Whether a sequence of event names is a finished run according to the document."""
    text = "".join(f"{name} " for name in names)
    return re.fullmatch(expression_of("run", rules()), text) is not None
