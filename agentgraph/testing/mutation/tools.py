"""Faults of tools: one is missing, one is always there, one asks for no approval."""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph.testing.mutation.changes import Change, Parts, label_of

__all__ = ["drop_approval", "drop_tool", "enable_tool"]


def drop_tool(parts: Parts) -> Iterator[Change]:
    """Take each tool, and each server of tools, away."""
    for agent in parts.agents:
        for place, tool in enumerate(agent.tools):
            name = label_of(tool)
            yield Change(
                owner=agent,
                values={"tools": [*agent.tools[:place], *agent.tools[place + 1 :]]},
                agent=agent,
                part=name,
                text=f"'{agent.name}' does not have {name}",
                moves=(f"'{agent.name}' calls {name}",),
                place=agent,
            )
        servers = getattr(agent, "mcp_servers", [])
        for place, server in enumerate(servers):
            yield Change(
                owner=agent,
                values={"mcp_servers": [*servers[:place], *servers[place + 1 :]]},
                agent=agent,
                part=str(server.name),
                text=f"'{agent.name}' does not have the tools of server '{server.name}'",
                moves=(f"'{agent.name}' calls a tool of server '{server.name}'",),
                place=agent,
            )


def enable_tool(parts: Parts) -> Iterator[Change]:
    """Let each tool with a condition be on offer always."""
    for agent in parts.agents:
        for tool in agent.tools:
            if getattr(tool, "is_enabled", True) is not True:
                name = label_of(tool)
                yield Change(
                    owner=tool,
                    values={"is_enabled": True},
                    agent=agent,
                    part=name,
                    text=f"{name} of '{agent.name}' ignores its is_enabled",
                    moves=(
                        f"is_enabled of {name} says no",
                        f"{name} is not among the tools of the model call of '{agent.name}'",
                    ),
                    place=tool,
                )


def drop_approval(parts: Parts) -> Iterator[Change]:
    """Let each tool run that should wait for a person."""
    for agent in parts.agents:
        for tool in agent.tools:
            rule = getattr(tool, "needs_approval", False)
            if rule:
                name = label_of(tool)
                asked = " with arguments that need an approval" if callable(rule) else ""
                yield Change(
                    owner=tool,
                    values={"needs_approval": False},
                    agent=agent,
                    part=name,
                    text=f"{name} runs without approval",
                    moves=(
                        f"'{agent.name}' calls {name}{asked}",
                        f"the run waits, a person rejects the call, and {name} does not run",
                    ),
                    place=tool,
                )
