"""Mutants of a module: the same source with one small fault in it.

The usual tools (mutmut, cosmic-ray) remove no statement and no copy, which are the faults that once
slipped through here, and draw no seeded sample; so the operators are ours.

A mutant replaces one piece of text. Left out are docstrings, annotations, decorators, ``assert``
statements and texts with a space in them (prose for people, which tests quote in part).
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from typing import NamedTuple

_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.In: "not in",
    ast.NotIn: "in",
    ast.Is: "is not",
    ast.IsNot: "is",
}
_ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "//",
    ast.FloorDiv: "*",
    ast.BitOr: "&",
    ast.BitAnd: "|",
}
_COPIES = frozenset({"copy", "list", "tuple", "dict", "set", "frozenset", "sorted", "reversed"})


class Mutant(NamedTuple):
    """One fault in one place.

    Args:
        line: Line of the place, from 1.
        rule: The kind of fault.
        start: First byte of the text that it replaces.
        end: The byte after that text.
        after: The text in its place.
    """

    line: int
    rule: str
    start: int
    end: int
    after: str

    def apply(self, source: bytes) -> bytes:
        """The source with the fault."""
        return source[: self.start] + self.after.encode() + source[self.end :]


def mutants_of(source: bytes) -> list[Mutant]:
    """All mutants of a module that compile, in the order of their places."""
    mutants = {(one.start, one.end, one.after): one for one in _Mutation(source).all()}
    return sorted(one for one in mutants.values() if _compiles(one.apply(source)))


def _compiles(source: bytes) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        try:
            compile(source, "mutant", "exec", dont_inherit=True)
        except SyntaxError:
            return False
    return True


class _Mutation:
    def __init__(self, source: bytes) -> None:
        self.source = source
        self.tree = ast.parse(source)
        self.starts = [0]
        for line in source.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def all(self) -> Iterator[Mutant]:
        yield from self._below(self.tree)

    def _below(self, node: ast.AST) -> Iterator[Mutant]:
        for child in _code_in(node):
            yield from self._here(child)
            yield from self._below(child)

    def _span(self, node: ast.AST) -> tuple[int, int]:
        place: ast.expr = node  # type: ignore[assignment]
        assert place.end_lineno is not None
        assert place.end_col_offset is not None
        return (
            self.starts[place.lineno - 1] + place.col_offset,
            self.starts[place.end_lineno - 1] + place.end_col_offset,
        )

    def _text(self, node: ast.AST) -> str:
        start, end = self._span(node)
        return self.source[start:end].decode()

    def _instead(self, node: ast.AST, rule: str, after: str) -> Mutant:
        start, end = self._span(node)
        line: int = node.lineno  # type: ignore[attr-defined]
        return Mutant(line, rule, start, end, after)

    def _here(self, node: ast.AST) -> Iterator[Mutant]:
        match node:
            case ast.Expr(value=ast.Call() | ast.Await()):
                yield self._instead(node, "no call", "pass")
            case ast.AugAssign() | ast.Delete():
                yield self._instead(node, "no statement", "pass")
            case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
                yield self._instead(node, "no statement", "pass")
            case ast.Return(value=ast.expr() as value) if self._text(value) != "None":
                yield self._instead(value, "returns None", "None")
            case ast.Break():
                yield self._instead(node, "continue for break", "continue")
            case ast.Continue():
                yield self._instead(node, "break for continue", "break")
            case ast.Constant():
                yield from self._constant(node)
            case ast.Compare(ops=[operator]):
                if after := _COMPARISONS.get(type(operator)):
                    text = f"({self._text(node.left)} {after} {self._text(node.comparators[0])})"
                    yield self._instead(node, "other comparison", text)
            case ast.BoolOp():
                yield from self._bool(node)
            case ast.UnaryOp(op=ast.Not()):
                yield self._instead(node, "no not", f"({self._text(node.operand)})")
            case ast.BinOp() if after := _ARITHMETIC.get(type(node.op)):
                text = f"({self._text(node.left)} {after} {self._text(node.right)})"
                yield self._instead(node, "other arithmetic", text)
            case ast.IfExp(test=test) | ast.If(test=test):
                yield self._instead(test, "always", "True")
                yield self._instead(test, "never", "False")
            case ast.comprehension():
                for test in node.ifs:
                    yield self._instead(test, "always", "True")
            case ast.Call():
                yield from self._call(node)

    def _constant(self, node: ast.Constant) -> Iterator[Mutant]:
        match node.value:
            case bool(value):
                yield self._instead(node, "other constant", str(not value))
            case int(value):
                yield self._instead(node, "other constant", str(value + 1))
            case str(value) if " " not in value and self.source[self._span(node)[0]] in b"\"'":
                yield self._instead(node, "other constant", repr(value + "XX"))

    def _bool(self, node: ast.BoolOp) -> Iterator[Mutant]:
        texts = [f"({self._text(value)})" for value in node.values]
        joint = " and " if isinstance(node.op, ast.And) else " or "
        other = " or " if isinstance(node.op, ast.And) else " and "
        yield self._instead(node, "and for or", f"({other.join(texts)})")
        for index in range(len(texts)):
            rest = joint.join(texts[:index] + texts[index + 1 :])
            yield self._instead(node, "no operand", f"({rest})")

    def _call(self, node: ast.Call) -> Iterator[Mutant]:
        match node.func, node.args:
            case ast.Attribute(attr=name, value=whole), [] if name in _COPIES:
                yield self._instead(node, "no copy", self._text(whole))
            case ast.Name(id=name), [ast.expr() as whole] if name in _COPIES:
                yield self._instead(node, "no copy", f"({self._text(whole)})")
        parts = [*node.args, *node.keywords]
        for keyword in node.keywords:
            if keyword.arg is not None:
                rest = ", ".join(self._text(part) for part in parts if part is not keyword)
                text = f"{self._text(node.func)}({rest})"
                yield self._instead(node, "no argument", text)


def _code_in(node: ast.AST) -> Iterator[ast.AST]:
    """The children of a node that may hold a fault."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "format_spec"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_left_out(child):
                yield child


def _is_left_out(node: ast.AST) -> bool:
    match node:
        case ast.Assert() | ast.Expr(value=ast.Constant()) | ast.JoinedStr() | ast.Raise():
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
    return False
