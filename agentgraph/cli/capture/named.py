"""What a name on the command line stands for in a loaded file."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from agentgraph.cli.capture.kinds import as_source, members_of, sources_in
from agentgraph.cli.capture.loading import Loading
from agentgraph.cli.faults import CommandFault
from agentgraph.cli.target import Target

__all__ = ["named_sources", "names_in", "value_of"]


def names_in(loaded: Loading) -> str:
    """The names of a file that a command can take, in words; empty if there are none."""
    names = [name for name, _ in sources_in(loaded.namespace)]
    return f"the file has the names {', '.join(names)}" if names else ""


def value_of(loaded: Loading, target: Target, name: str) -> Any:
    """The object that an expression stands for; a function at its end is called without arguments.

    If the file has no such name, an agent of that name counts, wherever the file makes it.

    Args:
        loaded: The loaded file.
        target: The file, for messages.
        name: The expression.

    Raises:
        CommandFault: The file has no such name, or a call failed.
    """
    evaluation = _Evaluation(loaded, target)
    try:
        value = evaluation.of(ast.parse(name, mode="eval").body)
    except (LookupError, AttributeError, TypeError) as error:
        made = [one.authored for one in loaded.recorder.objects if one.authored.name == name]
        if made:
            return made[-1]
        raise CommandFault(f"{target.path} has no name '{name}'", help=names_in(loaded)) from error
    return evaluation.called(value, name) if inspect.isroutine(value) else value


def named_sources(loaded: Loading, target: Target, name: str) -> list[Any]:
    """The agents and workflows behind an expression: itself, or those in a list or dict.

    Raises:
        CommandFault: There is none.
    """
    value = value_of(loaded, target, name)
    sources = [as_source(member) for _, member in members_of(value, name)]
    if not sources or None in sources:
        raise CommandFault(
            f"{target} is neither an agent nor a workflow, but of type {type(value).__name__}",
            help=names_in(loaded),
        )
    return sources


class _Evaluation:
    """Evaluates the expressions that `Target` allows."""

    def __init__(self, loaded: Loading, target: Target) -> None:
        self._loaded = loaded
        self._target = target

    def of(self, node: ast.expr) -> Any:
        match node:
            case ast.Name(id=name):
                return self._loaded.namespace[name]
            case ast.Attribute(value=value, attr=attribute):
                return getattr(self.of(value), attribute)
            case ast.Subscript(value=value, slice=key):
                return self.of(value)[ast.literal_eval(key)]
            case ast.Call(func=function, args=arguments, keywords=keywords):
                return self.called(
                    self.of(function),
                    ast.unparse(node),
                    *map(ast.literal_eval, arguments),
                    **{word.arg or "": ast.literal_eval(word.value) for word in keywords},
                )
            case _:
                raise LookupError(ast.unparse(node))

    def called(
        self, function: Callable[..., object], label: str, *arguments: object, **keywords: object
    ) -> object:
        """The result of a call; if a run would begin in it, the agent that the run starts with."""
        where = f"{self._target.path}:{label}"
        missing = _missing(function, len(arguments), keywords)
        if missing:
            call = f"{label.partition('(')[0]}({missing[0]}=...)"
            raise CommandFault(
                f"{where} is a function that needs arguments: {', '.join(missing)}",
                help=f"give them: '{self._target.path}:{call}'",
            )
        result = self._loaded.enter(label, lambda: function(*arguments, **keywords))
        ending = self._loaded.endings[-1]
        match ending.how:
            case "finished":
                return result
            case "stopped":
                return self._loaded.recorder.runs[-1].source
            case _:
                call = label if label.endswith(")") else f"{label}()"
                raise CommandFault(
                    f"{self._target.path}:{call} failed", details=ending.details or ending.reason
                )


def _missing(
    function: Callable[..., object], positional: int, keywords: Mapping[str, object]
) -> list[str]:
    """The parameters without a default that a call leaves out."""
    try:
        parameters = [*inspect.signature(function).parameters.values()]
    except (TypeError, ValueError):
        return []
    return [
        parameter.name
        for number, parameter in enumerate(parameters)
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        and parameter.name not in keywords
        and (number >= positional or parameter.kind is parameter.KEYWORD_ONLY)
    ]
