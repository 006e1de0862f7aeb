"""Tools of an MCP server: a library's catalogue, served by a process of its own.

    AGENTGRAPH_MODEL=rehearsal python examples/mcp_tools.py
    AGENTGRAPH_MODEL=rehearsal python examples/mcp_tools.py "Reserve the book Dune for Ada"

This file is also the server, when it is started with the argument `serve`; you use any other server
of the Model Context Protocol in the same way. Reserving a book changes something, so a person must
approve it. Needs the extra: pip install "agentgraph-workflows[mcp]"
"""

import asyncio
import os
import sys

from agentgraph import Agent, Runner, allow
from agentgraph.mcp import MCPServerStdio

catalogue = MCPServerStdio(
    {
        "command": sys.executable,
        "args": [__file__, "serve"],
        # A server receives only the few variables that are safe, and those that are named here.
        "env": {"PYTHONPATH": os.environ.get("PYTHONPATH", "")},
    },
    name="Catalogue",
    client_session_timeout_seconds=60,
    cache_tools_list=True,
    require_approval={"reserve_book": "always"},
)
librarian = allow(
    Agent(
        name="Librarian",
        instructions="Look books up in the catalogue before you answer.",
        mcp_servers=[catalogue],
    ),
    "unseen-by-the-compiler",
)


def serve() -> None:
    """Run the server on the standard streams until they are closed."""
    from mcp.server.mcpserver import MCPServer

    server = MCPServer("Catalogue", log_level="WARNING")
    shelves = {"Dune": "B4", "Emma": "A1"}

    @server.tool(structured_output=False)
    def find_book(title: str) -> str:
        """Find the shelf that a book stands on."""
        shelf = next((shelves[book] for book in shelves if book in title), None)
        return f"It stands on shelf {shelf}." if shelf else "The library does not have it."

    @server.tool(structured_output=False)
    def reserve_book(title: str, reader: str) -> str:
        """Reserve a book for a reader."""
        return f"{title} is put aside for {reader}."

    server.run("stdio")


async def main(question: str) -> None:
    """Ask one question and approve what the librarian wants to do."""
    async with catalogue:
        result = await Runner.run(librarian, question)
        while result.interruptions:
            state = result.to_state()
            for call in result.interruptions:
                print(f"approved: {call.tool_name}")
                state.approve(call)
            result = await Runner.run(librarian, state)
    for item in result.new_items:
        match item.type:
            case "tool_call_item":
                print(f"calls {item.tool_name}")
            case "tool_call_output_item":
                print(f"got: {item.output['text']}")
    print(result.final_output)


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    else:
        asyncio.run(main(" ".join(sys.argv[1:]) or "On which shelf can I find the book Emma?"))
