"""Calls that wait for approval, put to the person at the keyboard one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from rich.text import Text

from agentgraph.cli.ask import ask
from agentgraph.cli.terminal import Terminal, print_hanging, printable
from agentgraph.cli.wording import written_call
from agentgraph.items import ToolApprovalItem
from agentgraph.running.state import RunState

__all__ = ["decide"]

Decision = Literal["approve", "reject", "quit"]

_ANSWERS: dict[str, Decision] = {
    "approve": "approve",
    "yes": "approve",
    "reject": "reject",
    "no": "reject",
    "quit": "quit",
}


def decide(terminal: Terminal, state: RunState[Any], waiting: Sequence[ToolApprovalItem]) -> bool:
    """Ask what becomes of each call.

    Args:
        terminal: Where to ask.
        state: The run that waits; gets the decisions.
        waiting: The calls.

    Returns:
        Whether everything was decided; not if the person quits.

    Raises:
        CommandFault: The person is gone.
    """
    for call in waiting:
        match _decision(terminal, call):
            case "approve":
                state.approve(call)
            case "reject":
                said = _ask(terminal, "    reason, which the model is told [Enter = none]: ")
                state.reject(call, rejection_message=said or None)
            case "quit":
                return False
    return True


def _decision(terminal: Terminal, call: ToolApprovalItem) -> Decision:
    # All of it, however long: nobody can decide on what is not shown.
    shown = Text(printable(written_call(call.name or "", call.arguments or "")), "tool")
    print_hanging(terminal.out, Text("  ? ", "warning"), shown)
    while True:
        answer = _ask(terminal, "    approve, reject or quit [a/r/q]: ").lower()
        meant = {decision for word, decision in _ANSWERS.items() if word.startswith(answer)}
        if answer and len(meant) == 1:
            return meant.pop()
        print_hanging(terminal.out, Text("    "), Text("a, r or q is needed", "warning"))


def _ask(terminal: Terminal, question: str) -> str:
    return ask(
        terminal.out, question, ended="the standard input ended before everything was decided"
    )
