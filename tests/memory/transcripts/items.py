"""Items in input form, of which transcripts in these tests consist."""

from __future__ import annotations

from typing import Any

from agentgraph.memory.transcripts.automaton import ANSWERED_BY
from tests.memory.stores import Item

USER: Item = {"role": "user", "content": "hello"}
SAID: Item = {"type": "message", "role": "assistant", "content": "hi", "id": "msg_1"}
HOSTED: Item = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
REQUEST = "mcp_approval_request"


def call(call_id: str, kind: str = "function_call", **fields: Any) -> Item:
    if kind == REQUEST:
        return {"type": kind, "id": call_id, **fields}
    execution = {"execution": "client"} if kind == "tool_search_call" else {}
    return {"type": kind, "call_id": call_id, **execution, **fields}


def output(call_id: str, kind: str = "function_call", **fields: Any) -> Item:
    if kind == REQUEST:
        return {"type": ANSWERED_BY[kind], "approval_request_id": call_id, "approve": True}
    execution = {"execution": "client"} if kind == "tool_search_call" else {}
    return {"type": ANSWERED_BY[kind], "call_id": call_id, "output": "1", **execution, **fields}


def reasoning(identity: str = "rs_1") -> Item:
    return {"type": "reasoning", "id": identity, "summary": []}
