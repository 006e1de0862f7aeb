"""Cases of the rule about what only a run knows (AG401)."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from agentgraph import Agent, HostedMCPTool, handoff
from agentgraph.mcp import MCPServerStdio
from agentgraph_compiler.ir import chart as ir
from tests.compiler.rule_cases.case import Rows
from tests.compiler.rule_cases.routing import ORDERS, SEARCH, sometimes, tool
from tests.compiler.workflows import chart


def knowing(**fields: Any) -> Agent[Any]:
    return Agent(name="A", **fields)


def from_a_file(context: Any, agent: Any) -> str:
    return Path("instructions.txt").read_text(encoding="utf-8")


def for_a_person(context: Any, agent: Any) -> str:
    return f"Help {context.context}."


UNSEEN_BY_THE_COMPILER: Rows = {
    "two facts, which are one finding": (
        chart(ir.Agent("a", "A", unseen=("x", "y"))),
        ["2 things about agent 'A' will only be known at run time\nx\ny"],
    ),
    "a function enables a handoff": (
        knowing(handoffs=[handoff(ORDERS, is_enabled=sometimes)]),
        ["one thing about agent 'A' will only be known at run time"],
    ),
    "a function enables a tool": (
        knowing(tools=[tool("x", SEARCH, is_enabled=sometimes)]),
        ["a function decides on each turn whether tool 'x' is enabled"],
    ),
    "a function decides on outputs of tools": (
        knowing(tools=[tool("x", SEARCH)], tool_use_behavior=lambda context, results: None),
        ["a function (tool_use_behavior) decides whether a tool output ends the run"],
    ),
    "a server lists tools": (
        knowing(mcp_servers=[MCPServerStdio(params={"command": "files"})]),
        ["the run lists the tools of MCP server 'stdio: files'"],
    ),
    "the provider lists tools": (
        knowing(
            tools=[
                HostedMCPTool(
                    {"type": "mcp", "server_label": "crm", "server_url": "https://crm.test"}
                )
            ]
        ),
        ["the provider lists the tools of MCP server 'crm'"],
    ),
    "a stored prompt": (
        knowing(prompt={"id": "pmpt_1"}),
        ["the stored prompt can add instructions and tools"],
    ),
    "instructions from elsewhere": (
        knowing(instructions=from_a_file),
        ["a function writes the instructions, and its source does not show the text"],
    ),
    "of each of two agents": (
        knowing(
            tools=[one := tool("x", SEARCH, is_enabled=sometimes)],
            handoffs=[Agent(name="B", tools=[one])],
        ),
        ["about agent 'A'", "about agent 'B'"],
    ),
    "nothing": (chart(ir.Agent("a", "A")), []),
    "a handoff that is disabled for good": (
        knowing(handoffs=[handoff(ORDERS, is_enabled=False)]),
        [],
    ),
    "a tool that is disabled for good": (
        knowing(tools=[dataclasses.replace(tool("x", SEARCH), is_enabled=False)]),
        [],
    ),
    "the first output of a tool ends the run": (
        knowing(tools=[tool("x", SEARCH)], tool_use_behavior="stop_on_first_tool"),
        [],
    ),
    "instructions that a function makes and that are read": (
        knowing(instructions=for_a_person),
        [],
    ),
}

CASES: dict[str, Rows] = {"AG401": UNSEEN_BY_THE_COMPILER}
