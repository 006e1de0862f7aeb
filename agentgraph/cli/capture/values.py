"""What the expressions of a file stand for, read from the syntax tree and from the names of the
loaded file; no code runs.

An expression may stand for several objects: a variable that is assigned twice, an element of a
dictionary whose key only a run knows, a parameter that several calls fill. All of them are listed,
in the order of the file.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, TypeAlias

from agentgraph.cli.capture.kinds import members_of

__all__ = ["Function", "Values", "calls_in"]

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

_DEPTH: Final = 8
"""The most assignments and calls to follow from an expression to its object."""
_READS: Final = frozenset({"get", "values", "items", "pop", "setdefault"})
"""Methods that read a dictionary."""


class Values:
    """The objects behind the expressions of a file.

    Args:
        tree: The syntax tree of the file.
        namespace: Its names.
        variables: The local variables of functions that ran, by the name of the function.
        made: What the file made, by the line of the call.
    """

    def __init__(
        self,
        tree: ast.Module,
        namespace: Mapping[str, Any],
        variables: Mapping[str, Mapping[str, Any]] | None = None,
        made: Mapping[int, Any] | None = None,
    ) -> None:
        self._tree = tree
        self._namespace = namespace
        self._variables = variables or {}
        self._made = made or {}

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All nodes of the tree: a walk takes longer than any use of it."""
        return list(ast.walk(self._tree))

    def of(self, expression: ast.expr, function: Function | None = None) -> list[Any]:
        """The objects that an expression may stand for, each once.

        Args:
            expression: The expression.
            function: The innermost function around it; `None` if it stands at the top.
        """
        objects = self._of(expression, function, _DEPTH)
        return list({id(value): value for value in objects if value is not None}.values())

    def _of(self, expression: ast.expr, function: Function | None, depth: int) -> Iterator[Any]:
        if depth == 0:
            return
        match expression:
            case ast.Name(id=name):
                yield from self._named(name, function, depth - 1)
            case ast.Attribute(value=ast.Name(id="self"), attr=attribute) if function is not None:
                for value, method in self._fields.get(attribute, ()):
                    yield from self._of(value, method, depth - 1)
            case ast.Attribute(value=base, attr=attribute):
                for holder in self._of(base, function, depth):
                    yield inspect.getattr_static(holder, attribute, None)
            case ast.Subscript(value=base, slice=key):
                for holder in self._of(base, function, depth):
                    yield from _elements(holder, key)
            case ast.IfExp(body=first, orelse=second):
                yield from self._any((first, second), function, depth)
            case ast.BoolOp(values=parts):
                yield from self._any(parts, function, depth)
            case ast.NamedExpr(value=value) | ast.Await(value=value):
                yield from self._of(value, function, depth)
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
                yield from self._any(parts, function, depth)
            case ast.Call():
                yield from self._called(expression, function, depth - 1)
            case _:
                return

    def _any(
        self, parts: Sequence[ast.expr], function: Function | None, depth: int
    ) -> Iterator[Any]:
        for part in parts:
            yield from self._of(part, function, depth)

    def _named(self, name: str, function: Function | None, depth: int) -> Iterator[Any]:
        """The objects behind a name: the local variable of the innermost function that has it."""
        scope = function
        while scope is not None:
            if name in self._variables.get(scope.name, ()):
                yield self._variables[scope.name][name]
                return
            values = self._assigned(scope).get(name, [])
            arguments = self._arguments.get((scope.name, name))
            if values or arguments is not None:
                outside = self._outer.get(scope)
                for value in values:
                    itself = isinstance(value, ast.Name) and value.id == name
                    yield from self._of(value, outside if itself else scope, depth)
                for value, caller in arguments or ():
                    yield from self._of(value, caller, depth)
                return
            scope = self._outer.get(scope)
        yield self._namespace.get(name)

    def _called(self, call: ast.Call, function: Function | None, depth: int) -> Iterator[Any]:
        """What a call makes, what a function of the file returns, or an element that it reads."""
        made = self._made.get(call.lineno)
        if made is not None:
            yield made
            return
        match call.func:
            case ast.Name(id=name) if name in self._functions:
                called = self._functions[name]
                for node in ast.walk(called):
                    if isinstance(node, ast.Return) and node.value is not None:
                        yield from self._of(node.value, called, depth)
            case ast.Attribute(value=base, attr=method) if method in _READS:
                for holder in self._of(base, function, depth):
                    yield from _elements(holder, call.args[0] if call.args else None)
                yield from self._any(call.args[1:], function, depth)
            case _:
                return

    @cached_property
    def _functions(self) -> dict[str, Function]:
        return {node.name: node for node in self.nodes if isinstance(node, Function)}

    @cached_property
    def _outer(self) -> dict[Function, Function]:
        """The function around each function inside another."""
        return {
            inner: outer
            for outer in self.nodes
            if isinstance(outer, Function)
            for inner in ast.walk(outer)
            if isinstance(inner, Function) and inner is not outer
        }

    @cached_property
    def _fields(self) -> dict[str, list[tuple[ast.expr, Function | None]]]:
        """What methods assign to the attributes of `self`, and classes to theirs."""
        fields: dict[str, list[tuple[ast.expr, Function | None]]] = {}
        for kind in self.nodes:
            if not isinstance(kind, ast.ClassDef):
                continue
            for statement in kind.body:
                method = statement if isinstance(statement, Function) else None
                for target, value in _assignments(statement):
                    name = target.id if isinstance(target, ast.Name) and method is None else ""
                    match target:
                        case ast.Attribute(value=ast.Name(id="self"), attr=attribute):
                            name = attribute
                    if name:
                        fields.setdefault(name, []).append((value, method))
        return fields

    @cached_property
    def _arguments(self) -> dict[tuple[str, str], list[tuple[ast.expr, Function | None]]]:
        """What the calls of the file pass for each parameter, by function and parameter."""
        arguments: dict[tuple[str, str], list[tuple[ast.expr, Function | None]]] = {}
        names = {
            function.name: [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
            for function in self._functions.values()
        }
        for name, function in self._functions.items():
            parameters = (*names[name], *(one.arg for one in function.args.kwonlyargs))
            arguments |= {(name, parameter): [] for parameter in parameters}
            defaults = function.args.defaults
            for parameter, default in zip(names[name][::-1], defaults[::-1], strict=False):
                arguments[name, parameter].append((default, self._outer.get(function)))
        for call, caller in calls_in(self._tree):
            match call.func:
                case ast.Name(id=name) | ast.Attribute(attr=name) if name in names:
                    bound = isinstance(call.func, ast.Attribute) and names[name][:1] == ["self"]
                    pairs = [*zip(names[name][bound:], call.args, strict=False)]
                    pairs += [(word.arg, word.value) for word in call.keywords if word.arg]
                    for parameter, value in pairs:
                        arguments.setdefault((name, parameter), []).append((value, caller))
        return arguments

    def _assigned(self, function: Function) -> dict[str, list[ast.expr]]:
        """The values that a function assigns to each of its names."""
        if function not in self._assigned_in:
            assigned = self._assigned_in[function] = {}
            for target, value in _assignments(function):
                if isinstance(target, ast.Name):
                    assigned.setdefault(target.id, []).append(value)
        return self._assigned_in[function]

    @cached_property
    def _assigned_in(self) -> dict[Function, dict[str, list[ast.expr]]]:
        return {}


def _assignments(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """The targets of the assignments and loops in a statement, each with its value."""
    for part in ast.walk(node):
        match part:
            case ast.Assign(targets=targets, value=value):
                yield from ((target, value) for target in targets)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                yield target, value
            case ast.NamedExpr(target=target, value=value):
                yield target, value
            case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
                yield target, value


def calls_in(
    node: ast.AST, function: Function | None = None
) -> Iterator[tuple[ast.Call, Function | None]]:
    """The calls below a node in the order of the file, each with the innermost function around it.

    Args:
        node: A syntax tree.
        function: The function around the node itself.
    """
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            yield child, function
        yield from calls_in(child, child if isinstance(child, Function) else function)


def _elements(holder: object, key: ast.expr | None) -> Iterator[Any]:
    """The element of a list or dictionary at a constant key, else all of them."""
    if not isinstance(holder, dict | list | tuple):
        return
    if isinstance(key, ast.Constant):
        try:
            yield holder[key.value]  # type: ignore[index]
        except (LookupError, TypeError):
            return
    else:
        yield from (member for _, member in members_of(holder, ""))
