"""What a run adds to its machine, from its options: as they were when the run began, or as the
source writes them."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any, Final

import agentgraph
from agentgraph.cli.capture.source_file import SourceFile
from agentgraph.cli.capture.uses import WrittenRun
from agentgraph.frontend.scope import DEFAULT_SCOPE, RunScope

__all__ = ["scope_of", "written_scope"]

_ADDED: Final = ("run_config", "error_handlers")
"""The options of a run that change its machine."""
_SETTINGS: Final = frozenset({"RunConfig", "ModelSettings"})
"""What is made as the source writes it: these objects only hold what they get."""


class _Unseen(Exception):
    """The source does not say what an expression stands for."""


def scope_of(options: Mapping[str, object]) -> RunScope:
    """What a run with some options adds.

    Args:
        options: The options by name.
    """
    handlers = options.get("error_handlers")
    kept = handlers if isinstance(handlers, Mapping) else None
    return RunScope.of(options.get("run_config"), kept)


def written_scope(file: SourceFile, run: WrittenRun) -> RunScope:
    """What a run in the source adds; nothing where the source does not say.

    Args:
        file: The file of the run.
        run: The run.
    """
    words = [word for word in run.call.keywords if word.arg in _ADDED]
    try:
        return scope_of({str(word.arg): _value(word.value, file, run) for word in words})
    except (_Unseen, agentgraph.UserError, TypeError, ValueError):
        return DEFAULT_SCOPE


def _value(expression: ast.expr, file: SourceFile, run: WrittenRun) -> Any:
    match expression:
        case ast.Constant(value=value):
            return value
        case ast.List(elts=parts):
            return [_value(part, file, run) for part in parts]
        case ast.Dict(keys=keys) if all(isinstance(key, ast.Constant) for key in keys):
            # Of a handler only its presence counts.
            return {key.value: True for key in keys if isinstance(key, ast.Constant)}
        case ast.Call(func=called, args=[], keywords=words):
            name = file.names.public_name(called)
            if name in _SETTINGS and all(word.arg for word in words):
                make = getattr(agentgraph, name)
                return make(**{str(word.arg): _value(word.value, file, run) for word in words})
    values = file.values.of(expression, run.function)
    if len(values) != 1:
        raise _Unseen
    return values[0]
