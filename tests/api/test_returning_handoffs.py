"""Handoffs after which the caller goes on (`handoff(agent, returns=True)`)."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from agentgraph import (
    Agent,
    AgentHooks,
    GuardrailFunctionOutput,
    Handoff,
    HandoffInputData,
    InputGuardrail,
    MaxTurnsExceeded,
    OutputGuardrail,
    OutputGuardrailTripwireTriggered,
    RunConfig,
    RunHooks,
    Runner,
    SQLiteSession,
    StopAtTools,
    UserError,
    check,
    compile,
    function_tool,
    handoff,
)
from agentgraph.testing import (
    ScriptedModel,
    assistant_message,
    function_call,
    witnesses,
)


def says(*turns: Any) -> ScriptedModel:
    """A model with a reply for each call: a text, or output items."""
    return ScriptedModel(
        [[assistant_message(turn)] if isinstance(turn, str) else turn for turn in turns]
    )


def transfer(name: str, arguments: str = "{}", *, id: str = "r1") -> Any:
    return function_call(f"transfer_to_{name}", arguments, call_id=id)


def desk(target: Agent[Any], **options: Any) -> Agent[Any]:
    """An agent that asks another one and then answers."""
    model = says([assistant_message("I ask."), transfer(target.name.lower())], "All done.")
    return Agent(name="Desk", model=model, handoffs=[handoff(target, returns=True, **options)])


def inputs(model: ScriptedModel) -> list[list[tuple[Any, Any]]]:
    """The input of each call: role or type, and the text."""
    return [[_words(item) for item in call.input] for call in model.calls]


def _words(item: Any) -> tuple[Any, Any]:
    if item.get("type") == "function_call_output":
        return "output", item["output"]
    if item.get("type") == "function_call":
        return "call", item["name"]
    content = item["content"]
    return item["role"], content if isinstance(content, str) else content[0]["text"]


async def test_the_answer_is_the_output_of_the_call_and_nothing_else_enters_the_history() -> None:
    model = says([function_call("look_up", "{}", call_id="c1")], "It came.")

    @function_tool
    def look_up() -> str:
        """Look it up."""
        return "on its way"

    orders = Agent(name="Orders", model=model, tools=[look_up])
    first = desk(orders)
    result = await Runner.run(first, "Where is it?")
    assert result.final_output == "All done."
    assert result.last_agent is first
    assert [item.type for item in result.new_items] == [
        "message_output_item",
        "tool_call_item",
        "tool_call_output_item",
        "message_output_item",
    ]
    assert isinstance(first.model, ScriptedModel)
    assert inputs(first.model)[1] == [
        ("user", "Where is it?"),
        ("assistant", "I ask."),
        ("call", "transfer_to_orders"),
        ("output", "It came."),
    ]


async def test_the_target_is_shown_the_conversation_without_the_open_call() -> None:
    orders = Agent(name="Orders", model=says("It came."))
    await Runner.run(desk(orders), "Where is it?")
    assert isinstance(orders.model, ScriptedModel)
    assert inputs(orders.model) == [[("user", "Where is it?"), ("assistant", "I ask.")]]


async def test_an_answer_with_a_type_is_json() -> None:
    class Found(BaseModel):
        where: str

    orders = Agent(name="Orders", model=says('{"where": "Bonn"}'), output_type=Found)
    first = desk(orders)
    await Runner.run(first, "Where is it?")
    assert isinstance(first.model, ScriptedModel)
    assert inputs(first.model)[1][-1] == ("output", '{"where":"Bonn"}')


async def test_one_reply_may_hand_over_to_several_agents() -> None:
    one, two = (Agent(name=name, model=says(f"from {name}")) for name in ("One", "Two"))
    model = says([transfer("one", id="r1"), transfer("two", id="r2")], "Both.")
    both = [handoff(one, returns=True), handoff(two, returns=True)]
    result = await Runner.run(Agent(name="Desk", model=model, handoffs=both), "go")
    assert [words for kind, words in inputs(model)[1] if kind == "output"] == [
        "from One",
        "from Two",
    ]
    assert result.final_output == "Both."


async def test_neither_of_two_targets_sees_the_other_call() -> None:
    one, two = (Agent(name=name, model=says(f"from {name}")) for name in ("One", "Two"))
    model = says([transfer("one", id="r1"), transfer("two", id="r2")], "Both.")
    both = [handoff(one, returns=True), handoff(two, returns=True)]
    config = RunConfig(tool_execution={"max_function_tool_concurrency": 1})
    await Runner.run(Agent(name="Desk", model=model, handoffs=both), "go", run_config=config)
    for agent in (one, two):
        assert isinstance(agent.model, ScriptedModel)
        assert inputs(agent.model) == [[("user", "go")]]


class Log(RunHooks[Any]):
    """Notes the hooks of a run."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def on_agent_start(self, context: Any, agent: Any) -> None:
        self.lines.append(f"{agent.name} starts")

    async def on_agent_end(self, context: Any, agent: Any, output: Any) -> None:
        self.lines.append(f"{agent.name} ends")

    async def on_handoff(self, context: Any, from_agent: Any, to_agent: Any) -> None:
        self.lines.append(f"{from_agent.name} to {to_agent.name}")

    async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
        self.lines.append(f"tool {tool.name}")

    async def on_tool_end(self, context: Any, agent: Any, tool: Any, result: Any) -> None:
        self.lines.append(f"tool {tool.name} ends")


class OwnLog(AgentHooks[Any]):
    """Notes the handoffs of an agent."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def on_handoff(self, context: Any, agent: Any, source: Any) -> None:
        self.lines.append(f"{source.name} to {agent.name}")


async def test_hooks_see_a_handoff_and_what_happens_within() -> None:
    hooks, own = Log(), OwnLog()
    first = desk(Agent(name="Orders", model=says("It came.")))
    first.hooks = own
    await Runner.run(first, "go", hooks=hooks)
    assert hooks.lines == [
        "Desk starts",
        "Desk to Orders",
        "Orders starts",
        "Orders ends",
        "Desk ends",
    ]
    assert own.lines == ["Desk to Orders"]


class Reason(BaseModel):
    """Why an agent hands over."""

    why: Literal["late", "lost"]


async def test_on_handoff_gets_the_input_and_the_filter_chooses_what_is_shown() -> None:
    reasons: list[str] = []

    async def note(context: Any, reason: Reason) -> None:
        reasons.append(reason.why)

    async def shortened(data: HandoffInputData) -> HandoffInputData:
        assert [item.type for item in data.new_items] == ["message_output_item"]
        return data.clone(input_history="In short.", new_items=())

    orders = Agent(name="Orders", model=says("It came."))
    first = desk(orders, on_handoff=note, input_type=Reason, input_filter=shortened)
    call = transfer("orders", '{"why": "late"}')
    first.model = says([assistant_message("I ask."), call], "All done.")
    assert (await Runner.run(first, "go")).final_output == "All done."
    assert reasons == ["late"]
    assert isinstance(orders.model, ScriptedModel)
    assert inputs(orders.model) == [[("user", "In short.")]]


async def test_overrides_name_and_describe_the_tool() -> None:
    orders = Agent(name="Orders", model=says("It came."))
    first = desk(orders, tool_name_override="ask_orders", tool_description_override="Ask them.")
    first.model = model = says([function_call("ask_orders", "{}", call_id="r1")], "All done.")
    assert (await Runner.run(first, "go")).final_output == "All done."
    [tool] = model.calls[0].tools
    assert (tool.name, tool.description) == ("ask_orders", "Ask them.")
    assert model.calls[0].handoffs == []


async def test_a_function_decides_on_each_turn_whether_it_is_on_offer() -> None:
    offered = iter([True, False])
    first = desk(Agent(name="Orders", model=says("It came.")), is_enabled=lambda *_: next(offered))
    await Runner.run(first, "go")
    assert isinstance(first.model, ScriptedModel)
    assert [len(call.tools) for call in first.model.calls] == [1, 0]


async def test_input_guardrails_of_the_target_do_not_run_and_output_guardrails_do() -> None:
    judged: list[str] = []

    async def never(*_: Any) -> GuardrailFunctionOutput:
        raise AssertionError

    async def judges(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
        judged.append(output)
        return GuardrailFunctionOutput(None, tripwire_triggered=output == "bad")

    def orders(answer: str) -> Agent[Any]:
        return Agent(
            name="Orders",
            model=says(answer),
            input_guardrails=[InputGuardrail(never)],
            output_guardrails=[OutputGuardrail(judges)],
        )

    await Runner.run(desk(orders("good")), "go")
    with pytest.raises(OutputGuardrailTripwireTriggered):
        await Runner.run(desk(orders("bad")), "go")
    assert judged == ["good", "bad"]
    rules = [one.rule.code for one in check(desk(orders("good")))]
    assert rules == ["AG501"]


async def test_guardrails_of_the_run_judge_its_own_input_and_output_only() -> None:
    judged: list[Any] = []

    async def judges(context: Any, agent: Any, value: Any) -> GuardrailFunctionOutput:
        judged.append(value)
        return GuardrailFunctionOutput(None, tripwire_triggered=False)

    config = RunConfig(
        input_guardrails=[InputGuardrail(judges)], output_guardrails=[OutputGuardrail(judges)]
    )
    await Runner.run(desk(Agent(name="Orders", model=says("no"))), "go", run_config=config)
    assert judged == ["go", "All done."]


async def test_a_circle_is_bounded_by_the_turns_of_the_run() -> None:
    def endless(target: str) -> ScriptedModel:
        return ScriptedModel([[transfer(target, id=f"r{at}")] for at in range(50)])

    one, two = Agent(name="One", model=endless("two")), Agent(name="Two", model=endless("one"))
    one.handoffs, two.handoffs = [handoff(two, returns=True)], [handoff(one, returns=True)]
    assert check(one) == ()
    with pytest.raises(MaxTurnsExceeded):
        await Runner.run(one, "go", max_turns=4)
    models = (one.model, two.model)
    assert [len(model.calls) for model in models if isinstance(model, ScriptedModel)] == [2, 2]


async def test_a_handoff_that_leads_elsewhere_is_refused() -> None:
    orders, other = Agent(name="Orders", model=says("no")), Agent(name="Other")
    first = desk(orders)
    [entry] = first.handoffs
    assert isinstance(entry, Handoff)

    async def elsewhere(*_: Any) -> Any:
        return other

    entry.on_invoke_handoff = elsewhere
    with pytest.raises(UserError, match="it declares 'Orders'"):
        await Runner.run(first, "go")


async def test_its_answer_is_never_the_final_output() -> None:
    first = desk(Agent(name="Orders", model=says("no")))
    first.tool_use_behavior = "stop_on_first_tool"
    assert (await Runner.run(first, "go")).final_output == "All done."
    named = desk(Agent(name="Orders", model=says("no")))
    named.tool_use_behavior = StopAtTools(stop_at_tool_names=["transfer_to_orders"])
    assert (await Runner.run(named, "go")).final_output == "All done."


async def test_a_call_within_waits_for_a_decision_and_the_handoff_goes_on() -> None:
    @function_tool(needs_approval=True)
    def refund() -> str:
        """Pay back."""
        return "paid"

    orders = Agent(
        name="Orders",
        tools=[refund],
        model=says([function_call("refund", "{}", call_id="c1")], "Paid."),
    )
    first, hooks = desk(orders), Log()
    result = await Runner.run(first, "go", hooks=hooks)
    [item] = result.interruptions
    assert item.agent is orders
    state = result.to_state()
    state.approve(item)
    result = await Runner.run(first, state, hooks=hooks)
    assert result.final_output == "All done."
    assert hooks.lines.count("Desk to Orders") == 1


async def test_a_session_stores_the_call_and_its_output() -> None:
    session = SQLiteSession("desk")
    await Runner.run(desk(Agent(name="Orders", model=says("It came."))), "go", session=session)
    stored = [_words(item) for item in await session.get_items()]
    assert stored == [
        ("user", "go"),
        ("assistant", "I ask."),
        ("call", "transfer_to_orders"),
        ("output", "It came."),
        ("assistant", "All done."),
    ]


async def test_an_agent_that_changes_within_a_run_is_compiled_again() -> None:
    @function_tool
    def late() -> str:
        """A tool that comes later."""
        return "late"

    orders = Agent(
        name="Orders", model=says([function_call("late", "{}", call_id="c1")], "It came.")
    )

    def change(context: Any) -> None:
        orders.tools.append(late)

    assert (await Runner.run(desk(orders, on_handoff=change), "go")).final_output == "All done."


def test_every_obligation_has_a_run() -> None:
    orders = Agent(name="Orders", handoffs=[Agent(name="Depot")])
    search = witnesses(Agent(name="Desk", handoffs=[handoff(orders, returns=True)]))
    assert not search.missing, search.missing


def test_a_stream_shows_the_call_and_its_output() -> None:
    async def streamed() -> list[str]:
        result = Runner.run_streamed(desk(Agent(name="Orders", model=says("It came."))), "go")
        return [
            event.item.type
            async for event in result.stream_events()
            if event.type == "run_item_stream_event"
        ]

    assert asyncio.run(streamed()) == [
        "message_output_item",
        "tool_call_item",
        "tool_call_output_item",
        "message_output_item",
    ]


def test_the_program_is_the_same_in_every_process() -> None:
    def program() -> str:
        return compile(desk(Agent(name="Orders"))).machine.fingerprint

    plain = Agent(name="Desk", handoffs=[Agent(name="Orders")])
    assert program() == program() != compile(plain).machine.fingerprint
