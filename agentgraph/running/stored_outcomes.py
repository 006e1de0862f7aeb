"""The outcomes of a stored run, in words: what happened, to whom, and what it cost.

The words are names and numbers of the program. What users, models and tools said stands apart, in
`content`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from pydantic_core import to_jsonable_python

from agentgraph.approvals import Ruling, RunPath
from agentgraph.drivers.journal import MemoryJournal, Row, spent_in
from agentgraph.drivers.run import Run
from agentgraph.items.responses import ModelResponse
from agentgraph.items.run_items import raw_field
from agentgraph.record.facts import RunFacts
from agentgraph.record.payloads import (
    FailedAttempt,
    Failure,
    GuardrailVerdict,
    Loaded,
    Migrated,
    ModelReply,
    Resumed,
    SavedTurn,
    ToolReturn,
    Transfer,
    Waiting,
)
from agentgraph.running.persist import path_of
from agentgraph.running.recorded import identity_of
from agentgraph.running.unbound import beginnings_of, inner_facts, unbound_driver
from agentgraph.runtime.commands import Perform
from agentgraph.stored.faults import Fault
from agentgraph.stored.journal_file import object_in
from agentgraph_compiler.machine import WorkKind

__all__ = ["StoredOutcome", "outcomes_of"]


class StoredOutcome(NamedTuple):
    """One outcome of a stored run.

    Args:
        number: Its number among the outcomes, from 1; a fork at it has it as its last one.
        path: The run that it belongs to; empty for the outermost one.
        turn: The turn of that run.
        agent: The agent at work; empty for an outcome from outside.
        kind: The kind of work that it ends, or the event.
        words: What happened, without the words of users, models and tools.
        tokens: The tokens that it cost.
        content: The words of users, models and tools; may be empty.
    """

    number: int
    path: RunPath
    turn: int
    agent: str
    kind: str
    words: str
    tokens: int
    content: str


def outcomes_of(facts: RunFacts, journal: MemoryJournal) -> list[StoredOutcome]:
    """The outcomes of a run and of the runs inside it, in the order of their appends.

    Args:
        facts: The facts of the outermost run.
        journal: Its rows.

    Raises:
        ProtocolError: The rows do not fit together.
    """
    numbers = {id(row): number for number, row in enumerate(journal.all(), 1)}
    outcomes = []
    for path, beginning in beginnings_of(journal):
        machine = beginning.machine
        driver = unbound_driver(
            inner_facts(facts, path, machine, "") if path else facts, machine, journal
        )
        run = driver.run
        for row, command in driver.replay_rows():
            outcomes.append(_outcome(numbers[id(row)], row, command, run))
    return sorted(outcomes, key=lambda one: one.number)


def outline_of(texts: Sequence[str]) -> list[StoredOutcome]:
    """The outcomes of a run whose content was erased, from what is kept of its lines.

    Args:
        texts: The lines.
    """
    lines = [object_in(text, number) for number, text in enumerate(texts, 1)]
    return [_outlined(line) for line in lines if "index" in line]


def _outlined(line: Mapping[str, Any]) -> StoredOutcome:
    payload = line.get("payload") or {}
    subject = payload.get("symbol") or payload.get("target") or payload.get("step") or ""
    usages = (line.get("spent") or {}, payload.get("usage") or {})
    return StoredOutcome(
        number=line["index"] + 1,
        path=path_of(line["path"]),
        turn=line["turn"],
        agent=_tail(str(payload.get("agent") or payload.get("source") or "")),
        kind=str(payload.get("is", "")).replace("_", " "),
        words=f"{_tail(str(subject))} {line['event']}".strip().replace("_", " "),
        tokens=sum(one.get("total_tokens") or 0 for one in usages),
        content="",
    )


_CALLS: Final = frozenset(
    {
        WorkKind.ASK,
        WorkKind.HOLD,
        WorkKind.SCREEN,
        WorkKind.FUNCTION,
        WorkKind.ACTION,
        WorkKind.AGENT,
        WorkKind.MISSING,
        WorkKind.JUDGE,
    }
)
"""The kinds of work about a call, which the reply names."""

_TOOLS: Final = frozenset({WorkKind.FUNCTION, WorkKind.ACTION})


def _outcome(number: int, row: Row, command: Perform | None, run: Run) -> StoredOutcome:
    payload = row.outcome.payload
    words, content = _described(row, command, run)
    usages = [one for one in (row.spent, spent_in(payload)) if one is not None]
    return StoredOutcome(
        number=number,
        path=row.path,
        turn=row.turn,
        agent="" if command is None else _agent(run, command.agent),
        kind=row.outcome.event.value if command is None else _kind(command),
        words=words,
        tokens=sum(one.total_tokens for one in usages),
        content=content,
    )


def _kind(command: Perform) -> str:
    kind = command.phase.kind
    return "tool" if kind in _TOOLS else kind.value.replace("_", " ")


def _described(row: Row, command: Perform | None, run: Run) -> tuple[str, str]:
    """What an outcome says: in our words, and the words of others."""
    event = row.outcome.event.value.replace("_", " ")
    name = _subject(command, run)
    match row.outcome.payload:
        case ModelReply() as reply:
            return _reply_words(reply), _reply_text(reply.response)
        case FailedAttempt(fault=fault, number=number):
            return f"attempt {number} failed: {_error(fault)}", fault.message
        case Failure(fault=fault):
            return f"{name} failed: {_error(fault)}", fault.message
        case ToolReturn(output=output, failed=failed):
            return f"{name} {'failed' if failed else 'returned'}", _text(output)
        case Waiting(questions=questions):
            return f"waits: {', '.join(one.name for one in questions)}", ""
        case Resumed(rulings=rulings, input=items):
            reasons = (one.decision.message or one.decision.answer for one in rulings)
            texts = [*(one for one in reasons if one), *(_text(item) for item in items)]
            return _resumed_words(rulings, len(items)), "\n".join(texts)
        case GuardrailVerdict(symbol=symbol, tripped=tripped, info=info):
            verdict = "tripped" if tripped else "passed"
            return f"{_tail(symbol)} {verdict}", "" if info is None else _text(info)
        case Transfer(target=target):
            return f"hands off to {_agent(run, target)}", ""
        case Loaded(shown=items):
            return f"the session has {len(items)} items with the input", ""
        case SavedTurn(items=items):
            return f"{len(items)} items saved", ""
        case Migrated():
            return "moved to another version of the program", ""
        case _:
            return f"{name} {event}".strip(), ""


def _subject(command: Perform | None, run: Run) -> str:
    """The tool, the guardrail or the step that a piece of work is about."""
    if command is None:
        return ""
    if command.phase.kind in _CALLS and run.bench.view.reply is not None:
        return identity_of(run.bench.call(command))[0]
    return _tail(command.invoke.symbol)


def _agent(run: Run, id: str) -> str:
    return next((one.name for one in run.caches.machine.agents if one.id == id), id)


def _tail(symbol: str) -> str:
    return symbol.rpartition("/")[2]


def _error(fault: Fault) -> str:
    return fault.name.rpartition(".")[2]


def _reply_words(reply: ModelReply) -> str:
    if reply.fault is not None:
        return f"the reply cannot be used: {_error(reply.fault)}"
    calls = [one.name for one in reply.identities]
    return f"calls {', '.join(calls)}" if calls else "answers"


def _reply_text(response: ModelResponse) -> str:
    texts = []
    for item in response.output:
        parts = raw_field(item, "content")
        if isinstance(parts, list):
            texts += [
                str(raw_field(part, "text") or raw_field(part, "refusal") or "") for part in parts
            ]
        elif raw_field(item, "arguments") is not None:
            texts.append(f"{raw_field(item, 'name')} {raw_field(item, 'arguments')}")
    return "\n".join(text for text in texts if text)


def _resumed_words(rulings: Sequence[Ruling], items: int) -> str:
    parts = [f"{_verb(one)} {one.name}" for one in rulings]
    if items:
        parts.append(f"{items} items of input")
    return ", ".join(parts) or "goes on"


def _verb(ruling: Ruling) -> str:
    if ruling.decision.answer is not None:
        return "answers"
    return "approves" if ruling.decision.approved else "rejects"


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(to_jsonable_python(value, fallback=str), ensure_ascii=False)
