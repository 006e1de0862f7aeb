"""What a run adds to the workflow that it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from agentgraph.run_error_handlers import RECOVERABLE
from agentgraph_compiler.ir.policy import DEFAULT_POLICY, Policy


@dataclass(frozen=True, slots=True)
class RunScope:
    """What a run adds to the workflow: its own guardrails, and the faults that it recovers from.

    Args:
        input_guardrails: Guardrails that run beside those of the start agent.
        output_guardrails: Guardrails that run beside those of the last agent.
        policy: What the run decides about the shape of the machine.
        tool_choice: The tool choice of the run's own settings, which replaces that of every agent;
            ``None`` if the run has none.
        parallel_calls: Whether one reply may hold several calls, in place of what each agent says;
            ``None`` if the run does not say. The machine does not depend on it.
    """

    input_guardrails: tuple[Any, ...] = ()
    output_guardrails: tuple[Any, ...] = ()
    policy: Policy = DEFAULT_POLICY
    tool_choice: object = None
    parallel_calls: bool | None = None

    @classmethod
    def of(cls, run_config: object, error_handlers: Mapping[str, Any] | None = None) -> RunScope:
        """The scope of a run with a ``RunConfig`` and error handlers."""
        recovers = _NOTHING
        if error_handlers:
            recovers = frozenset(name for name in RECOVERABLE if error_handlers.get(name))
        if run_config is None:
            return cls(policy=Policy(recovers)) if recovers else DEFAULT_SCOPE
        policy = _policy(run_config, recovers)
        inputs = tuple(getattr(run_config, "input_guardrails", None) or ())
        outputs = tuple(getattr(run_config, "output_guardrails", None) or ())
        settings = getattr(run_config, "model_settings", None)
        choice = getattr(settings, "tool_choice", None)
        parallel = getattr(settings, "parallel_tool_calls", None)
        default = policy is DEFAULT_POLICY or policy == DEFAULT_POLICY
        if default and choice is parallel is None and not inputs and not outputs:
            return DEFAULT_SCOPE  # nearly every run
        return cls(
            input_guardrails=inputs,
            output_guardrails=outputs,
            policy=DEFAULT_POLICY if default else policy,
            tool_choice=choice,
            parallel_calls=parallel,
        )

    def begun_by(self, *, handoff: bool) -> RunScope:
        """The scope of a run inside.

        Args:
            handoff: Whether a handoff that returns begins it; the guardrails of the run around it
                judge the input and the output of that one only.
        """
        if self.policy.handed is handoff:
            return self
        return replace(self, policy=replace(self.policy, handed=handoff))

    def admitting(self, policy: Policy) -> RunScope:
        """This scope, with further states for the faults that another policy handles.

        A run enters these states only where it would fail otherwise, so a machine that has them
        replays every journal that was recorded without them.
        """
        policy_for_both = replace(
            self.policy,
            recovers=self.policy.recovers | policy.recovers,
            answers_missing_tools=(
                self.policy.answers_missing_tools or policy.answers_missing_tools
            ),
        )
        return self if policy_for_both == self.policy else replace(self, policy=policy_for_both)

    def without_guardrails(self) -> RunScope:
        """This scope for a branch: the guardrails of a run judge what enters and leaves the run
        itself, and its handlers what ends it."""
        policy = replace(self.policy, recovers=_NOTHING) if self.policy.recovers else self.policy
        scope = replace(self, input_guardrails=(), output_guardrails=(), policy=policy)
        return scope.begun_by(handoff=False)

    @property
    def key(self) -> tuple[object, ...]:
        """A key that is equal if two scopes are the same to the compiler: it holds the identities
        of the guardrails, and the outline."""
        if self is DEFAULT_SCOPE:
            return _DEFAULT_KEY
        inputs, outputs = self.input_guardrails, self.output_guardrails
        guardrails = tuple(map(id, inputs)), tuple(map(id, outputs))
        return (*guardrails, self.parallel_calls, *self.outline)

    @property
    def outline(self) -> tuple[object, ...]:
        """The parts of the scope, apart from guardrails, on which a machine depends."""
        choice, policy = self.tool_choice, None if self.policy is DEFAULT_POLICY else self.policy
        # A choice that is not a text forces no call, and it may not be hashable.
        return policy, plain(choice) if isinstance(choice, str) else choice is None


def _policy(run_config: object, recovers: frozenset[str]) -> Policy:
    """What a run configuration decides about the shape of the machine."""
    execution = getattr(run_config, "tool_execution", None)
    answers = getattr(run_config, "tool_not_found_behavior", "raise_error") != "raise_error"
    retries = retries_of(getattr(run_config, "model_settings", None))
    if execution is None and retries is None and not recovers and not answers:
        return DEFAULT_POLICY  # nearly every run
    return Policy(
        recovers=recovers,
        answers_missing_tools=answers,
        places=int(getattr(execution, "max_function_tool_concurrency", None) or 0),
        prescreens=bool(getattr(execution, "pre_approval_tool_input_guardrails", False)),
        tries=retries,
    )


def plain(text: str) -> str:
    """A text as an exact ``str``: a cache must not keep a reference to a user's subclass."""
    return text if type(text) is str or not isinstance(text, str) else str.__str__(text)


_NOTHING: frozenset[str] = frozenset()
DEFAULT_SCOPE = RunScope()
_DEFAULT_KEY: tuple[object, ...] = ()  # every run looks it up, and it costs no hashing


def retries_of(settings: object) -> int | None:
    """How often model settings repeat a failed call; ``None`` if they do not say."""
    count = getattr(getattr(settings, "retry", None), "max_retries", None)
    return int(count) if isinstance(count, int) else None
