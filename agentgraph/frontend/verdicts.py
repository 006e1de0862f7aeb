"""Whether a guardrail can trip at all, as far as its source says. Reading it runs no code of the
user."""

from __future__ import annotations

import ast

from agentgraph.frontend.words import definition_of, own_nodes

__all__ = ["always_passes"]

_OUTPUT = "GuardrailFunctionOutput"
_TRIPWIRE = "tripwire_triggered"


def always_passes(function: object) -> bool:
    """Whether every way out of a guardrail is a verdict that says, as a constant, that it passes.

    Args:
        function: The guardrail function.

    Returns:
        False also if the function may raise by itself, and if its source is not at hand.
    """
    definition, _ = definition_of(function)
    if definition is None:
        return False
    nodes = list(own_nodes(definition))
    verdicts = [node.value for node in nodes if isinstance(node, ast.Return)]
    raises = any(isinstance(node, ast.Raise) for node in nodes)
    return bool(verdicts) and not raises and all(map(_passes, verdicts))


def _passes(verdict: ast.expr | None) -> bool:
    match verdict:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name == _OUTPUT:
            triggered = [one.value for one in verdict.keywords if one.arg == _TRIPWIRE]
            triggered += verdict.args[1:2]
        case _:
            return False
    match triggered:
        case [ast.Constant(value=False)]:
            return True
        case _:
            return False
