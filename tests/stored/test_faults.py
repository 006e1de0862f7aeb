"""Exceptions as data: what comes back from a journal, and what only a name comes back of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import openai
import pytest

from agentgraph import exceptions
from agentgraph.agent import Agent
from agentgraph.exceptions import (
    AgentsException,
    InputGuardrailTripwireTriggered,
    MachineChanged,
    MaxTurnsExceeded,
    ModelRefusalError,
    ModelTimeoutError,
    OutputGuardrailTripwireTriggered,
    ToolInputGuardrailTripwireTriggered,
    ToolOutputGuardrailTripwireTriggered,
    ToolTimeoutError,
    UserError,
)
from agentgraph.guardrail import (
    GuardrailFunctionOutput,
    InputGuardrail,
    InputGuardrailResult,
    OutputGuardrail,
    OutputGuardrailResult,
)
from agentgraph.memory.errors import InvalidSessionInput, SessionClosedError, SessionError
from agentgraph.stored.faults import (
    Fault,
    RecordedError,
    decode_fault,
    encode_fault,
    error_of,
    fault_of,
)
from agentgraph.stored.values import NotReadable, NotStorable, classes_in
from agentgraph.tool_guardrails import (
    ToolGuardrailFunctionOutput,
    ToolInputGuardrail,
    ToolOutputGuardrail,
)
from tests.stored.program_classes import Point

HTTP: Any = import_module(openai.DefaultHttpxClient.__mro__[1].__module__.partition(".")[0])
REQUEST = HTTP.Request("POST", "https://user:secret@a.example/v1/responses?key=secret")

AGENT: Agent[Any] = Agent(name="writer")
WATCH: InputGuardrail[Any] = InputGuardrail(guardrail_function=print, name="watch")  # type: ignore[arg-type]
JUDGE: OutputGuardrail[Any] = OutputGuardrail(guardrail_function=print, name="judge")  # type: ignore[arg-type]
CALLS: ToolInputGuardrail[Any] = ToolInputGuardrail(guardrail_function=print, name="calls")  # type: ignore[arg-type]
RESULTS: ToolOutputGuardrail[Any] = ToolOutputGuardrail(guardrail_function=print, name="results")  # type: ignore[arg-type]
LIVE: Mapping[str, Any] = {
    "guardrails/0": WATCH,
    "guardrails/1": JUDGE,
    "tools/0": CALLS,
    "tools/1": RESULTS,
    "agents/0": AGENT,
}


def symbol_of(live: Any) -> str | None:
    return next((symbol for symbol, one in LIVE.items() if one is live), None)


def through_json(error: BaseException, lookup: Any = LIVE.get) -> Any:
    text = json.dumps(encode_fault(fault_of(error, symbol_of)), allow_nan=False)
    return error_of(decode_fault(json.loads(text), classes_in(Point)), lookup)


OURS = [
    AgentsException("a"),
    MaxTurnsExceeded("a"),
    exceptions.BudgetExceeded("W", "tokens", 3, "a.py:7"),
    exceptions.RoutingError("a"),
    exceptions.ModelBehaviorError("a"),
    ModelRefusalError("no"),
    ModelTimeoutError(2.5),
    MachineChanged("agent 'desk' is gone"),
    UserError("a \ud800"),
    exceptions.AgentDefinitionError("a"),
    exceptions.MCPToolCancellationError("a"),
    ToolTimeoutError("search", 3),
    InputGuardrailTripwireTriggered(
        InputGuardrailResult(WATCH, GuardrailFunctionOutput(Point(1), True))
    ),
    OutputGuardrailTripwireTriggered(
        OutputGuardrailResult(JUDGE, {"text": (1,)}, AGENT, GuardrailFunctionOutput(None, True))
    ),
    ToolInputGuardrailTripwireTriggered(CALLS, ToolGuardrailFunctionOutput.raise_exception("why")),
    ToolOutputGuardrailTripwireTriggered(
        RESULTS, ToolGuardrailFunctionOutput.reject_content("no", [1])
    ),
    SessionError("a"),
    SessionClosedError("a"),
    InvalidSessionInput("a"),
]


@pytest.mark.parametrize("error", OURS, ids=lambda error: type(error).__name__)
def test_an_exception_of_ours_comes_back_with_what_it_carries(error: Any) -> None:
    again = through_json(error)
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)


def test_every_exception_of_ours_is_made_again() -> None:
    ours = {
        cls
        for cls in vars(exceptions).values()
        if isinstance(cls, type) and issubclass(cls, Exception)
    }
    assert ours <= {type(error) for error in OURS}


def test_a_guardrail_that_is_gone_is_named_by_a_stand_in() -> None:
    [trip] = [error for error in OURS if isinstance(error, OutputGuardrailTripwireTriggered)]
    again = through_json(trip, None)
    assert str(again) == str(trip)
    assert again.guardrail_result.guardrail.get_name() == "judge"
    assert again.guardrail_result.agent.name == "writer"
    assert again.guardrail_result.agent_output == {"text": (1,)}


def test_without_symbols_the_name_finds_a_guardrail() -> None:
    [trip] = [error for error in OURS if isinstance(error, InputGuardrailTripwireTriggered)]
    assert error_of(fault_of(trip), {"watch": WATCH}.get).guardrail_result == trip.guardrail_result  # type: ignore[attr-defined]


def test_an_agent_that_was_collected_comes_back_as_none() -> None:
    result = OutputGuardrailResult(JUDGE, "a", None, GuardrailFunctionOutput(None, True))
    again = through_json(OutputGuardrailTripwireTriggered(result))
    assert again.guardrail_result.agent is None


STATUSES = {
    "APIStatusError": 418,
    "AuthenticationError": 401,
    "BadRequestError": 400,
    "ConflictError": 409,
    "InternalServerError": 503,
    "NotFoundError": 404,
    "PermissionDeniedError": 403,
    "RateLimitError": 429,
    "UnprocessableEntityError": 422,
}


@pytest.mark.parametrize("name", STATUSES)
def test_a_refusal_of_the_api_comes_back_with_status_body_and_request_id(name: str) -> None:
    headers = {"x-request-id": "req_1", "retry-after": "7", "set-cookie": "secret"}
    response = HTTP.Response(STATUSES[name], headers=headers, request=REQUEST)
    body = {"code": "c", "param": "p", "type": "t", "message": "m"}
    error = getattr(openai, name)("too much", response=response, body=body)
    again = through_json(error)
    assert type(again) is type(error)
    for said in ("message", "status_code", "request_id", "code", "param", "type", "body"):
        assert getattr(again, said) == getattr(error, said)
    assert str(again) == "too much"
    assert again.response.headers["retry-after"] == "7"
    assert "secret" not in json.dumps(encode_fault(fault_of(error)))
    assert str(again.request.url) == "https://a.example/v1/responses"


# The client words the message of this one from the body; 2.x does not have it.
OAUTH = [
    getattr(openai, name)(
        response=HTTP.Response(401, request=REQUEST),
        body={"error": "invalid_grant", "error_description": "expired"},
    )
    for name in ("OAuthError",)
    if hasattr(openai, name)
]


@pytest.mark.parametrize(
    "error",
    [
        *OAUTH,
        openai.APIConnectionError(message="no way", request=REQUEST),
        openai.APITimeoutError(REQUEST),
        openai.APIError("odd", REQUEST, body="text"),
        openai.APIResponseValidationError(HTTP.Response(200, request=REQUEST), {"a": 1}),
        openai.OpenAIError("no key"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_other_failures_of_the_client_come_back(error: Any) -> None:
    again = through_json(error)
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert getattr(again, "body", None) == getattr(error, "body", None)


class RateLimitError(Exception):
    """Bears a name of the client's."""


class Falsy(ValueError):
    def __bool__(self) -> bool:
        return False

    def __len__(self) -> int:
        return 0


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("a"), "a"),
        (KeyboardInterrupt(), ""),
        (RateLimitError("mine"), "mine"),
        (Falsy("nothing"), "nothing"),
        (Mute(), "(its message cannot be read: RuntimeError)"),
    ],
)
def test_any_other_exception_comes_back_as_its_class_and_message(
    error: BaseException, message: str
) -> None:
    again = through_json(error)
    assert isinstance(again, RecordedError)
    assert isinstance(again, AgentsException)
    assert again.class_path == f"{type(error).__module__}.{type(error).__qualname__}"
    assert again.message == message
    assert again.class_path in str(again)
    assert fault_of(through_json(again)) == fault_of(again) == fault_of(error)


def test_a_subclass_of_ours_is_named_as_what_it_is() -> None:
    class Special(UserError):
        pass

    assert through_json(Special("a")).class_path.endswith("Special")


def test_what_a_guardrail_told_is_stored_only_when_asked() -> None:
    told = GuardrailFunctionOutput(print, True)
    fault = fault_of(InputGuardrailTripwireTriggered(InputGuardrailResult(WATCH, told)))
    assert error_of(fault).guardrail_result.output == told  # type: ignore[attr-defined]
    with pytest.raises(NotStorable, match=r"fault\.info"):
        encode_fault(fault)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("agentgraph.exceptions.ToolTimeoutError", "a"),
        Fault("agentgraph.exceptions.ModelTimeoutError", "a", {"timeout_seconds": "x"}),
        Fault("openai.RateLimitError", "a", {"status": 429}),
    ],
)
def test_a_fault_that_lacks_what_its_class_needs_is_damaged(fault: Fault) -> None:
    with pytest.raises(NotReadable, match=fault.name):
        error_of(fault)


def test_a_form_that_lacks_a_part_is_damaged() -> None:
    with pytest.raises(NotReadable, match="message"):
        decode_fault({"name": "a"})


def test_a_request_that_a_test_left_empty_does_no_harm() -> None:
    error = openai.APIConnectionError(request=SimpleNamespace())  # type: ignore[arg-type]
    assert str(through_json(error)) == "Connection error."
