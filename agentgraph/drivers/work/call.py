"""One local call: the part that all kinds of calls and their phases share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from agentgraph.approvals import tool_identity
from agentgraph.drivers.work.hooks import call_hooks
from agentgraph.drivers.workbench import Workbench
from agentgraph.exceptions import AgentsException, UserError
from agentgraph.items.run_items import call_content
from agentgraph.record.payloads import Question, ToolReturn, Waiting
from agentgraph.runtime.commands import Perform
from agentgraph.runtime.outcomes import Outcome
from agentgraph.runtime.state import new
from agentgraph.tool_context import ToolContext
from agentgraph.tools.actions import action_item_of
from agentgraph.tools.errors import failures_named
from agentgraph.tools.function import FunctionTool, get_function_tool_origin
from agentgraph.usage.run_usage import RunUsage
from agentgraph.user_code.callbacks import resolve
from agentgraph_compiler.machine import Event

if TYPE_CHECKING:
    from agentgraph.agent import Agent


class LocalCall(NamedTuple):
    """A call that this process carries out.

    Args:
        bench: The run that makes the call.
        command: The command that asks for a phase of it.
        agent: The agent whose model called.
        tool: The tool that carries it out; ``None`` if the program no longer has it.
        raw: The call in the provider's form.
        hooked: Whether the agent has hooks, its own or the run's.
    """

    bench: Workbench
    command: Perform
    agent: Agent[Any]
    tool: Any
    raw: Any
    hooked: bool

    @property
    def name(self) -> str:
        """The names of the tool and of its agent, for messages."""
        return f"{self.tool.name} of agent {self.agent.name}"

    @property
    def owner(self) -> str:
        """The tool and its agent, for messages."""
        return f"tool {self.name}"

    def context(self) -> ToolContext[Any]:
        """The context of the call, the same in all of its phases."""
        bench, command, agent, tool, raw, hooked = self
        several = hooked or not command.invoke.short
        if several:
            contexts, place = bench.caches.contexts, command.id[:2]
            if place in contexts:
                return contexts[place]
        config = bench.facts.config
        make = ToolContext.from_agent_context
        if raw.type == "function_call":
            context = make(bench.context, raw.call_id, raw, agent, run_config=config)
        else:
            context = make(
                bench.context,
                raw.call_id,
                agent=agent,
                tool_name=tool.name,
                tool_arguments=getattr(raw, "input", ""),
                tool_namespace=getattr(raw, "namespace", None),
                run_config=config,
            )
        context.usage = RunUsage(bench.context.usage)
        context._identity = (bench.facts.run_id, bench.key(command))
        if several:
            contexts[place] = context
        return context

    async def stood_in(self) -> Outcome | None:
        """The outcome of the call if a stand-in answers it; then nothing is carried out here.

        Raises:
            Exception: The stand-in fails in place of the tool.
        """
        stand_in = self.bench.caches.stand_in
        if stand_in is None:
            return None
        payload = stand_in(self.tool.name, self.raw)
        if payload is None:
            return None
        if self.hooked and self.raw.type == "function_call":
            await self.tell("on_tool_start", context=self.context())
        return self.outcome(Event.RETURNED, payload)

    def count_usage(self, context: ToolContext[Any]) -> None:
        """Add the usage of the call to the run's, when no outcome will report it."""
        usage = context.usage
        own = usage.take_own() if isinstance(usage, RunUsage) else None
        if own is not None:
            self.bench.context.usage.add(own)

    @contextmanager
    def counting(self, context: ToolContext[Any] | None) -> Iterator[None]:
        """Add the usage of user code in the context of the call to the run's.

        For phases whose outcome does not report usage.
        """
        try:
            yield
        finally:
            if context is not None:
                self.count_usage(context)

    async def tell(self, hook: str, *rest: object, context: ToolContext[Any] | None = None) -> None:
        """Call a hook on the tool.

        A hook that fails ends the run, whatever the settings of the tool; the error names the hook.
        """
        if self.hooked:
            with failures_named(f"Error running hook {hook} on {self.owner}", typed=True):
                await call_hooks(
                    self.bench, self.agent, hook, self.agent, self.tool, *rest, context=context
                )

    async def unhandled(self, function: Callable[..., Any], *arguments: object) -> Any:
        """Call user code, sync or async, whose errors end the run.

        Raises:
            UserError: It raised any other exception; the message names the tool and the agent.
            AgentsException: The user code raised it.
        """
        try:
            return await resolve(function(*arguments))
        except AgentsException:
            raise
        except Exception as error:
            raise UserError(self.failure(error)) from error

    def failure(self, error: Exception) -> str:
        """The message for an error in the tool."""
        return f"Error running {self.owner}: {error}"

    def question(self, name: str, namespace: str | None = None) -> Question:
        """The call as a question for a person."""
        command = self.command
        if namespace is None:
            namespace = getattr(self.raw, "namespace", None)
        return Question(
            key=self.bench.key(command),
            tool=(command.invoke.symbol, tool_identity(name, namespace)),
            content=call_content(self.raw),
            agent=command.agent,
            machine=self.bench.facts.machine,
            raw=self.raw,
            name=name,
            namespace=namespace,
            origin=(
                get_function_tool_origin(self.tool) if isinstance(self.tool, FunctionTool) else None
            ),
        )

    def outcome(self, event: Event, payload: object = None) -> Outcome:
        """An outcome of the command."""
        return Outcome(self.command.id, event, payload)

    def await_decision(self, question: Question) -> Outcome:
        """The outcome of a call that waits for a decision."""
        return self.outcome(Event.AWAITING, Waiting((question,)))

    def answer(
        self,
        raw: object,
        output: object,
        custom_data: dict[str, Any] | None = None,
        event: Event = Event.RETURNED,
    ) -> Outcome:
        """The outcome of a call that has an output.

        Args:
            raw: The output in the provider's form.
            output: The output as the caller sees it.
            custom_data: The data that the program attached to it.
            event: How the phase ended.
        """
        return self.outcome(event, ToolReturn(output, raw, custom_data=custom_data))


async def local_call(bench: Workbench, command: Perform) -> LocalCall:
    """The call that a command is about, with the current tool of its symbol."""
    call = call_at_hand(bench, command)
    if call.tool is None:
        symbol, servers = command.invoke.symbol, dict(bench.binding(command.agent).servers)
        if symbol in servers:  # resumed in a process that has not listed the tools yet
            agent, listed = call.agent, bench.caches.listed
            tools = await servers[symbol].function_tools(bench.context, agent, agent.mcp_config)
            listed.update({(symbol, tool.name): tool for tool in tools})
            return call._replace(tool=listed.get((symbol, getattr(call.raw, "name", ""))))
    return call


def call_at_hand(bench: Workbench, command: Perform) -> LocalCall:
    """The call that a command is about; without its tool if no server has listed it yet."""
    caches, raw, symbol = bench.caches, bench.call(command), command.invoke.symbol
    binding = caches.bindings.agents[command.agent]
    tool = binding.tool.get(symbol) or caches.listed.get((symbol, getattr(raw, "name", "")))
    if tool is not None and (action_item_of(tool) or "function_call") != raw.type:
        tool = None  # another kind of tool has taken the name
    agent = binding.agent
    return new(LocalCall, (bench, command, agent, tool, raw, bench.hooked(agent)))
