"""Converting the arguments of an agent tool into the input of its agent.

An agent tool without parameters takes one text, which becomes the input unchanged. With parameters,
the input is their JSON with a description of their meaning, unless an input builder makes it.
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
    """The description of the parameters in the agent's input.

    Attributes:
        summary: The meaning of the parameters in a few lines, if the schema describes it.
        json_schema: The whole schema, if the agent shall see it.
    """

    summary: str | None = None
    json_schema: dict[str, Any] | None = None


class StructuredToolInputBuilderOptions(TypedDict, total=False):
    """The argument of an input builder.

    Attributes:
        params: The parameters that the model wrote, validated.
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
        options: The parameters and their description.

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
    """Make the input of the agent of an agent tool.

    Args:
        params: The arguments of the call, validated, as plain JSON values.
        schema_info: The description of the arguments for the agent.
        input_builder: Makes the input in place of the default builder.

    Returns:
        The input, as text or as input items.

    Raises:
        UserError: The builder returned something else.
    """
    description = schema_info or StructuredInputSchemaInfo()
    if input_builder is None and description == StructuredInputSchemaInfo():
        return params["input"] if is_agent_tool_input(params) else json.dumps(params)
    options = StructuredToolInputBuilderOptions(
        params=params, summary=description.summary, json_schema=description.json_schema
    )
    agent_input = await resolve((input_builder or default_tool_input_builder)(options))
    if not isinstance(agent_input, str | list):
        raise UserError(
            f"The input_builder of an agent tool must return text or a list of input items, "
            f"not {type(agent_input).__name__}."
        )
    return agent_input


def build_structured_input_schema_info(
    params_schema: dict[str, Any] | None, *, include_json_schema: bool
) -> StructuredInputSchemaInfo:
    """Describe the parameters of an agent tool for its agent.

    Args:
        params_schema: The JSON schema of the parameters; `None` if there are none.
        include_json_schema: Whether the agent shall see the whole schema.

    Returns:
        The summary and, if the agent shall see it, the schema.
    """
    if not params_schema:
        return StructuredInputSchemaInfo()
    return StructuredInputSchemaInfo(
        summary=_summarise(params_schema),
        json_schema=params_schema if include_json_schema else None,
    )


def is_agent_tool_input(value: object) -> bool:
    """Whether arguments are those of an agent tool that takes one text."""
    return isinstance(value, dict) and isinstance(value.get("input"), str)


def _section(title: str, value: object) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return f"## {title}\n\n```json\n{text}\n```"


def _summarise(schema: Mapping[str, Any]) -> str | None:
    """Summarise the parameters, if the schema or a parameter has a description; else `None`."""
    properties: Mapping[str, Mapping[str, Any]] = schema.get("properties", {})
    if not any(part.get("description") for part in (schema, *properties.values())):
        return None
    required = set(schema.get("required", ()))
    lines = [
        f"- {name} ({_type_of(part)}, {'required' if name in required else 'optional'})"
        + (f": {part['description']}" if part.get("description") else "")
        for name, part in properties.items()
    ]
    if schema.get("description"):
        lines.insert(0, f"Description: {schema['description']}")
    return "\n".join(lines) or None


def _type_of(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(json.dumps(choice) for choice in schema["enum"])
    if alternatives := schema.get("anyOf"):
        return " | ".join(_type_of(each) for each in alternatives)
    if reference := schema.get("$ref"):
        return str(reference).rpartition("/")[2]
    return str(schema.get("type", "any"))
