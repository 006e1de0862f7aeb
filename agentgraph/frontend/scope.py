"""What a run adds to the workflow that it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from agentgraph.run_error_handlers import RECOVERABLE
from agentgraph_compiler.ir.policy import DEFAULT_POLICY, Policy


@dataclass(frozen=True, slots=True)
class RunScope:
    """What a run adds to the workflow: its own guardrails, and what it recovers from.

    Args:
        input_guardrails: Run beside those of the start agent.
        output_guardrails: Run beside those of whichever agent comes last.
        policy: What the run decides about the shape of the machine.
        tool_choice: The tool choice of the run's own settings, which stands in place of those of
            its agents; ``None`` where it has none.
    """

    input_guardrails: tuple[Any, ...] = ()
    output_guardrails: tuple[Any, ...] = ()
    policy: Policy = DEFAULT_POLICY
    tool_choice: Any = None

    @classmethod
    def of(cls, run_config: Any, error_handlers: Mapping[str, Any] | None = None) -> RunScope:
        """The scope that a ``RunConfig`` and error handlers amount to."""
        recovers = _NOTHING
        if error_handlers:
            recovers = frozenset(name for name in RECOVERABLE if error_handlers.get(name))
        if run_config is None:
            return cls(policy=Policy(recovers)) if recovers else DEFAULT_SCOPE
        policy = _policy(run_config, recovers)
        inputs = tuple(getattr(run_config, "input_guardrails", None) or ())
        outputs = tuple(getattr(run_config, "output_guardrails", None) or ())
        choice = getattr(getattr(run_config, "model_settings", None), "tool_choice", None)
        default = policy is DEFAULT_POLICY or policy == DEFAULT_POLICY
        if default and choice is None and not inputs and not outputs:
            return DEFAULT_SCOPE  # nearly every run
        return cls(inputs, outputs, DEFAULT_POLICY if default else policy, choice)

    def admitting(self, policy: Policy) -> RunScope:
        """This scope, with states for what another policy recovers from and answers as well.

        They are only entered where a run would fail, so what was recorded without them can be
        replayed with them.
        """
        both = replace(
            self.policy,
            recovers=self.policy.recovers | policy.recovers,
            answers_missing_tools=(
                self.policy.answers_missing_tools or policy.answers_missing_tools
            ),
        )
        return self if both == self.policy else replace(self, policy=both)

    @property
    def key(self) -> tuple[object, ...]:
        """What makes two scopes the same to the compiler: the very guardrails, and the outline."""
        if self is DEFAULT_SCOPE:
            return _DEFAULT_KEY
        guardrails = (self.input_guardrails, self.output_guardrails)
        return (*(tuple(map(id, listed)) for listed in guardrails), *self.outline)

    @property
    def outline(self) -> tuple[object, ...]:
        """What a machine depends on besides the guardrails."""
        choice, policy = self.tool_choice, None if self.policy is DEFAULT_POLICY else self.policy
        # Some choices are objects that cannot be hashed; they force nothing.
        return policy, plain(choice) if isinstance(choice, str) else choice is None


def _policy(run_config: Any, recovers: frozenset[str]) -> Policy:
    """What a run configuration decides about the shape of the machine."""
    execution = getattr(run_config, "tool_execution", None)
    answers = getattr(run_config, "tool_not_found_behavior", "raise_error") != "raise_error"
    retries = retries_of(getattr(run_config, "model_settings", None))
    if execution is None and retries is None and not recovers and not answers:
        return DEFAULT_POLICY  # nearly every run
    return Policy(
        recovers,
        answers,
        int(getattr(execution, "max_function_tool_concurrency", None) or 0),
        bool(getattr(execution, "pre_approval_tool_input_guardrails", False)),
        retries,
    )


def plain(text: str) -> str:
    """A text as nothing but a text: what is kept must not refer to a user's class of texts."""
    return text if type(text) is str or not isinstance(text, str) else str.__str__(text)


_NOTHING: frozenset[str] = frozenset()
DEFAULT_SCOPE = RunScope()
_DEFAULT_KEY: tuple[object, ...] = ()  # it is looked up in every run, and costs no hashing


def retries_of(settings: Any) -> int | None:
    """How often model settings have a failed call made again; ``None`` where they do not say."""
    times = getattr(getattr(settings, "retry", None), "max_retries", None)
    return int(times) if isinstance(times, int) else None
