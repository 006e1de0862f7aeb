"""Runs that make traces, written against a package that is passed in, and the trees of their spans.

The same file runs here and, as a program, in the Python that has the published SDK. A tree is a
list: type, name, the main fields, the error's message, and the trees inside, in order of start.
"""

from __future__ import annotations

import asyncio
import importlib
import itertools
import json
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from pydantic import BaseModel

Tree = list[Any]


class Out(BaseModel):
    x: int


def package(name: str) -> Any:
    """The names that the cases use, from ``agents`` or ``agentgraph``."""
    modules = [importlib.import_module(f"{name}{part}") for part in (".testing", ".tracing", "")]
    numbers = itertools.count()
    names = {key: getattr(module, key) for module in modules for key in module.__all__}
    testing = modules[0]

    def call(tool: str, arguments: object = "{}") -> Any:
        return testing.function_call(tool, arguments, call_id=f"c{next(numbers)}")

    return SimpleNamespace(**names, call=call, say=testing.assistant_message)


def processor(sdk: Any) -> Any:
    """A processor that keeps the spans in order of start and counts what it is told."""

    class Kept(sdk.TracingProcessor):  # type: ignore[misc]
        def __init__(self) -> None:
            self.traces: list[Any] = []
            self.ended_traces: list[Any] = []
            self.spans: list[Any] = []
            self.ended: list[Any] = []

        def on_trace_start(self, trace: Any) -> None:
            self.traces.append(trace)

        def on_trace_end(self, trace: Any) -> None:
            self.ended_traces.append(trace)

        def on_span_start(self, span: Any) -> None:
            self.spans.append(span)

        def on_span_end(self, span: Any) -> None:
            self.ended.append(span)

        def shutdown(self) -> None:
            pass

        def force_flush(self) -> None:
            pass

    return Kept()


def trees(kept: Any) -> list[Tree]:
    """The trees of all spans that a processor kept."""
    ids = {span.span_id for span in kept.spans}
    return [_tree(span, kept.spans) for span in kept.spans if span.parent_id not in ids]


def _tree(span: Any, spans: list[Any]) -> Tree:
    data = span.span_data.export()
    fields = data.get("data", data)
    shown = {key: fields.get(key) for key in _FIELDS if fields.get(key) is not None}
    if span.span_data.type == "generation":
        shown = {}
    error = span.error and span.error["message"]
    if span.span_data.type == "generation" and error:
        error = "the model failed"
    inside = [_tree(one, spans) for one in spans if one.parent_id == span.span_id]
    return [span.span_data.type, fields.get("name", data.get("name")), shown, error, inside]


_FIELDS = (
    "turn",
    "agent_name",
    "handoffs",
    "tools",
    "output_type",
    "input",
    "output",
    "triggered",
    "from_agent",
    "to_agent",
    "usage",
)


def cases(sdk: Any) -> dict[str, Callable[[], tuple[Any, dict[str, Any]]]]:
    """Each case makes an agent and the options of its run."""
    say, call, config = sdk.say, sdk.call, sdk.RunConfig

    @sdk.function_tool  # type: ignore[untyped-decorator]
    def look(city: str) -> str:
        with sdk.custom_span("inner", {"city": city}):
            return "sunny"

    @sdk.function_tool(failure_error_function=None)  # type: ignore[untyped-decorator]
    def breaks() -> str:
        raise ValueError("boo")

    @sdk.function_tool  # type: ignore[untyped-decorator]
    def fails() -> str:
        raise ValueError("boo")

    @sdk.function_tool(needs_approval=True)  # type: ignore[untyped-decorator]
    def asked() -> str:
        return "done"

    @sdk.tool_input_guardrail  # type: ignore[untyped-decorator]
    def screen(data: Any) -> Any:
        with sdk.custom_span("screening"):
            return sdk.ToolGuardrailFunctionOutput.allow()

    @sdk.function_tool(tool_input_guardrails=[screen])  # type: ignore[untyped-decorator]
    def screened() -> str:
        return "x"

    def guardrail(kind: Any, name: str, *, trips: bool = False, **options: Any) -> Any:
        async def judge(*arguments: Any) -> Any:
            with sdk.custom_span("judging"):
                return sdk.GuardrailFunctionOutput(None, trips)

        return kind(guardrail_function=judge, name=name, **options)

    def instructions(context: Any, agent: Any) -> str:
        with sdk.custom_span("instructions"):
            return "Be brief."

    class Hooks(sdk.RunHooks):  # type: ignore[misc]
        async def on_llm_start(self, *arguments: Any) -> None:
            with sdk.custom_span("on_llm_start"):
                pass

        async def on_llm_end(self, *arguments: Any) -> None:
            with sdk.custom_span("on_llm_end"):
                pass

        async def on_tool_start(self, *arguments: Any) -> None:
            with sdk.custom_span("on_tool_start"):
                pass

        async def on_tool_end(self, *arguments: Any) -> None:
            with sdk.custom_span("on_tool_end"):
                pass

    def agent(*steps: Any, name: str = "A", **options: Any) -> Any:
        model = sdk.ScriptedModel(
            steps, emit_traces=True, default_usage=sdk.Usage(1, 3, None, 2, None, 5)
        )
        return sdk.Agent(name, model=model, **options)

    before, after = sdk.InputGuardrail, sdk.OutputGuardrail
    x, y = {"city": "x"}, {"city": "y"}
    bye = [say("bye")]
    return {
        "plain": lambda: (agent(bye, instructions=instructions), {}),
        "named": lambda: (agent(bye), {"run_config": config(workflow_name="desk")}),
        "without_texts": lambda: (
            agent([call("look", x), call("fails")], bye, tools=[look, fails]),
            {"run_config": config(trace_include_sensitive_data=False)},
        ),
        "without_tasks": lambda: (
            agent(
                [call("look", x)],
                bye,
                tools=[look],
                input_guardrails=[guardrail(before, "in", run_in_parallel=False)],
                output_guardrails=[guardrail(after, "out")],
            ),
            {"run_config": config(tracing={"include_task_and_turn_spans": False})},
        ),
        "tools": lambda: (agent([call("look", x)], bye, tools=[look]), {"hooks": Hooks()}),
        "parallel_tools": lambda: (
            agent([call("look", x), call("look", y)], bye, tools=[look]),
            {},
        ),
        "tool_that_fails": lambda: (agent([call("fails")], bye, tools=[fails]), {}),
        "tool_that_ends_the_run": lambda: (agent([call("breaks")], bye, tools=[breaks]), {}),
        "tool_that_is_screened": lambda: (agent([call("screened")], bye, tools=[screened]), {}),
        "tool_that_waits": lambda: (agent([call("asked")], bye, tools=[asked]), {}),
        "unknown_tool": lambda: (agent([call("nothing")], bye, tools=[look]), {}),
        "unknown_tool_that_is_answered": lambda: (
            agent([call("nothing")], bye, tools=[look]),
            {"run_config": config(tool_not_found_behavior="return_error_to_model")},
        ),
        "guardrails": lambda: (
            agent(
                [say('{"x":1}')],
                input_guardrails=[
                    guardrail(before, "first", run_in_parallel=False),
                    guardrail(before, "beside"),
                ],
                output_guardrails=[guardrail(after, "out")],
                output_type=Out,
            ),
            {},
        ),
        "input_trips": lambda: (
            agent(
                bye,
                input_guardrails=[guardrail(before, "in", trips=True, run_in_parallel=False)],
            ),
            {},
        ),
        "output_trips": lambda: (
            agent(bye, output_guardrails=[guardrail(after, "out", trips=True)]),
            {},
        ),
        "handoff": lambda: (
            agent(
                [call("transfer_to_b")],
                handoffs=[agent([call("look", x)], bye, name="B", tools=[look])],
            ),
            {},
        ),
        "two_handoffs": lambda: (
            agent(
                [call("transfer_to_b"), call("transfer_to_c")],
                handoffs=[agent(bye, name="B"), agent(bye, name="C")],
            ),
            {},
        ),
        "nested": lambda: (
            agent(
                [call("ask_b", {"input": "q"})],
                bye,
                tools=[
                    agent([call("look", x)], bye, name="B", tools=[look]).as_tool("ask_b", "Asks B")
                ],
            ),
            {},
        ),
        "nested_that_fails": lambda: (
            agent(
                [call("ask_b", {"input": "q"})],
                bye,
                tools=[agent(RuntimeError("boo"), name="B").as_tool("ask_b", "Asks B")],
            ),
            {},
        ),
        "model_that_fails": lambda: (agent(RuntimeError("boo")), {}),
        "model_that_is_tried_again": lambda: (
            agent(
                RuntimeError("boo"),
                bye,
                model_settings=sdk.ModelSettings(
                    retry=sdk.ModelRetrySettings(
                        max_retries=1, policy=lambda _: True, backoff={"initial_delay": 0.0}
                    )
                ),
            ),
            {},
        ),
        "too_many_turns": lambda: (
            agent(*[[call("look", x)] for _ in range(3)], tools=[look]),
            {"max_turns": 2},
        ),
        "wrong_output": lambda: (agent(bye, output_type=Out), {}),
    }


async def run(sdk: Any, agent: Any, input: Any, options: dict[str, Any], *, streamed: bool) -> Any:
    """Run an agent; a call that waits is approved. Returns the result, or `None` if it failed."""
    try:
        if streamed:
            result = sdk.Runner.run_streamed(agent, input, **options)
            async for _ in result.stream_events():
                pass
        else:
            result = await sdk.Runner.run(agent, input, **options)
    except Exception:  # noqa: BLE001 - the trees show what went wrong
        return None
    if not result.interruptions:
        return result
    state = result.to_state()
    state.approve(result.interruptions[0])
    return await run(sdk, agent, state, options, streamed=streamed)


async def observe(sdk: Any, name: str, *, streamed: bool) -> Any:
    """Run one case and return the processor."""
    kept = processor(sdk)
    sdk.set_trace_processors([kept])
    agent, options = cases(sdk)[name]()
    await run(sdk, agent, "go", options, streamed=streamed)
    return kept


async def _all(sdk: Any) -> dict[str, Any]:
    sdk.set_tracing_disabled(False)
    return {
        name: {
            "streamed" if streamed else "plain": trees(await observe(sdk, name, streamed=streamed))
            for streamed in (False, True)
        }
        for name in cases(sdk)
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_all(package(sys.argv[1])))))
