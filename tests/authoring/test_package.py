"""The package as its users meet it: names, origins, exceptions, logging, suppression."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import logging
import subprocess
import sys
import timeit
from pathlib import Path
from typing import Any

import pytest

import agentgraph
from agentgraph import (
    Agent,
    InputGuardrail,
    MaxTurnsExceeded,
    OutputGuardrail,
    RunErrorDetails,
    UserError,
    allow,
    enable_verbose_stdout_logging,
    exceptions,
    handoff,
    input_guardrail,
)
from agentgraph.authoring.origin import UNKNOWN_ORIGIN, caller_origin
from agentgraph.authoring.suppression import allowed
from agentgraph.exceptions import (
    AgentDefinitionError,
    AgentsException,
    InputGuardrailTripwireTriggered,
    ModelRefusalError,
    ModelTimeoutError,
    OutputGuardrailTripwireTriggered,
    ToolInputGuardrailTripwireTriggered,
    ToolTimeoutError,
)
from agentgraph.guardrail import (
    GuardrailFunctionOutput,
    InputGuardrailResult,
    OutputGuardrailResult,
)
from agentgraph.logger import log_tool_action_error, logger
from agentgraph.tool_guardrails import ToolGuardrailFunctionOutput, ToolInputGuardrail


def here() -> tuple[str, int]:
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return __file__, frame.f_back.f_lineno


def judge(*arguments: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(None, tripwire_triggered=False)


@dataclasses.dataclass(eq=False)
class OwnAgent(Agent[Any]):
    """A user's own kind of agent, whose __init__ is generated in the user's module."""

    desk: str = ""


@pytest.mark.parametrize(
    "construct",
    [
        lambda: (Agent(name="a"), here()),
        lambda: (Agent[int](name="a"), here()),
        lambda: (OwnAgent(name="a", desk="d"), here()),
        lambda: (Agent(name="a").clone(name="b"), here()),
        lambda: (dataclasses.replace(Agent(name="a")), here()),
        lambda: (Agent(name="a").as_tool("t", ""), here()),
        lambda: (handoff(Agent(name="a")), here()),
        lambda: (InputGuardrail(guardrail_function=judge), here()),
        lambda: (OutputGuardrail(guardrail_function=judge), here()),
        lambda: (input_guardrail(judge), here()),
        lambda: (input_guardrail(name="n")(judge), here()),
    ],
)
def test_objects_remember_the_line_of_the_user_that_made_them(construct: Any) -> None:
    made, expected = construct()
    assert made._origin == expected


def test_a_clone_has_an_origin_of_its_own() -> None:
    original = Agent(name="a")
    copy = original.clone()
    assert original._origin[1] + 1 == copy._origin[1]


def test_the_origin_is_no_part_of_what_an_object_says() -> None:
    made = InputGuardrail(guardrail_function=judge)
    assert "origin" not in repr(made)
    assert made == InputGuardrail(guardrail_function=judge)


def test_code_without_a_module_name_still_has_an_origin() -> None:
    namespace: dict[str, Any] = {"caller_origin": caller_origin}
    exec(compile("\n\nfound = caller_origin()", "generated.py", "exec"), namespace)
    assert namespace["found"] == ("generated.py", 3)
    assert UNKNOWN_ORIGIN == ("<unknown>", 0)


def test_finding_an_origin_takes_microseconds() -> None:
    best = min(timeit.repeat(caller_origin, number=1000, repeat=5)) / 1000
    assert best < 2e-6


STUB = Path(agentgraph.__file__).with_suffix(".pyi")


def test_the_stub_names_what_the_package_exports_and_where_it_comes_from() -> None:
    stated = {
        alias.asname: statement.module
        for statement in ast.parse(STUB.read_text(encoding="utf-8")).body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }
    table = {name: f"agentgraph.{module}" for name, module in agentgraph._MODULE_OF.items()}  # type: ignore[attr-defined]
    assert stated == table | {"AsyncOpenAI": "openai", "OpenAI": "openai"}


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'agentgraph' has no attribute 'Agnet'"):
        agentgraph.Agnet  # type: ignore[attr-defined]  # noqa: B018 - the access is the test


AUTHORING = (
    "agent agent_tool guardrail handoffs items lifecycle model_settings models.interface prompts "
    "retry run_config run_context stream_events authoring.suppression tool_guardrails usage "
    "extensions.handoff_filters extensions.handoff_prompt"
)


def test_no_authoring_module_loads_the_client() -> None:
    imports = "; ".join(f"import agentgraph.{module}" for module in AUTHORING.split())
    program = f"{imports}; import sys; sys.exit('openai' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(agentgraph.__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_wire_types_have_names_here() -> None:
    from openai.types.responses import ResponseInputItemParam, ResponseStreamEvent

    from agentgraph import items

    assert items.TResponseInputItem == ResponseInputItemParam
    assert items.TResponseStreamEvent == ResponseStreamEvent
    assert all(hasattr(items, name) for name in items.__all__)


def test_every_exception_that_leaves_a_run_has_room_for_run_data() -> None:
    kinds = [
        kind
        for kind in vars(exceptions).values()
        if isinstance(kind, type) and issubclass(kind, Exception)
    ]
    assert len(kinds) > 10
    assert all(issubclass(kind, AgentsException) for kind in kinds)
    assert MaxTurnsExceeded("x").run_data is None


RESULT = InputGuardrailResult(InputGuardrail(judge, name="topic"), judge())
OUTPUT = OutputGuardrailResult(OutputGuardrail(judge, name="tone"), "said", None, judge())
VERDICT = ToolGuardrailFunctionOutput.raise_exception()
MESSAGES: list[tuple[AgentsException, str]] = [
    (ModelRefusalError("I will not"), "The model refused to answer: I will not"),
    (ModelTimeoutError(2.5), "did not finish within 2.5 seconds"),
    (ToolTimeoutError("search", 3.0), "Tool 'search' timed out after 3 seconds"),
    (InputGuardrailTripwireTriggered(RESULT), "Input guardrail 'topic'"),
    (OutputGuardrailTripwireTriggered(OUTPUT), "Output guardrail 'tone'"),
    (
        ToolInputGuardrailTripwireTriggered(ToolInputGuardrail(lambda d: VERDICT, "args"), VERDICT),
        "Tool input guardrail 'args'",
    ),
    (AgentDefinitionError("Agent.name"), "Agent.name"),
]


@pytest.mark.parametrize(("error", "message"), MESSAGES)
def test_an_exception_names_what_it_is_about(error: AgentsException, message: str) -> None:
    assert message in str(error)


def test_run_data_in_a_message_holds_counts_and_no_content() -> None:
    details = RunErrorDetails("secret", ["secret"], [1, 2], Agent(name="desk"), None, [], [])
    assert str(details) == "run ended in agent 'desk' after 2 model response(s) and 1 item(s)"


@pytest.fixture
def untouched_logger() -> Any:
    level, handlers = logger.level, list(logger.handlers)
    yield logger
    logger.setLevel(level)
    logger.handlers[:] = handlers


def test_verbose_logging_is_switched_on_once(untouched_logger: logging.Logger) -> None:
    before = len(untouched_logger.handlers)
    enable_verbose_stdout_logging()
    enable_verbose_stdout_logging()
    assert untouched_logger.level == logging.DEBUG
    assert len(untouched_logger.handlers) == before + 1


def test_a_failure_is_logged_by_its_class_and_not_by_its_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log_tool_action_error(logger, "Tool failed", ValueError("secret"))
    assert caplog.messages == ["Tool failed (ValueError)"]


def test_rules_are_allowed_object_by_object_and_add_up() -> None:
    agent, other = Agent(name="a"), Agent(name="b")
    assert allow(agent, "unreachable-agent") is agent
    allow(agent, "AG202", "handoff-loop")
    assert allowed(agent) == {"unreachable-agent", "AG202", "handoff-loop"}
    assert allowed(other) == frozenset()
    assert allowed(agent.clone()) == frozenset()


@pytest.mark.parametrize(("target", "rules"), [(Agent(name="a"), ()), ("text", ("rule",))])
def test_an_allowance_without_a_rule_or_an_object_is_refused(target: Any, rules: Any) -> None:
    with pytest.raises(UserError, match="allow"):
        allow(target, *rules)
