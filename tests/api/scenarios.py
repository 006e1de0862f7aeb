"""Workflows that run unchanged on the published Agents SDK and here, and what is observed of them.

Every scenario is written against a package that is passed in, so the same lines run on both. What
the published SDK did is recorded in ``goldens/published_sdk.json`` by ``record_scenarios.py``; the
test compares ours with it. Only facts are compared: which items, which events, which hooks, what
the model was shown, what was saved.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from openai import BadRequestError
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseCustomToolCall,
    ResponseUsage,
)
from pydantic import BaseModel

Observed = dict[str, Any]


@dataclass
class Case:
    """One workflow with its input, made anew for every run."""

    agent: Any
    input: Any = "go"
    options: dict[str, Any] = field(default_factory=dict)
    model: Any = None
    hooks: list[str] = field(default_factory=list)
    session: Any = None


Scenario = Callable[[Any], Case]
SCENARIOS: dict[str, Scenario] = {}


def scenario(make: Scenario) -> Scenario:
    """Register a scenario under its function's name."""
    SCENARIOS[make.__name__] = make
    return make


def package(name: str) -> Any:
    """The names that scenarios use, from ``agents`` or ``agentgraph``."""
    top = importlib.import_module(name)
    testing = importlib.import_module(f"{name}.testing")
    names = {
        key: getattr(testing, key)
        for key in ("ScriptedModel", "assistant_message", "function_call", "ModelStep")
    }
    return SimpleNamespace(
        **{key: getattr(top, key) for key in _NAMES},
        **names,
        ToolsToFinalOutputResult=top.ToolsToFinalOutputResult,
    )


_NAMES = (
    "Agent",
    "AgentHooks",
    "CustomTool",
    "GuardrailFunctionOutput",
    "InputGuardrail",
    "ModelRetrySettings",
    "ModelSettings",
    "OutputGuardrail",
    "RunConfig",
    "RunHooks",
    "Runner",
    "SQLiteSession",
    "StopAtTools",
    "ToolGuardrailFunctionOutput",
    "function_tool",
    "handoff",
    "tool_input_guardrail",
    "tool_output_guardrail",
)


async def observe(sdk: Any, make: Scenario, *, streamed: bool) -> Observed:
    """Run a scenario and note down everything that users can see of it."""
    case = make(sdk)
    seen: Observed = {}
    options = dict(case.options)
    if case.session is not None:
        options["session"] = case.session
    result: Any = None
    events: list[str] = []
    try:
        if streamed:
            result = sdk.Runner.run_streamed(case.agent, case.input, **options)
            async for event in result.stream_events():
                if event.type == "agent_updated_stream_event":
                    events.append(f"agent {event.new_agent.name}")
                elif event.type == "run_item_stream_event":
                    events.append(str(event.name))
        else:
            result = await sdk.Runner.run(case.agent, case.input, **options)
    except Exception as error:  # noqa: BLE001 - what is raised is part of what is observed
        seen["raised"] = type(error).__name__
        data = getattr(error, "run_data", None)
        if data is not None:
            seen["run_data"] = {
                "items": [_item(item) for item in data.new_items],
                "last_agent": data.last_agent.name,
                "responses": len(data.raw_responses),
                "input_guardrails": len(data.input_guardrail_results),
                "output_guardrails": len(data.output_guardrail_results),
            }
    else:
        seen["final_output"] = _plain(result.final_output)
        seen["items"] = [_item(item) for item in result.new_items]
        seen["last_agent"] = result.last_agent.name
        seen["usage"] = result.context_wrapper.usage.requests
        seen["to_input_list"] = [_input(item) for item in result.to_input_list()]
        seen["input_guardrails"] = len(result.input_guardrail_results)
        seen["output_guardrails"] = len(result.output_guardrail_results)
    if streamed:
        seen["events"] = events
    if case.hooks:
        seen["hooks"] = list(case.hooks)
    if case.model is not None:
        seen["calls"] = [_call(call) for call in case.model.calls]
    if case.session is not None:
        seen["session"] = [_input(item) for item in await case.session.get_items()]
    return seen


def _plain(value: Any) -> Any:
    return value.model_dump() if isinstance(value, BaseModel) else value


def _item(item: Any) -> list[Any]:
    return [
        item.type,
        item.agent.name if item.type != "handoff_output_item" else item.source_agent.name,
    ]


def _input(item: Any) -> list[Any]:
    kind = item.get("type", "message")
    if kind == "function_call":
        return [kind, item["name"], item["arguments"], item["call_id"]]
    if kind == "function_call_output":
        return [kind, item["call_id"], item["output"]]
    content = item.get("content")
    if isinstance(content, list):
        content = "".join(part.get("text", "") for part in content)
    return [kind, item.get("role"), content]


def _call(call: Any) -> Observed:
    items = call.input
    return {
        "instructions": call.system_instructions,
        "input": items if isinstance(items, str) else [_input(item) for item in items],
        "tools": [tool.name for tool in call.tools],
        "handoffs": [entry.tool_name for entry in call.handoffs],
        "tool_choice": call.model_settings.tool_choice,
    }


def _recorder(sdk: Any, log: list[str]) -> Any:
    class Recorder(sdk.RunHooks):  # type: ignore[misc]
        async def on_agent_start(self, context: Any, agent: Any) -> None:
            log.append(f"agent_start {agent.name}")

        async def on_agent_end(self, context: Any, agent: Any, output: Any) -> None:
            log.append(f"agent_end {agent.name} {output}")

        async def on_llm_start(self, context: Any, agent: Any, prompt: Any, items: Any) -> None:
            log.append(f"llm_start {agent.name} {prompt} {len(items)}")

        async def on_llm_end(self, context: Any, agent: Any, response: Any) -> None:
            log.append(f"llm_end {agent.name}")

        async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
            log.append(f"tool_start {agent.name} {tool.name}")

        async def on_tool_end(self, context: Any, agent: Any, tool: Any, result: Any) -> None:
            log.append(f"tool_end {agent.name} {tool.name} {result}")

        async def on_handoff(self, context: Any, from_agent: Any, to_agent: Any) -> None:
            log.append(f"handoff {from_agent.name} {to_agent.name}")

    return Recorder()


def _agent_recorder(sdk: Any, log: list[str]) -> Any:
    class Recorder(sdk.AgentHooks):  # type: ignore[misc]
        async def on_start(self, context: Any, agent: Any) -> None:
            log.append(f"own start {agent.name}")

        async def on_end(self, context: Any, agent: Any, output: Any) -> None:
            log.append(f"own end {agent.name} {output}")

        async def on_handoff(self, context: Any, agent: Any, source: Any) -> None:
            log.append(f"own handoff {source.name} {agent.name}")

        async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
            log.append(f"own tool_start {tool.name}")

    return Recorder()


def _adder(sdk: Any) -> Any:
    async def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    return sdk.function_tool(add)


def _say(sdk: Any, text: str) -> list[Any]:
    return [sdk.assistant_message(text)]


def _add(sdk: Any, call_id: str, a: int = 1, b: int = 2) -> Any:
    return sdk.function_call("add", {"a": a, "b": b}, call_id=call_id)


@scenario
def plain_answer(sdk: Any) -> Case:
    model = sdk.ScriptedModel([_say(sdk, "hello")])
    return Case(sdk.Agent(name="A", instructions="be kind", model=model), model=model)


@scenario
def empty_output(sdk: Any) -> Case:
    model = sdk.ScriptedModel([[]])
    return Case(sdk.Agent(name="A", model=model), model=model)


@scenario
def list_input(sdk: Any) -> Case:
    model = sdk.ScriptedModel([_say(sdk, "hello")])
    items = [{"role": "user", "content": "one"}, {"role": "user", "content": "two"}]
    return Case(sdk.Agent(name="A", model=model), items, model=model)


@scenario
def two_messages_in_one_reply(sdk: Any) -> Case:
    model = sdk.ScriptedModel(
        [[sdk.assistant_message("one", item_id="m1"), sdk.assistant_message("two", item_id="m2")]]
    )
    return Case(sdk.Agent(name="A", model=model), model=model)


@scenario
def tool_then_answer(sdk: Any) -> Case:
    log: list[str] = []
    model = sdk.ScriptedModel([[_add(sdk, "c1")], _say(sdk, "three")])
    agent = sdk.Agent(name="A", model=model, tools=[_adder(sdk)], hooks=_agent_recorder(sdk, log))
    return Case(agent, options={"hooks": _recorder(sdk, log)}, model=model, hooks=log)


@scenario
def message_beside_a_tool_call_is_not_final(sdk: Any) -> Case:
    model = sdk.ScriptedModel(
        [[sdk.assistant_message("wait"), _add(sdk, "c1")], _say(sdk, "three")]
    )
    return Case(sdk.Agent(name="A", model=model, tools=[_adder(sdk)]), model=model)


@scenario
def parallel_tools_answer_in_call_order(sdk: Any) -> Case:
    gate = asyncio.Event()

    async def slow() -> str:
        await gate.wait()
        return "slow"

    async def fast() -> str:
        gate.set()
        return "fast"

    calls = [
        sdk.function_call("slow", {}, call_id="c1"),
        sdk.function_call("fast", {}, call_id="c2"),
    ]
    model = sdk.ScriptedModel([calls, _say(sdk, "done")])
    tools = [sdk.function_tool(slow), sdk.function_tool(fast)]
    return Case(sdk.Agent(name="A", model=model, tools=tools), model=model)


@scenario
def handoff(sdk: Any) -> Case:
    log: list[str] = []
    model = sdk.ScriptedModel(
        [[sdk.function_call("transfer_to_b", {}, call_id="h1")], _say(sdk, "from b")]
    )
    second = sdk.Agent(name="B", model=model, instructions="b")
    first = sdk.Agent(name="A", model=model, handoffs=[second], hooks=_agent_recorder(sdk, log))
    return Case(first, options={"hooks": _recorder(sdk, log)}, model=model, hooks=log)


@scenario
def several_handoffs_in_one_reply(sdk: Any) -> Case:
    calls = [
        sdk.function_call("transfer_to_c", {}, call_id="h1"),
        sdk.function_call("transfer_to_b", {}, call_id="h2"),
    ]
    model = sdk.ScriptedModel([calls, _say(sdk, "from c")])
    second, third = sdk.Agent(name="B", model=model), sdk.Agent(name="C", model=model)
    return Case(sdk.Agent(name="A", model=model, handoffs=[second, third]), model=model)


@scenario
def tool_and_handoff_in_one_reply(sdk: Any) -> Case:
    calls = [sdk.function_call("transfer_to_b", {}, call_id="h1"), _add(sdk, "c1")]
    model = sdk.ScriptedModel([calls, _say(sdk, "from b")])
    second = sdk.Agent(name="B", model=model)
    return Case(
        sdk.Agent(name="A", model=model, handoffs=[second], tools=[_adder(sdk)]), model=model
    )


@scenario
def handoff_there_and_back(sdk: Any) -> Case:
    log: list[str] = []
    model = sdk.ScriptedModel(
        [
            [sdk.function_call("transfer_to_b", {}, call_id="h1")],
            [_add(sdk, "c1")],
            [sdk.function_call("transfer_to_a", {}, call_id="h2")],
            _say(sdk, "from a"),
        ]
    )
    second = sdk.Agent(name="B", model=model, tools=[_adder(sdk)])
    first = sdk.Agent(name="A", model=model, handoffs=[second])
    second.handoffs.append(first)
    return Case(first, options={"hooks": _recorder(sdk, log)}, model=model, hooks=log)


@scenario
def handoff_with_a_filter(sdk: Any) -> Case:
    def only_history(data: Any) -> Any:
        return data.clone(pre_handoff_items=(), new_items=()) if hasattr(data, "clone") else data

    model = sdk.ScriptedModel(
        [
            [_add(sdk, "c1")],
            [sdk.function_call("transfer_to_b", {}, call_id="h1")],
            _say(sdk, "from b"),
        ]
    )
    second = sdk.Agent(name="B", model=model)
    entry = sdk.handoff(second, input_filter=only_history)
    return Case(
        sdk.Agent(name="A", model=model, handoffs=[entry], tools=[_adder(sdk)]), model=model
    )


@scenario
def turns_run_out(sdk: Any) -> Case:
    model = sdk.ScriptedModel([[_add(sdk, "c1")], [_add(sdk, "c2")], [_add(sdk, "c3")]])
    session = sdk.SQLiteSession("turns")
    agent = sdk.Agent(name="A", model=model, tools=[_adder(sdk)])
    return Case(agent, options={"max_turns": 2}, model=model, session=session)


@scenario
def turns_run_out_with_a_handler(sdk: Any) -> Case:
    log: list[str] = []
    model = sdk.ScriptedModel([[_add(sdk, "c1")], [_add(sdk, "c2")]])
    handlers = {"max_turns": lambda _: {"final_output": "enough", "include_in_history": True}}
    agent = sdk.Agent(name="A", model=model, tools=[_adder(sdk)])
    options = {"max_turns": 1, "error_handlers": handlers, "hooks": _recorder(sdk, log)}
    return Case(agent, options=options, model=model, hooks=log)


@scenario
def stop_on_first_tool(sdk: Any) -> Case:
    model = sdk.ScriptedModel([[_add(sdk, "c1"), _add(sdk, "c2", 5, 5)]])
    agent = sdk.Agent(
        name="A", model=model, tools=[_adder(sdk)], tool_use_behavior="stop_on_first_tool"
    )
    return Case(agent, model=model)


@scenario
def stop_at_a_named_tool(sdk: Any) -> Case:
    async def note() -> str:
        return "noted"

    model = sdk.ScriptedModel([[sdk.function_call("note", {}, call_id="n1")], [_add(sdk, "c1")]])
    behavior = sdk.StopAtTools(stop_at_tool_names=["add"])
    tools = [_adder(sdk), sdk.function_tool(note)]
    return Case(
        sdk.Agent(name="A", model=model, tools=tools, tool_use_behavior=behavior), model=model
    )


@scenario
def a_function_decides_on_tool_outputs(sdk: Any) -> Case:
    def decide(context: Any, results: list[Any]) -> Any:
        total = sum(result.output for result in results)
        return sdk.ToolsToFinalOutputResult(
            is_final_output=total > 5, final_output=f"total {total}"
        )

    model = sdk.ScriptedModel([[_add(sdk, "c1")], [_add(sdk, "c2", 3, 4)]])
    agent = sdk.Agent(name="A", model=model, tools=[_adder(sdk)], tool_use_behavior=decide)
    return Case(agent, model=model)


@scenario
def forced_tool_choice_is_reset(sdk: Any) -> Case:
    model = sdk.ScriptedModel([[_add(sdk, "c1")], _say(sdk, "three")])
    settings = sdk.ModelSettings(tool_choice="required")
    return Case(
        sdk.Agent(name="A", model=model, tools=[_adder(sdk)], model_settings=settings), model=model
    )


@scenario
def unknown_tool(sdk: Any) -> Case:
    model = sdk.ScriptedModel([[_add(sdk, "c0")], [sdk.function_call("nobody", {}, call_id="c1")]])
    return Case(sdk.Agent(name="A", model=model, tools=[_adder(sdk)]), model=model)


@scenario
def unknown_tool_is_answered(sdk: Any) -> Case:
    model = sdk.ScriptedModel([[sdk.function_call("nobody", {}, call_id="c1")], _say(sdk, "sorry")])
    config = sdk.RunConfig(tool_not_found_behavior="return_error_to_model")
    case = Case(
        sdk.Agent(name="A", model=model, tools=[_adder(sdk)]), options={"run_config": config}
    )
    return case


@scenario
def malformed_tool_arguments(sdk: Any) -> Case:
    model = sdk.ScriptedModel(
        [[sdk.function_call("add", "{no json", call_id="c1")], _say(sdk, "sorry")]
    )
    return Case(sdk.Agent(name="A", model=model, tools=[_adder(sdk)]))


@scenario
def tool_that_raises_out(sdk: Any) -> Case:
    async def broken() -> str:
        raise ValueError("no")

    model = sdk.ScriptedModel([[_add(sdk, "c1"), sdk.function_call("broken", {}, call_id="c2")]])
    tools = [_adder(sdk), sdk.function_tool(broken, failure_error_function=None)]
    session = sdk.SQLiteSession("broken")
    return Case(sdk.Agent(name="A", model=model, tools=tools), model=model, session=session)


class Answer(BaseModel):
    """A structured final output."""

    number: int


@scenario
def structured_output(sdk: Any) -> Case:
    model = sdk.ScriptedModel([_say(sdk, '{"number": 4}')])
    return Case(sdk.Agent(name="A", model=model, output_type=Answer), model=model)


@scenario
def invalid_structured_output(sdk: Any) -> Case:
    model = sdk.ScriptedModel([_say(sdk, '{"number": "many"}')])
    return Case(sdk.Agent(name="A", model=model, output_type=Answer), model=model)


@scenario
def structured_agent_without_text_runs_again(sdk: Any) -> Case:
    model = sdk.ScriptedModel([[], _say(sdk, '{"number": 4}')])
    return Case(sdk.Agent(name="A", model=model, output_type=Answer), model=model)


@scenario
def wrapped_output_type(sdk: Any) -> Case:
    model = sdk.ScriptedModel([_say(sdk, '{"response": [1, 2]}')])
    return Case(sdk.Agent(name="A", model=model, output_type=list[int]), model=model)


def _guardrail(
    sdk: Any, *, trips: bool, log: list[str] | None = None
) -> Callable[..., Awaitable[Any]]:
    async def check(context: Any, agent: Any, input: Any) -> Any:
        if log is not None:
            log.append(f"guardrail {agent.name}")
        return sdk.GuardrailFunctionOutput(output_info="seen", tripwire_triggered=trips)

    return check


@scenario
def input_guardrail_passes(sdk: Any) -> Case:
    model = sdk.ScriptedModel([_say(sdk, "fine")])
    guardrail = sdk.InputGuardrail(guardrail_function=_guardrail(sdk, trips=False))
    return Case(sdk.Agent(name="A", model=model, input_guardrails=[guardrail]))


@scenario
def blocking_input_guardrail_trips(sdk: Any) -> Case:
    log: list[str] = []
    model = sdk.ScriptedModel([_say(sdk, "never")])
    guardrail = sdk.InputGuardrail(
        guardrail_function=_guardrail(sdk, trips=True, log=log), run_in_parallel=False
    )
    agent = sdk.Agent(name="A", model=model, input_guardrails=[guardrail])
    session = sdk.SQLiteSession("blocking")
    return Case(
        agent, options={"hooks": _recorder(sdk, log)}, model=model, hooks=log, session=session
    )


@scenario
def parallel_input_guardrail_trips(sdk: Any) -> Case:
    reached = asyncio.Event()

    async def check(context: Any, agent: Any, input: Any) -> Any:
        await reached.wait()
        return sdk.GuardrailFunctionOutput(output_info="seen", tripwire_triggered=True)

    async def reply(call: Any) -> Any:
        reached.set()
        await asyncio.Event().wait()

    model = sdk.ScriptedModel([sdk.ModelStep.respond(reply)])
    agent = sdk.Agent(
        name="A", model=model, input_guardrails=[sdk.InputGuardrail(guardrail_function=check)]
    )
    return Case(agent, session=sdk.SQLiteSession("parallel"))


@scenario
def input_guardrails_run_for_the_first_agent_only(sdk: Any) -> Case:
    log: list[str] = []
    model = sdk.ScriptedModel(
        [[sdk.function_call("transfer_to_b", {}, call_id="h1")], _say(sdk, "from b")]
    )
    inner = sdk.InputGuardrail(guardrail_function=_guardrail(sdk, trips=True))
    second = sdk.Agent(name="B", model=model, input_guardrails=[inner])
    outer = sdk.InputGuardrail(guardrail_function=_guardrail(sdk, trips=False, log=log))
    return Case(
        sdk.Agent(name="A", model=model, handoffs=[second], input_guardrails=[outer]), hooks=log
    )


@scenario
def output_guardrail_trips(sdk: Any) -> Case:
    log: list[str] = []
    model = sdk.ScriptedModel([[_add(sdk, "c1")], _say(sdk, "secret")])
    guardrail = sdk.OutputGuardrail(guardrail_function=_guardrail(sdk, trips=True, log=log))
    agent = sdk.Agent(name="A", model=model, tools=[_adder(sdk)], output_guardrails=[guardrail])
    session = sdk.SQLiteSession("output")
    return Case(
        agent, options={"hooks": _recorder(sdk, log)}, model=model, hooks=log, session=session
    )


@scenario
def guardrails_of_the_run(sdk: Any) -> Case:
    log: list[str] = []
    model = sdk.ScriptedModel([_say(sdk, "fine")])
    config = sdk.RunConfig(
        input_guardrails=[
            sdk.InputGuardrail(guardrail_function=_guardrail(sdk, trips=False, log=log))
        ],
        output_guardrails=[
            sdk.OutputGuardrail(guardrail_function=_guardrail(sdk, trips=False, log=log))
        ],
    )
    return Case(sdk.Agent(name="A", model=model), options={"run_config": config}, hooks=log)


@scenario
def tool_guardrails(sdk: Any) -> Case:
    @sdk.tool_input_guardrail
    def no_big_numbers(data: Any) -> Any:
        if '"a":9' in data.context.tool_arguments:
            return sdk.ToolGuardrailFunctionOutput.reject_content("too big")
        return sdk.ToolGuardrailFunctionOutput.allow()

    @sdk.tool_output_guardrail
    def no_seven(data: Any) -> Any:
        if data.output == 7:
            return sdk.ToolGuardrailFunctionOutput.reject_content("seven is hidden")
        return sdk.ToolGuardrailFunctionOutput.allow()

    tool = _adder(sdk)
    tool.tool_input_guardrails = [no_big_numbers]
    tool.tool_output_guardrails = [no_seven]
    calls = [
        sdk.function_call("add", '{"a":9,"b":1}', call_id="c1"),
        sdk.function_call("add", '{"a":3,"b":4}', call_id="c2"),
        sdk.function_call("add", '{"a":1,"b":1}', call_id="c3"),
    ]
    model = sdk.ScriptedModel([calls, _say(sdk, "done")])
    return Case(sdk.Agent(name="A", model=model, tools=[tool]), model=model)


@scenario
def session_over_a_tool_turn(sdk: Any) -> Case:
    model = sdk.ScriptedModel([[_add(sdk, "c1")], _say(sdk, "three")])
    session = sdk.SQLiteSession("tools")
    return Case(sdk.Agent(name="A", model=model, tools=[_adder(sdk)]), model=model, session=session)


@scenario
def session_over_a_handoff(sdk: Any) -> Case:
    model = sdk.ScriptedModel(
        [[sdk.function_call("transfer_to_b", {}, call_id="h1")], _say(sdk, "from b")]
    )
    second = sdk.Agent(name="B", model=model)
    session = sdk.SQLiteSession("handoff")
    return Case(sdk.Agent(name="A", model=model, handoffs=[second]), model=model, session=session)


@scenario
def model_that_fails(sdk: Any) -> Case:
    log: list[str] = []
    model = sdk.ScriptedModel([[_add(sdk, "c1")], RuntimeError("down")])
    session = sdk.SQLiteSession("fails")
    agent = sdk.Agent(name="A", model=model, tools=[_adder(sdk)])
    return Case(
        agent, options={"hooks": _recorder(sdk, log)}, model=model, hooks=log, session=session
    )


@scenario
def agent_used_as_a_tool(sdk: Any) -> Case:
    inner_model = sdk.ScriptedModel([[_add(sdk, "i1")], _say(sdk, "inner answer")])
    inner = sdk.Agent(name="Inner", model=inner_model, tools=[_adder(sdk)])
    calls = [sdk.function_call("ask_inner", {"input": "question"}, call_id="c1")]
    model = sdk.ScriptedModel([calls, _say(sdk, "outer answer")])
    tool = inner.as_tool(tool_name="ask_inner", tool_description="Ask.")
    return Case(sdk.Agent(name="Outer", model=model, tools=[tool]), model=model)


@scenario
def dynamic_instructions_and_disabled_tools(sdk: Any) -> Case:
    def instructions(context: Any, agent: Any) -> str:
        return f"I am {agent.name} with {context.context['name']}"

    async def hidden() -> str:
        return "hidden"

    tool = sdk.function_tool(
        hidden, is_enabled=lambda context, agent: context.context["name"] == "x"
    )
    model = sdk.ScriptedModel([_say(sdk, "ok")])
    second = sdk.Agent(name="B", model=model)
    entry = sdk.handoff(second, is_enabled=False)
    agent = sdk.Agent(
        name="A",
        model=model,
        instructions=instructions,
        tools=[tool, _adder(sdk)],
        handoffs=[entry],
    )
    return Case(agent, options={"context": {"name": "y"}}, model=model)


@scenario
def repeated_call_id(sdk: Any) -> Case:
    model = sdk.ScriptedModel([[_add(sdk, "c1")], [_add(sdk, "c1")], _say(sdk, "done")])
    return Case(sdk.Agent(name="A", model=model, tools=[_adder(sdk)]), model=model)


@scenario
def call_id_used_for_another_call(sdk: Any) -> Case:
    model = sdk.ScriptedModel([[_add(sdk, "c1")], [_add(sdk, "c1", 5, 5)], _say(sdk, "done")])
    return Case(sdk.Agent(name="A", model=model, tools=[_adder(sdk)]), model=model)


@scenario
def a_tool_adds_a_tool(sdk: Any) -> Case:
    async def late() -> str:
        return "late"

    async def grow() -> str:
        agent.tools.append(sdk.function_tool(late))
        return "grown"

    model = sdk.ScriptedModel(
        [
            [sdk.function_call("grow", {}, call_id="c1")],
            [sdk.function_call("late", {}, call_id="c2")],
            _say(sdk, "ok"),
        ]
    )
    agent = sdk.Agent(name="A", model=model, tools=[sdk.function_tool(grow)])
    return Case(agent, model=model)


@scenario
def handoff_to_itself(sdk: Any) -> Case:
    log: list[str] = []
    model = sdk.ScriptedModel(
        [[sdk.function_call("transfer_to_a", {}, call_id="h1")], _say(sdk, "again")]
    )
    agent = sdk.Agent(name="A", model=model, hooks=_agent_recorder(sdk, log))
    agent.handoffs.append(agent)
    return Case(agent, options={"hooks": _recorder(sdk, log)}, model=model, hooks=log)


@scenario
def two_handoffs_to_one_agent(sdk: Any) -> Case:
    log: list[str] = []

    def noting(name: str) -> Any:
        return lambda context: log.append(name)

    model = sdk.ScriptedModel(
        [[sdk.function_call("urgently", {}, call_id="h1")], _say(sdk, "from b")]
    )
    second = sdk.Agent(name="B", model=model)
    entries = [
        sdk.handoff(second, tool_name_override=name, on_handoff=noting(name))
        for name in ("calmly", "urgently")
    ]
    return Case(sdk.Agent(name="A", model=model, handoffs=entries), model=model, hooks=log)


class _Falsy:
    """A filter that is false to ``if``."""

    def __bool__(self) -> bool:
        return False

    def __call__(self, data: Any) -> Any:
        return data.clone(input_history="falsy")


@scenario
def own_filter_that_is_falsy_before_that_of_the_run(sdk: Any) -> Case:
    model = sdk.ScriptedModel(
        [[sdk.function_call("transfer_to_b", {}, call_id="h1")], _say(sdk, "from b")]
    )
    entry = sdk.handoff(sdk.Agent(name="B", model=model), input_filter=_Falsy())
    config = sdk.RunConfig(handoff_input_filter=lambda data: data.clone(input_history="run"))
    agent = sdk.Agent(name="A", model=model, handoffs=[entry])
    return Case(agent, options={"run_config": config}, model=model)


@scenario
def a_filter_that_returns_nothing(sdk: Any) -> Case:
    model = sdk.ScriptedModel([[sdk.function_call("transfer_to_b", {}, call_id="h1")]])
    entry = sdk.handoff(sdk.Agent(name="B", model=model), input_filter=lambda data: None)
    return Case(sdk.Agent(name="A", model=model, handoffs=[entry]), model=model)


class Reason(BaseModel):
    """What a model passes along with a handoff."""

    code: int


@scenario
def handoff_with_input(sdk: Any) -> Case:
    log: list[str] = []
    model = sdk.ScriptedModel(
        [[sdk.function_call("transfer_to_b", {"code": 7}, call_id="h1")], _say(sdk, "from b")]
    )
    entry = sdk.handoff(
        sdk.Agent(name="B", model=model),
        input_type=Reason,
        on_handoff=lambda context, reason: log.append(f"reason {reason.code}"),
    )
    return Case(sdk.Agent(name="A", model=model, handoffs=[entry]), model=model, hooks=log)


@scenario
def handoff_with_bad_input(sdk: Any) -> Case:
    model = sdk.ScriptedModel([[sdk.function_call("transfer_to_b", {"code": "7"}, call_id="h1")]])
    entry = sdk.handoff(
        sdk.Agent(name="B", model=model),
        input_type=Reason,
        on_handoff=lambda context, reason: None,
    )
    return Case(sdk.Agent(name="A", model=model, handoffs=[entry]), model=model)


@scenario
def no_turns_at_all(sdk: Any) -> Case:
    model = sdk.ScriptedModel([_say(sdk, "never")])
    session = sdk.SQLiteSession("none")
    return Case(
        sdk.Agent(name="A", model=model), options={"max_turns": 0}, model=model, session=session
    )


def _chained(sdk: Any, **options: Any) -> Case:
    model = sdk.ScriptedModel(
        [
            [_add(sdk, "c1")],
            [sdk.function_call("transfer_to_b", {}, call_id="h1")],
            [_add(sdk, "c2"), _add(sdk, "c3", 5, 5)],
            _say(sdk, "from b"),
        ]
    )
    second = sdk.Agent(name="B", model=model, tools=[_adder(sdk)])
    agent = sdk.Agent(name="A", model=model, tools=[_adder(sdk)], handoffs=[second])
    return Case(agent, options=options, model=model)


@scenario
def only_what_is_new_after_a_stored_response(sdk: Any) -> Case:
    return _chained(sdk, previous_response_id="r0")


@scenario
def only_what_is_new_to_a_stored_conversation(sdk: Any) -> Case:
    return _chained(sdk, conversation_id="v1")


@scenario
def each_call_after_the_stored_response_before_it(sdk: Any) -> Case:
    return _chained(sdk, auto_previous_response_id=True)


@scenario
def session_beside_a_stored_conversation(sdk: Any) -> Case:
    case = _chained(sdk, conversation_id="v1")
    case.session = sdk.SQLiteSession("both")
    return case


@scenario
def callback_that_leaves_the_history_out(sdk: Any) -> Case:
    session = sdk.SQLiteSession("repeated")
    stored = [{"role": "user", "content": "go"}, {"role": "assistant", "content": "gone"}]

    async def before(context: Any, agent: Any) -> str:
        return "be kind"

    async def combine(history: list[Any], new: list[Any]) -> list[Any]:
        return [*stored[1:], *new]

    model = sdk.ScriptedModel([_say(sdk, "hello")])
    agent = sdk.Agent(name="A", model=model, instructions=before)
    config = sdk.RunConfig(session_input_callback=combine)
    return Case(agent, options={"run_config": config}, model=model, session=session)


@scenario
def output_guardrail_on_the_output_of_a_tool(sdk: Any) -> Case:
    log: list[str] = []
    model = sdk.ScriptedModel([[_add(sdk, "c1")]])
    guardrail = sdk.OutputGuardrail(guardrail_function=_guardrail(sdk, trips=False, log=log))
    agent = sdk.Agent(
        name="A",
        model=model,
        tools=[_adder(sdk)],
        tool_use_behavior="stop_on_first_tool",
        output_guardrails=[guardrail],
    )
    options = {"hooks": _recorder(sdk, log)}
    session = sdk.SQLiteSession("final")
    return Case(agent, options=options, model=model, hooks=log, session=session)


@scenario
def output_guardrail_that_fails(sdk: Any) -> Case:
    async def broken(context: Any, agent: Any, output: Any) -> Any:
        raise LookupError("no verdict")

    model = sdk.ScriptedModel([_say(sdk, "said")])
    guardrail = sdk.OutputGuardrail(guardrail_function=broken)
    agent = sdk.Agent(name="A", model=model, output_guardrails=[guardrail])
    return Case(agent, model=model, session=sdk.SQLiteSession("judge"))


@scenario
def input_guardrail_that_fails(sdk: Any) -> Case:
    async def broken(context: Any, agent: Any, input: Any) -> Any:
        raise LookupError("no verdict")

    model = sdk.ScriptedModel([_say(sdk, "never")])
    guardrail = sdk.InputGuardrail(guardrail_function=broken, run_in_parallel=False)
    agent = sdk.Agent(name="A", model=model, input_guardrails=[guardrail])
    return Case(agent, model=model, session=sdk.SQLiteSession("check"))


@scenario
def a_handler_for_an_invalid_output(sdk: Any) -> Case:
    log: list[str] = []
    model = sdk.ScriptedModel([_say(sdk, '{"number": "many"}')])
    agent = sdk.Agent(name="A", model=model, output_type=Answer)
    handlers = {"invalid_final_output": lambda fault: Answer(number=0)}
    options = {"error_handlers": handlers, "hooks": _recorder(sdk, log)}
    return Case(agent, options=options, model=model, hooks=log, session=sdk.SQLiteSession("h"))


@scenario
def an_error_inside_a_nested_run(sdk: Any) -> Case:
    inner = sdk.Agent(
        name="Inner",
        model=sdk.ScriptedModel([[sdk.function_call("nobody", {}, call_id="i1")]]),
    )

    async def ask() -> str:
        return str((await sdk.Runner.run(inner, "question")).final_output)

    model = sdk.ScriptedModel([[sdk.function_call("ask", {}, call_id="c1")]])
    tool = sdk.function_tool(ask, failure_error_function=None)
    return Case(sdk.Agent(name="Outer", model=model, tools=[tool]), model=model)


@scenario
def a_tool_replaces_the_instructions_and_the_model(sdk: Any) -> Case:
    second = sdk.ScriptedModel([_say(sdk, "from the other model")])

    async def change() -> str:
        agent.instructions = "two"
        agent.model = second
        return "changed"

    model = sdk.ScriptedModel([[sdk.function_call("change", {}, call_id="c1")]])
    agent = sdk.Agent(name="A", instructions="one", model=model, tools=[sdk.function_tool(change)])
    return Case(agent, model=second)


@scenario
def a_tool_adds_a_handoff(sdk: Any) -> Case:
    model = sdk.ScriptedModel(
        [
            [sdk.function_call("grow", {}, call_id="c1")],
            [sdk.function_call("transfer_to_b", {}, call_id="h1")],
            _say(sdk, "from b"),
        ]
    )
    second = sdk.Agent(name="B", model=model)

    async def grow() -> str:
        agent.handoffs.append(second)
        return "grown"

    agent = sdk.Agent(name="A", model=model, tools=[sdk.function_tool(grow)])
    return Case(agent, model=model)


@scenario
def guardrails_of_the_run_and_an_agent_tool_with_a_configuration_of_its_own(sdk: Any) -> Case:
    log: list[str] = []
    inner = sdk.Agent(name="Inner", model=sdk.ScriptedModel([_say(sdk, "inside")]))
    tool = inner.as_tool(tool_name="ask", tool_description="Ask.", run_config=sdk.RunConfig())
    model = sdk.ScriptedModel(
        [[sdk.function_call("ask", {"input": "?"}, call_id="c1")], _say(sdk, "outside")]
    )
    judge = sdk.OutputGuardrail(guardrail_function=_guardrail(sdk, trips=False, log=log))
    options = {"run_config": sdk.RunConfig(output_guardrails=[judge])}
    return Case(sdk.Agent(name="Outer", model=model, tools=[tool]), options=options, hooks=log)


def _streaming_anything(sdk: Any, *replies: Any) -> Any:
    """A scripted model that streams any item; those of the packages stream no custom calls."""

    class Streaming(sdk.ScriptedModel):  # type: ignore[misc]
        async def stream_response(self, *args: Any, **named: Any) -> AsyncIterator[Any]:
            reply = await self.get_response(*args, **named)
            spent = reply.usage
            response = Response(
                id="r1",
                created_at=0,
                model="m",
                object="response",
                output=reply.output,
                parallel_tool_calls=True,
                tool_choice="auto",
                tools=[],
                usage=ResponseUsage(
                    input_tokens=spent.input_tokens,
                    input_tokens_details=spent.input_tokens_details,
                    output_tokens=spent.output_tokens,
                    output_tokens_details=spent.output_tokens_details,
                    total_tokens=spent.total_tokens,
                ),
            )
            yield ResponseCompletedEvent(
                type="response.completed", sequence_number=0, response=response
            )

    return Streaming(list(replies))


def _custom_call(text: str, call_id: str, name: str = "shout") -> ResponseCustomToolCall:
    return ResponseCustomToolCall(type="custom_tool_call", call_id=call_id, name=name, input=text)


async def _upper(context: Any, text: str) -> str:
    return str(text.upper())


@scenario
def custom_tools_beside_a_function(sdk: Any) -> Case:
    async def add(a: int) -> int:
        return a + 1

    reply = [
        _custom_call("a", "x1"),
        sdk.function_call("add", {"a": 1}, call_id="c1"),
        _custom_call("b", "x2"),
    ]
    model = _streaming_anything(sdk, reply, _say(sdk, "done"))
    tools = [sdk.CustomTool("shout", "Shout.", _upper), sdk.function_tool(add)]
    return Case(
        sdk.Agent(name="A", model=model, tools=tools),
        model=model,
        session=sdk.SQLiteSession("custom"),
    )


@scenario
def a_custom_tool_that_its_own_function_refuses(sdk: Any) -> Case:
    async def answer(context: Any, item: Any) -> Any:
        return {"approve": False, "reason": f"no {item.name}"}

    model = _streaming_anything(sdk, [_custom_call("a", "x1")], _say(sdk, "done"))
    tool = sdk.CustomTool("shout", "Shout.", _upper, needs_approval=True, on_approval=answer)
    return Case(sdk.Agent(name="A", model=model, tools=[tool]), model=model)


@scenario
def a_custom_tool_that_waits_for_approval(sdk: Any) -> Case:
    model = _streaming_anything(sdk, [_custom_call("a", "x1")], _say(sdk, "done"))
    tool = sdk.CustomTool("shout", "Shout.", _upper, needs_approval=True)
    return Case(sdk.Agent(name="A", model=model, tools=[tool]), model=model)


@scenario
def a_custom_tool_that_nobody_has(sdk: Any) -> Case:
    model = _streaming_anything(sdk, [_custom_call("a", "x1", name="whisper")])
    tool = sdk.CustomTool("shout", "Shout.", _upper)
    return Case(sdk.Agent(name="A", model=model, tools=[tool]), model=model)


@scenario
def a_custom_call_that_is_made_twice(sdk: Any) -> Case:
    call = _custom_call("a", "x1")
    model = _streaming_anything(sdk, [call, call.model_copy()], _say(sdk, "done"))
    tool = sdk.CustomTool("shout", "Shout.", _upper)
    return Case(sdk.Agent(name="A", model=model, tools=[tool]), model=model)


@scenario
def names_that_only_clash_at_run_time(sdk: Any) -> Case:
    def named(reply: str) -> Any:
        async def twin() -> str:
            return reply

        return sdk.function_tool(twin, is_enabled=lambda context, agent: True)

    model = sdk.ScriptedModel([[sdk.function_call("twin", {}, call_id="c1")], _say(sdk, "done")])
    return Case(sdk.Agent(name="A", model=model, tools=[named("one"), named("two")]), model=model)


@scenario
def names_that_clash_where_the_policy_forbids_it(sdk: Any) -> Case:
    case = names_that_only_clash_at_run_time(sdk)
    case.options["run_config"] = sdk.RunConfig(tool_name_collision_policy="error")
    return case


@scenario
def a_failed_model_call_that_is_made_again(sdk: Any) -> Case:
    retry = sdk.ModelRetrySettings(
        max_retries=2, backoff={"initial_delay": 0.0}, policy=lambda context: True
    )
    failures = [sdk.ModelStep(error=ValueError(reason)) for reason in ("one", "two")]
    model = sdk.ScriptedModel([*failures, _say(sdk, "at last")])
    settings = sdk.ModelSettings(retry=retry)
    return Case(sdk.Agent(name="A", model=model, model_settings=settings), model=model)


def locked() -> BadRequestError:
    """The error of a request whose stored conversation another request has."""
    response: Any = SimpleNamespace(request=None, status_code=400, headers={})
    return BadRequestError("busy", response=response, body={"code": "conversation_locked"})


@scenario
def a_conversation_that_is_locked(sdk: Any) -> Case:
    retry = sdk.ModelRetrySettings(
        max_retries=1, backoff={"initial_delay": 0.0}, policy=lambda context: True
    )
    failures = [sdk.ModelStep(error=error) for error in (locked(), ValueError("one"), locked())]
    model = sdk.ScriptedModel([*failures, _say(sdk, "at last")])
    settings = sdk.ModelSettings(retry=retry)
    return Case(sdk.Agent(name="A", model=model, model_settings=settings), model=model)
