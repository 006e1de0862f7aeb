"""The message that a session keeps in place of an output that a guardrail has blocked."""

from __future__ import annotations

from typing import Any

from agentgraph.guardrail import OutputGuardrailResult
from agentgraph.logger import warn_once
from agentgraph.run_config import OutputGuardrailBlockedMessageArgs, RunConfig
from agentgraph.run_context import RunContextWrapper

__all__ = ["blocked_message"]

_DEFAULT = "Output withheld by an output guardrail."


def blocked_message(
    config: RunConfig, result: OutputGuardrailResult, context: RunContextWrapper[Any]
) -> str:
    """Return the message for a blocked output, from the run's configuration.

    A formatter that fails must not bring the output back: the run still ends because of the
    guardrail, with the default message.

    Args:
        config: The run's configuration (``output_guardrail_blocked_message``).
        result: The verdict of the guardrail.
        context: The run's context.
    """
    configured = config.output_guardrail_blocked_message
    if not callable(configured):
        return configured or _DEFAULT
    name = result.guardrail.get_name()
    try:
        message: object = configured(
            OutputGuardrailBlockedMessageArgs(_DEFAULT, name, result.agent, context)
        )
    except Exception as error:  # noqa: BLE001 - the user's function may raise anything
        message = error
    if isinstance(message, str) and message:
        return message
    if message is not None:
        warn_once(
            "output_guardrail_blocked_message gave no text for guardrail %r but %s; the session"
            " keeps the default message",
            name,
            type(message).__name__,
        )
    return _DEFAULT
