"""What a run, rather than an agent, decides about the shape of its machine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """What the run, rather than an agent, decides about the shape of the machine.

    Args:
        recovers: Faults that an error handler answers: ``max_turns``, ``model_refusal``,
            ``invalid_final_output``.
        answers_missing_tools: Whether a call of a tool that the agent does not have gets an error
            output instead of failing the run.
        places: How many function tools work at the same time; 0 means no limit.
        prescreens: Whether tool guardrails check the arguments also before a person decides.
        tries: How often the run repeats a failed model call, whatever the agent says; ``None``
            leaves it to the agent.
        handed: Whether a handoff that returns begins the run. It enters the start agent as a
            handoff does, without input guardrails.
    """

    recovers: frozenset[str] = frozenset()
    answers_missing_tools: bool = False
    places: int = 0
    prescreens: bool = False
    tries: int | None = None
    handed: bool = False


DEFAULT_POLICY = Policy()
