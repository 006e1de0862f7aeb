"""Results, items and errors. Both checkers must reject the lines marked so, and no other."""

from typing import assert_type

from agentgraph import (
    Agent,
    AgentsException,
    RunItem,
    Runner,
    ToolCallItem,
    ToolCallOutputItem,
)

agent = Agent(name="Clerk")


async def run() -> None:
    try:
        result = await Runner.run(agent, "Hi")
    except AgentsException as error:
        print(len(error.run_data.new_items), "items in", error.run_data.last_agent.name)
        print(error.run_data.no_such_field)  # rejected
        return
    print(result.new_items[0].output)  # rejected
    for item in result.new_items:
        if item.type == "tool_call_output_item":
            assert_type(item, ToolCallOutputItem)
        match item:
            case ToolCallItem():
                assert_type(item.tool_name, str | None)


async def watch() -> None:
    result = Runner.run_streamed(agent, "Hi")
    async for event in result.stream_events():
        if event.type == "run_item_stream_event":
            assert_type(event.item, RunItem)
            if event.item.type == "tool_call_item":
                print(event.item.call_id)
