"""Asks the person at the keyboard about what waits: calls that need an approval, and questions, one
after the other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

from rich.text import Text

from agentgraph.cli.answering import Quit, answer_to
from agentgraph.cli.ask import ask
from agentgraph.cli.terminal import Terminal, print_hanging, printable, printable_name
from agentgraph.cli.wording import written_call
from agentgraph.items import Interruption, QuestionItem, ToolApprovalItem
from agentgraph.running.state import RunState

__all__ = ["Decided", "decide"]


class Decided(NamedTuple):
    """A decision on one call, or the answer to one question.

    Attributes:
        approved: Whether the call may go on.
        reason: What the model is told of a rejection; `None` for the usual text.
        is_answer: Whether it is an answer.
        answer: The answer, as plain data.
    """

    approved: bool
    reason: str | None = None
    is_answer: bool = False
    answer: object = None


Decision = Literal["approve", "reject", "quit"]

_ANSWERS: dict[str, Decision] = {
    "approve": "approve",
    "yes": "approve",
    "reject": "reject",
    "no": "reject",
    "quit": "quit",
}


def decide(
    terminal: Terminal, state: RunState[Any], items: Sequence[Interruption]
) -> list[Decided] | None:
    """Ask for a decision on each call, and for the answer to each question.

    Args:
        terminal: Where to ask.
        state: The state of the waiting run; it takes the decisions.
        items: What waits.

    Returns:
        The decisions, in the order of the items; `None` if the person quits.

    Raises:
        CommandFault: The input ended.
    """
    decisions: list[Decided] = []
    for call in items:
        if isinstance(call, QuestionItem):
            try:
                value = answer_to(terminal, state, call, partial(_ask, terminal))
            except Quit:
                return None
            decisions.append(Decided(approved=True, is_answer=True, answer=value))
            continue
        match _decision(terminal, call):
            case "approve":
                state.approve(call)
                decisions.append(Decided(approved=True))
            case "reject":
                reason = _ask(terminal, "    reason, for the model [Enter = none]: ") or None
                state.reject(call, rejection_message=reason)
                decisions.append(Decided(approved=False, reason=reason))
            case "quit":
                return None
    return decisions


def _decision(terminal: Terminal, call: ToolApprovalItem) -> Decision:
    # Show the whole call, however long: the person must see what to decide on.
    text = Text(
        printable(written_call(printable_name(call.name or ""), call.arguments or "")), "tool"
    )
    print_hanging(terminal.out, Text("  ? ", "warning"), text)
    while True:
        answer = _ask(terminal, "    approve, reject or quit [a/r/q]: ").lower()
        decisions: set[Decision] = {
            decision for word, decision in _ANSWERS.items() if word.startswith(answer)
        }
        if answer and len(decisions) == 1:
            return decisions.pop()
        print_hanging(terminal.out, Text("    "), Text("answer a, r or q", "warning"))


def _ask(terminal: Terminal, question: str) -> str:
    return ask(terminal.out, question, fault="the standard input ended before all was decided")
