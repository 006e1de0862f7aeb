"""Calling an agent used as a tool: its sub-machine is run like any other, inside the run that calls
it.

The inner run has its own turns and transcript, is decided on by itself, and shares the context
object and the usage of the outer one. Cancelling the outer run cancels it, because it is awaited
inside the outer call.
"""

from __future__ import annotations

import asyncio
from typing import Any

from agentgraph.agent_tool import AgentTool, AgentToolStreamEvent
from agentgraph.callbacks import resolve
from agentgraph.cancellation import is_cancelled
from agentgraph.drivers.aio import Ending
from agentgraph.drivers.payloads import Waiting
from agentgraph.drivers.run import Conversation, Run
from agentgraph.event_queue import EventQueue
from agentgraph.frontend.lower_workflow import RunScope
from agentgraph.item_helpers import ItemHelpers
from agentgraph.launch import (
    Launch,
    Recompile,
    carry_out,
    recording_of,
    replaying,
    result_of,
    watcher_of,
)
from agentgraph.logger import log_tool_action_warning, logger
from agentgraph.memory.run_transcript import Transcript
from agentgraph.memory.session_log import SessionLog
from agentgraph.result import RunResult
from agentgraph.run_config import DEFAULT_MAX_TURNS, coerce_run_config
from agentgraph.run_context import RunContextWrapper
from agentgraph.run_state import Recording
from agentgraph.runtime.commands import Perform, Suspend
from agentgraph.tool_context import ToolContext
from agentgraph.tool_errors import answer_to_failure


async def call_agent(run: Run, command: Perform, tool: AgentTool, context: ToolContext[Any]) -> Any:
    """Run the agent behind a tool.

    Args:
        run: The run that makes the call.
        command: The call; its invoke names the sub-machine.
        tool: The tool.
        context: The context of the call.

    Returns:
        The tool's output, what its failure function wrote instead, or ``Waiting`` if the inner run
        was suspended.

    Raises:
        AgentsException: As it ended the inner run, if the tool does not handle its errors.
        UserError: For any other exception of such a tool; that exception is its cause.
    """
    try:
        params = tool.read_arguments(context.tool_arguments)
        inner = _inner(run, command, tool, context, params, await tool.build_input(params))
        ending = await (
            carry_out(inner) if tool.on_stream is None else _watched(inner, tool, context)
        )
        if isinstance(ending, Suspend):
            result = result_of(inner, ending)
            recording = recording_of(inner.run, ending)
            return Waiting(tuple(result.interruptions), recording, context.tool_call_id)
        return await _output(tool, result_of(inner, ending))
    except Exception as error:  # noqa: BLE001 - what follows is the tool's to say
        what = f"Error running tool {tool.name} of agent {run.binding(command.agent).agent.name}"
        handler = tool.failure_error_function
        return await answer_to_failure(handler, context, error, tool.name, what)


def _inner(
    run: Run,
    command: Perform,
    tool: AgentTool,
    context: ToolContext[Any],
    params: Any,
    given: Any,
) -> Launch:
    name = command.invoke.machine
    machine, bindings = run.submachines[name], run.bindings.machines[name]
    config = run.config if tool.run_config is None else coerce_run_config(tool.run_config)
    recording: Recording | None = run.waiting.get(context.tool_call_id)
    if recording is None:
        chained = tool.previous_response_id is not None
        conversation = Conversation(tool.conversation_id, tool.previous_response_id, chained)
    else:
        conversation = Conversation(*recording.conversation)
    if tool.session is None:
        log = None
    elif recording is None:
        log = SessionLog(tool.session)
    else:
        log = SessionLog(tool.session, recording.saved)
    inner = Run(
        machine=machine,
        bindings=bindings,
        recompile=Recompile(tool.agent, RunScope.of(config)),
        transcript=Transcript(
            given,
            ItemHelpers.input_to_new_input_list(given),
            continued=conversation.kept_by_server,
        ),
        context=RunContextWrapper(
            run.context.context,
            run.context.usage,
            [],
            run.context._approvals.within(context.tool_call_id),
            params,
        ),
        config=config,
        provider=config.model_provider or run.provider,
        call_agent=run.call_agent,
        submachines=run.submachines,
        session=log,
        hooks=tool.hooks,
        limit=DEFAULT_MAX_TURNS if tool.max_turns is None else tool.max_turns,
        conversation=conversation,
    )
    inner.agent = tool.agent
    if recording is not None:
        replaying(inner, recording)
    return Launch(inner, None, fresh=recording is None)


async def _watched(inner: Launch, tool: AgentTool, context: ToolContext[Any]) -> Ending:
    """Carry a run out and hand every event of it to the tool's ``on_stream``, in order."""
    queue = EventQueue()
    inner.run.watcher = watcher_of(queue)
    limit = tool.on_stream_max_pending_events
    if limit is not None:

        async def room() -> None:
            if queue.pending >= limit:
                await queue.caught_up()

        inner.run.watcher.room = room
    listener = asyncio.create_task(_hand_over(queue, inner.run, tool, context))
    try:
        await asyncio.sleep(0)  # the listener listens before anything happens
        ending = await carry_out(inner)
        queue.close()
        await listener
        return ending
    finally:
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)


async def _hand_over(
    queue: EventQueue, run: Run, tool: AgentTool, context: ToolContext[Any]
) -> None:
    assert tool.on_stream is not None
    async for event in queue.events():
        told = AgentToolStreamEvent(event=event, agent=run.agent, tool_call=context.tool_call)
        try:
            await resolve(tool.on_stream(told))
        except asyncio.CancelledError as error:
            if is_cancelled():
                raise
            _pass_over(tool, error)
        except Exception as error:  # noqa: BLE001 - user code may raise anything
            _pass_over(tool, error)


def _pass_over(tool: AgentTool, error: BaseException) -> None:
    """A listener that fails is no reason to lose the work it listens to."""
    message = f"on_stream of agent tool {tool.name!r} raised; the run goes on"
    log_tool_action_warning(logger, message, error)


async def _output(tool: AgentTool, result: RunResult) -> Any:
    if tool.custom_output_extractor is not None:
        return await resolve(tool.custom_output_extractor(result))
    if result.final_output is not None and result.final_output != "":
        return result.final_output
    return ItemHelpers.text_message_outputs(result.new_items)
