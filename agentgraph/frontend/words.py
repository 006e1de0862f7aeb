"""The words that a model reads about a workflow: instructions, and descriptions of tools and
handoffs.

The text of instructions that a function returns is read from its source. Reading it runs no code of
the user.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any, Final

from agentgraph.agent_tool import AgentTool
from agentgraph.authoring.function_names import OF_HANDOFFS, derived_name
from agentgraph.frontend.discover import is_agent
from agentgraph.frontend.inner_agents import opened, tree_of
from agentgraph.frontend.scope import plain
from agentgraph.handoffs import Handoff

_Scope = Mapping[str, object]
UNREAD: Final = "…"
"""Stands for a part of a text that only a run knows."""
_DEPTH: Final = 8
"""The most assignments and parts between a returned text and a constant in it."""


def instructions_of(agent: object, *, reads_source: bool = True) -> str | None:
    """The text of an agent's instructions.

    Args:
        agent: An agent.
        reads_source: Whether to read the text that a function returns.

    Returns:
        The text, with ``…`` for each part that only a run knows; ``None`` if there is none, or if
        its source is not read.
    """
    instructions = getattr(agent, "instructions", None)
    if reads_source and callable(instructions):
        instructions = _returned(instructions) or UNREAD
    if not isinstance(instructions, str):
        return None
    return plain(instructions.strip())


def description_of_tool(tool: object) -> str | None:
    """The description of a tool that this side carries out; ``None`` for any other tool."""
    description = getattr(tool, "description", None)
    if not hasattr(tool, "on_invoke_tool") or not isinstance(description, str | None):
        return None
    return plain((description or "").strip())


def description_of_handoff(authored: Handoff[Any, Any], target: object) -> str | None:
    """What the description of a handoff says beyond the name of its target."""
    description: object = authored.tool_description
    if not isinstance(description, str):
        return None
    if is_agent(target) and description == Handoff.default_tool_description(target):
        description = target.handoff_description or ""
    return plain(str(description).strip())


def is_derived(tool: object) -> bool:
    """Whether the name of a tool is made from that of the agent that it runs."""
    return isinstance(tool, AgentTool) and tool.name == derived_name(str(tool.agent.name))


def has_default_name(name: str, target: object) -> bool:
    """Whether the name of a handoff is made from that of its target."""
    return is_agent(target) and name == derived_name(str(target.name), OF_HANDOFFS)


def _returned(function: object) -> str | None:
    """The texts that a function returns, as far as its source says them."""
    definition, scope = definition_of(function)
    if definition is None:
        expression = _lambda_of(function)
        return None if expression is None else _Texts(expression, scope).read(expression.body)
    texts = _Texts(definition, scope)
    returns = [node.value for node in own_nodes(definition) if isinstance(node, ast.Return)]
    read = [texts.read(value) for value in returns if value is not None]
    return "\n\n".join(dict.fromkeys(read)) or None


def _lambda_of(function: object) -> ast.Lambda | None:
    """A lambda in its source; ``None`` if another one with such parameters stands beside it."""
    opened_function, _ = opened(function)
    tree = None if opened_function is None else tree_of(opened_function)
    if tree is None or opened_function is None or opened_function.__name__ != "<lambda>":
        return None
    code = opened_function.__code__
    parameters = list(code.co_varnames[: code.co_argcount])
    lambdas = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Lambda) and [one.arg for one in node.args.args] == parameters
    ]
    return lambdas[0] if len(lambdas) == 1 else None


def definition_of(
    function: object,
) -> tuple[ast.FunctionDef | ast.AsyncFunctionDef | None, _Scope]:
    """The definition of a function in its source, and the names that it sees.

    The definition is ``None`` if the source is not at hand or defines it by an expression.
    """
    plain_function, scope = opened(function)
    tree = None if plain_function is None else tree_of(plain_function)
    match tree and tree.body[:1]:
        case [ast.FunctionDef() | ast.AsyncFunctionDef() as definition]:
            return definition, scope
        case _:
            return None, scope


def own_nodes(definition: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function, without those of functions inside it."""
    for child in ast.iter_child_nodes(definition):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from own_nodes(child)


class _Texts:
    """Reads texts in the source of a function.

    Args:
        definition: The function.
        scope: The values that it takes from outside.
    """

    def __init__(self, definition: ast.AST, scope: _Scope) -> None:
        self._scope = scope
        self._assigned: dict[str, list[ast.expr]] = {}
        for node in own_nodes(definition):
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self._assigned.setdefault(name, []).append(value)
                case ast.AugAssign(target=ast.Name(id=name), op=ast.Add(), value=value):
                    self._assigned.setdefault(name, []).append(value)
                case _:
                    pass

    def read(self, node: ast.expr, depth: int = 0) -> str:
        """The text of an expression, with a sign for each part that only a run knows."""
        if depth > _DEPTH:
            return UNREAD
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.JoinedStr(values=parts):
                return "".join(self.read(part, depth + 1) for part in parts)
            case ast.FormattedValue(value=value):
                return self.read(value, depth + 1)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self.read(left, depth + 1) + self.read(right, depth + 1)
            case ast.IfExp(body=body, orelse=other):
                return f"{self.read(body, depth + 1)}\n\n{self.read(other, depth + 1)}"
            case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)))):
                return text  # such as "…".format(…) and "…".strip()
            case ast.Call(args=arguments):
                # What a function makes of texts has them in it: prompt_with_handoff_instructions.
                return "".join(self.read(argument, depth + 1) for argument in arguments) or UNREAD
            case ast.Name(id=name) if name in self._assigned:
                return "".join(self.read(value, depth + 1) for value in self._assigned[name])
            case ast.Name(id=name):
                outside = self._scope.get(name)
                return outside if isinstance(outside, str) else UNREAD
            case _:
                return UNREAD
