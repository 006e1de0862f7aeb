"""Calls that were at work when a process died, so that it is unknown whether they had their effect
(docs/design/replay.md, section 10).

A durable run records that an effect begins before it begins. A call that has begun and has no
outcome is one of these.
"""

from __future__ import annotations

import json
from typing import Final

from agentgraph.approvals import CallKey
from agentgraph.drivers.work.call import LocalCall
from agentgraph.drivers.work.missing import REFUSALS
from agentgraph.exceptions import UserError
from agentgraph.items.item_helpers import ItemHelpers
from agentgraph.record.payloads import Question, Waiting
from agentgraph.runtime.commands import CommandId
from agentgraph.runtime.outcomes import Outcome
from agentgraph.tools.errors import answer_to_failure, default_tool_error_function
from agentgraph.tools.function import FunctionTool, OnInterrupted

UNKNOWN: Final = (
    "It is unknown whether this call was carried out: the process stopped while it was at work."
)
"""What the model reads about such a call, unless a person says more."""


async def begin_effect(call: LocalCall) -> Outcome | None:
    """Record that a call begins, before it does anything.

    Returns:
        ``None`` if it may begin; else the outcome in its place.

    Raises:
        UserError: The call was interrupted, and its tool fails then without a failure function.
    """
    bench, id = call.bench, call.command.id
    journal, path = bench.caches.journal, bench.facts.path
    if not journal.is_durable:
        return None
    if (path, id) in journal.started:
        policy = _policy(call.tool)
        if policy == "ask":
            return call.await_decision(_question(call, id))
        if policy == "fail":
            return await _failed(call)
        return None
    before = id._replace(attempt=id.attempt - 1)
    if (path, before) in journal.started and isinstance(bench.view.payload(before), Waiting):
        answered = _decided(call, _question(call, before))
        if answered is not None:
            return answered
    await journal.starts(path, id)
    return None


def _policy(tool: object) -> OnInterrupted:
    if not isinstance(tool, FunctionTool):
        return "ask"
    default: OnInterrupted = "retry" if tool.read_only or tool.idempotent else "ask"
    return tool.on_interrupted or default


def _question(call: LocalCall, id: CommandId) -> Question:
    """What a person is asked; not the question whether the call may be made."""
    asked = call.question(call.tool.name)
    symbol, name = asked.tool
    return Question(
        key=CallKey(call.bench.facts.path, tuple(id), asked.key.lane),
        tool=(symbol, f"interrupted {name}"),
        content=asked.content,
        agent=asked.agent,
        machine=asked.machine,
        raw=asked.raw,
        name=asked.name,
        namespace=asked.namespace,
        origin=asked.origin,
        interrupted=True,
    )


def _decided(call: LocalCall, question: Question) -> Outcome | None:
    """What a person decided: the answer in place of the call, or ``None`` to make it again."""
    decision = call.bench.view.ruling_on(question.key, question.tool, question.content)
    if decision is None:
        return call.await_decision(question)
    if decision.approved:
        return None
    if decision.answer is not None:
        return _happened(call, json.loads(decision.answer))
    return _answer(call, UNKNOWN if decision.message is None else decision.message)


def _happened(call: LocalCall, output: object) -> Outcome:
    """The call was made, and this is what it returned."""
    if call.raw.type == "function_call":
        return call.answer(ItemHelpers.tool_call_output_item(call.raw, output), output)
    return _answer(call, output if isinstance(output, str) else json.dumps(output))


def _answer(call: LocalCall, text: str) -> Outcome:
    raw, output = REFUSALS[call.raw.type].form(call, text)
    return call.answer(raw, output)


async def _failed(call: LocalCall) -> Outcome:
    handler = getattr(call.tool, "_failure_error_function", None)
    if handler is default_tool_error_function:  # it would tell the model to try again
        return _answer(call, UNKNOWN)
    error = UserError(f"{call.owner}: {UNKNOWN}")
    what = f"Error running {call.owner}"
    text = await answer_to_failure(handler, call.context(), error, call.tool.name, what)
    return _answer(call, text)
