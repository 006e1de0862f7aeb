"""What a session keeps in the place of an output that a guardrail has blocked."""

from __future__ import annotations

from typing import Any

from agentgraph.guardrail import OutputGuardrailResult
from agentgraph.logger import logger
from agentgraph.run_config import OutputGuardrailBlockedMessageArgs, RunConfig
from agentgraph.run_context import RunContextWrapper

__all__ = ["blocked_message"]

_DEFAULT = "Output withheld by an output guardrail."


def blocked_message(
    config: RunConfig, result: OutputGuardrailResult, context: RunContextWrapper[Any]
) -> str:
    """Say that an output was blocked, in the words of the run's configuration.

    A formatter that fails must not bring the output back: its run ends because of the guardrail,
    and the default message stands.

    Args:
        config: The run's configuration (``output_guardrail_blocked_message``).
        result: What the guardrail said.
        context: The run's context.
    """
    configured = config.output_guardrail_blocked_message
    if not callable(configured):
        return configured or _DEFAULT
    name = result.guardrail.get_name()
    try:
        said: object = configured(
            OutputGuardrailBlockedMessageArgs(_DEFAULT, name, result.agent, context)
        )
    except Exception as error:  # noqa: BLE001 - the user's function may raise anything
        said = error
    if isinstance(said, str) and said:
        return said
    if said is not None:
        logger.warning(
            "output_guardrail_blocked_message gave no text for guardrail %r but %s; the session"
            " keeps the default message",
            name,
            type(said).__name__,
        )
    return _DEFAULT
