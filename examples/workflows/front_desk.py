"""A front desk asks two specialists and answers itself: their handoffs return to it.

python examples/workflows/front_desk.py "Where is order 12, and may I send it back?"
agentgraph draw examples/workflows/front_desk.py
"""

from __future__ import annotations

import sys

from agentgraph import Agent, Runner, function_tool, handoff


@function_tool(read_only=True)
def find_order(number: int) -> str:
    """Find out where an order is."""
    return f"Order {number} left the warehouse this morning."


orders = Agent(name="Orders", instructions="Say where orders are.", tools=[find_order])
returns = Agent(name="Returns", instructions="Orders may be sent back for 30 days.")
desk = Agent(
    name="Front desk",
    instructions="Ask the specialists what you need, then answer in one friendly message.",
    handoffs=[handoff(orders, returns=True), handoff(returns, returns=True)],
)

if __name__ == "__main__":
    print(Runner.run_sync(desk, " ".join(sys.argv[1:]) or "Where is order 12?").final_output)
