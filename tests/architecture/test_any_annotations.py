"""How often the source gives up on a type: annotations that are `Any`.

`MOST` is a ratchet: it only falls. A new annotation takes the type of the thing instead:

* `object` for a value that is only passed on, compared or narrowed;
* a `Protocol` for an object of another library that is used by its attributes;
* `AnyAgent` for an agent in a module that the agent's own module imports;
* a `TypedDict` or a dataclass for a dictionary with known keys.

What remains is `Any` in the published SDK's own signatures, the objects of other libraries and of
user code, and the stored forms of any value. To lower the number, give annotations their types and
set `MOST` to 0 for one run: the failing test prints the count and the places.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.source_tree import modules

MOST = 116


def annotations(tree: ast.AST) -> Iterator[ast.expr]:
    """Every annotation of a parameter, a variable or a field."""
    for node in ast.walk(tree):
        match node:
            case (
                ast.arg(annotation=ast.expr() as annotation) | ast.AnnAssign(annotation=annotation)
            ):
                yield annotation


def is_any(annotation: ast.expr) -> bool:
    """Whether an annotation is `Any`, alone or as a member of a union."""
    match annotation:
        case ast.Name(id="Any"):
            return True
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return is_any(left) or is_any(right)
        case _:
            return False


def test_annotations_that_are_any_only_become_fewer() -> None:
    places = [
        f"{module}:{annotation.lineno}"
        for module in modules().values()
        for annotation in annotations(module.tree)
        if is_any(annotation)
    ]
    assert len(places) <= MOST, (len(places), places)


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("def f(x: Any, *args: Any, y: Any = None, **kwargs: Any) -> Any: pass", 4),
        ("class C:\n    x: Any = None", 1),
        ("x: Any | None = None", 1),
        ("x: None | Any", 1),
        ("x: dict[str, Any] = {}", 0),
        ("def f(x: object, y: list[Any], z) -> Any: pass", 0),
    ],
)
def test_an_annotation_counts_where_it_is_any_as_a_whole(source: str, count: int) -> None:
    assert sum(map(is_any, annotations(ast.parse(source)))) == count
