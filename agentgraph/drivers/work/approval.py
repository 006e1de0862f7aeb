"""Approval of calls: whether to ask a person, the decision, and the text of a rejection
(docs/design/behaviour.md, section 11).

Rule: in doubt, ask a person. Arguments that are missing or not a JSON object are a doubt, and so is
an approval rule that fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentgraph.approvals import Decision, Ruling, tool_identity
from agentgraph.drivers.work.actions import SUBJECTS
from agentgraph.drivers.work.answers import read_answer
from agentgraph.drivers.work.call import LocalCall, local_call
from agentgraph.drivers.work.missing import REFUSALS, missing
from agentgraph.drivers.work.wording import REJECTED, wording
from agentgraph.drivers.workbench import Workbench
from agentgraph.logger import log_tool_action_error, logger
from agentgraph.record.payloads import Question, Ruled
from agentgraph.runtime.commands import Perform
from agentgraph.runtime.outcomes import Outcome
from agentgraph.tools.errors import failures_named
from agentgraph.user_code.callbacks import resolve
from agentgraph_compiler.machine import Event

if TYPE_CHECKING:
    from collections.abc import Callable


async def ask(bench: Workbench, command: Perform) -> Outcome:
    """Find out whether a person must be asked about a call.

    Returns:
        ``PASSED`` if the call may be made without asking, else ``HELD``.
    """
    call = await local_call(bench, command)
    rule = getattr(call.tool, "needs_approval", False)
    if isinstance(rule, bool):
        held = rule
    else:
        held = await _needs_approval(call, rule)
    return call.outcome(Event.HELD if held else Event.PASSED)


async def _needs_approval(call: LocalCall, rule: Callable[..., object]) -> bool:
    try:
        subject = SUBJECTS[call.raw.type](call)
        if subject is None:
            return True
        if call.raw.type != "function_call":
            return bool(await resolve(rule(call.bench.context, subject, call.raw.call_id)))
        context = call.context()
        with call.counting(context):
            return bool(await resolve(rule(context, subject, call.raw.call_id)))
    except Exception as error:  # noqa: BLE001 - the rule is user code
        message = f"needs_approval of {call.owner} failed; a person is asked"
        log_tool_action_error(logger, message, error)
        return True


async def hold(bench: Workbench, command: Perform) -> Outcome:
    """Hold a call until it is decided.

    Returns:
        ``PASSED`` if the call may be made, ``REJECTED`` with the text that the model gets instead,
        or ``AWAITING`` while the decision is open.

    Raises:
        UserError: ``on_approval`` returned no valid answer, or raised any other exception.
        AgentsException: ``on_approval`` raised it.
    """
    call = await local_call(bench, command)
    if call.tool is None:
        outcome = await missing(bench, command)
        return outcome._replace(event=Event.REJECTED)
    question = call.question(call.tool.name)
    decision = bench.view.ruling_on(question.key, question.tool, question.content)
    ruling = None
    if decision is None:
        answer = getattr(call.tool, "on_approval", None)
        if answer is None:
            return call.await_decision(question)
        decision = await _decide(call, answer, question)
        ruling = Ruling(
            key=question.key,
            tool=question.tool,
            content=question.content,
            name=tool_identity(question.name, question.namespace),
            call_id=call.raw.call_id,
            decision=decision,
        )
    if decision.approved:
        return call.outcome(Event.PASSED, Ruled(ruling))
    (tool_type, form), message = REFUSALS[call.raw.type], decision.message
    if message is None:
        message = await wording(
            bench, "approval_rejected", tool_type, call.tool.name, call.raw.call_id, REJECTED
        )
    raw, output = form(call, message)
    return call.answer(raw, output, event=Event.REJECTED)


async def _decide(call: LocalCall, answer: Callable[..., object], question: Question) -> Decision:
    """Ask a callback that decides in a person's place."""
    bench = call.bench
    item = bench.view.interruption(question)
    with failures_named(f"Error running {call.owner}"):
        reply = await resolve(answer(bench.context, item))
    return read_answer(
        reply, f"on_approval of tool '{call.tool.name}' of agent '{call.agent.name}'"
    )
