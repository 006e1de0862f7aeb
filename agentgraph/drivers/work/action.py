"""One call that names no function, and what every kind of it has in common: its outcome, its hooks,
its errors and its turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from agentgraph.callbacks import resolve
from agentgraph.custom_data import custom_data_of
from agentgraph.drivers.payloads import ToolReturn, Waiting
from agentgraph.drivers.run import Run
from agentgraph.drivers.work.hooks import call_hooks
from agentgraph.exceptions import AgentsException, UserError
from agentgraph.items import RunItem, ToolApprovalItem, ToolCallOutputItem
from agentgraph.runtime.commands import Perform
from agentgraph.runtime.outcomes import Outcome
from agentgraph.tool_context import ToolContext
from agentgraph_compiler.machine import Event


@dataclass(frozen=True, slots=True)
class Action:
    """A call to be carried out on this side.

    Args:
        run: The run that makes the call.
        command: The command that asks for it.
        agent: The agent whose model called.
        tool: The tool that carries it out.
        raw: The call as the provider sent it.
    """

    run: Run
    command: Perform
    agent: Any
    tool: Any
    raw: Any

    async def started(self, context: ToolContext[Any] | None = None) -> None:
        """Tell the hooks that the tool is about to be called."""
        agent, tool = self.agent, self.tool
        await call_hooks(self.run, agent, "on_tool_start", agent, tool, context=context)

    async def ended(self, result: object, context: ToolContext[Any] | None = None) -> None:
        """Tell the hooks what the tool gave."""
        agent, tool = self.agent, self.tool
        await call_hooks(self.run, agent, "on_tool_end", agent, tool, result, context=context)

    async def attached(self, extractor: Callable[[Any], Any], asked: Any) -> dict[str, Any] | None:
        """What the program attaches to the output; errors as for ``unhandled``."""
        owner = f"tool {self.tool.name} of agent {self.agent.name}"
        given: dict[str, Any] | None = await self.unhandled(custom_data_of, extractor, asked, owner)
        return given

    async def unhandled(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call user code, sync or async, whose errors end the run.

        Raises:
            UserError: It raised something; the message names the tool and the agent.
            AgentsException: As the user code raised it.
        """
        try:
            return await resolve(function(*arguments))
        except AgentsException:
            raise
        except Exception as error:
            raise UserError(self.failure(error)) from error

    async def needs_approval(self, asked: object) -> bool:
        """Whether a person must approve the call first.

        Args:
            asked: What the model asks for, in the form in which the tool's rule is given it.
        """
        rule = self.tool.needs_approval
        if callable(rule):
            return bool(await resolve(rule(self.run.context, asked, self.raw.call_id)))
        return bool(rule)

    def failure(self, error: Exception) -> str:
        """What is said of an error in the tool."""
        return f"Error running tool {self.tool.name} of agent {self.agent.name}: {error}"

    def pending(self, name: str, namespace: str | None = None) -> ToolApprovalItem:
        """The call as a person is asked about it."""
        return ToolApprovalItem(
            agent=self.agent,
            raw_item=self.raw,
            tool_name=name,
            tool_namespace=namespace,
            _scope=self.run.context._approvals.scope,
        )

    def waits(self, pending: ToolApprovalItem) -> Outcome:
        """The call waits for a decision."""
        return Outcome(self.command.id, Event.AWAITING, Waiting((pending,)))

    def answered(
        self, raw_item: Any, output: Any, custom_data: dict[str, Any] | None = None
    ) -> Outcome:
        """The call has an output.

        Args:
            raw_item: The output as the provider is sent it.
            output: The output as the caller sees it.
            custom_data: What the program attached to it.
        """
        item = ToolCallOutputItem(
            agent=self.agent, raw_item=raw_item, output=output, custom_data=custom_data
        )
        return self.returned((item,), output)

    def returned(self, items: Sequence[RunItem], output: Any) -> Outcome:
        """The call is over."""
        return Outcome(self.command.id, Event.RETURNED, ToolReturn(items, output))
