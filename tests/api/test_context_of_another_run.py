"""A run that is given the context of another one uses its context object and counts into its
usage."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from agentgraph import (
    Agent,
    GuardrailFunctionOutput,
    RunConfig,
    RunContextWrapper,
    RunHooks,
    Runner,
    RunState,
    ToolGuardrailFunctionOutput,
    ToolsToFinalOutputResult,
    function_tool,
    handoff,
    input_guardrail,
    output_guardrail,
    tool_input_guardrail,
    tool_output_guardrail,
)
from agentgraph.testing import ScriptedModel, assistant_message
from tests.api.calls import agent_with, call
from tests.api.conftest import Play


class Asked:
    """Runs an agent of its own in whatever context it is handed, and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    async def __call__(self, context: Any) -> Any:
        self.times += 1
        model = ScriptedModel([[assistant_message("asked")]])
        return await Runner.run(Agent(name="Other", model=model), "q", context=context)


def model(*replies: Any) -> ScriptedModel:
    return ScriptedModel([*(replies or ([call("work")],)), [assistant_message("done")]])


@function_tool
async def work() -> str:
    return "worked"


def hooks(name: str, asked: Asked) -> dict[str, Any]:
    class Hooks(RunHooks[Any]):
        pass

    async def hook(self: Any, context: Any, *_: Any, **__: Any) -> None:
        await asked(context)

    setattr(Hooks, name, hook)
    return {"hooks": Hooks()}


def in_tool(asked: Asked) -> Any:
    @function_tool(name_override="work")
    async def tool(context: RunContextWrapper[Any]) -> str:
        await asked(context)
        return "worked"

    return agent_with(model(), tool)


def in_tool_that_raises(asked: Asked) -> Any:
    @function_tool(name_override="work")
    async def tool(context: RunContextWrapper[Any]) -> str:
        await asked(context)
        raise LookupError("down")

    return agent_with(model(), tool)


def in_sync_tool(asked: Asked) -> Any:
    @function_tool(name_override="work")
    def tool(context: RunContextWrapper[Any]) -> str:
        asyncio.run(asked(context))
        return "worked"

    return agent_with(model(), tool)


def in_agent_tool(asked: Asked) -> Any:
    return agent_with(model([call("ask", input="x")]), in_tool(asked).as_tool("ask", "Ask."))


def in_input_guardrail(asked: Asked) -> Any:
    @input_guardrail
    async def guard(context: Any, agent: Any, input: Any) -> GuardrailFunctionOutput:
        await asked(context)
        return GuardrailFunctionOutput(None, False)

    return agent_with(model(), work, input_guardrails=[guard])


def in_output_guardrail(asked: Asked) -> Any:
    @output_guardrail
    async def guard(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
        await asked(context)
        return GuardrailFunctionOutput(None, False)

    return agent_with(model(), work, output_guardrails=[guard])


def guarded(**guardrails: Any) -> Any:
    @function_tool(name_override="work", **guardrails)
    async def tool() -> str:
        return "worked"

    return agent_with(model(), tool)


def in_tool_input_guardrail(asked: Asked) -> Any:
    @tool_input_guardrail
    async def guard(asking: Any) -> ToolGuardrailFunctionOutput:
        await asked(asking.context)
        return ToolGuardrailFunctionOutput.allow()

    return guarded(tool_input_guardrails=[guard])


def in_tool_input_guardrail_that_rejects(asked: Asked) -> Any:
    @tool_input_guardrail
    async def guard(asking: Any) -> ToolGuardrailFunctionOutput:
        await asked(asking.context)
        return ToolGuardrailFunctionOutput.reject_content("no")

    return guarded(tool_input_guardrails=[guard])


def in_tool_output_guardrail(asked: Asked) -> Any:
    @tool_output_guardrail
    async def guard(asking: Any) -> ToolGuardrailFunctionOutput:
        await asked(asking.context)
        return ToolGuardrailFunctionOutput.allow()

    return guarded(tool_output_guardrails=[guard])


def in_rule_of_approval(asked: Asked) -> Any:
    async def rule(context: Any, arguments: Any, call_id: str) -> bool:
        await asked(context)
        return False

    return guarded(needs_approval=rule)


def in_failure_function(asked: Asked) -> Any:
    async def answer(context: Any, error: Exception) -> str:
        await asked(context)
        return "failed"

    @function_tool(name_override="work", failure_error_function=answer)
    async def tool() -> str:
        raise LookupError("down")

    return agent_with(model(), tool)


def in_instructions(asked: Asked) -> Any:
    async def instructions(context: Any, agent: Any) -> str:
        await asked(context)
        return "Work."

    return agent_with(model(), work, instructions=instructions)


def in_is_enabled(asked: Asked) -> Any:
    async def enabled(context: Any, agent: Any) -> bool:
        await asked(context)
        return True

    return guarded(is_enabled=enabled)


def in_on_handoff(asked: Asked) -> Any:
    async def on_handoff(context: Any) -> None:
        await asked(context)

    target = Agent(name="B", model=ScriptedModel([[assistant_message("done")]]))
    return agent_with(
        model([call("transfer_to_b")]), handoffs=[handoff(target, on_handoff=on_handoff)]
    )


def in_tool_use_behavior(asked: Asked) -> Any:
    async def decide(context: Any, results: Any) -> ToolsToFinalOutputResult:
        await asked(context)
        return ToolsToFinalOutputResult(is_final_output=True, final_output="done")

    return agent_with(model(), work, tool_use_behavior=decide)


PLACES = [value for name, value in list(globals().items()) if name.startswith("in_")]
HOOKS = ["on_agent_start", "on_agent_end", "on_llm_start", "on_llm_end"]
HOOKS += ["on_tool_start", "on_tool_end"]


def spent(context: RunContextWrapper[Any]) -> tuple[int, int]:
    return context.usage.requests, len(context.usage.request_usage_entries)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
async def test_what_it_spends_counts_in_whatever_user_code_started_it(
    play: Play, place: Callable[[Asked], Any]
) -> None:
    asked = Asked()
    played = await play(place(asked), context={"user": 7})
    inside = 2 if place is in_agent_tool else 0
    assert asked.times > 0
    requests, _ = spent(played.result.context_wrapper)
    assert requests == len(played.result.raw_responses) + inside + asked.times
    state = played.result.to_state()
    assert spent(state.context) == spent(played.result.context_wrapper)


@pytest.mark.parametrize("name", HOOKS)
async def test_what_it_spends_counts_in_whatever_hook_started_it(play: Play, name: str) -> None:
    asked = Asked()
    played = await play(agent_with(model(), work), context={}, **hooks(name, asked))
    assert asked.times > 0
    assert spent(played.result.context_wrapper)[0] == 2 + asked.times


def run_sync(agent: Any, context: Any) -> Any:
    """Run an agent on a loop of this thread that is closed again."""
    try:
        return Runner.run_sync(agent, "q", context=context)
    finally:
        asyncio.get_event_loop_policy().get_event_loop().close()


@pytest.mark.parametrize("how", ["plain", "streamed", "sync"])
async def test_it_uses_the_context_object_and_shows_what_both_have_spent(how: str) -> None:
    seen: list[Any] = []

    @function_tool
    async def look(context: RunContextWrapper[Any]) -> str:
        seen.append((context.context, context.usage.requests))
        return "seen"

    inner = agent_with(model([call("look")]), look)

    @function_tool
    async def ask(context: RunContextWrapper[Any]) -> str:
        result: Any
        if how == "plain":
            result = await Runner.run(inner, "q", context=context)
        elif how == "sync":
            result = await asyncio.to_thread(run_sync, inner, context)
        else:
            result = Runner.run_streamed(inner, "q", context=context)
            [event async for event in result.stream_events()]
        seen.append((result.context_wrapper.context, result.context_wrapper.usage.requests))
        seen.append((context.context, context.usage.requests))
        return "asked"

    user = {"user": 7}
    result = await Runner.run(agent_with(model([call("ask")]), ask), "q", context=user)
    assert seen == [(user, 2), (user, 3), (user, 3)]
    assert all(context is user for context, _ in seen)
    assert spent(result.context_wrapper)[0] == 4


async def test_what_a_run_has_spent_that_failed_counts() -> None:
    @function_tool
    async def ask(context: RunContextWrapper[Any]) -> str:
        with pytest.raises(Exception, match="nowhere"):
            await Runner.run(agent_with(model([call("nowhere")])), "q", context=context)
        return "asked"

    result = await Runner.run(agent_with(model([call("ask")]), ask), "q")
    assert spent(result.context_wrapper)[0] == 3


async def test_what_it_spent_is_in_a_state_that_was_stored() -> None:
    asked = Asked()
    agent = in_tool(asked)
    result = await Runner.run(agent, "q")
    state = await RunState.from_json(agent, result.to_state().to_json())
    assert spent(state.context)[0] == 3


async def test_a_wrapper_of_the_callers_own_counts_over_runs(play: Play) -> None:
    context = RunContextWrapper({"user": 7})
    for runs in (1, 2):
        played = await play(agent_with(model(), work), context=context)
        assert spent(context)[0] == spent(played.result.context_wrapper)[0] == 2 * runs
        assert played.result.context_wrapper.context is context.context


async def test_runs_side_by_side_count_into_one_wrapper() -> None:
    context = RunContextWrapper(None)
    agent = agent_with(ScriptedModel([[assistant_message("x")]] * 3))
    await asyncio.gather(*(Runner.run(agent, "q", context=context) for _ in range(3)))
    assert spent(context)[0] == 3


async def test_a_class_of_the_callers_own_reaches_instructions() -> None:
    class Desk(RunContextWrapper[Any]):
        name = "front"

    names: list[Any] = []

    def instructions(context: Any, agent: Any) -> str:
        names.append((type(context), context.name, context.turn_input))
        return "Work."

    context = Desk({"user": 7})
    context.name = "back"
    agent = agent_with(model([assistant_message("x")]), instructions=instructions)
    await Runner.run(agent, "q", context=context)
    assert [(kind, name) for kind, name, _ in names] == [(Desk, "back")]


async def test_a_wrapper_inside_a_wrapper_is_a_context_object_like_another() -> None:
    inside, seen = RunContextWrapper({"user": 7}), list[Any]()

    @function_tool(name_override="work")
    async def look(context: RunContextWrapper[Any]) -> str:
        seen.append(context.context)
        return "seen"

    ask = agent_with(model([call("work")]), look).as_tool("ask", "Ask.")
    agent = agent_with(model([call("work"), call("ask", "c2", input="x")]), look, ask)
    await Runner.run(agent, "q", context=RunContextWrapper(inside))
    assert seen == [inside, inside]
    assert spent(inside) == (0, 0)


async def test_decisions_of_the_run_around_are_not_those_of_the_run_inside() -> None:
    @function_tool(needs_approval=True)
    async def pay() -> str:
        return "paid"

    context = RunContextWrapper(None)
    agent = agent_with(model([call("pay")]), pay)
    result = await Runner.run(agent, "q", context=context)
    context.approve_tool(result.interruptions[0], always_approve=True)
    again = agent_with(model([call("pay")]), pay)
    assert len((await Runner.run(again, "q", context=context)).interruptions) == 1


async def test_a_run_that_goes_on_counts_what_it_spends_from_there() -> None:
    @function_tool(needs_approval=True)
    async def pay(context: RunContextWrapper[Any]) -> str:
        return str(context.context["user"])

    agent = agent_with(model([call("pay")]), pay)
    state = (await Runner.run(agent, "q", context={"user": 6})).to_state()
    state.approve(state.get_interruptions()[0])
    context = RunContextWrapper({"user": 7})
    result = await Runner.run(agent, state, context=context)
    assert [item.output for item in result.new_items if item.type == "tool_call_output_item"] == [
        "7"
    ]
    assert (spent(context)[0], spent(result.context_wrapper)[0]) == (1, 2)


async def test_a_formatter_of_messages_counts_too(play: Play) -> None:
    asked = Asked()

    async def formatter(asking: Any) -> str:
        await asked(asking.run_context)
        return "no such tool"

    config = RunConfig(
        tool_not_found_behavior="return_error_to_model", tool_error_formatter=formatter
    )
    played = await play(agent_with(model([call("nowhere")])), run_config=config)
    assert spent(played.result.context_wrapper)[0] == 3
