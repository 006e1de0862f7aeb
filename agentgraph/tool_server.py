"""The tools of a turn: those of the agent's servers, then the agent's own that are enabled.

`Agent.get_all_tools` and the offer of a run are both made here, so they cannot differ. Agents refer
to servers by the protocol `ToolServer` only. The implementation of the Model Context Protocol is in
`agentgraph.mcp`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, NotRequired, Protocol, TypeVar, runtime_checkable

from typing_extensions import TypedDict

from agentgraph.exceptions import UserError
from agentgraph.user_code.callbacks import gather_or_cancel, resolve
from agentgraph.user_code.cancellation import take_back

if TYPE_CHECKING:
    from agentgraph.authoring.any_agent import AnyAgentBase
    from agentgraph.run_context import RunContextWrapper
    from agentgraph.tool import FunctionTool, ToolErrorFunction

__all__ = [
    "MCPConfig",
    "ToolServer",
    "enabled_entries",
    "enabled_flag",
    "tools_of_servers",
    "tools_of_turn",
]


class MCPConfig(TypedDict):
    """How an agent uses the tools of its MCP servers.

    Attributes:
        convert_schemas_to_strict: Whether schemas are converted into their strict form where one
            exists. When left out, schemas are used unchanged.
        failure_error_function: Makes the message for the model when a call fails; `None` raises
            instead.
        include_server_in_tool_names: Whether tool names start with the server's name, so that an
            agent can use servers with tools of the same name.
    """

    convert_schemas_to_strict: NotRequired[bool]
    failure_error_function: NotRequired[ToolErrorFunction | None]
    include_server_in_tool_names: NotRequired[bool]


@runtime_checkable
class ToolServer(Protocol):
    """A server whose tools an agent may call."""

    @property
    def name(self) -> str:
        """The server's name, for people and for tool names."""
        ...

    async def function_tools(
        self, run_context: RunContextWrapper[Any], agent: AnyAgentBase, config: MCPConfig
    ) -> list[FunctionTool]:
        """List the tools that an agent may call in this turn.

        Args:
            run_context: The run's context, which tool filters receive.
            agent: The agent.
            config: How the agent uses the tools.

        Returns:
            One function tool for each tool that passes the filters.
        """
        ...


Key = TypeVar("Key")


async def tools_of_turn(
    agent: AnyAgentBase,
    run_context: RunContextWrapper[Any],
    own: Iterable[tuple[Key, Any]],
    servers: Iterable[tuple[Key, ToolServer]],
) -> list[tuple[Key, Any]]:
    """List the tools that an agent's model may call in this turn.

    Args:
        agent: The agent.
        run_context: The run's context, which `is_enabled` callables and tool filters receive.
        own: The agent's own tools, each with a key.
        servers: The agent's servers, each with a key, which all of its tools get.

    Returns:
        The tools of the servers, then the enabled ones of the agent's own, each with its key.

    Raises:
        UserError: Two servers have a tool of the same name.
    """
    return [
        *await tools_of_servers(agent, run_context, servers),
        *await enabled_entries(agent, run_context, own),
    ]


async def tools_of_servers(
    agent: AnyAgentBase,
    run_context: RunContextWrapper[Any],
    servers: Iterable[tuple[Key, ToolServer]],
) -> list[tuple[Key, FunctionTool]]:
    """List the current tools of an agent's servers, in the order of the servers.

    Raises:
        UserError: Two servers have a tool of the same name.
    """
    tools: dict[str, tuple[Key, FunctionTool]] = {}
    owners: dict[str, str] = {}
    for key, server in servers:
        take_back()
        for tool in await server.function_tools(run_context, agent, agent.mcp_config):
            if tool.name in tools:
                raise UserError(
                    f"Agent {agent.name!r} has two MCP tools named {tool.name!r}, from servers "
                    f"{owners[tool.name]!r} and {server.name!r}. Filter one out, or set "
                    "mcp_config={'include_server_in_tool_names': True}."
                )
            tools[tool.name] = key, tool
            owners[tool.name] = server.name
    return list(tools.values())


async def enabled_entries(
    agent: object, run_context: RunContextWrapper[Any], entries: Iterable[tuple[Key, Any]]
) -> list[tuple[Key, Any]]:
    """Return the tools or handoffs that are enabled in this turn, with their keys.

    Callables decide all at the same time.
    """
    pairs = [(entry, enabled_flag(entry[1])) for entry in entries]
    calls = [partial(_answer, flag, run_context, agent) for _, flag in pairs if callable(flag)]
    answers = iter(await gather_or_cancel(*calls) if calls else ())
    return [entry for entry, flag in pairs if (next(answers) if callable(flag) else flag)]


def enabled_flag(entry: object) -> Any:
    """The `is_enabled` of a tool or handoff: a constant, or a callable that decides every turn."""
    return getattr(entry, "is_enabled", True)


async def _answer(
    flag: Callable[..., object], run_context: RunContextWrapper[Any], agent: object
) -> bool:
    return bool(await resolve(flag(run_context, agent)))
