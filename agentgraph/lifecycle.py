"""Hooks: methods that a run calls when something happens in it.

Subclass a base and override the methods that you need; every method here does nothing. A run calls
its `RunHooks` for all agents, and the `AgentHooks` of an agent for that agent only. An exception in
a hook ends the run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeAlias

from typing_extensions import TypeVar

from agentgraph.run_context import AgentHookContext, RunContextWrapper, TContext

if TYPE_CHECKING:
    from agentgraph.items.responses import ModelResponse, TResponseInputItem
    from agentgraph.tool import Tool

__all__ = ["AgentHooks", "AgentHooksBase", "RunHooks", "RunHooksBase", "TAgent"]

TAgent = TypeVar("TAgent", default=Any)
"""The agent's type."""


class RunHooksBase(Generic[TContext, TAgent]):
    """Hooks of a whole run; pass them to the runner as `hooks`."""

    async def on_llm_start(
        self,
        context: RunContextWrapper[TContext],
        agent: TAgent,
        system_prompt: str | None,
        input_items: list[TResponseInputItem],
    ) -> None:
        """A model call is about to start.

        Args:
            context: The run's context.
            agent: The agent whose turn it is.
            system_prompt: The agent's instructions for this turn.
            input_items: The rest of the model's input; a copy.
        """

    async def on_llm_end(
        self, context: RunContextWrapper[TContext], agent: TAgent, response: ModelResponse
    ) -> None:
        """A model has replied; it is not called for a failed model call.

        Args:
            context: The run's context.
            agent: The agent whose turn it is.
            response: The reply.
        """

    async def on_agent_start(self, context: AgentHookContext[TContext], agent: TAgent) -> None:
        """An agent takes over: at the start of the run and after each handoff.

        Args:
            context: The run's context, with the agent's input.
            agent: The agent.
        """

    async def on_agent_end(
        self, context: AgentHookContext[TContext], agent: TAgent, output: Any
    ) -> None:
        """The run has its final output.

        Args:
            context: The run's context.
            agent: The agent that produced the output.
            output: The final output.
        """

    async def on_handoff(
        self, context: RunContextWrapper[TContext], from_agent: TAgent, to_agent: TAgent
    ) -> None:
        """An agent has handed over to another.

        Args:
            context: The run's context.
            from_agent: The agent that handed over.
            to_agent: The agent that takes over.
        """

    async def on_tool_start(
        self, context: RunContextWrapper[TContext], agent: TAgent, tool: Tool
    ) -> None:
        """A tool is about to be called.

        Args:
            context: The run's context; for function tools a `ToolContext` with the call.
            agent: The agent whose model makes the call.
            tool: The tool.
        """

    async def on_tool_end(
        self, context: RunContextWrapper[TContext], agent: TAgent, tool: Tool, result: object
    ) -> None:
        """A tool call is finished.

        Args:
            context: The run's context; for function tools a `ToolContext` with the call.
            agent: The agent whose model made the call.
            tool: The tool.
            result: The return value of the tool.
        """


class AgentHooksBase(Generic[TContext, TAgent]):
    """Hooks of one agent; set them as the agent's `hooks`."""

    async def on_start(self, context: AgentHookContext[TContext], agent: TAgent) -> None:
        """The agent takes over.

        Args:
            context: The run's context, with the agent's input.
            agent: The agent.
        """

    async def on_end(self, context: AgentHookContext[TContext], agent: TAgent, output: Any) -> None:
        """The agent produced the run's final output.

        Args:
            context: The run's context.
            agent: The agent.
            output: The final output.
        """

    async def on_handoff(
        self, context: RunContextWrapper[TContext], agent: TAgent, source: TAgent
    ) -> None:
        """The agent has handed over to another.

        Args:
            context: The run's context.
            agent: The agent that takes over.
            source: The agent that handed over, whose hooks these are.
        """

    async def on_tool_start(
        self, context: RunContextWrapper[TContext], agent: TAgent, tool: Tool
    ) -> None:
        """The agent is about to call a tool.

        Args:
            context: The run's context; for function tools a `ToolContext` with the call.
            agent: The agent.
            tool: The tool.
        """

    async def on_tool_end(
        self, context: RunContextWrapper[TContext], agent: TAgent, tool: Tool, result: object
    ) -> None:
        """A tool call of the agent is finished.

        Args:
            context: The run's context; for function tools a `ToolContext` with the call.
            agent: The agent.
            tool: The tool.
            result: The return value of the tool.
        """

    async def on_llm_start(
        self,
        context: RunContextWrapper[TContext],
        agent: TAgent,
        system_prompt: str | None,
        input_items: list[TResponseInputItem],
    ) -> None:
        """A call of the agent's model is about to start.

        Args:
            context: The run's context.
            agent: The agent.
            system_prompt: The agent's instructions for this turn.
            input_items: The rest of the model's input; a copy.
        """

    async def on_llm_end(
        self, context: RunContextWrapper[TContext], agent: TAgent, response: ModelResponse
    ) -> None:
        """The agent's model has replied.

        Args:
            context: The run's context.
            agent: The agent.
            response: The reply.
        """


# The module of the agent's class imports this one, so the aliases leave the agent's type open.
RunHooks: TypeAlias = RunHooksBase[TContext, Any]
"""Hooks of a run."""

AgentHooks: TypeAlias = AgentHooksBase[TContext, Any]
"""Hooks of one agent."""
