"""A call of an agent tool by the program's own code, outside the run of any calling agent.

In a run, the tool is an invoke of a sub-machine (``agent_call``). A call by hand has no machine
around it, so it is a run of its own. Its usage counts into the context of the call.
"""

from __future__ import annotations

from typing import Any

from agentgraph.agent_tool import AgentTool
from agentgraph.drivers.workbench import UNWATCHED
from agentgraph.running.agent_call import output_of_call, watched
from agentgraph.running.ending import carry_out, result_of
from agentgraph.running.launch import launch
from agentgraph.running.moves import show_moves
from agentgraph.runtime.commands import Rest
from agentgraph.tool_context import ToolContext
from agentgraph.tools.errors import answer_to_failure


async def call_by_hand(tool: AgentTool, context: ToolContext[Any], arguments: str) -> Any:
    """Run the agent behind a tool.

    Args:
        tool: The tool.
        context: The context of the call.
        arguments: The arguments as JSON text.

    Returns:
        The tool's output, or the text of its failure function; ``None`` if a call inside waits for
        approval.

    Raises:
        AgentsException: It ended the run, and the tool does not handle its errors.
        UserError: Any other exception of such a tool, which is its cause.
    """
    try:
        params = tool.read_arguments(arguments)
        config = getattr(context, "run_config", None)
        options = {
            "context": context,
            "run_config": config if tool.run_config is None else tool.run_config,
            "hooks": tool.hooks,
            "session": tool.session,
            "conversation_id": tool.conversation_id,
            "previous_response_id": tool.previous_response_id,
        }
        if tool.max_turns is not None:
            options["max_turns"] = tool.max_turns
        launched = launch(tool.agent, await tool.build_input(params), options, UNWATCHED)
        run, journal = launched.run, launched.journal
        run.bench.context.tool_input = params
        async with journal.claim:
            journal.account = context.usage
            streams, rows = tool.on_stream is not None, len(journal)
            try:
                rest: Rest = await (watched(run, tool, context) if streams else carry_out(run))
            finally:
                show_moves(journal, rows)
        result = result_of(run, rest)
        return (
            result.final_output if result.interruptions else await output_of_call(tool, run, result)
        )
    except Exception as error:  # noqa: BLE001 - the tool decides what follows
        what = f"Error running tool {tool.name}"
        handler = tool.failure_error_function
        return await answer_to_failure(handler, context, error, tool.name, what)
