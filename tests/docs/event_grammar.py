"""The grammar of stream events, read from docs/streaming.md and docs/workflows.md and turned into a
regular expression. The rules of docs/workflows.md hold for workflows with edges, in place of rules
with the same name.

Only what that grammar uses of EBNF is understood: quoted words, names, ``,`` ``|`` ``{}`` ``[]``
and ``()``. The grammar is regular: no rule reaches itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from tests.docs.markdown_blocks import blocks_of

DOCUMENTS = Path(__file__).resolve().parents[2] / "docs"
_TOKEN = re.compile(r'"(?P<word>[^"]+)"|(?P<name>[a-z][a-z ]*[a-z])|(?P<mark>[,|{}\[\]()])')
_MARKS = {"{": "(?:", "}": ")*", "[": "(?:", "]": ")?", "(": "(?:", ")": ")", ",": "", "|": "|"}


def rules(page: str) -> dict[str, str]:
    """The rules of the grammar of a page by name."""
    [block] = blocks_of(DOCUMENTS / page, "ebnf")
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


def is_word(names: Iterable[str], *, edges: bool = False) -> bool:
    """Whether a sequence of event names is a finished run according to the documents.

    Args:
        names: The names.
        edges: Whether it is a run of a workflow with edges.
    """
    grammar = rules("streaming.md") | (rules("workflows.md") if edges else {})
    text = "".join(f"{name} " for name in names)
    return re.fullmatch(expression_of("run", grammar), text) is not None
