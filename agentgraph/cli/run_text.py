"""A run as text for a person: agents at the margin, their actions indented below them."""

from __future__ import annotations

import json
from typing import Final, Self, assert_never

from pydantic_core import to_jsonable_python
from rich.status import Status
from rich.text import Text

from agentgraph.cli.flowing_text import FlowingText
from agentgraph.cli.run_events import (
    AgentUpdated,
    GuardrailCompleted,
    HandoffCalled,
    HandoffOutputCreated,
    ItemCreated,
    MessageOutputCreated,
    ReasoningCreated,
    RunCompleted,
    RunEvent,
    RunFailed,
    RunStarted,
    RunSuspended,
    StepStarted,
    TextDelta,
    ToolCalled,
    ToolOutputCreated,
    Warned,
)
from agentgraph.cli.terminal import Terminal, print_hanging, printable, printable_name
from agentgraph.cli.wording import shortened, written_call

__all__ = ["RunOnTerminal"]

_TEXT_LIMIT: Final = 600
"""The most characters of a tool's output or arguments to show; `--json` prints all of them."""


class RunOnTerminal:
    """Shows the events of a run, as long as its context is open.

    Args:
        terminal: Where to show them.
        spinner: Whether a terminal shows a spinner while the run waits for something.
    """

    def __init__(self, terminal: Terminal, *, spinner: bool = True) -> None:
        self._out, self._err = terminal.out, terminal.err
        self._text = FlowingText(terminal.out)
        self._streamed = ""
        self._last_message = ""
        self._spinner: Status | None = None
        if spinner and terminal.out.is_terminal:
            self._spinner = Status("", console=terminal.out, spinner="dots")

    def __call__(self, event: RunEvent) -> None:
        """Show an event."""
        self._stop_waiting()
        if not isinstance(event, TextDelta | MessageOutputCreated | GuardrailCompleted | Warned):
            self._streamed = ""
        if not isinstance(event, TextDelta):
            self._text.end()
        self._show(event)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.rest()

    def rest(self) -> None:
        """Stop showing that something is awaited, and end the line."""
        self._stop_waiting()
        self._text.end()

    def _stop_waiting(self) -> None:
        if self._spinner is not None:
            self._spinner.stop()

    def _wait(self, what: str) -> None:
        if self._spinner is not None:
            self._spinner.update(Text(f" {printable_name(what)}", "quiet"))
            self._spinner.start()

    def _show(self, event: RunEvent) -> None:
        match event:
            case TextDelta():
                self._streamed += event.delta
                self._text.write(event.delta)
            case MessageOutputCreated():
                if event.text and event.text != self._streamed:
                    self._text.write(event.text)
                    self._text.end()
                self._last_message, self._streamed = event.text, ""
            case RunStarted():
                self._wait(f"{event.workflow} starts")
            case AgentUpdated():
                self._line("", "●", "agent", printable_name(event.agent), style="agent")
                self._wait(f"{event.agent} is at work")
            case StepStarted():
                self._line("", "⇒", "agent", printable_name(event.step), style="agent")
                self._wait(f"{event.step} is at work")
            case Warned():
                self._show_traceback(event.traceback)
                print_hanging(
                    self._err, Text("warning: ", "warning"), Text(printable(event.message))
                )
            case RunCompleted() | RunFailed() | RunSuspended():
                self._show_end(event)
            case _:
                self._show_step(event)

    def _show_step(
        self,
        event: ToolCalled
        | ToolOutputCreated
        | HandoffCalled
        | HandoffOutputCreated
        | ReasoningCreated
        | ItemCreated
        | GuardrailCompleted,
    ) -> None:
        match event:
            case ToolCalled():
                self._line("  ", "⚙", "tool", _short_call(event.tool, event.arguments))
                self._wait(f"{event.tool} is at work")
            case ToolOutputCreated():
                label = f"{printable_name(event.tool)} → " if event.tool else ""
                self._line("  ", "↳", "tool", f"{label}{_value(event.output)}", style="quiet")
                self._wait(f"{event.agent} is at work")
            case HandoffCalled():
                self._line(
                    "  ", "⇢", "handoff", _short_call(event.tool, event.arguments), style="quiet"
                )
            case HandoffOutputCreated():
                agent, target = printable_name(event.agent), printable_name(event.target)
                self._line("  ", "→", "handoff", f"{agent} hands off to {target}")
            case ReasoningCreated():
                if event.text:
                    self._line(
                        "  ", "…", "quiet", shortened(event.text, _TEXT_LIMIT), style="quiet"
                    )
                self._wait(f"{event.agent} is at work")
            case ItemCreated():
                self._line("  ", "·", "quiet", event.name.replace("_", " "), style="quiet")
            case GuardrailCompleted():
                self._show_verdict(event)
            case _:
                assert_never(event)

    def _show_verdict(self, event: GuardrailCompleted) -> None:
        kind = event.kind.replace("_", " ")
        passed = event.verdict == "passed"
        words = {
            "passed": "passed",
            "rejected": "put a message in place of the result",
            "tripped": "stopped the run",
        }
        symbol, style = ("✓", "passed") if passed else ("✗", "error")
        info = "" if passed or event.info is None else f": {_value(event.info)}"
        name = printable_name(event.guardrail)
        text = f"{kind} guardrail {name} {words[event.verdict]}{info}"
        self._line("  ", symbol, style, text, style="quiet" if passed else "")

    def _show_end(self, event: RunCompleted | RunFailed | RunSuspended) -> None:
        match event:
            case RunCompleted():
                output = _value(event.output, limit=None)
                last = self._last_message
                if output and output != last and _unspaced(output) != _unspaced(last):
                    self._line("  ", "=", "title", output)
                turns = f"{event.turns} turn{'s' if event.turns != 1 else ''}"
                tokens = event.input_tokens + event.output_tokens
                cost = f", {tokens:,} tokens" if tokens else ""
                agent = printable_name(event.agent)
                self._line("", "✓", "passed", f"done: {agent}, {turns}{cost}", style="quiet")
            case RunFailed():
                self._show_traceback(event.traceback)
                self._line("", "✗", "error", f"{event.error}: {event.message}")
            case RunSuspended():
                if event.approvals:
                    calls = ", ".join(
                        _short_call(call.tool, call.arguments) for call in event.approvals
                    )
                    self._line("", "‖", "warning", f"waits for approval: {calls}")
                for one in event.questions:
                    words = f"waits for an answer: {printable_name(one.name)}: {one.question}"
                    self._line("", "‖", "warning", words)
            case _:
                assert_never(event)

    def _show_traceback(self, text: str) -> None:
        if text:
            self._err.print(Text(printable(text.rstrip())), soft_wrap=True)

    def _line(
        self, margin: str, symbol: str, symbol_style: str, text: str, *, style: str = ""
    ) -> None:
        prefix = Text(margin).append(symbol, symbol_style).append(" ")
        print_hanging(self._out, prefix, Text(printable(text), style))


def _short_call(name: str, arguments: str) -> str:
    """A call with long arguments cut."""
    return shortened(written_call(printable_name(name), arguments), _TEXT_LIMIT)


def _value(value: object, limit: int | None = _TEXT_LIMIT) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        value = to_jsonable_python(value, fallback=str, inf_nan_mode="strings")
        value = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return value if limit is None else shortened(value, limit)


def _unspaced(text: str) -> str:
    """A text without its spaces, in which a model's JSON and our JSON differ."""
    return "".join(text.split())
