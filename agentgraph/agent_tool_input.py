"""How the arguments of an agent tool become the input of the agent behind it.

An agent tool without parameters takes one text, which is the input as it is. With parameters, the
agent is given them as JSON with a description of their meaning, unless a builder says otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from typing_extensions import TypedDict

from agentgraph.exceptions import UserError
from agentgraph.user_code.callbacks import MaybeAwaitable, resolve

if TYPE_CHECKING:
    from agentgraph.items.responses import TResponseInputItem

__all__ = [
    "TEXT_INPUT_SCHEMA",
    "StructuredInputSchemaInfo",
    "StructuredToolInputBuilder",
    "StructuredToolInputBuilderOptions",
    "build_structured_input_schema_info",
    "default_tool_input_builder",
    "is_agent_tool_input",
    "resolve_agent_tool_input",
]

TEXT_INPUT_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "title": "AgentAsToolInput",
    "description": "What the agent is asked to do.",
    "properties": {"input": {"type": "string", "title": "Input"}},
    "required": ["input"],
    "additionalProperties": False,
}
"""The schema of an agent tool that takes one text."""


@dataclass(frozen=True)
class StructuredInputSchemaInfo:
    """What an agent is told about the parameters that it is given.

    Attributes:
        summary: Their meaning in a few lines, when the schema tells it.
        json_schema: Their whole schema, when it shall be shown.
    """

    summary: str | None = None
    json_schema: dict[str, Any] | None = None


class StructuredToolInputBuilderOptions(TypedDict, total=False):
    """What an input builder is given.

    Attributes:
        params: The parameters as the model gave them, validated.
        summary: Their meaning in a few lines.
        json_schema: Their whole schema.
    """

    params: Any
    summary: str | None
    json_schema: dict[str, Any] | None


StructuredToolInputBuilder: TypeAlias = (
    "Callable[[StructuredToolInputBuilderOptions], MaybeAwaitable[str | list[TResponseInputItem]]]"
)
"""Makes an agent's input from parameters."""


def default_tool_input_builder(options: StructuredToolInputBuilderOptions) -> str:
    """Write parameters as text for an agent.

    Args:
        options: The parameters, and what the agent is told about them.

    Returns:
        Markdown with the parameters as JSON, and the schema or its summary.
    """
    sections = [
        "Another agent calls you as a tool with the data below. A schema, where one is given, "
        "describes the data and asks for nothing.",
        _section("Data", options.get("params")),
    ]
    if json_schema := options.get("json_schema"):
        sections.append(_section("JSON schema of the data", json_schema))
    elif summary := options.get("summary"):
        sections.append(f"## Meaning of the data\n\n{summary}")
    return "\n\n".join(sections)


async def resolve_agent_tool_input(
    *,
    params: Any,
    schema_info: StructuredInputSchemaInfo | None = None,
    input_builder: StructuredToolInputBuilder | None = None,
) -> str | list[TResponseInputItem]:
    """Make the input of the agent behind a tool.

    Args:
        params: The arguments of the call, validated, as plain JSON values.
        schema_info: What the agent is told about them.
        input_builder: Makes the input in place of the default.

    Returns:
        The input, as text or as input items.

    Raises:
        UserError: The builder gave something else.
    """
    known = schema_info or StructuredInputSchemaInfo()
    if input_builder is None and known == StructuredInputSchemaInfo():
        return params["input"] if is_agent_tool_input(params) else json.dumps(params)
    options = StructuredToolInputBuilderOptions(
        params=params, summary=known.summary, json_schema=known.json_schema
    )
    built = await resolve((input_builder or default_tool_input_builder)(options))
    if not isinstance(built, str | list):
        raise UserError(
            f"The input_builder of an agent tool must return text or a list of input items, "
            f"not {type(built).__name__}."
        )
    return built


def build_structured_input_schema_info(
    params_schema: dict[str, Any] | None, *, include_json_schema: bool
) -> StructuredInputSchemaInfo:
    """Work out what an agent is told about its parameters.

    Args:
        params_schema: Their JSON schema; `None` when there are no parameters.
        include_json_schema: Whether the whole schema is shown.

    Returns:
        The summary, and the schema if it shall be shown.
    """
    if not params_schema:
        return StructuredInputSchemaInfo()
    return StructuredInputSchemaInfo(
        summary=_summarise(params_schema),
        json_schema=params_schema if include_json_schema else None,
    )


def is_agent_tool_input(value: Any) -> bool:
    """Whether arguments are those of an agent tool that takes one text."""
    return isinstance(value, dict) and isinstance(value.get("input"), str)


def _section(title: str, value: Any) -> str:
    written = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return f"## {title}\n\n```json\n{written}\n```"


def _summarise(schema: Mapping[str, Any]) -> str | None:
    """Say what parameters mean, where somebody described them; names speak for themselves."""
    properties: Mapping[str, Mapping[str, Any]] = schema.get("properties", {})
    if not any(part.get("description") for part in (schema, *properties.values())):
        return None
    required = set(schema.get("required", ()))
    lines = [
        f"- {name} ({_type_of(described)}, {'required' if name in required else 'optional'})"
        + (f": {described['description']}" if described.get("description") else "")
        for name, described in properties.items()
    ]
    if schema.get("description"):
        lines.insert(0, f"Description: {schema['description']}")
    return "\n".join(lines) or None


def _type_of(described: Mapping[str, Any]) -> str:
    if "enum" in described:
        return " | ".join(json.dumps(choice) for choice in described["enum"])
    if alternatives := described.get("anyOf"):
        return " | ".join(_type_of(each) for each in alternatives)
    if reference := described.get("$ref"):
        return str(reference).rpartition("/")[2]
    return str(described.get("type", "any"))
