"""Runs that go on with the agent that answered last: `Runner.run(result.last_agent, …)`.

What a file stores of `last_agent` is followed by name: into variables, attributes, dictionaries and
what functions return, under every further name. Following names without their scopes finds some
runs too many and misses none of these forms, so that no rule says "never" of a run in a chat.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

__all__ = ["LastAgents"]

_LAST: Final = "last_agent"
_RUNNER: Final = "Runner"


class LastAgents:
    """The names of a file that may hold the agent that was last.

    Args:
        tree: The syntax tree of the file.
    """

    def __init__(self, tree: ast.Module) -> None:
        self._names: set[str] = set()
        if not any(isinstance(one, ast.Attribute) and one.attr == _LAST for one in ast.walk(tree)):
            return
        stores = list(_stores(tree))
        while True:
            new = {
                target
                for target, value in stores
                if target not in self._names and self.may_be(value)
            }
            if not new:
                return
            self._names |= new

    def may_be(self, expression: ast.AST) -> bool:
        """Whether an expression reads the agent that was last, or a name that may hold it."""
        return any(
            (isinstance(node, ast.Attribute) and node.attr == _LAST) or _name(node) in self._names
            for node in ast.walk(expression)
        )


def _stores(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """What a file assigns, returns, or passes to a method, each with the name that holds it."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=targets, value=value):
                yield from ((name, value) for target in targets for name in _holders(target))
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                yield from ((name, value) for name in _holders(target))
            case ast.NamedExpr(target=target, value=value):
                yield from ((name, value) for name in _holders(target))
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield from (
                    (holder, part.value)
                    for part in ast.walk(node)
                    if isinstance(part, ast.Return | ast.Yield) and part.value is not None
                    for holder in (name, f".{name}")
                )
            case ast.Call(func=ast.Attribute(value=base), args=arguments, keywords=words) if (
                _name(base) != _RUNNER
            ):
                yield from (
                    (name, value)
                    for name in _holders(base)
                    for value in (*arguments, *(word.value for word in words))
                )


def _holders(target: ast.expr) -> Iterator[str]:
    """The names in which a target stores: `state` for `state["agent"]`, each of several."""
    match target:
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            for part in parts:
                yield from _holders(part)
        case ast.Starred(value=value) | ast.Subscript(value=value):
            yield from _holders(value)
        case _:
            if name := _name(target):
                yield name


def _name(node: ast.AST) -> str:
    """A variable, or an attribute of whatever object; empty for any other expression."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(attr=attribute):
            return f".{attribute}"
        case _:
            return ""
