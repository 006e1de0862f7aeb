"""Being told what a run does, as it does it.

Subclass and override what you want to hear of; every method does nothing here. `RunHooks` hears of
the whole run, `AgentHooks` of one agent. A hook that raises ends the run.
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
    """Hears of everything in a run; pass it to the runner as `hooks`."""

    async def on_llm_start(
        self,
        context: RunContextWrapper[TContext],
        agent: TAgent,
        system_prompt: str | None,
        input_items: list[TResponseInputItem],
    ) -> None:
        """A model is about to be asked.

        Args:
            context: The run's context.
            agent: The agent whose turn it is.
            system_prompt: The agent's instructions for this turn.
            input_items: What the model is given besides.
        """

    async def on_llm_end(
        self, context: RunContextWrapper[TContext], agent: TAgent, response: ModelResponse
    ) -> None:
        """A model has replied; a call that fails ends without this.

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
            agent: The agent that calls.
            tool: The tool.
        """

    async def on_tool_end(
        self, context: RunContextWrapper[TContext], agent: TAgent, tool: Tool, result: object
    ) -> None:
        """A tool call is finished.

        Args:
            context: The run's context; for function tools a `ToolContext` with the call.
            agent: The agent that called.
            tool: The tool.
            result: What the tool returned.
        """


class AgentHooksBase(Generic[TContext, TAgent]):
    """Hears of one agent; set it as the agent's `hooks`."""

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
            result: What the tool returned.
        """

    async def on_llm_start(
        self,
        context: RunContextWrapper[TContext],
        agent: TAgent,
        system_prompt: str | None,
        input_items: list[TResponseInputItem],
    ) -> None:
        """The agent's model is about to be asked.

        Args:
            context: The run's context.
            agent: The agent.
            system_prompt: The agent's instructions for this turn.
            input_items: What the model is given besides.
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


# The agent's own class stands above this module, so hooks take whatever agent they are given.
RunHooks: TypeAlias = RunHooksBase[TContext, Any]
"""Hooks of a run."""

AgentHooks: TypeAlias = AgentHooksBase[TContext, Any]
"""Hooks of one agent."""
