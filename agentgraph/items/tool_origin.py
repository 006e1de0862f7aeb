"""Where a tool of a run comes from: a function, an agent or an MCP server, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import Final

__all__ = ["ToolOrigin", "ToolOriginType"]


class ToolOriginType(str, Enum):  # noqa: UP042 - str() differs, and the SDK has this form
    """The kinds of origins."""

    FUNCTION = "function"
    MCP = "mcp"
    AGENT_AS_TOOL = "agent_as_tool"


@dataclass(frozen=True)
class ToolOrigin:
    """Where a tool comes from.

    Attributes:
        type: The kind of the origin.
        mcp_server_name: The MCP server that has the tool; for a hosted server, its label.
        agent_name: The agent that serves as the tool.
        agent_tool_name: The name of that tool.
    """

    type: ToolOriginType
    mcp_server_name: str | None = None
    agent_name: str | None = None
    agent_tool_name: str | None = None

    def to_json_dict(self) -> dict[str, str]:
        """Return the origin as JSON data, without the names that it does not have."""
        names = {name: getattr(self, name) for name in _NAMES}
        return {
            "type": self.type.value,
            **{name: value for name, value in names.items() if value is not None},
        }

    @classmethod
    def from_json_dict(cls, data: object) -> ToolOrigin | None:
        """Read what `to_json_dict` returned.

        Args:
            data: The data. Names that are not text count as missing.

        Returns:
            The origin; `None` if the data is no mapping or has no known type.
        """
        if not isinstance(data, Mapping):
            return None
        kind = data.get("type")
        if not isinstance(kind, str) or kind not in _TYPES:
            return None
        names = {name: data.get(name) for name in _NAMES}
        return cls(
            ToolOriginType(kind),
            **{name: value for name, value in names.items() if isinstance(value, str)},
        )


_NAMES: Final = tuple(field.name for field in fields(ToolOrigin))[1:]
_TYPES: Final = frozenset(one.value for one in ToolOriginType)
