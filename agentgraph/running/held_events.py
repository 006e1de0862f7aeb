"""Holding stream events back while input guardrails judge: the barrier for the screen.

Effects wait for the guardrails that run beside the first model call, but the text of the reply does
not. A consumer that shows text to people can hold it back as well.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from enum import Enum, auto
from typing import TYPE_CHECKING

from agentgraph.exceptions import InputGuardrailTripwireTriggered

if TYPE_CHECKING:
    from agentgraph.drivers.run import Run
    from agentgraph.stream_events import StreamEvent

__all__ = ["Screening", "held", "screening_of"]


class Screening(Enum):
    """How the input guardrails of a run stand."""

    AT_WORK = auto()
    CLEARED = auto()
    TRIPPED = auto()


def screening_of(run: Run | None, error: BaseException | None) -> Screening:
    """Tell how the input guardrails of a run stand.

    Args:
        run: The run; `None` if it is over.
        error: The exception that ended it, if any.
    """
    if isinstance(error, InputGuardrailTripwireTriggered):
        return Screening.TRIPPED
    return Screening.AT_WORK if run is not None and run.is_screened else Screening.CLEARED


async def held(
    events: AsyncGenerator[StreamEvent, None], screening: Callable[[], Screening]
) -> AsyncGenerator[StreamEvent, None]:
    """Hold events back while guardrails are at work, then give them in their order.

    Args:
        events: The events. They are closed with this generator.
        screening: Tells how the guardrails stand.

    Yields:
        The events, without those of the model's raw responses that a guardrail stopped.
    """
    waiting: list[StreamEvent] = []
    async with aclosing(events):
        async for event in events:
            waiting.append(event)
            if screening() is not Screening.AT_WORK:
                for each in _released(waiting, screening()):
                    yield each
                waiting = []
    for each in _released(waiting, screening()):
        yield each


def _released(events: list[StreamEvent], screening: Screening) -> list[StreamEvent]:
    if screening is not Screening.TRIPPED:
        return events
    return [event for event in events if event.type != "raw_response_event"]
