"""Mistakes that no call could survive are refused when the object is made."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any
from unittest.mock import AsyncMock, MagicMock, Mock

import pytest

import agentgraph
from agentgraph import (
    Agent,
    AgentDefinitionError,
    ApplyPatchTool,
    CustomTool,
    FunctionTool,
    Handoff,
    HostedMCPTool,
    InputGuardrail,
    LocalShellTool,
    OutputGuardrail,
    RunConfig,
    Runner,
    ShellTool,
    ToolInputGuardrail,
    ToolOutputGuardrail,
    UserError,
    function_tool,
    handoff,
)
from agentgraph.user_code.arity import accepts
from tests.published_sdk import needs_the_published_sdk, published


def none() -> None: ...
def one(a: Any) -> None: ...
def two(a: Any, b: Any) -> None: ...
def three(a: Any, b: Any, c: Any) -> None: ...
def four(a: Any, b: Any, c: Any, d: Any) -> None: ...


def tool(**fields: Any) -> FunctionTool:
    return FunctionTool(**{"name": "t", "description": "", "params_json_schema": {}, **fields})


def way_out(**fields: Any) -> Handoff[Any, Any]:
    return Handoff("go", "", {}, **{"on_invoke_handoff": two, "agent_name": "B", **fields})


GUARDS: dict[str, Any] = {
    "InputGuardrail": InputGuardrail(three),
    "OutputGuardrail": OutputGuardrail(three),
    "ToolInputGuardrail": ToolInputGuardrail(one),
    "ToolOutputGuardrail": ToolOutputGuardrail(one),
}
PLACES: dict[str, Callable[[list[Any]], object]] = {
    "Agent 'A': input_guardrails": lambda them: Agent("A", input_guardrails=them),
    "Agent 'A': output_guardrails": lambda them: Agent("A", output_guardrails=them),
    "RunConfig.input_guardrails": lambda them: RunConfig(input_guardrails=them),
    "RunConfig.output_guardrails": lambda them: RunConfig(output_guardrails=them),
    "FunctionTool 't': tool_input_guardrails": lambda them: tool(
        on_invoke_tool=two, tool_input_guardrails=them
    ),
    "FunctionTool 't': tool_output_guardrails": lambda them: tool(
        on_invoke_tool=two, tool_output_guardrails=them
    ),
}


def kind_of(place: str) -> str:
    field = place.rpartition("_guardrails")[0].rpartition(" ")[2].rpartition(".")[2]
    return "".join(word.title() for word in field.split("_")) + "Guardrail"


@pytest.mark.parametrize("kind", GUARDS)
@pytest.mark.parametrize("place", PLACES)
def test_a_guardrail_stands_only_where_its_kind_is_called(place: str, kind: str) -> None:
    guards = [GUARDS[kind_of(place)], GUARDS[kind]]
    if kind == kind_of(place):
        PLACES[place](guards)
        return
    with pytest.raises(AgentDefinitionError) as caught:
        PLACES[place](guards)
    assert str(caught.value).startswith(f"{place}[1] must be a")
    assert f"{kind_of(place)}, not {kind}" in str(caught.value)


@pytest.mark.parametrize("place", PLACES)
def test_a_function_among_guardrails_is_told_its_decorator(place: str) -> None:
    decorator = place.rpartition(" ")[2].rpartition(".")[2].removesuffix("s")
    with pytest.raises(AgentDefinitionError, match=f"decorate the function with @{decorator}\\.$"):
        PLACES[place]([three])


def test_guardrails_of_the_published_sdk_are_known_by_their_class() -> None:
    theirs = {
        name: type(name, (), {"guardrail_function": staticmethod(three)})()
        for name in ("InputGuardrail", "OutputGuardrail")
    }
    Agent("A", input_guardrails=[theirs["InputGuardrail"]])
    with pytest.raises(AgentDefinitionError, match="an InputGuardrail, not OutputGuardrail"):
        Agent("A", input_guardrails=[theirs["OutputGuardrail"]])


CALLBACKS: list[tuple[str, int, Callable[[Any], object]]] = [
    ("instructions", 2, lambda it: Agent("A", instructions=it)),
    ("prompt", 1, lambda it: Agent("A", prompt=it)),
    ("tool_use_behavior", 2, lambda it: Agent("A", tool_use_behavior=it)),
    ("guardrail_function", 3, InputGuardrail),
    ("guardrail_function", 3, OutputGuardrail),
    ("guardrail_function", 1, ToolInputGuardrail),
    ("guardrail_function", 1, ToolOutputGuardrail),
    ("on_invoke_tool", 2, lambda it: tool(on_invoke_tool=it)),
    ("is_enabled", 2, lambda it: tool(on_invoke_tool=two, is_enabled=it)),
    ("needs_approval", 3, lambda it: tool(on_invoke_tool=two, needs_approval=it)),
    ("timeout_error_function", 2, lambda it: tool(on_invoke_tool=two, timeout_error_function=it)),
    ("custom_data_extractor", 1, lambda it: tool(on_invoke_tool=two, custom_data_extractor=it)),
    ("failure_error_function", 2, lambda it: function_tool(one, failure_error_function=it)),
    ("on_handoff", 1, lambda it: handoff(Agent("B"), on_handoff=it)),
    ("on_handoff", 2, lambda it: handoff(Agent("B"), on_handoff=it, input_type=int)),
    ("on_invoke_handoff", 2, lambda it: way_out(on_invoke_handoff=it)),
    ("input_filter", 1, lambda it: way_out(input_filter=it)),
    ("is_enabled", 2, lambda it: way_out(is_enabled=it)),
    ("custom_output_extractor", 1, lambda it: as_tool(custom_output_extractor=it)),
    ("on_stream", 1, lambda it: as_tool(on_stream=it)),
    ("input_builder", 1, lambda it: as_tool(input_builder=it)),
    ("on_invoke_tool", 2, lambda it: CustomTool("c", "", it)),
    ("executor", 1, lambda it: ShellTool(executor=it)),
    ("executor", 1, lambda it: LocalShellTool(executor=it)),
    ("needs_approval", 3, lambda it: ApplyPatchTool(Mock(), needs_approval=it)),
    ("on_approval", 2, lambda it: ApplyPatchTool(Mock(), on_approval=it)),
    ("on_approval_request", 1, lambda it: HostedMCPTool(Mock(), on_approval_request=it)),
    ("handoff_input_filter", 1, lambda it: RunConfig(handoff_input_filter=it)),
    ("handoff_history_mapper", 1, lambda it: RunConfig(handoff_history_mapper=it)),
    ("session_input_callback", 2, lambda it: RunConfig(session_input_callback=it)),
    ("call_model_input_filter", 1, lambda it: RunConfig(call_model_input_filter=it)),
    ("tool_error_formatter", 1, lambda it: RunConfig(tool_error_formatter=it)),
    (
        "output_guardrail_blocked_message",
        1,
        lambda it: RunConfig(output_guardrail_blocked_message=it),
    ),
    (
        r"error_handlers\['max_turns'\]",
        1,
        lambda it: Runner.run_sync(Agent("A"), "hi", error_handlers={"max_turns": it}),
    ),
]
TAKING = [none, one, two, three, four]


def as_tool(**fields: Any) -> FunctionTool:
    return Agent("B").as_tool(None, None, **fields)


@pytest.mark.parametrize(("field", "count", "make"), CALLBACKS)
def test_a_callback_that_cannot_take_its_arguments_is_refused(
    field: str, count: int, make: Callable[[Any], object]
) -> None:
    for wrong in (TAKING[count - 1], TAKING[count + 1]):
        with pytest.raises(AgentDefinitionError, match=f"{field} .*argument"):
            make(wrong)
    if "handlers" not in field:
        make(TAKING[count])


class Called:
    def __call__(self, a: Any, b: Any) -> None: ...
    def method(self, a: Any, b: Any) -> None: ...

    @classmethod
    def of_the_class(cls, a: Any, b: Any) -> None: ...

    @staticmethod
    def static(a: Any, b: Any) -> None: ...


class CalledStatically:
    @staticmethod
    def __call__(a: Any, b: Any) -> None: ...


class CalledAsItsClass:
    @classmethod
    def __call__(cls, a: Any, b: Any) -> None: ...


def injecting(function: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator whose function takes other arguments than the one that it wraps."""

    @functools.wraps(function)
    def wrapper(a: Any, b: Any) -> Any:
        return function(a)

    return wrapper


@pytest.mark.parametrize(
    "callback",
    [
        two,
        lambda a, b, c=0: None,
        lambda *arguments: None,
        lambda a, *rest, key=0: None,
        lambda a, b, /, **more: None,
        Called(),
        CalledStatically(),
        CalledAsItsClass(),
        Called().method,
        Called.of_the_class,
        Called.static,
        functools.partial(three, 1),
        injecting(one),
        print,
        max,
        dict,
        Called,
        Mock(),
        MagicMock(),
        AsyncMock(),
    ],
)
def test_a_callback_that_may_take_its_arguments_is_believed(callback: Any) -> None:
    assert accepts(callback, 2)
    Agent("A", instructions=callback)


@pytest.mark.parametrize(
    "callback",
    [
        one,
        three,
        lambda a, b, *, key: None,
        lambda a, b, c, *rest: None,
        Called().static.__get__(3),  # bound, so that one argument is left
        injecting(three).__get__(3),
        functools.wraps(two)(lambda a: None),
    ],
)
def test_only_a_callback_that_certainly_fails_is_refused(callback: Any) -> None:
    assert not accepts(callback, 2)
    with pytest.raises(TypeError):
        callback(1, 2)


MISTAKES = [
    "Agent(name=3)",
    "Agent(name='a', handoff_description=3)",
    "Agent(name='a', tools=())",
    "Agent(name='a', mcp_servers=None)",
    "Agent(name='a', mcp_config=None)",
    "Agent(name='a', instructions=3)",
    "Agent(name='a', prompt=3)",
    "Agent(name='a', handoffs=())",
    "Agent(name='a', model=3)",
    "Agent(name='a', input_guardrails=None)",
    "Agent(name='a', output_guardrails=None)",
    "Agent(name='a', output_type=3)",
    "Agent(name='a', hooks=3)",
    "Agent(name='a', tool_use_behavior='never')",
    "Agent(name='a', reset_tool_choice=1)",
    "Agent(name='a', model_settings=3)",
    "Agent(name='a', model_settings={'heat': 1})",
    "Agent(name='a').as_tool('t', 'd', parameters=int)",
    "ModelSettings(heat=1)",
    "ModelSettings().resolve(3)",
    "RunConfig(heat=1)",
    "RunConfig(model_settings={'heat': 1})",
    "Runner.run_sync(Agent(name='a'), 'hi', run_config=3)",
    "Runner.run_sync(Agent(name='a'), 'hi', run_config={'heat': 1})",
    "function_tool(f, timeout=1)",
    "function_tool(g, timeout=True)",
    "function_tool(g, timeout='1')",
    "function_tool(g, timeout=0)",
    "function_tool(g, timeout=float('inf'))",
    "function_tool(g, timeout=1, timeout_behavior='never')",
    "function_tool(g, timeout_error_function=3)",
    "ToolOutputImage()",
    "ToolOutputFileContent()",
    "set_default_openai_api('other')",
    "SQLiteSession('s', session_settings=3)",
    "SessionSettings(heat=1)",
    "ToolExecutionConfig(heat=1)",
    "ToolExecutionConfig(max_function_tool_concurrency=0)",
    "RunConfig(tool_execution=3)",
    "RunConfig(tool_execution={'heat': 1})",
    "handoff(Agent(name='a'), on_handoff=3)",
    "handoff(Agent(name='a'), input_type=int)",
    "apply_diff('x', '@@ class Desk:\\n-y\\n')",
    "ensure_strict_json_schema(3)",
]
PRELUDE = """
import json, sys
from PACKAGE import *
from PACKAGE import set_default_openai_api
from PACKAGE.strict_schema import ensure_strict_json_schema
def f(): ...
async def g(): ...
"""
SCRIPT = (
    PRELUDE
    + """
kinds = []
for mistake in json.loads(sys.argv[1]):
    try:
        eval(mistake)
    except (Exception, SystemExit) as error:
        kinds.append([kind.__name__ for kind in type(error).__mro__])
    else:
        kinds.append([])
print(json.dumps(kinds))
"""
)


@needs_the_published_sdk
def test_what_the_sdk_raises_as_a_value_or_type_error_is_one_here() -> None:
    names: dict[str, Any] = {}
    exec(PRELUDE.replace("PACKAGE", "agentgraph"), names)
    lost = []
    for mistake, theirs in zip(MISTAKES, published(SCRIPT, json.dumps(MISTAKES)), strict=True):
        promised = {"TypeError", "ValueError", "UserError"} & set(theirs)
        try:
            eval(mistake, names)
        except Exception as error:  # noqa: BLE001 - which exception is the question
            kept = {kind.__name__ for kind in type(error).__mro__}
        else:
            kept = set()
        if not promised <= kept:
            lost.append((mistake, sorted(promised), sorted(kept)))
    assert lost == []


def test_an_error_of_a_definition_is_caught_by_each_of_its_names() -> None:
    assert issubclass(AgentDefinitionError, UserError)
    assert issubclass(AgentDefinitionError, TypeError)
    assert issubclass(AgentDefinitionError, ValueError)
    assert agentgraph.AgentDefinitionError("what").message == "what"
