"""``new`` makes a named tuple unchecked, so that what it is given has the right length is a test.

A tuple that is too long works until someone copies or pickles it.
"""

from __future__ import annotations

import ast
from importlib import import_module
from typing import Any

import pytest

from tests.architecture.source_tree import modules

MADE = [
    pytest.param(module.name, call.args[0].id, len(call.args[1].elts), id=f"{module}:{call.lineno}")
    for module in modules().values()
    for call in ast.walk(module.tree)
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "new"
    if isinstance(call.args[0], ast.Name) and isinstance(call.args[1], ast.Tuple)
    if not any(isinstance(element, ast.Starred) for element in call.args[1].elts)
]


@pytest.mark.parametrize(("module", "kind", "length"), MADE)
def test_a_named_tuple_made_unchecked_has_all_its_fields(
    module: str, kind: str, length: int
) -> None:
    made: Any = getattr(import_module(module), kind)

    assert length == len(made._fields)
