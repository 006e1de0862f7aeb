"""What a provider lists of the tools of a hosted MCP server."""

from __future__ import annotations

from collections.abc import Sequence

from agentgraph.items.run_items import MCPListToolsItem, RunItem, raw_field

__all__ = ["listed_texts"]


def listed_texts(call: object, items: Sequence[RunItem]) -> tuple[str | None, str | None]:
    """Return description and title of a hosted tool, as the provider listed it most recently.

    Args:
        call: The call of the tool.
        items: The items of the run before the call.
    """
    server, name = raw_field(call, "server_label"), raw_field(call, "name")
    for item in reversed(items):
        if (
            item.type == MCPListToolsItem.type
            and raw_field(item.raw_item, "server_label") == server
        ):
            for tool in raw_field(item.raw_item, "tools") or ():
                if raw_field(tool, "name") == name:
                    titled = raw_field(tool, "title") or raw_field(
                        raw_field(tool, "annotations"), "title"
                    )
                    return raw_field(tool, "description") or None, titled or None
    return None, None
