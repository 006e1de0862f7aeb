"""Runs of workflows with edges: what each step receives, and what the run gives."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from agentgraph import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrailTripwireTriggered,
    RunConfig,
    RunContextWrapper,
    Runner,
    RunState,
    SQLiteSession,
    UserError,
    Workflow,
    function_tool,
    input_guardrail,
    output_guardrail,
)
from agentgraph.exceptions import MaxTurnsExceeded, RoutingError
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from agentgraph.workflow import End, at_least, below, output_of
from tests.workflow.flows import Mood, Review, Ticket, agent, read_by, says


async def test_a_step_receives_the_output_of_the_one_before_as_its_input() -> None:
    draft, edit = agent("Draft", "a draft"), agent("Edit", "the text")
    flow = Workflow("Writing", start=draft)
    flow.then(draft, edit)
    result = await Runner.run(flow, "Write about bees.")
    assert (result.final_output, result.last_agent) == ("the text", edit)
    assert read_by(edit) == [["a draft"]]
    assert result.outputs == {draft: "a draft", edit: "the text"}
    assert [one.agent for one in result.new_items] == [draft, edit]
    assert result.to_input_list()[0] == {"content": "Write about bees.", "role": "user"}


async def test_a_typed_output_arrives_as_json_at_an_agent_and_as_a_value_at_a_function() -> None:
    seen: list[object] = []

    def note(ticket: Ticket) -> Ticket:
        seen.append(ticket)
        return ticket

    ticket = Ticket(kind="order", amount=3)
    triage, orders = agent("Triage", ticket, output_type=Ticket), agent("Orders", "done")
    flow = Workflow("Support", start=triage)
    flow.then(triage, note)
    flow.then(note, orders)
    result = await Runner.run(flow, "hi")
    assert seen == [ticket]
    assert read_by(orders) == [['{"kind":"order","amount":3}']]
    assert result.outputs[note] == ticket


@pytest.mark.parametrize(
    ("kind", "answer"), [("refund", "sorry"), ("order", "sent"), ("other", "Please call us.")]
)
async def test_a_route_takes_the_case_of_the_value(kind: Any, answer: str) -> None:
    triage = agent("Triage", Ticket(kind=kind), output_type=Ticket)
    refunds, orders = agent("Refunds", "sorry"), agent("Orders", "sent")
    flow = Workflow("Support", start=triage)
    flow.route(
        triage,
        on="kind",
        cases={"refund": refunds, "order": orders, "other": End("Please call us.")},
    )
    result = await Runner.run(flow, "hi")
    assert result.final_output == answer
    assert result.last_agent.name == {"sorry": "Refunds", "sent": "Orders"}.get(answer, "Triage")
    last = result.to_input_list()[-1]["content"]
    assert last[0]["text"] == answer


async def test_intervals_meet_at_their_ends() -> None:
    def small(ticket: Ticket) -> str:
        return "small"

    def large(ticket: Ticket) -> str:
        return "large"

    for amount, answer in ((0, "small"), (999, "small"), (1_000, "large"), (100_000, "large")):
        triage = agent("Triage", Ticket(kind="refund", amount=amount), output_type=Ticket)
        flow = Workflow("Support", start=triage)
        flow.route(triage, on="amount", cases={below(1_000): small, at_least(1_000): large})
        assert (await Runner.run(flow, "hi")).final_output == answer


async def test_values_are_told_apart_by_their_type_too() -> None:
    def one(text: object) -> int:
        return 1

    for key in (True, "1"):
        start = agent("Start", "x")
        flow = Workflow("Values", start=start)
        flow.then(start, one)
        flow.route(one, on=_itself, cases={key: End("taken")})
        with pytest.raises(RoutingError):
            await Runner.run(flow, "hi")


def _itself(value: object) -> Any:
    return value


async def test_members_of_an_enum_and_classes_are_cases() -> None:
    def mood(text: str) -> Mood:
        return Mood(text)

    def kind(text: str) -> Ticket | Review:
        return Review(ok=True) if text == "good" else Ticket(kind="other")

    for word in ("good", "bad"):
        start = agent("Start", word)
        flow = Workflow("Moods", start=start)
        flow.then(start, mood)
        flow.route(mood, on=_itself, cases={Mood.GOOD: End("+"), Mood.BAD: End("-")})
        assert (await Runner.run(flow, "hi")).final_output == {"good": "+", "bad": "-"}[word]
        start = agent("Start", word)
        flow = Workflow("Classes", start=start)
        flow.then(start, kind)
        flow.route(kind, cases={Review: End("review"), Ticket: End("ticket")})
        answer = (await Runner.run(flow, "hi")).final_output
        assert answer == {"good": "review", "bad": "ticket"}[word]


async def test_a_loop_ends_after_its_rounds_and_counts_anew_from_outside() -> None:
    def begin(text: object) -> str:
        return "begin"

    def person(text: object) -> str:
        return "person"

    no = Review(ok=False, notes="again")
    draft = agent("Draft", *(f"draft {number}" for number in range(1, 9)))
    review = agent("Review", no, no, no, output_type=Review)
    start = agent("Start", "go")
    flow = Workflow("Loop", start=start)
    flow.then(start, begin)
    flow.then(begin, draft)
    flow.then(draft, review)
    flow.route(
        review,
        on="ok",
        cases={True: End("fine"), False: draft},
        at_most={False: 2},
        exhausted=person,
        give={draft: (output_of(draft), output_of(review).notes)},
    )
    flow.then(person, begin, at_most=1, exhausted=End("gave up"))
    review.model = says(*[no] * 6)
    result = await Runner.run(flow, "hi")
    assert result.final_output == "gave up"
    texts = [read[0] for read in read_by(draft)]
    again = '{{"Draft":"draft {}","Review.notes":"again"}}'.format
    assert texts == ["begin", again(1), again(2), "begin", again(4), again(5)]


async def test_loops_side_by_side_around_one_step_are_over_together() -> None:
    rounds = ["refund", "order"] * 4
    hub = agent("Hub", *(Ticket(kind=kind) for kind in rounds), output_type=Ticket)
    refunds, orders = agent("Refunds", *["r"] * 4), agent("Orders", *["o"] * 4)
    flow = Workflow("Hub", start=hub)
    flow.route(hub, on="kind", cases={"refund": refunds, "order": orders, "other": End("other")})
    flow.then(refunds, hub, at_most=2, exhausted=End("enough refunds"))
    flow.then(orders, hub, at_most=3, exhausted=End("enough orders"))
    # Neither way back is a way into the other loop from outside.
    assert (await Runner.run(flow, "hi")).final_output == "enough refunds"
    assert len(read_by(hub)) == 5


async def test_an_end_without_output_passes_on_what_was_before() -> None:
    review = agent("Review", Review(ok=True), output_type=Review)
    flow = Workflow("Review", start=review)
    flow.route(review, on="ok", cases={True: End(), False: End("no")})
    result = await Runner.run(flow, "hi")
    assert result.final_output == Review(ok=True)
    assert len(result.new_items) == 1


async def test_a_conversation_can_be_carried_on() -> None:
    plan, write = agent("Plan", "a plan"), agent("Write", "text")
    flow = Workflow("Writing", start=plan)
    flow.then(plan, write, carry="conversation")
    await Runner.run(flow, "bees")
    assert read_by(write) == [["bees", "a plan"]]


async def test_a_step_is_its_agent_with_all_that_it_hands_over_to() -> None:
    billing = agent("Billing", "billed")
    orders = Agent(
        name="Orders",
        model=ScriptedModel([[function_call("transfer_to_billing", {}, call_id="c")]]),
        handoffs=[billing],
    )
    letter = agent("Letter", "Dear …")
    flow = Workflow("Orders", start=orders)
    flow.then(orders, letter)
    result = await Runner.run(flow, "hi")
    assert result.final_output == "Dear …"
    assert read_by(letter) == [["billed"]]
    assert result.outputs[orders] == "billed"


async def test_a_handoff_to_an_agent_that_is_a_step_enters_that_step() -> None:
    orders = agent("Orders", "ordered")
    triage = Agent(
        name="Triage",
        model=ScriptedModel([[function_call("transfer_to_orders", {}, call_id="c")]]),
        handoffs=[orders],
    )
    bye, letter = agent("Bye", "bye"), agent("Letter", "Dear …")
    flow = Workflow("Orders", start=triage)
    flow.then(triage, bye)
    flow.then(orders, letter)
    result = await Runner.run(flow, "hi")
    assert result.final_output == "Dear …"
    assert triage not in result.outputs
    with pytest.raises(KeyError, match="no output of step 'Triage'; it has Orders, Letter"):
        result.outputs[triage]


async def test_an_agent_of_two_steps_goes_on_with_the_step_in_which_it_worked() -> None:
    billing = agent("Billing", "billed 1", "billed 2")

    def region(name: str) -> Agent[Any]:
        to_billing = [function_call("transfer_to_billing", {}, call_id="c")]
        return Agent(name=name, model=ScriptedModel([to_billing]), handoffs=[billing])

    first, second = region("First"), region("Second")
    flow = Workflow("Two", start=first)
    flow.then(first, second)
    flow.then(second, End("both"))
    result = await Runner.run(flow, "hi")
    assert result.final_output == "both"
    assert result.outputs == {first: "billed 1", second: "billed 2"}
    assert result.last_agent is billing


async def test_functions_get_the_context_and_may_be_async() -> None:
    async def greet(context: RunContextWrapper[dict[str, str]], text: str) -> str:
        await asyncio.sleep(0)
        return f"{text}, {context.context['name']}"

    def count(context: RunContextWrapper[dict[str, str]]) -> int:
        return len(context.context)

    start = agent("Start", "Hello")
    flow = Workflow("Greeting", start=start)
    flow.then(start, greet)
    flow.then(greet, count)
    result = await Runner.run(flow, "hi", context={"name": "Ada"})
    assert result.outputs[greet] == "Hello, Ada"
    assert result.final_output == 1


async def test_max_turns_count_within_a_visit() -> None:
    @function_tool
    def look() -> str:
        """Look."""
        return "seen"

    def working(name: str) -> Agent[Any]:
        calls = [[function_call("look", {}, call_id=f"c{turn}")] for turn in range(2)]
        model = ScriptedModel([*calls, [assistant_message("done")]])
        return Agent(name=name, model=model, tools=[look])

    first, second = working("First"), working("Second")
    flow = Workflow("Turns", start=first)
    flow.then(first, second)
    assert (await Runner.run(flow, "hi", max_turns=3)).final_output == "done"
    first, second = working("First"), working("Second")
    flow = Workflow("Turns", start=first)
    flow.then(first, second)
    with pytest.raises(MaxTurnsExceeded):
        await Runner.run(flow, "hi", max_turns=2)


async def test_guardrails_run_where_an_edge_enters_and_where_an_agent_leaves() -> None:
    judged: list[tuple[str, object]] = []

    @input_guardrail(run_in_parallel=False)
    def screen(context: Any, agent: Any, text: Any) -> GuardrailFunctionOutput:
        judged.append((agent.name, text))
        return GuardrailFunctionOutput(None, tripwire_triggered=text == "bad")

    @output_guardrail
    def check(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
        judged.append((agent.name, output))
        return GuardrailFunctionOutput(None, tripwire_triggered=False)

    first = agent("First", "good", "bad", output_guardrails=[check])
    second = agent("Second", "end", input_guardrails=[screen])
    flow = Workflow("Guarded", start=first)
    flow.then(first, second)
    assert (await Runner.run(flow, "hi")).final_output == "end"
    assert judged == [("First", "good"), ("Second", "good")]
    with pytest.raises(InputGuardrailTripwireTriggered):
        await Runner.run(flow, "hi")


async def test_guardrails_of_the_run_judge_its_input_and_what_leaves_it() -> None:
    judged: list[object] = []

    @input_guardrail
    def screen(context: Any, agent: Any, text: Any) -> GuardrailFunctionOutput:
        judged.append(text)
        return GuardrailFunctionOutput(None, tripwire_triggered=False)

    @output_guardrail
    def check(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
        judged.append(output)
        return GuardrailFunctionOutput(None, tripwire_triggered=False)

    first, second = agent("First", "one"), agent("Second", "two")
    flow = Workflow("Guarded", start=first)
    flow.then(first, second)
    config = RunConfig(input_guardrails=[screen], output_guardrails=[check])
    await Runner.run(flow, "hi", run_config=config)
    assert judged == ["hi", "two"]


async def test_a_session_gets_the_input_and_the_items_of_all_steps() -> None:
    def shout(text: str) -> str:
        return text.upper()

    start = agent("Start", "one", "two")
    flow = Workflow("Session", start=start)
    flow.then(start, shout)
    session = SQLiteSession("s")
    await Runner.run(flow, "first", session=session)
    await Runner.run(flow, "second", session=session)
    assert read_by(start) == [["first"], ["first", "one", "ONE", "second"]]
    assert len(await session.get_items()) == 6


async def test_streaming_shows_the_same_and_names_each_agent() -> None:
    def flow() -> Workflow:
        draft, edit = agent("Draft", "a draft"), agent("Edit", "the text")
        flow = Workflow("Writing", start=draft)
        flow.then(draft, edit)
        return flow

    streamed = Runner.run_streamed(flow(), "bees")
    agents = [
        event.new_agent.name
        async for event in streamed.stream_events()
        if event.type == "agent_updated_stream_event"
    ]
    plain = await Runner.run(flow(), "bees")
    assert agents == ["Draft", "Edit"]
    assert streamed.final_output == plain.final_output
    assert list(streamed.outputs.values()) == list(plain.outputs.values())


async def test_an_approval_inside_a_step_suspends_the_workflow_and_it_goes_on() -> None:
    paid: list[int] = []

    @function_tool(needs_approval=True)
    def pay(euros: int) -> str:
        """Pay."""
        paid.append(euros)
        return "paid"

    calls = [[function_call("pay", {"euros": 5}, call_id="c")], [assistant_message("done")]]
    first = Agent(name="First", model=ScriptedModel(calls), tools=[pay])
    second = agent("Second", "thanks")
    flow = Workflow("Paying", start=first)
    flow.then(first, second)
    result = await Runner.run(flow, "hi")
    assert not paid
    state = await RunState.from_string(flow, result.to_state().to_string())
    state.approve(state.get_interruptions()[0])
    result = await Runner.run(flow, state)
    assert (result.final_output, paid) == ("thanks", [5])
    assert result.outputs == {first: "done", second: "thanks"}


async def test_a_value_outside_its_type_is_an_error_that_names_step_and_line() -> None:
    def wrong(text: str) -> Review:
        return Review.model_construct(ok="perhaps")

    start = agent("Start", "x")
    flow = Workflow("Wrong", start=start)
    flow.then(start, wrong)
    flow.route(wrong, on="ok", cases={True: End("+"), False: End("-")})
    with pytest.raises(
        RoutingError, match=r"Step 'wrong' \(.*test_runs_of_edges.py:\d+\)"
    ) as error:
        await Runner.run(flow, "hi")
    assert "perhaps" not in str(error.value)
    assert error.value.run_data is not None
    assert len(error.value.run_data.new_items) == 1


async def test_a_function_that_raises_ends_the_run_with_its_data() -> None:
    def fail(text: str) -> str:
        raise ValueError("no way")

    start = agent("Start", "x")
    flow = Workflow("Failing", start=start)
    flow.then(start, fail)
    with pytest.raises(ValueError, match="no way"):
        await Runner.run(flow, "hi")


async def test_the_last_function_may_return_what_no_agent_could_read() -> None:
    class Handle:
        def __str__(self) -> str:
            return "a handle"

    def opened(text: str) -> Handle:
        return Handle()

    start, after = agent("Start", "x", "x"), agent("After", "y")
    flow = Workflow("Opening", start=start)
    flow.then(start, opened)
    result = await Runner.run(flow, "hi")
    assert isinstance(result.final_output, Handle)
    assert result.to_input_list()[-1]["content"][0]["text"] == "a handle"
    flow = Workflow("Opening", start=start)
    flow.then(start, opened)
    flow.then(opened, after)
    with pytest.raises(UserError, match=r"'After' cannot get .* Handle: it has no JSON form"):
        await Runner.run(flow, "hi")


async def test_an_output_that_a_run_has_not_passed_is_named() -> None:
    def late(text: str) -> str:
        return text

    start = agent("Start", "x")
    flow = Workflow("Skipping", start=start)
    flow.then(start, late, give=output_of(late))
    with pytest.raises(UserError, match="needs the output of 'late', which this run has not"):
        await Runner.run(flow, "hi")


async def test_a_workflow_that_has_run_is_changed_no_more() -> None:
    start = agent("Start", "x")
    flow = Workflow("Changed", start=start)
    flow.then(start, End("y"))
    await Runner.run(flow, "hi")
    with pytest.raises(UserError, match="'Changed' has run"):
        flow.then(agent("Other"), End())


async def test_a_workflow_inside_another_one_that_has_run_is_changed_no_more() -> None:
    def flows() -> tuple[Workflow, ...]:
        made = tuple(
            Workflow(name, start=agent(f"In {name}", "x")) for name in ("Step", "Branch", "Tool")
        )
        for one in made:
            one.then(one.start, End("y"))
        return made

    step, branch, tool = inner = flows()
    start = agent("Start", "x")
    start.tools = [tool.as_tool("tool", "A tool.")]
    flow = Workflow("Outer", start=start)
    board = flow.parallel("board", [branch])
    flow.then(start, step)
    flow.then(step, board)
    for one in inner:
        one.on_error(one.start, End("z"))  # nothing has run
    await Runner.run(flow, "hi")
    for one in inner:
        other = agent("Other")
        for change in (
            partial(one.then, other, End()),
            partial(one.route, other, cases={"a": End()}),
            partial(one.on_error, one.start, End("z"), errors=ValueError),
            partial(one.budget, seconds=1),
            partial(one.ask, "person", "Really?"),
        ):
            with pytest.raises(UserError, match=f"'{one.name}' has run"):
                change()


async def test_a_thousand_steps_stay_flat() -> None:
    def add(number: object) -> int:
        return int(str(number)) + 1

    start = agent("Start", "0")
    flow = Workflow("Counting", start=start)
    flow.then(start, add)
    flow.then(add, add, at_most=999, exhausted=End())
    assert (await Runner.run(flow, "hi")).final_output == 1_000
