"""The types that a user's function declares, read once, when the user passes the function.

Rule: an annotation may be a string that names a type which only a type checker imports. A context
parameter is recognised even then. Every other parameter must resolve, because the model sees a
schema of its type.
"""

from __future__ import annotations

import ast
import inspect
import typing
from collections.abc import Callable, Collection, Iterator, Mapping
from types import NoneType, SimpleNamespace, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

import typing_extensions

from agentgraph.exceptions import UserError
from agentgraph.run_context import RunContextWrapper
from agentgraph.tool_context import ToolContext

__all__ = ["context_type", "is_context_annotation", "resolve_hints"]

_CONTEXT_NAMES: Final = frozenset({RunContextWrapper.__name__, ToolContext.__name__})
# The class of aliases that a `type` statement makes, and its backport, the only one on Python 3.11.
_ALIASES: Final = tuple(
    {
        getattr(module, "TypeAliasType", typing_extensions.TypeAliasType)
        for module in (typing, typing_extensions)
    }
)


def resolve_hints(func: Callable[..., Any]) -> dict[str, Any]:
    """Read the annotations of a function's parameters and of its result.

    Args:
        func: A function, a method, or a callable object.

    Returns:
        The types by parameter name, including `Annotated`; the key `return` holds the type of the
        result.

    Raises:
        UserError: The annotation of a parameter names something that does not exist.
    """
    function = func if inspect.isroutine(func) else type(func).__call__
    try:
        return get_type_hints(function, include_extras=True)
    except Exception:  # noqa: BLE001 - evaluating a string may raise anything; try each by itself
        return _resolve_one_by_one(inspect.unwrap(function))


def is_context_annotation(annotation: object) -> bool:
    """Whether a parameter of this type receives the context of the call.

    It does if the type is a context type or a union of context types and ``None``.
    """
    types = [each for each in _alternatives(annotation) if each is not NoneType]
    return bool(types) and all(_is_context(each) for each in types)


def context_type(func: Callable[..., Any]) -> type[Any] | None:
    """Find the type of the context that a function declares.

    Args:
        func: The function behind a tool, a guardrail, a hook or dynamic instructions.

    Returns:
        The `T` of the `RunContextWrapper[T]` or `ToolContext[T]` of the first parameter or of a
        keyword-only one; `None` if the function takes no context, declares no `T`, declares `Any`,
        or takes contexts of several types.
    """
    try:
        parameters = inspect.signature(func).parameters
        places = [
            parameter.name
            for place, parameter in enumerate(parameters.values())
            if place == 0 or parameter.kind is parameter.KEYWORD_ONLY
        ]
        hints = _resolve_some(func, places)
    except (UserError, TypeError, ValueError):
        # A signature that cannot be read (a builtin, a name that only type checkers import)
        # declares nothing.
        return None
    contexts = (hints[name] for name in places if is_context_annotation(hints.get(name)))
    types = [each for each in _alternatives(next(contexts, None)) if each is not NoneType]
    declared, *others = [(*get_args(each), Any)[0] for each in types]
    if any(other != declared for other in others):
        return None
    return _one_class(get_origin(declared) or declared)


def _one_class(declared: object) -> type[Any] | None:
    if declared in (Any, UnionType) or not isinstance(declared, type):
        return None
    return declared


def _alternatives(annotation: Any) -> Iterator[Any]:
    """Yield the types that an annotation allows; expands `Annotated`, aliases and unions."""
    origin = get_origin(annotation) or annotation
    if isinstance(origin, _ALIASES):
        value, arguments = origin.__value__, get_args(annotation)
        yield from _alternatives(value[arguments] if arguments else value)
    elif origin is Annotated:
        yield from _alternatives(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for each in get_args(annotation):
            yield from _alternatives(each)
    else:
        yield annotation


def _is_context(annotation: object) -> bool:
    origin = get_origin(annotation) or annotation
    return isinstance(origin, type) and issubclass(origin, RunContextWrapper)


def _resolve_some(func: Callable[..., Any], names: Collection[str]) -> dict[str, Any]:
    """Resolve the types of some parameters, and only those: resolving a type may load it."""
    function = inspect.unwrap(func if inspect.isroutine(func) else type(func).__call__)
    function = getattr(function, "__func__", function)
    annotations = getattr(function, "__annotations__", {})
    return _hints(function, {name: annotations[name] for name in names if name in annotations})


def _resolve_one_by_one(func: Callable[..., Any]) -> dict[str, Any]:
    func = getattr(func, "__func__", func)
    return _hints(func, getattr(func, "__annotations__", {}))


def _hints(func: Callable[..., Any], annotations: Mapping[str, Any]) -> dict[str, Any]:
    """Resolve some annotations of a function, each by itself."""
    scope = dict(getattr(func, "__globals__", {}))
    scope.update(_enclosing_names(func))
    hints: dict[str, Any] = {}
    for name, annotation in annotations.items():
        holder = SimpleNamespace(__annotations__={name: annotation})
        try:
            hints.update(get_type_hints(holder, globalns=scope, include_extras=True))
        except Exception as error:
            if isinstance(annotation, str) and _names_context(annotation):
                hints[name] = RunContextWrapper
            elif name != "return":
                raise UserError(
                    f"Cannot resolve the annotation {annotation!r} of parameter {name} of "
                    f"function {func.__qualname__}: {error}. Types of tool parameters must be "
                    "importable at run time and defined before the tool."
                ) from error
    return hints


def _enclosing_names(func: Callable[..., Any]) -> dict[str, Any]:
    code, cells = getattr(func, "__code__", None), getattr(func, "__closure__", None)
    if code is None or not cells:
        return {}
    values: dict[str, Any] = {}
    for name, cell in zip(code.co_freevars, cells, strict=True):
        try:
            values[name] = cell.cell_contents
        except ValueError:
            continue  # The enclosing function has not assigned it yet.
    return values


def _names_context(annotation: str) -> bool:
    """Whether a string such as `"RunContextWrapper[Later] | None"` names a context type."""
    try:
        return _is_named(ast.parse(annotation, mode="eval").body)
    except SyntaxError:
        return False


def _is_named(expression: ast.expr) -> bool:
    match expression:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in _CONTEXT_NAMES
        case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name), slice=inner):
            if name not in {"Annotated", "Optional", "Union"}:
                return name in _CONTEXT_NAMES
            arguments = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            return _all_named(arguments[:1] if name == "Annotated" else arguments)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _all_named([left, right])
        case _:
            return False


def _all_named(expressions: list[ast.expr]) -> bool:
    """Whether all of these name context types; a `None` among them does not count."""
    types = [
        each for each in expressions if not (isinstance(each, ast.Constant) and each.value is None)
    ]
    return bool(types) and all(map(_is_named, types))
