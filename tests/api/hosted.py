"""Calls that are no function calls, as the `openai` client's objects."""

from __future__ import annotations

from typing import Any

from openai.types.responses import (
    ResponseApplyPatchToolCall,
    ResponseComputerToolCall,
    ResponseCustomToolCall,
    ResponseFunctionShellToolCall,
    ResponseInputItemParam,
)
from openai.types.responses.response_output_item import LocalShellCall, McpApprovalRequest
from pydantic import TypeAdapter

from agentgraph import Computer
from agentgraph.computer import Button, Environment

INPUT_ITEM: TypeAdapter[Any] = TypeAdapter(ResponseInputItemParam)
"""What the Responses API takes as an item of input, as the client declares it."""

CLICK = {"type": "click", "x": 1, "y": 2, "button": "left"}


def computer_call(
    action: dict[str, Any] | None = None,
    call_id: str = "k1",
    *,
    actions: list[dict[str, Any]] | None = None,
    checks: list[dict[str, Any]] | None = None,
) -> ResponseComputerToolCall:
    """A call of the computer tool: one action, or several at once."""
    return ResponseComputerToolCall.model_validate(
        {
            "id": f"item_{call_id}",
            "call_id": call_id,
            "type": "computer_call",
            "status": "completed",
            "pending_safety_checks": checks or [],
            **({} if action is None else {"action": action}),
            **({} if actions is None else {"actions": actions}),
        }
    )


def local_shell_call(*command: str, call_id: str = "l1") -> LocalShellCall:
    """A call of the local shell tool."""
    return LocalShellCall.model_validate(
        {
            "id": f"item_{call_id}",
            "call_id": call_id,
            "type": "local_shell_call",
            "status": "completed",
            "action": {"type": "exec", "command": list(command), "env": {}},
        }
    )


def shell_call(*commands: str, call_id: str = "s1", **limits: int) -> ResponseFunctionShellToolCall:
    """A call of the shell tool."""
    return ResponseFunctionShellToolCall.model_validate(
        {
            "id": f"item_{call_id}",
            "call_id": call_id,
            "type": "shell_call",
            "status": "completed",
            "action": {"commands": list(commands), **limits},
        }
    )


def patch_call(call_id: str, **operation: str) -> ResponseApplyPatchToolCall:
    """A call of the patch tool."""
    return ResponseApplyPatchToolCall.model_validate(
        {
            "id": f"item_{call_id}",
            "call_id": call_id,
            "type": "apply_patch_call",
            "status": "completed",
            "operation": operation,
        }
    )


def approval_request(
    id: str = "m1", label: str = "wiki", name: str = "search"
) -> McpApprovalRequest:
    """A hosted MCP server's question whether a tool may be called."""
    return McpApprovalRequest(
        id=id, arguments="{}", name=name, server_label=label, type="mcp_approval_request"
    )


class RecordedComputer(Computer):
    """A computer without a screen that writes down what is done with it.

    Args:
        broken: The action that fails, if any.
    """

    def __init__(self, broken: str = "") -> None:
        self.done: list[tuple[Any, ...]] = []
        self.broken = broken

    @property
    def environment(self) -> Environment:
        return "browser"

    @property
    def dimensions(self) -> tuple[int, int]:
        return 800, 600

    def _do(self, *action: Any) -> None:
        self.done.append(action)
        if action[0] == self.broken:
            raise OSError(f"cannot {self.broken}")

    def screenshot(self) -> str:
        self._do("screenshot")
        return f"picture{len(self.done)}"

    def click(self, x: int, y: int, button: Button) -> None:
        self._do("click", x, y, button)

    def double_click(self, x: int, y: int) -> None:
        self._do("double_click", x, y)

    def scroll(self, x: int, y: int, scroll_x: int, scroll_y: int) -> None:
        self._do("scroll", x, y, scroll_x, scroll_y)

    def type(self, text: str) -> None:
        self._do("type", text)

    def wait(self) -> None:
        self._do("wait")

    def move(self, x: int, y: int) -> None:
        self._do("move", x, y)

    def keypress(self, keys: list[str]) -> None:
        self._do("keypress", *keys)

    def drag(self, path: list[tuple[int, int]]) -> None:
        self._do("drag", *path)


def custom_call(name: str, text: str, call_id: str = "x1") -> ResponseCustomToolCall:
    """A call of a custom tool."""
    return ResponseCustomToolCall(
        id=f"item_{call_id}", call_id=call_id, type="custom_tool_call", name=name, input=text
    )
