"""Operating a computer for a model: safety checks, actions in order, and a final screenshot."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from agentgraph.computer import AsyncComputer
from agentgraph.drivers.work.call import LocalCall
from agentgraph.exceptions import ModelBehaviorError, UserError
from agentgraph.logger import logger, warn_once
from agentgraph.runtime.outcomes import Outcome
from agentgraph.tools.computers import resolve_computer
from agentgraph.tools.hosted import ComputerToolSafetyCheckData
from agentgraph.user_code.callbacks import call_in_thread, resolve

if TYPE_CHECKING:
    from openai.types.responses import ResponseComputerToolCall
    from openai.types.responses.response_computer_tool_call import Action

# A transparent image of one pixel: the output of such a call is an image, and cannot be text.
_NO_IMAGE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA"
    "60e6kgAAAABJRU5ErkJggg=="
)


def refusal(call: LocalCall, message: str) -> tuple[Any, Any]:
    """A refusal in the provider's form, and as the caller sees it."""
    payload = {
        "call_id": call.raw.call_id,
        "output": {"type": "computer_screenshot", "image_url": _NO_IMAGE},
        "type": "computer_call_output",
        "status": "incomplete",
    }
    return payload, message


async def operate_computer(call: LocalCall) -> Outcome:
    """Carry out a ``computer_call``.

    Raises:
        UserError: A safety check was not acknowledged, or the computer failed.
        ModelBehaviorError: The model asks for an unknown action.
    """
    acknowledged = await _acknowledged(call)
    await call.tell("on_tool_start")
    screenshot = await call.unhandled(_operate, call)
    image_url = f"data:image/png;base64,{screenshot}"
    payload = {
        "call_id": call.raw.call_id,
        "output": {"type": "computer_screenshot", "image_url": image_url},
        "type": "computer_call_output",
        "acknowledged_safety_checks": acknowledged or None,
    }
    return call.answer(payload, image_url)


async def _acknowledged(call: LocalCall) -> list[dict[str, Any]]:
    """The provider's safety checks that the tool's ``on_safety_check`` acknowledges."""
    checks = call.raw.pending_safety_checks or ()
    ask = call.tool.on_safety_check
    if ask is None:
        if checks:
            logger.warning(
                "The provider doubts an action of tool %r of agent %r, which has no"
                " on_safety_check; the action goes on without acknowledgement",
                call.tool.name,
                call.agent.name,
            )
        return []
    acknowledged = []
    for check in checks:
        data = ComputerToolSafetyCheckData(
            ctx_wrapper=call.bench.context,
            agent=call.agent,
            tool_call=call.raw,
            safety_check=check,
        )
        if not await call.unhandled(ask, data):
            raise UserError(
                f"The safety check '{check.id}' of tool '{call.tool.name}' of agent"
                f" '{call.agent.name}' was not acknowledged by its on_safety_check."
            )
        acknowledged.append({"id": check.id, "code": check.code, "message": check.message})
    return acknowledged


async def _operate(call: LocalCall) -> str:
    """Carry out the actions of a call; return a screenshot of the result."""
    computer = await resolve_computer(tool=call.tool, run_context=call.bench.context)
    screenshot: str | None = None
    for step in _steps(call.raw):
        screenshot = await _carry_out(call, computer, step)
    if screenshot is None:
        screenshot = await _call(call, computer, computer.screenshot)
    return str(screenshot)


def _steps(raw: ResponseComputerToolCall) -> Sequence[Any]:
    """The actions of a call: several at once, or one in the form of older models."""
    batch: Sequence[Any] | None = getattr(raw, "actions", None)
    if batch:
        return batch
    return () if raw.action is None else (raw.action,)


async def _carry_out(call: LocalCall, computer: object, step: Action) -> str | None:
    """Carry out one action; return its result if it is a screenshot."""
    method = getattr(computer, step.type, None)
    arguments_of = _ARGUMENTS.get(step.type)
    if method is None or arguments_of is None:
        raise ModelBehaviorError(
            f"The model of agent '{call.agent.name}' asked tool '{call.tool.name}' for the"
            f" unknown action '{step.type}'."
        )
    keys = getattr(step, "keys", None) if step.type != "keypress" else None
    keywords = {"keys": keys} if keys and _takes_keys(call, method) else {}
    result = await _call(call, computer, method, *arguments_of(step), **keywords)
    return result if step.type == "screenshot" else None


def _takes_keys(call: LocalCall, method: Callable[..., Any]) -> bool:
    parameters = inspect.signature(method).parameters.values()
    if any(one.name == "keys" or one.kind is one.VAR_KEYWORD for one in parameters):
        return True
    warn_once(
        "The computer of tool %r of agent %r has no parameter 'keys' in its method %r; the keys"
        " that the model wants to hold down are ignored",
        call.tool.name,
        call.agent.name,
        method.__name__,
    )
    return False


async def _call(
    call: LocalCall, computer: object, method: Callable[..., Any], *args: object, **keywords: object
) -> Any:
    if isinstance(computer, AsyncComputer) or inspect.iscoroutinefunction(method):
        return await resolve(method(*args, **keywords))
    return await call_in_thread(call.owner, method, *args, **keywords)


_ARGUMENTS: dict[str, Callable[[Any], tuple[Any, ...]]] = {
    "click": lambda step: (step.x, step.y, step.button),
    "double_click": lambda step: (step.x, step.y),
    "drag": lambda step: ([(point.x, point.y) for point in step.path],),
    "keypress": lambda step: (step.keys,),
    "move": lambda step: (step.x, step.y),
    "screenshot": lambda step: (),
    "scroll": lambda step: (step.x, step.y, step.scroll_x, step.scroll_y),
    "type": lambda step: (step.text,),
    "wait": lambda step: (),
}
"""The arguments of each action, in the order of the methods of ``Computer``."""
