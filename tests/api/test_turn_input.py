"""`turn_input` is what the agent at work was given, wherever user code sees a context."""

from __future__ import annotations

from typing import Any

import pytest

from agentgraph import (
    Agent,
    AgentHooks,
    GuardrailFunctionOutput,
    HandoffInputData,
    RunContextWrapper,
    RunHooks,
    Runner,
    RunState,
    SQLiteSession,
    ToolGuardrailFunctionOutput,
    ToolsToFinalOutputResult,
    function_tool,
    handoff,
    input_guardrail,
    output_guardrail,
    tool_input_guardrail,
    tool_output_guardrail,
)
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from tests.api.calls import agent_with, call
from tests.api.conftest import Play


class Seen:
    """What the contexts showed, by place."""

    def __init__(self) -> None:
        self.at: dict[str, list[Any]] = {}

    def __call__(self, place: str, context: Any) -> None:
        texts = [item.get("content") or item["type"] for item in context.turn_input]
        self.at.setdefault(place, []).append(texts)


def watched(seen: Seen) -> dict[str, Any]:
    """The settings of an agent that shows its contexts everywhere."""

    @tool_input_guardrail
    async def screen(asking: Any) -> ToolGuardrailFunctionOutput:
        seen("tool input guardrail", asking.context)
        return ToolGuardrailFunctionOutput.allow()

    @tool_output_guardrail
    async def judge(asking: Any) -> ToolGuardrailFunctionOutput:
        seen("tool output guardrail", asking.context)
        return ToolGuardrailFunctionOutput.allow()

    async def rule(context: Any, arguments: Any, call_id: str) -> bool:
        seen("rule of approval", context)
        return False

    async def enabled(context: Any, agent: Any) -> bool:
        seen("is_enabled", context)
        return True

    @function_tool(
        needs_approval=rule,
        is_enabled=enabled,
        tool_input_guardrails=[screen],
        tool_output_guardrails=[judge],
    )
    async def work(context: RunContextWrapper[Any]) -> str:
        seen("tool", context)
        return "worked"

    @output_guardrail
    async def check(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
        seen("output guardrail", context)
        return GuardrailFunctionOutput(None, False)

    async def instructions(context: Any, agent: Any) -> str:
        seen("instructions", context)
        return "Work."

    async def decide(context: Any, results: Any) -> ToolsToFinalOutputResult:
        seen("tool_use_behavior", context)
        return ToolsToFinalOutputResult(is_final_output=False)

    return {
        "tools": [work],
        "instructions": instructions,
        "output_guardrails": [check],
        "tool_use_behavior": decide,
    }


def hooks(seen: Seen, kind: Any = RunHooks) -> Any:
    """Hooks that show the context of each of them."""

    def shows(name: str) -> Any:
        async def hook(self: Any, context: Any, *_: Any, **__: Any) -> None:
            seen(name, context)

        return hook

    class Hooks(kind):  # type: ignore[misc]
        pass

    for name in [name for name in dir(kind) if name.startswith("on_")]:
        setattr(Hooks, name, shows(name))
    return Hooks()


def replies(*first: Any) -> ScriptedModel:
    return ScriptedModel([*first, [assistant_message("done")]])


async def test_is_the_input_in_every_hook_guardrail_and_tool(play: Play) -> None:
    seen = Seen()

    @input_guardrail
    async def beside(context: Any, agent: Any, input: Any) -> GuardrailFunctionOutput:
        seen("input guardrail", context)
        return GuardrailFunctionOutput(None, False)

    @input_guardrail(run_in_parallel=False)
    async def before(context: Any, agent: Any, input: Any) -> GuardrailFunctionOutput:
        seen("first input guardrail", context)
        return GuardrailFunctionOutput(None, False)

    settings = {**watched(seen), "input_guardrails": [before, beside]}
    agent = Agent(
        name="A", model=replies([call("work")]), hooks=hooks(seen, AgentHooks), **settings
    )
    played = await play(agent, "go", hooks=hooks(seen))
    assert {tuple(texts) for lists in seen.at.values() for texts in lists} == {("go",)}
    assert set(seen.at) == {
        *("tool input guardrail", "tool output guardrail", "rule of approval", "is_enabled"),
        *("tool", "output guardrail", "instructions", "tool_use_behavior"),
        *("input guardrail", "first input guardrail"),
        *("on_agent_start", "on_agent_end", "on_llm_start", "on_llm_end", "on_start", "on_end"),
        *("on_tool_start", "on_tool_end"),
    }
    assert played.result.context_wrapper.turn_input == [{"role": "user", "content": "go"}]


def filtered(data: HandoffInputData) -> HandoffInputData:
    return data.clone(input_history=({"role": "user", "content": "in short"},))


@pytest.mark.parametrize(
    ("input_filter", "texts"), [(None, ["go"]), (filtered, ["in short"])], ids=["plain", "filtered"]
)
async def test_is_what_a_handoff_leaves_of_the_input(
    play: Play, input_filter: Any, texts: list[str]
) -> None:
    seen, handing_over = Seen(), list[Any]()

    async def on_handoff(context: Any) -> None:
        handing_over.append(list(context.turn_input))

    target = Agent(
        name="B", model=replies([call("work")]), hooks=hooks(seen, AgentHooks), **watched(seen)
    )
    asking = [function_call("transfer_to_b", {}, call_id="h")]
    agent = Agent(
        name="A",
        model=replies(asking),
        handoffs=[handoff(target, on_handoff=on_handoff, input_filter=input_filter)],
    )
    await play(agent, "go")
    assert handing_over == [[{"role": "user", "content": "go"}]]
    assert [lists for lists in seen.at.values() if lists != [texts] * len(lists)] == []
    assert seen.at["on_start"] == seen.at["on_end"] == [texts]


async def test_has_the_history_of_a_session(play: Play) -> None:
    seen, session = Seen(), SQLiteSession("s")
    for text in ("one", "two"):
        await play(Agent(name="A", model=replies(), **watched(seen)), text, session=session)
    first, second = seen.at["instructions"]
    assert first == ["one"]
    assert [second[0], second[-1]] == ["one", "two"]


async def test_of_a_run_inside_another_is_that_of_the_run_inside(play: Play) -> None:
    seen, inside = Seen(), Seen()
    inner = Agent(name="I", model=replies([call("work")]), **watched(inside))

    @function_tool
    async def by_hand(context: RunContextWrapper[Any]) -> str:
        again = Agent(name="I", model=replies([call("work")]), **watched(inside))
        await Runner.run(again, "inside", context=context)
        seen("tool", context)
        return "asked"

    asking = [call("ask", "a", input="inside"), call("by_hand", "b")]
    agent = agent_with(replies(asking), inner.as_tool("ask", "Ask."), by_hand)
    await play(agent, "outside", hooks=hooks(seen))
    assert {tuple(texts) for lists in seen.at.values() for texts in lists} == {("outside",)}
    assert {tuple(texts) for lists in inside.at.values() for texts in lists} == {("inside",)}


async def test_is_there_when_a_run_goes_on(play: Play) -> None:
    seen = Seen()

    @function_tool(needs_approval=True)
    async def pay(context: RunContextWrapper[Any]) -> str:
        seen("tool", context)
        return "paid"

    agent = agent_with(replies([call("pay")]), pay)
    state = (await play(agent, "go")).result.to_state()
    state.approve(state.get_interruptions()[0])
    assert state.context.turn_input == [{"role": "user", "content": "go"}]
    await play(agent, state, hooks=hooks(seen))
    assert {tuple(texts) for lists in seen.at.values() for texts in lists} == {("go",)}


@pytest.mark.parametrize("way", ["forked", "read from a text"])
async def test_is_there_in_each_copy_of_a_state(play: Play, way: str) -> None:
    @function_tool(needs_approval=True)
    async def pay() -> str:
        return "paid"

    agent = agent_with(replies([call("pay")]), pay)
    state = (await play(agent, "go")).result.to_state()
    if way == "forked":
        other = state.fork()
    else:
        other = await RunState.from_string(agent, state.to_string())
    assert other.context.turn_input == state.context.turn_input
    assert other.context.turn_input is not state.context.turn_input


async def test_what_user_code_does_to_the_list_is_not_what_the_model_is_shown(play: Play) -> None:
    class Clearing(RunHooks[Any]):
        async def on_agent_start(self, context: Any, agent: Any) -> None:
            context.turn_input.clear()

    agent = agent_with(model := replies())
    await play(agent, "go", hooks=Clearing())
    assert model.calls[0].input == [{"role": "user", "content": "go"}]
