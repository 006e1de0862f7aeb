"""What a run, rather than an agent, decides about the shape of its machine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """What the run, rather than an agent, decides about the shape of the machine.

    Args:
        recovers: Faults that an error handler answers: ``max_turns``, ``model_refusal``,
            ``invalid_final_output``.
        answers_missing_tools: Whether calling a tool that nobody has gets an error output instead
            of failing.
        places: How many function tools are at work at a time; 0 means no limit.
        prescreens: Whether tool guardrails look at arguments also before a person is asked.
        tries: How often a failed model call is made again, whatever the agent says; ``None`` leaves
            it to the agent.
    """

    recovers: frozenset[str] = frozenset()
    answers_missing_tools: bool = False
    places: int = 0
    prescreens: bool = False
    tries: int | None = None


DEFAULT_POLICY = Policy()
