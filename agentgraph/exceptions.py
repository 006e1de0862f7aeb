"""Every exception that a run raises, and the data of the failed run.

User code catches these exceptions by name. The tree::

    Exception
    └── AgentsException                          .run_data: the run up to the failure
        ├── MaxTurnsExceeded                     the run used up its turns
        ├── ModelBehaviorError                   the model's reply cannot be used
        ├── ModelRefusalError                    the model declined to answer
        ├── ModelTimeoutError                    one model call took too long
        ├── UserError                            the program uses the library wrongly
        │   └── AgentDefinitionError             an object is made wrongly; also a TypeError and
        │                                        a ValueError
        ├── MCPToolCancellationError             an MCP call was cancelled, the run was not
        ├── BudgetExceeded                       a run spent what its workflow allows
        ├── RoutingError                         no case of a route takes the output of a step
        ├── ToolTimeoutError                     one tool call took too long
        ├── InputGuardrailTripwireTriggered      a guardrail stopped the input
        ├── OutputGuardrailTripwireTriggered     a guardrail stopped the final output
        ├── ToolInputGuardrailTripwireTriggered  a guardrail stopped a tool call
        └── ToolOutputGuardrailTripwireTriggered a guardrail stopped a tool's result

All other modules import this one, and it imports none of them: a protocol with the few attributes
that a message needs describes an object that an exception carries.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from agentgraph_compiler.diagnostics import Rule

__all__ = [
    "AgentDefinitionError",
    "AgentsException",
    "BudgetExceeded",
    "InputGuardrailTripwireTriggered",
    "MCPToolCancellationError",
    "MaxTurnsExceeded",
    "ModelBehaviorError",
    "ModelRefusalError",
    "ModelTimeoutError",
    "OutputGuardrailTripwireTriggered",
    "RoutingError",
    "RunErrorDetails",
    "ToolInputGuardrailTripwireTriggered",
    "ToolOutputGuardrailTripwireTriggered",
    "ToolTimeoutError",
    "UserError",
]


class _NamedGuardrail(Protocol):
    """The part of a guardrail that a message about it needs."""

    def get_name(self) -> str: ...


class _GuardrailResult(Protocol):
    """The part of a guardrail's result that a message about it needs."""

    @property
    def guardrail(self) -> _NamedGuardrail: ...

    @property
    def output(self) -> Any: ...


@dataclass
class RunErrorDetails:
    """The data of a run up to the exception that ended it.

    Attributes:
        input: The run's input, as text or as input items.
        new_items: The run items of the finished turns. Those of the failing turn are included only
            if the output guardrails had begun or the turns were used up.
        raw_responses: The model's responses, oldest first.
        last_agent: The active agent.
        context_wrapper: The run's context, with the usage so far.
        input_guardrail_results: The verdicts of the input guardrails that finished.
        output_guardrail_results: The verdicts of the output guardrails that finished.
        tool_input_guardrail_results: The verdicts of guardrails on tool calls.
        tool_output_guardrail_results: The verdicts of guardrails on tool results.
    """

    input: str | list[Any]
    new_items: list[Any]
    raw_responses: list[Any]
    last_agent: Any
    context_wrapper: Any
    input_guardrail_results: list[Any]
    output_guardrail_results: list[Any]
    tool_input_guardrail_results: list[Any] = field(default_factory=list)
    tool_output_guardrail_results: list[Any] = field(default_factory=list)

    def __str__(self) -> str:
        """Describe the run's progress in counts only, so that no content reaches logs."""
        agent = getattr(self.last_agent, "name", None)
        return (
            f"run ended in agent {agent!r} after {len(self.raw_responses)} model response(s) "
            f"and {len(self.new_items)} item(s)"
        )


class AgentsException(Exception):
    """The base of every exception that a run of this package raises.

    Attributes:
        run_data: The data of the run, set when the exception leaves the run; `None` before that,
            and for an exception that is raised outside a run.
    """

    # A program that catches the exception of a run need not ask for `None`, hence `Any`.
    run_data: RunErrorDetails | Any

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        self.run_data = None


class MaxTurnsExceeded(AgentsException):
    """A run would need one more model call than `max_turns` allows."""

    message: str

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


class ModelBehaviorError(AgentsException):
    """The model's reply cannot be used: an unknown tool, malformed JSON, no content at all.

    Attributes:
        message: What is wrong.
        source: The model and its server in words, if the reply itself is at fault; else None.
    """

    message: str
    source: str | None

    def __init__(self, message: str) -> None:
        self.message = message
        self.source = None
        super().__init__(message)


class ModelRefusalError(AgentsException):
    """The model declined to answer, with a refusal in place of a final output.

    Attributes:
        refusal: The model's own words.
    """

    refusal: str

    def __init__(self, refusal: str) -> None:
        self.refusal = refusal
        super().__init__(f"The model refused to answer: {refusal}")


class ModelTimeoutError(AgentsException):
    """One model call took longer than `ModelSettings.timeout` allows.

    Attributes:
        timeout_seconds: The limit, in seconds.
    """

    timeout_seconds: float

    def __init__(self, timeout_seconds: float) -> None:
        self.timeout_seconds = timeout_seconds
        super().__init__(
            f"The model did not finish within {timeout_seconds:g} seconds. "
            "Raise ModelSettings.timeout if the call may take longer."
        )


class UserError(AgentsException):
    """The program uses the library in a way that cannot work; the message says what to change.

    Attributes:
        rule: The rule about such mistakes; ``agentgraph explain`` prints its page.
    """

    message: str
    rule: Rule | None = None

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


class AgentDefinitionError(UserError, TypeError, ValueError):
    """A field of an agent, handoff, guardrail, tool or configuration has a value that cannot work.

    It is also a `TypeError` and a `ValueError`, because the published SDK raises those exceptions
    at construction.
    """


class MachineChanged(UserError):
    """A run cannot go on in the program as it is now.

    Args:
        needs: What the run needs and the program has no more, or has in another form.

    Attributes:
        needs: As above.
    """

    needs: str

    def __init__(self, needs: str) -> None:
        self.needs = needs
        super().__init__(
            f"The run cannot go on in the changed program: {needs}. Bring that back, finish the run"
            " with the program that began it, or fork it at an earlier point."
        )


class MCPToolCancellationError(AgentsException):
    """The client of an MCP server cancelled a call, although the run itself is not cancelled."""

    message: str

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


class BudgetExceeded(AgentsException):
    """A run of a workflow has spent its budget, and the workflow names no step for that.

    Attributes:
        workflow: The name of the workflow.
        limit: The limit: `model_calls`, `tokens` or `seconds`.
        most: Its value.
        where: File and line of the budget.
    """

    workflow: str
    limit: str
    most: float
    where: str

    def __init__(self, workflow: str, limit: str, most: float, where: str) -> None:
        self.workflow, self.limit, self.most, self.where = workflow, limit, most, where
        super().__init__(
            f"Workflow '{workflow}' ({where}): the run has reached {limit}={most:g}, a limit of its"
            " budget. Raise it, or name the step that comes then: budget(..., on_exhausted=step)."
        )


class RoutingError(AgentsException):
    """No case of a route takes the value that a step of a workflow gave."""


class ToolTimeoutError(AgentsException):
    """One call of a tool took longer than the tool's own timeout.

    Attributes:
        tool_name: The tool as the model calls it.
        timeout_seconds: The limit, in seconds.
    """

    tool_name: str
    timeout_seconds: float

    def __init__(self, tool_name: str, timeout_seconds: float) -> None:
        self.tool_name = tool_name
        self.timeout_seconds = timeout_seconds
        super().__init__(f"Tool '{tool_name}' timed out after {timeout_seconds:g} seconds.")


class InputGuardrailTripwireTriggered(AgentsException):
    """An input guardrail stopped the run.

    Attributes:
        guardrail_result: The verdict, with the guardrail that returned it.
    """

    guardrail_result: Any

    def __init__(self, guardrail_result: _GuardrailResult) -> None:
        self.guardrail_result = guardrail_result
        super().__init__(f"Input guardrail '{_name_of(guardrail_result)}' triggered its tripwire")


class OutputGuardrailTripwireTriggered(AgentsException):
    """An output guardrail stopped the final output.

    Attributes:
        guardrail_result: The verdict, with the guardrail that returned it.
    """

    guardrail_result: Any

    def __init__(self, guardrail_result: _GuardrailResult) -> None:
        self.guardrail_result = guardrail_result
        super().__init__(f"Output guardrail '{_name_of(guardrail_result)}' triggered its tripwire")


class ToolInputGuardrailTripwireTriggered(AgentsException):
    """A guardrail on a tool call ended the run.

    Attributes:
        guardrail: The guardrail.
        output: Its verdict.
    """

    guardrail: _NamedGuardrail
    output: Any

    def __init__(self, guardrail: _NamedGuardrail, output: object) -> None:
        self.guardrail = guardrail
        self.output = output
        super().__init__(f"Tool input guardrail '{guardrail.get_name()}' triggered its tripwire")


class ToolOutputGuardrailTripwireTriggered(AgentsException):
    """A guardrail on a tool's result ended the run.

    Attributes:
        guardrail: The guardrail.
        output: Its verdict.
    """

    guardrail: _NamedGuardrail
    output: Any

    def __init__(self, guardrail: _NamedGuardrail, output: object) -> None:
        self.guardrail = guardrail
        self.output = output
        super().__init__(f"Tool output guardrail '{guardrail.get_name()}' triggered its tripwire")


def missing_package(needed_by: str, extra: str) -> str:
    """Return the message about a package that is not installed.

    Args:
        needed_by: The class that needs it.
        extra: The extra of this distribution that brings it.
    """
    return (
        f"{needed_by} needs a package that is not installed; "
        f'run: pip install "agentgraph-workflows[{extra}]"'
    )


def _name_of(result: _GuardrailResult) -> str:
    return result.guardrail.get_name()
