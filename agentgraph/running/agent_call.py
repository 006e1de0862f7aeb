"""Calling an agent used as a tool: its sub-machine runs inside the run that calls it.

The inner run has its own turns, record and decisions; it shares the context object and the journal
of the outer run. Its rows stand under the identity of the call, so a call that was cut short is
resumed, never repeated. The outer call awaits the inner run, so a cancellation reaches both.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agentgraph.agent_tool import AgentTool, AgentToolStreamEvent, ReturningHandoff
from agentgraph.drivers.run import Run
from agentgraph.drivers.work.returning import entrusted_input
from agentgraph.drivers.workbench import Workbench
from agentgraph.frontend.scope import RunScope
from agentgraph.items import MessageOutputItem, ToolCallOutputItem
from agentgraph.items.item_helpers import ItemHelpers
from agentgraph.logger import log_tool_action_warning, logger
from agentgraph.record.facts import ConversationIds, RunFacts
from agentgraph.record.payloads import Waiting
from agentgraph.run_config import DEFAULT_MAX_TURNS
from agentgraph.running.ending import carry_out, result_of
from agentgraph.running.event_queue import EventQueue
from agentgraph.running.nested import nested_run, questions_in
from agentgraph.running.recompile import Recompile
from agentgraph.running.result import RunResult
from agentgraph.running.watching import watcher_of
from agentgraph.runtime.commands import Perform, Rest
from agentgraph.tool_context import ToolContext
from agentgraph.tools.errors import answer_to_failure
from agentgraph.user_code.callbacks import resolve
from agentgraph.user_code.cancellation import was_cancelled
from agentgraph_compiler.machine import StateKind

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem
    from agentgraph.lifecycle import RunHooks


async def call_agent(
    bench: Workbench, command: Perform, tool: AgentTool, context: ToolContext[Any]
) -> Any:
    """Run the agent behind a tool.

    Args:
        bench: The run that makes the call.
        command: The call; its invoke names the sub-machine.
        tool: The tool.
        context: The context of the call.

    Returns:
        The tool's output, the text of its failure function, or ``Waiting`` if the inner run was
        suspended.

    Raises:
        AgentsException: It ended the inner run, and the tool does not handle its errors.
        UserError: Any other exception of such a tool, which is its cause.
    """
    try:
        inner = await _inner(bench, command, tool, context)
        rest = await (carry_out(inner) if tool.on_stream is None else watched(inner, tool, context))
        if rest.kind is StateKind.SUSPENDED:
            return Waiting(questions_in(inner, rest))
        output = await output_of_call(tool, inner, result_of(inner, rest))
        if isinstance(tool, ReturningHandoff):
            output = _written(output)
    except Exception as error:  # noqa: BLE001 - the tool decides what follows
        what = f"Error running tool {tool.name} of agent {bench.agent(command).name}"
        handler = tool.failure_error_function
        output = await answer_to_failure(handler, context, error, tool.name, what)
    return output


def _written(output: object) -> object:
    """An answer as the agent reads it that handed over: text as it is, anything else as JSON."""
    from pydantic_core import PydanticSerializationError, to_json

    if isinstance(output, str):
        return output
    try:
        return to_json(output).decode()
    except (PydanticSerializationError, ValueError):
        return output


async def _inner(
    bench: Workbench, command: Perform, tool: AgentTool, context: ToolContext[Any]
) -> Run:
    """The run inside."""
    if isinstance(tool, ReturningHandoff):
        limit, hooks = bench.facts.limit, bench.facts.hooks
        return _made(
            bench,
            command,
            tool,
            context,
            input=entrusted_input(bench, command),
            limit=None if limit is None else max(0, limit - 1),
            hooks=hooks,
            handed=True,
        )
    params = tool.read_arguments(context.tool_arguments)
    return _made(
        bench,
        command,
        tool,
        context,
        input=await tool.build_input(params),
        limit=DEFAULT_MAX_TURNS if tool.max_turns is None else tool.max_turns,
        hooks=tool.hooks,
        params=params,
    )


def _made(
    bench: Workbench,
    command: Perform,
    tool: AgentTool,
    context: ToolContext[Any],
    *,
    input: str | list[TResponseInputItem],
    limit: int | None,
    hooks: RunHooks[Any] | None,
    params: object = None,
    handed: bool = False,
) -> Run:
    caches, outer = bench.caches, bench.facts
    config = outer.config if tool.run_config is None else tool.run_config
    if caches.stand_in is not None and tool.run_config is not None:
        config = replace(config, model=outer.config.model)  # the model of the test, here as well
    facts = RunFacts(
        run_id=outer.run_id,
        path=bench.key(command).inside,
        machine=command.invoke.machine,
        input=input,
        config=config,
        provider=config.model_provider or outer.provider,
        limit=limit,
        session=tool.session,
        hooks=hooks,
        conversation=ConversationIds(
            tool.conversation_id,
            tool.previous_response_id,
            tool.previous_response_id is not None,
        ),
    )
    recompile = Recompile(tool.agent, RunScope.of(config).begun_by(handoff=handed))
    return nested_run(bench, command, facts, recompile, outer=context, tool_input=params)


async def watched(inner: Run, tool: AgentTool, context: ToolContext[Any]) -> Rest:
    """Carry a run out and pass each of its events to the tool's ``on_stream``, in order."""
    queue = EventQueue(tool.on_stream_max_pending_events)
    inner.caches.watcher = watcher_of(queue)
    listener = asyncio.create_task(_hand_over(queue, inner, tool, context))
    try:
        await asyncio.sleep(0)  # the listener must listen before the first event
        rest = await carry_out(inner)
        queue.close()
        await listener
        return rest
    finally:
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)


async def _hand_over(
    queue: EventQueue, run: Run, tool: AgentTool, context: ToolContext[Any]
) -> None:
    assert tool.on_stream is not None
    async for event in queue.events():
        tool_event = AgentToolStreamEvent(
            event=event, agent=run.agent, tool_call=getattr(context, "tool_call", None)
        )
        try:
            await resolve(tool.on_stream(tool_event))
        except asyncio.CancelledError as error:
            if await was_cancelled():
                raise
            _pass_over(tool, error)
        except Exception as error:  # noqa: BLE001 - user code may raise anything
            _pass_over(tool, error)


def _pass_over(tool: AgentTool, error: BaseException) -> None:
    """Log a failure of the listener; the run that it listens to goes on."""
    message = f"on_stream of agent tool {tool.name!r} raised; the run goes on"
    log_tool_action_warning(logger, message, error)


async def output_of_call(tool: AgentTool, inner: Run, result: RunResult) -> Any:
    """The output of an agent tool: its final output or, if that is empty, its last text.

    If output guardrails judged the final output, it is returned even if it is empty.
    """
    if tool.custom_output_extractor is not None:
        return await resolve(tool.custom_output_extractor(result))
    output = result.final_output
    if (output is not None and output != "") or inner.record.judged:
        return output
    for item in reversed(result.new_items):
        if isinstance(item, MessageOutputItem):
            text = ItemHelpers.text_message_output(item)
            if text:
                return text
        elif isinstance(item, ToolCallOutputItem) and isinstance(item.output, str) and item.output:
            return item.output
    return output
