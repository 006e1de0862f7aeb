"""Streaming: the events of a run while it goes on.

    AGENTGRAPH_MODEL=rehearsal python examples/streaming.py

There are three kinds of events: the model's own (here the text, piece by piece), one for each
complete item, and one whenever another agent takes over.
"""

import asyncio

from agentgraph import (
    Agent,
    ItemHelpers,
    MessageOutputItem,
    Runner,
    ToolCallItem,
    ToolCallOutputItem,
    function_tool,
)


@function_tool
def opening_hours(museum: str) -> str:
    """Look up when a museum is open.

    Args:
        museum: Name of the museum.
    """
    return f"{museum} is open from 10 to 18, on Fridays until 21, and closed on Mondays."


guide = Agent(
    name="Museum Guide",
    handoff_description="Knows museums: when they are open and what they show",
    instructions="Look up the opening hours before you answer.",
    tools=[opening_hours],
)
concierge = Agent(
    name="Concierge",
    instructions="Hand over to the guide who knows.",
    handoffs=[guide],
)


async def main() -> None:
    """Stream one run and print its events."""
    result = Runner.run_streamed(concierge, "When is the museum Rietberg open?")
    async for event in result.stream_events():
        match event.type:
            case "raw_response_event":
                if event.data.type == "response.output_text.delta":
                    print(event.data.delta, end="", flush=True)
            case "agent_updated_stream_event":
                print(f"[{event.new_agent.name}]")
            case "run_item_stream_event":
                match event.item:
                    case ToolCallItem(tool_name=name):
                        print(f"  calls {name}")
                    case ToolCallOutputItem(output=output):
                        print(f"  got: {output}")
                    case MessageOutputItem() as message:
                        text = ItemHelpers.text_message_output(message)
                        print(f"\n  said {len(text)} letters")
                    case other:
                        print(f"  {other.type}")
    print(f"{result.current_turn} turns, last agent: {result.last_agent.name}")


if __name__ == "__main__":
    asyncio.run(main())
