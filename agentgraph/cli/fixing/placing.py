"""From a fix to edits of the text: where a call stands, and how an argument is added to it.

A fix that has no unmistakable place, such as an agent whose name is computed, has no edits.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar, assert_never

from agentgraph.cli.fixing.source import Edit, SourceFile
from agentgraph_compiler.diagnostics import Change, NewArgument, NewHandoff, Origin, Renaming

__all__ = ["edits_of"]

T = TypeVar("T")

_NEXT_ELEMENT = re.compile(r"(?:\s|#[^\n]*\n)*[,\]]")
_ONLY_COMMA = re.compile(r"[ \t]*(?P<comma>,?)[ \t]*(?:#.*)?$")


def edits_of(source: SourceFile, change: Change) -> list[Edit] | None:
    """The edits that make a change.

    Args:
        source: The file at the origin of the change.
        change: The change.

    Returns:
        The edits; `None` if the file has no place for it, or several.
    """
    match change:
        case Renaming(argument=""):
            return _renamed_keyword(source, change)
        case Renaming():
            return _renamed_text(source, change)
        case NewArgument():
            call = _call_of(source, change.origin, change.agent)
            value = json.dumps(change.text, ensure_ascii=False)
            return None if call is None else _with_argument(source, call, change.keyword, value)
        case NewHandoff():
            return _with_handoff(source, change)
        case _:
            assert_never(change)


def _only(candidates: Iterable[T]) -> T | None:
    """The only element; `None` if there are none or several."""
    elements = [*candidates]
    return elements[0] if len(elements) == 1 else None


def _call_of(source: SourceFile, origin: Origin, agent: str) -> ast.Call | None:
    """The call that makes an agent: it begins on the line, and its `name` is a text."""
    return _only(
        node
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and node.lineno == origin.line and _name_in(node) == agent
    )


def _name_in(call: ast.Call) -> str | None:
    match call:
        case ast.Call(args=[ast.Constant(value=str(name)), *_]) if _is_class(call.func):
            return name
    for keyword in call.keywords:
        match keyword:
            case ast.keyword(arg="name", value=ast.Constant(value=str(name))):
                return name
    return None


def _is_class(function: ast.expr) -> bool:
    match function:
        case ast.Subscript(value=value):
            return _is_class(value)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.endswith("Agent")
        case _:
            return False


def _renamed_keyword(source: SourceFile, change: Renaming) -> list[Edit] | None:
    keyword = _only(
        node
        for node in ast.walk(source.tree)
        if isinstance(node, ast.keyword)
        and node.arg == change.old
        and node.lineno == change.origin.line
    )
    if keyword is None:
        return None
    start = source.start(keyword)
    return [Edit(start, start + len(change.old), change.new)]


def _renamed_text(source: SourceFile, change: Renaming) -> list[Edit] | None:
    """Rename inside the texts of an argument, where the name stands once, as a whole word."""
    call = _call_of(source, change.origin, change.agent)
    argument = call and _only(one for one in call.keywords if one.arg == change.argument)
    if not argument:
        return None
    word = re.compile(rf"(?<!\w){re.escape(change.old)}(?!\w)")
    match = _only(
        match
        for node in ast.walk(argument.value)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for match in word.finditer(source.text, source.start(node), source.end(node))
    )
    return match and [Edit(match.start(), match.end(), change.new)]


def _with_argument(
    source: SourceFile, call: ast.Call, keyword: str, value: str
) -> list[Edit] | None:
    """Add an argument after the name of an agent, on a line of its own if the name has one."""
    if any(one.arg in (keyword, None) for one in call.keywords):
        return None
    name = next((one for one in call.keywords if one.arg == "name"), None)
    after = name or call.args[-1]
    return _inserted(source, after, f"{keyword}={value}")


def _inserted(source: SourceFile, after: ast.expr | ast.keyword, text: str) -> list[Edit]:
    """Insert an argument or an element after another one."""
    end = source.end(after)
    line_end = source.end_of_line(end)
    rest = _ONLY_COMMA.match(source.text[end:line_end].rstrip("\r\n"))
    indent = source.indent(source.start(after))
    if rest is None or indent is None:
        return [Edit(end, end, f", {text}")]
    comma = [] if rest["comma"] else [Edit(end, end, ",")]
    return [*comma, Edit(line_end, line_end, f"{indent}{text},{source.newline}")]


@dataclass(frozen=True, slots=True)
class _Named:
    """A call whose result a name stands for, from its statement on.

    Args:
        name: The name, which the file assigns only once.
        call: The call.
        body: The statements around it.
        at: The index of its statement.
    """

    name: str
    call: ast.Call
    body: list[ast.stmt]
    at: int


def _with_handoff(source: SourceFile, change: NewHandoff) -> list[Edit] | None:
    """List the target if its name stands for it by then; append it afterwards if not."""
    if change.target_origin.file != change.origin.file:
        return None
    call = _call_of(source, change.origin, change.agent)
    target = _named(source, _call_of(source, change.target_origin, change.target))
    agent = _named(source, call)
    if call is None or target is None or agent is None or target.body is not agent.body:
        return None
    handoffs = next((one.value for one in call.keywords if one.arg == "handoffs"), None)
    if target.at > agent.at:
        statement = f"{agent.name}.handoffs.append({target.name})"
        return _new_statement(source, target.body[target.at], statement)
    match handoffs:
        case None:
            return _with_argument(source, call, "handoffs", f"[{target.name}]")
        case ast.List(elts=[]):
            end = source.end(handoffs) - 1
            return [Edit(end, end, target.name)]
        case ast.List(elts=[*_, last]):
            # An element in brackets of its own is left alone.
            is_bare = _NEXT_ELEMENT.match(source.text, source.end(last))
            return _inserted(source, last, target.name) if is_bare else None
        case _:
            return None


def _named(source: SourceFile, call: ast.Call | None) -> _Named | None:
    if call is None:
        return None
    nodes = [*ast.walk(source.tree)]
    for body in _bodies(nodes):
        for at, statement in enumerate(body):
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is call:
                    pass
                case ast.AnnAssign(target=ast.Name(id=name), value=value) if value is call:
                    pass
                case _:
                    continue
            stores = (
                node
                for node in nodes
                if isinstance(node, ast.Name)
                and node.id == name
                and isinstance(node.ctx, ast.Store)
            )
            return _Named(name, call, body, at) if _only(stores) else None
    return None


def _bodies(nodes: Iterable[ast.AST]) -> Iterator[list[ast.stmt]]:
    """The statements of the file and of each of its functions."""
    for node in nodes:
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.body


def _new_statement(source: SourceFile, after: ast.stmt, text: str) -> list[Edit] | None:
    """Insert a statement on the line after another one."""
    end = source.end(after)
    line_end = source.end_of_line(end)
    rest = source.text[end:line_end].strip()
    indent = source.indent(source.start(after))
    if indent is None or (rest and not rest.startswith("#")):
        return None
    break_before = "" if source.text[:line_end].endswith(("\n", "\r")) else source.newline
    return [Edit(line_end, line_end, f"{break_before}{indent}{text}{source.newline}")]
