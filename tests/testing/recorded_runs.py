"""Runs that the tests of recordings record: a desk with a handoff, an agent tool, tools and an
approval."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agentgraph import Agent, RunConfig, Runner, function_tool
from agentgraph.testing import ScriptedModel, assistant_message, function_call, save_recording

KEY = "sk-abcdefghijklmnopqrstuvwx"


@dataclass
class Desk:
    """A workflow without models of its own, and what its tools did."""

    paid: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        @function_tool
        def pay(euros: int) -> str:
            """Pay an amount."""
            self.paid.append(euros)
            return f"paid {euros}"

        @function_tool(needs_approval=True)
        def close(reason: str) -> str:
            """Close the account."""
            self.paid.append(-1)
            return "closed"

        self.expert = Agent[Any](name="Expert", instructions="You know the rules.")
        self.refunds = Agent[Any](name="Refunds", instructions="Pay.", tools=[pay, close])
        self.triage = Agent[Any](
            name="Triage",
            instructions="Send people on.",
            tools=[self.expert.as_tool("ask_expert", "Ask about a rule.")],
            handoffs=[self.refunds],
        )


SCRIPT: list[Any] = [
    [function_call("ask_expert", {"input": "May I pay?"}, call_id="c0")],
    [assistant_message("Yes, you may.")],
    [function_call("transfer_to_refunds", {}, call_id="c1")],
    [
        function_call("pay", {"euros": 5}, call_id="c2"),
        function_call("close", {"reason": "moved"}, call_id="c3"),
    ],
    [assistant_message("It is paid.")],
]


async def recorded(path: Path, input: str = f"Refund me; my key is {KEY}", **decided: Any) -> Desk:
    """Run the desk, approve what waits, and save the recording."""
    desk = Desk()
    config = RunConfig(model=ScriptedModel(SCRIPT))
    waiting = await Runner.run(desk.triage, input, run_config=config)
    state = waiting.to_state()
    state.approve(state.get_interruptions()[0])
    save_recording(await Runner.run(desk.triage, state, run_config=config), path)
    return desk
