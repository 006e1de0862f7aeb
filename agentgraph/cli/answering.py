"""Asks the person at the keyboard for the answer to a question of a workflow: by a form that fits
its type."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from rich.text import Text

from agentgraph.cli.terminal import Terminal, print_hanging, printable, printable_name
from agentgraph.exceptions import UserError
from agentgraph.items import QuestionItem
from agentgraph.running.state import RunState

__all__ = ["Quit", "answer_to"]

_Ask: TypeAlias = Callable[[str], str]
_Schema: TypeAlias = Mapping[str, Any]
_QUIT = "/quit"
_YES_OR_NO = {"yes": True, "no": False}


class Quit(Exception):
    """The person leaves the question open."""


def answer_to(terminal: Terminal, state: RunState[Any], item: QuestionItem, ask: _Ask) -> object:
    """Ask for the answer to a question until one fits.

    Args:
        terminal: Where to ask.
        state: The state of the waiting run; it takes the answer.
        item: The question.
        ask: Asks for a line.

    Returns:
        The answer, as plain data.

    Raises:
        Quit: The person leaves the question open.
        CommandFault: The input ended.
    """
    title = Text(printable(f"{printable_name(item.name)}: {item.question}"), "title")
    print_hanging(terminal.out, Text("  ? ", "warning"), title)
    print_hanging(terminal.out, Text("    got  ", "quiet"), Text(printable(item.received)))
    print_hanging(terminal.out, Text("    "), Text(f"{_QUIT} leaves it open", "quiet"))
    form = _Form(terminal, ask, item.schema)
    while True:
        try:
            value = form.value(item.schema, "answer")
            state.answer(item, value)
        except (UserError, ValueError) as problem:
            print_hanging(terminal.out, Text("    "), Text(printable(str(problem)), "warning"))
        else:
            return value


class _Form:
    """Asks for a value of a JSON schema.

    Args:
        terminal: Where to ask.
        ask: Asks for a line.
        root: The schema with the definitions.
    """

    def __init__(self, terminal: Terminal, ask: _Ask, root: _Schema) -> None:
        self._out, self._ask = terminal.out, ask
        self._definitions: _Schema = root.get("$defs", {})

    def value(self, schema: _Schema, name: str) -> object:
        """Ask for a value.

        Raises:
            ValueError: What the person typed is none of the choices, or no JSON.
            Quit: The person leaves the question open.
        """
        schema = self._resolved(schema)
        choices = _choices(schema)
        if choices is not None:
            return self._chosen(choices, name)
        match schema.get("type"):
            case "boolean":
                return self._yes_or_no(name)
            case "string":
                return self._line(name)
            case "object" if schema.get("properties"):
                return self._fields(schema)
            case _:
                return _read(self._line(f"{name} as JSON"))

    def _fields(self, schema: _Schema) -> object:
        """Ask for each field; a field that need not be there is left out by an empty line."""
        required = schema.get("required", ())
        values: dict[str, object] = {}
        for name, field in schema["properties"].items():
            optional = name not in required
            words = f"{name} [Enter = {_default(field)}]" if optional else name
            value = self._optional(field, words) if optional else self.value(field, words)
            if value is not _LEFT_OUT:
                values[name] = value
        return values

    def _optional(self, schema: _Schema, words: str) -> object:
        line = self._line(words)
        if not line:
            return _LEFT_OUT
        schema = self._resolved(schema)
        choices = _choices(schema)
        if choices is not None:
            return _selected(choices, line)
        if schema.get("type") == "boolean":
            return _truth(line)
        return line if schema.get("type") == "string" else _read(line)

    def _chosen(self, choices: Sequence[object], name: str) -> object:
        for number, choice in enumerate(choices, 1):
            text = Text(printable(_words(choice)))
            print_hanging(self._out, Text(f"    {number}  ", "title"), text)
        return _selected(choices, self._line(f"{name} [1-{len(choices)}]"))

    def _yes_or_no(self, name: str) -> object:
        return _truth(self._line(f"{name} [y/n]"))

    def _line(self, words: str) -> str:
        line = self._ask(f"    {words}: ")
        if line == _QUIT:
            raise Quit
        return line

    def _resolved(self, schema: _Schema) -> _Schema:
        while "$ref" in schema:
            schema = self._definitions.get(schema["$ref"].rpartition("/")[2], {})
        return schema


_LEFT_OUT = object()


def _choices(schema: _Schema) -> Sequence[object] | None:
    """The values of a closed schema; ``None`` for any other."""
    if "const" in schema:
        return [schema["const"]]
    values: Sequence[object] | None = schema.get("enum")
    return values


def _selected(choices: Sequence[object], line: str) -> object:
    """The choice that a line names: its number, itself, or the only one that begins with it."""
    words = {_words(choice): choice for choice in choices}
    if line in words:
        return words[line]
    if line.isdecimal() and 1 <= int(line) <= len(choices):
        return choices[int(line) - 1]
    begun = [choice for name, choice in words.items() if line and name.startswith(line)]
    if len(begun) != 1:
        raise ValueError(f"answer {', '.join(words)}, or the number")
    return begun[0]


def _truth(line: str) -> bool:
    begun = [value for word, value in _YES_OR_NO.items() if word.startswith(line.lower())]
    if len(begun) != 1:
        raise ValueError("answer y or n")
    return begun[0]


def _read(line: str) -> object:
    try:
        return json.loads(line)
    except ValueError:
        raise ValueError("that is no JSON") from None


def _words(choice: object) -> str:
    return choice if isinstance(choice, str) else json.dumps(choice, ensure_ascii=False)


def _default(schema: _Schema) -> str:
    return _words(schema.get("default", "")) or "left out"
