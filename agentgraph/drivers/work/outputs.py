"""Final outputs: reading one from an outcome, deciding on one, and announcing it to hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentgraph.agent import ToolsToFinalOutputResult
from agentgraph.agent_output import output_schema_of
from agentgraph.drivers.names import tool_of
from agentgraph.drivers.reading.classify import output_in
from agentgraph.drivers.work.hooks import call_hooks, context_of
from agentgraph.drivers.workbench import Workbench
from agentgraph.exceptions import UserError
from agentgraph.items.tool_payload import check_readable
from agentgraph.record.payloads import ModelReply
from agentgraph.record.step_payloads import FinalOutput, Split
from agentgraph.runtime.commands import CommandId, Perform
from agentgraph.runtime.outcomes import Outcome
from agentgraph.tools.function import FunctionTool, FunctionToolResult
from agentgraph.user_code.callbacks import resolve
from agentgraph_compiler.machine import Event

if TYPE_CHECKING:
    from agentgraph.agent import Agent


def final_output(bench: Workbench, source: CommandId | None, agent: Agent[Any]) -> Any:
    """The final output that an outcome holds.

    The output of a tool becomes text if the agent's output is text; otherwise it is passed on
    unparsed. The output of an error handler stays as it is. The outcome with which branches begin
    stands for their outputs.
    """
    payload = bench.view.payload(source)
    if isinstance(payload, Split):
        assert source is not None
        outputs = [one.output for _, one in bench.view.branches(source).values()]
        return outputs[0] if payload.single else outputs
    output = payload.output
    if isinstance(payload, FinalOutput):
        return output
    if isinstance(payload, ModelReply):
        # A stored reply has no output: it follows from the response.
        stored = output is None
        return (
            output_in(payload.response, output_schema_of(agent.output_type)) if stored else output
        )
    if _needs_text(output, agent):
        # The text form of a value may differ each time: guardrails, hooks and the caller get the
        # text that is recorded.
        sent = payload.raw["output"]
        return sent if isinstance(sent, str) else str(output)
    return output


def _needs_text(output: object, agent: Agent[Any]) -> bool:
    """Whether an output of a tool is not text although the agent's output is."""
    plain = agent.output_type is None or agent.output_type is str
    return plain and not isinstance(output, str)


async def end(bench: Workbench, command: Perform) -> Outcome:
    """Tell the hooks that an agent is over."""
    agent = bench.agent(command)
    if bench.hooked(agent):
        context, output = context_of(bench), final_output(bench, command.source, agent)
        await call_hooks(bench, agent, ("on_agent_end", "on_end"), agent, output, context=context)
    return Outcome(command.id, Event.DONE)


async def decide(bench: Workbench, command: Perform) -> Outcome:
    """Ask ``tool_use_behavior`` whether the outputs of the tools end the run."""
    agent = bench.agent(command)
    decision = await resolve(agent.tool_use_behavior(bench.context, _results(bench)))
    if not isinstance(decision, ToolsToFinalOutputResult):
        raise UserError(
            f"tool_use_behavior of agent '{agent.name}' must return ToolsToFinalOutputResult,"
            f" got {type(decision).__name__}"
        )
    if not decision.is_final_output:
        return Outcome(command.id, Event.DECLINED)
    check_readable(decision.final_output, f"tool_use_behavior of agent '{agent.name}'")
    output = decision.final_output
    output = str(output) if _needs_text(output, agent) else output
    return Outcome(command.id, Event.ACCEPTED, FinalOutput(output))


def _results(bench: Workbench) -> list[FunctionToolResult]:
    """The results of the function tools of the last reply, in call order, with the items that the
    caller sees."""
    view, results = bench.view, []
    items = {id(item.raw_item): item for item in view.items[view.turn_start :]}
    for call, payload in view.results():
        tool = tool_of(bench.caches, call.symbol, call.name)
        if isinstance(tool, FunctionTool):
            item = items.get(id(payload.raw))
            results.append(FunctionToolResult(tool=tool, output=payload.output, run_item=item))
    return results
