"""Keywords that the library does not have, read from the syntax tree.

Python refuses a call with such a keyword, which would end the loading of the file. So the keyword
is reported and left out before the file runs, and the rest of the file is checked as well.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Collection
from difflib import get_close_matches
from functools import cache
from typing import Final

import agentgraph
from agentgraph.authoring.mistakes import unknown_keyword
from agentgraph.cli.capture.imported_names import LibraryNames
from agentgraph.cli.capture.source import SourceText
from agentgraph_compiler.diagnostics import Diagnostic, Fix, Origin, Renaming

__all__ = ["without_unknown_keywords"]


_OF_ABSENT_PARTS: Final = {("RunConfig", "sandbox"): "sandboxes"}
"""Keywords that belong to a part of the SDK that is not here."""


def without_unknown_keywords(
    source: SourceText, names: LibraryNames, absent: Collection[str] = ()
) -> list[Diagnostic]:
    """Report the keywords of a file that the library does not have, and take them out of its tree.

    Args:
        source: The file; its syntax tree is changed.
        names: The library's names in it.
        absent: The parts of the SDK about which a finding says that they are not here.
    """
    findings = []
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call) or not node.keywords:
            continue
        name = names.public_name(node.func)
        accepted = _keywords_of(name) if name else None
        if accepted is None:
            continue
        unknown = [one for one in node.keywords if one.arg and one.arg not in accepted]
        free = accepted - {one.arg for one in node.keywords}
        findings += [
            _finding(str(name), one, free, source.file)
            for one in unknown
            if _OF_ABSENT_PARTS.get((str(name), str(one.arg))) not in absent
        ]
        node.keywords = [one for one in node.keywords if one not in unknown]
    return findings


def _finding(name: str, keyword: ast.keyword, free: frozenset[str], file: str) -> Diagnostic:
    """The finding about a keyword, of a call that could still take others."""
    word, origin = str(keyword.arg), Origin(file, keyword.lineno)
    close = get_close_matches(word, sorted(free), n=2)
    rename = (
        Fix(f"rename '{word}' to '{close[0]}'", (Renaming(origin, word, close[0]),))
        if len(close) == 1
        else None
    )
    return Diagnostic(
        unknown_keyword.RULE,
        f"{name}() has no argument '{word}'",
        origin,
        help=f"did you mean '{close[0]}'?" if close else "",
        fix=rename,
    )


@cache
def _keywords_of(name: str) -> frozenset[str] | None:
    """The keywords that a public name takes; `None` if it takes any, or is not known."""
    value: object = agentgraph
    try:
        for part in name.split("."):
            value = getattr(value, part)
        if not callable(value):
            return None
        parameters = inspect.signature(value).parameters.values()
    except (AttributeError, TypeError, ValueError, ImportError):
        return None
    names: set[str] = set()
    for parameter in parameters:
        if parameter.kind is parameter.VAR_KEYWORD:
            group = _group_of(value, parameter)
            if group is None:
                return None
            names.update(group)
        elif parameter.kind is not parameter.POSITIONAL_ONLY:
            names.add(parameter.name)
    return frozenset(names)


def _group_of(function: object, parameter: inspect.Parameter) -> Collection[str] | None:
    """The keywords of `**options: Unpack[Options]`; `None` if it takes any."""
    group = _GROUP.fullmatch(str(parameter.annotation))
    if group is None:
        return None
    declared: object = getattr(function, "__globals__", {}).get(group[1])
    return getattr(declared, "__annotations__", None)


_GROUP: Final = re.compile(r"Unpack\[(\w+)\]")
