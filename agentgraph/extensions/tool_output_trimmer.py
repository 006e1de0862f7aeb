"""A filter that shortens the long tool outputs of earlier turns before each model call.

The run's log and its session keep the outputs whole: a `call_model_input_filter` changes only what
one model call receives.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast

from agentgraph.logger import logger

if TYPE_CHECKING:
    from agentgraph.run_config import CallModelData, ModelInputData

__all__ = ["ToolOutputTrimmer"]

_Item = Mapping[str, Any]

# The parts of a structured output that are understood: an output with any other part stays whole.
_FIELDS_OF_PART: Final = {
    "input_text": {"type", "text"},
    "input_image": {"type", "image_url", "file_id", "detail"},
    "input_file": {"type", "file_data", "file_url", "file_id", "filename"},
}
_SOURCES_OF_PART: Final = {
    "input_text": ("text",),
    "input_image": ("image_url", "file_id"),
    "input_file": ("file_data", "file_url", "file_id"),
}
_DETAILS: Final = ("low", "high", "auto")

# JSON Schema: which keywords only describe, and which hold schemas, in what form.
_PROSE: Final = ("description", "title", "$comment", "examples")
_ONE_SCHEMA: Final = (
    *("additionalItems", "additionalProperties", "contains", "contentSchema", "else", "if"),
    *("items", "not", "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties"),
)
_LISTS_OF_SCHEMAS: Final = ("allOf", "anyOf", "oneOf", "prefixItems", "items")
_SCHEMAS_BY_NAME: Final = (
    *("$defs", "definitions", "dependencies", "dependentSchemas"),
    *("patternProperties", "properties"),
)


@dataclass
class ToolOutputTrimmer:
    """A `call_model_input_filter` that replaces long outputs of earlier turns by a preview.

    Outputs from the `recent_turns`-th user message from the end onwards stay whole. If there are
    fewer user messages, nothing changes.

    Attributes:
        recent_turns: How many of the last user messages, with all that follows them, stay whole;
            at least 1.
        max_output_chars: The most characters that an output may have and stay whole; at least 1. A
            structured output counts its texts, addresses and data, and its replacement has at
            most this length.
        preview_chars: The most characters of the output that the preview shows; 0 or more.
        trimmable_tools: The tools whose outputs are shortened, as `name` or `namespace.name`;
            `None` means all.
    """

    recent_turns: int = 2
    max_output_chars: int = 500
    preview_chars: int = 200
    trimmable_tools: str | Iterable[str] | None = None

    def __post_init__(self) -> None:
        for name, least in (("recent_turns", 1), ("max_output_chars", 1), ("preview_chars", 0)):
            amount = getattr(self, name)
            if amount < least:
                raise ValueError(f"{name} must be >= {least}, got {amount}")
        if isinstance(self.trimmable_tools, bytes):
            raise ValueError("trimmable_tools must be a text or several texts, not bytes")
        if isinstance(self.trimmable_tools, str):
            self.trimmable_tools = frozenset({self.trimmable_tools})
        elif self.trimmable_tools is not None:
            self.trimmable_tools = frozenset(self.trimmable_tools)

    def __call__(self, data: CallModelData[Any]) -> ModelInputData:
        """Shorten the long outputs of earlier turns.

        Args:
            data: The input of a model call, which stays as it is.

        Returns:
            The input with previews in place of the long outputs.
        """
        model_data = data.model_data
        items = cast("list[Any]", model_data.input)
        boundary = self._boundary(items)
        if boundary == 0:
            return model_data
        names = _tool_names(items)
        earlier = [self._trimmed(item, names) for item in items[:boundary]]
        if count := sum(new is not old for new, old in zip(earlier, items, strict=False)):
            logger.debug("ToolOutputTrimmer shortened %d tool outputs", count)
        return replace(model_data, input=[*earlier, *items[boundary:]])

    def _boundary(self, items: Sequence[Any]) -> int:
        """The index of the first item that stays as it is; 0 means that all do."""
        of_user = [
            index
            for index, item in enumerate(items)
            if isinstance(item, Mapping) and item.get("role") == "user"
        ]
        return of_user[-self.recent_turns] if len(of_user) >= self.recent_turns else 0

    def _trimmed(self, item: object, names: Mapping[str, tuple[str, ...]]) -> Any:
        if not isinstance(item, Mapping):
            return item
        unnamed = ("tool_search",) if item.get("type") == "tool_search_output" else ()
        called = names.get(_call_id(item), unnamed)
        if self.trimmable_tools is not None and not {*called} & {*self.trimmable_tools}:
            return item
        changes: dict[str, Any]
        match item:
            case {"type": "function_call_output", "output": list(parts)}:
                changes = {"output": self._preview_of_parts(parts, _display_name(called))}
            case {"type": "function_call_output"}:
                output = str(item.get("output", ""))
                changes = {"output": self._preview(output, _display_name(called))}
            case {"type": "tool_search_output", "results": list(results)}:
                preview = self._preview(_json(results), "tool_search")
                changes = {"results": None if preview is None else [{"text": preview}]}
            case {"type": "tool_search_output", "tools": list(tools)}:
                changes = {"tools": self._shorter_tools(tools)}
            case _:
                return item
        if None in changes.values():
            return item
        return {**item, **changes}

    def _preview(self, output: str, tool: str) -> str | None:
        """The preview of a text; `None` if the text is short, or the preview is not shorter."""
        if len(output) <= self.max_output_chars:
            return None
        head = f"[Trimmed: {tool} output — {len(output)} chars → {self.preview_chars} char preview]"
        preview = f"{head}\n{output[: self.preview_chars]}..."
        return preview if len(preview) < len(output) else None

    def _preview_of_parts(self, parts: Sequence[object], tool: str) -> str | None:
        """The preview of a structured output; `None` if it is short, or not understood."""
        if not parts or not all(_is_understood(part) for part in parts):
            return None
        understood = cast("Sequence[_Item]", parts)
        size = sum(len(text) for part in understood for key, text in part.items() if key != "type")
        if size <= self.max_output_chars:
            return None
        text = "\n".join(part["text"] for part in understood if part["type"] == "input_text")
        dropped = Counter(part["type"] for part in understood if part["type"] != "input_text")
        room = self.max_output_chars - len(_LEAST_HEAD)
        if room < 0:
            return _LEAST_HEAD[: self.max_output_chars]
        length = min(len(text), self.preview_chars, max(0, room - 1))
        body = f"\n{text[:length]}" if length else ""
        if length < len(text) and len(body) + len("...") <= room:
            body += "..."
        heads = _heads(tool, size, f"; preview {length}" if text else "", dropped)
        return next(head for head in heads if len(head) + len(body) <= self.max_output_chars) + body

    def _shorter_tools(self, tools: list[Any]) -> list[Any] | None:
        """Search results with less prose; `None` if they are short, or nothing can go."""
        size = len(_json(tools))
        if size <= self.max_output_chars:
            return None
        shorter = [self._shorter_tool(tool) for tool in tools]
        return shorter if len(_json(shorter)) < size else None

    def _shorter_tool(self, tool: object) -> Any:
        if not isinstance(tool, dict):
            return tool
        shorter = dict(tool)
        match tool.get("description"):
            case str(text) if len(text) > self.preview_chars:
                shorter["description"] = f"{text[: self.preview_chars]}..."
        match tool:
            case {"type": "function", "parameters": dict(schema)}:
                shorter["parameters"] = _without_prose(schema)
            case {"type": "namespace", "tools": list(tools)}:
                shorter["tools"] = [self._shorter_tool(one) for one in tools]
        return shorter


_LEAST_HEAD: Final = "[Trimmed]"


def _heads(tool: str, size: int, preview: str, dropped: Counter[str]) -> Iterator[str]:
    """The headings of a preview, from the fullest to the shortest."""
    lost = ""
    if dropped:
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(dropped.items()))
        lost = f"; dropped {counts}"
    yield f"[Trimmed: {tool}; payload {size}{preview}{lost}]"
    if dropped:
        yield f"[Trimmed: {tool}{lost}]"
        yield f"[Trimmed{lost}]"
        yield f"[Trimmed: {', '.join(sorted(dropped))}]"
        yield f"[Trimmed: dropped {dropped.total()} opaque]"
    yield f"[Trimmed: payload {size}]"
    yield f"[Trimmed: {tool}]"
    yield _LEAST_HEAD


def _is_understood(part: object) -> bool:
    if not isinstance(part, dict) or not all(isinstance(value, str) for value in part.values()):
        return False
    fields = _FIELDS_OF_PART.get(part.get("type", ""))
    return (
        fields is not None
        and {*part} <= fields
        and any(source in part for source in _SOURCES_OF_PART[part["type"]])
        and part.get("detail", "auto") in _DETAILS
    )


def _call_id(item: _Item) -> str:
    return str(item.get("call_id") or item.get("id") or "")


def _display_name(tools: tuple[str, ...]) -> str:
    return tools[0] if tools else "unknown_tool"


def _tool_names(items: Sequence[Any]) -> dict[str, tuple[str, ...]]:
    """By call id: the names of the tool that was called, the one with its namespace first."""
    names: dict[str, tuple[str, ...]] = {}
    for item in items:
        match item:
            case {"type": "function_call", "call_id": id, "name": str(name)} if id and name:
                namespace = item.get("namespace")
                # A tool that is loaded on demand outside any namespace carries its own name there.
                qualified = isinstance(namespace, str) and namespace not in ("", name)
                names[str(id)] = (f"{namespace}.{name}", name) if qualified else (name,)
            case {"type": "tool_search_call"} if id := _call_id(item):
                names[id] = ("tool_search",)
    return names


def _without_prose(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {
        keyword: _subschemas(keyword, value)
        for keyword, value in schema.items()
        if keyword not in _PROSE
    }


def _subschemas(keyword: str, value: object) -> Any:
    """The value of a keyword; schemas in it lose their prose, and all else stays as it is."""
    if isinstance(value, dict):
        if keyword in _ONE_SCHEMA:
            return _without_prose(value)
        if keyword in _SCHEMAS_BY_NAME:
            return {name: _of_schema(schema) for name, schema in value.items()}
    elif isinstance(value, list) and keyword in _LISTS_OF_SCHEMAS:
        return [_of_schema(schema) for schema in value]
    return value


def _of_schema(schema: object) -> Any:
    return _without_prose(schema) if isinstance(schema, dict) else schema


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
