"""The operators of `agentgraph mutate`: each has a workflow, a test that notices its fault, and one
that does not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from agentgraph import (
    Agent,
    CompileError,
    FunctionTool,
    GuardrailFunctionOutput,
    HandoffInputData,
    InputGuardrailTripwireTriggered,
    MaxTurnsExceeded,
    ModelBehaviorError,
    ModelSettings,
    OutputGuardrailTripwireTriggered,
    RunConfig,
    Runner,
    ToolGuardrailFunctionOutput,
    ToolInputGuardrailData,
    Workflow,
    function_tool,
    handoff,
    input_guardrail,
    output_guardrail,
    tool_input_guardrail,
)
from agentgraph.exceptions import RoutingError
from agentgraph.result import RunResult
from agentgraph.testing import (
    ModelStep,
    ScriptedModel,
    UnexpectedModelCall,
    assistant_message,
    function_call,
)
from agentgraph.testing.mutation.changes import Change, Parts
from agentgraph.testing.mutation.equivalence import Tables
from agentgraph.testing.mutation.mutants import Mutant, mutants_of, planted
from agentgraph.testing.mutation.operators import OPERATORS, operator_named
from agentgraph.workflow import End, Source
from tests.architecture.source_tree import REPOSITORY
from tests.workflow.flows import Review

NOTICED = (
    AssertionError,
    MaxTurnsExceeded,
    ModelBehaviorError,
    RoutingError,
    UnexpectedModelCall,
)
"""How a test of this file notices a fault."""


def call(name: str, **arguments: object) -> list[Any]:
    return [function_call(name, arguments, call_id=f"call_{name}")]


def says(text: str) -> list[Any]:
    return [assistant_message(text)]


def model_of(*replies: list[Any]) -> ScriptedModel:
    return ScriptedModel(list(replies))


def ran(agent: Source, model: ScriptedModel, message: Any = "Hello") -> RunResult:
    return Runner.run_sync(agent, message, run_config=RunConfig(model=model))


@dataclass(frozen=True, slots=True)
class Case:
    """A workflow with a fault of one kind, and tests of it.

    Attributes:
        operator: The kind.
        make: Makes the workflow anew.
        notices: A test that fails with the fault.
        overlooks: A test that does not.
    """

    operator: str
    make: Callable[[], Any]
    notices: Callable[[Any], None]
    overlooks: Callable[[Any], None]


def answers(agent: Agent[Any]) -> None:
    """A test that overlooks nearly everything: the agent answers."""
    assert ran(agent, model_of(says("Hello."))).final_output == "Hello."


def tool(name: str = "look", **settings: Any) -> FunctionTool:
    def look(order: str = "1") -> str:
        """Look it up."""
        return f"{order} is here"

    return function_tool(look, name_override=name, **settings)


def two_colleagues() -> Agent[Any]:
    orders, refunds = Agent(name="Orders"), Agent(name="Refunds")
    KEPT.append(refunds)
    return Agent(name="Triage", handoffs=[orders, handoff(refunds)])


KEPT: list[Agent[Any]] = []
"""The targets of handoffs: `handoff()` does not keep its target alive."""


def comes_to_orders(agent: Agent[Any]) -> None:
    result = ran(agent, model_of(call("transfer_to_orders"), says("Here.")))
    assert result.last_agent.name == "Orders"


def never(context: object, agent: object) -> bool:
    return False


def forgets(data: HandoffInputData) -> HandoffInputData:
    return data.clone(input_history=(), pre_handoff_items=(), new_items=())


def one_colleague(**settings: Any) -> Agent[Any]:
    KEPT.append(Agent(name="Orders"))
    return Agent(name="Triage", handoffs=[handoff(KEPT[-1], **settings)])


def offers_no_handoff(agent: Agent[Any]) -> None:
    model = model_of(says("Hello."))
    ran(agent, model)
    assert model.calls[0].handoffs == []


def hands_over_without_history(agent: Agent[Any]) -> None:
    model = model_of(call("transfer_to_orders"), says("Here."))
    ran(agent, model)
    assert list(model.calls[1].input) == []


@input_guardrail(run_in_parallel=False)
def no_cards(context: Any, agent: Any, message: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(None, tripwire_triggered="4111" in str(message))


@output_guardrail
def no_promises(context: Any, agent: Any, answer: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(None, tripwire_triggered="guarantee" in str(answer))


JUDGE = Agent[Any](name="Judge")


@input_guardrail
async def asks_a_judge(context: Any, agent: Any, message: Any) -> GuardrailFunctionOutput:
    await Runner.run(JUDGE, "Is it polite?", run_config=RunConfig(model=model_of(says("Yes."))))
    return GuardrailFunctionOutput(None, tripwire_triggered=False)


def guarded() -> Agent[Any]:
    return Agent(name="Desk", output_guardrails=[no_promises])


def keeps_promises_out(agent: Agent[Any]) -> None:
    try:
        ran(agent, model_of(says("I guarantee it.")))
    except OutputGuardrailTripwireTriggered:
        return
    raise AssertionError("the promise was made")


def calls_no_model_for_cards(agent: Agent[Any]) -> None:
    model = model_of(says("Thank you."))
    try:
        ran(agent, model, "My card is 4111.")
    except InputGuardrailTripwireTriggered:
        assert model.calls == ()
        return
    raise AssertionError("the card was accepted")


def waits_for_no_judge(agent: Agent[Any]) -> None:
    """The model is called while the judge still thinks."""
    events: list[str] = []

    async def judge(context: Any, agent: Any, message: Any) -> GuardrailFunctionOutput:
        for _ in range(1_000):  # turns of the event loop, in which the model may be called
            await asyncio.sleep(0)
        events.append("verdict")
        return GuardrailFunctionOutput(None, tripwire_triggered=False)

    def reply(call: Any) -> list[Any]:
        events.append("model")
        return says("Hello.")

    guardrail = agent.input_guardrails[0]
    before, guardrail.guardrail_function = guardrail.guardrail_function, judge
    try:
        ran(agent, ScriptedModel([ModelStep.respond(reply)]))
    finally:
        guardrail.guardrail_function = before
    assert events == ["model", "verdict"]


@tool_input_guardrail
def no_order_7(data: ToolInputGuardrailData) -> ToolGuardrailFunctionOutput:
    if "7" in str(data.context.tool_arguments):
        return ToolGuardrailFunctionOutput.reject_content("Not this one.")
    return ToolGuardrailFunctionOutput.allow()


def output_of(agent: Agent[Any], **arguments: object) -> str:
    result = ran(agent, model_of(call("look", **arguments), says("So it is.")))
    return next(
        str(item.output) for item in result.new_items if item.type == "tool_call_output_item"
    )


def refuses_order_7(agent: Agent[Any]) -> None:
    assert output_of(agent, order="7") == "Not this one."


def looks_up(agent: Agent[Any]) -> None:
    assert output_of(agent, order="1") == "1 is here"


def with_tool(**settings: Any) -> Callable[[], Agent[Any]]:
    return lambda: Agent(name="Desk", tools=[tool(**settings)])


def offers_no_tool(agent: Agent[Any]) -> None:
    model = model_of(says("Hello."))
    ran(agent, model)
    assert model.calls[0].tools == []


def waits_for_a_person(agent: Agent[Any]) -> None:
    result = ran(agent, model_of(call("look", order="1")))
    assert len(result.interruptions) == 1


def looks_with_inner_turns() -> Agent[Any]:
    inner = Agent(name="Inner", tools=[tool()])
    return Agent(name="Outer", tools=[inner.as_tool("ask", "Ask.", max_turns=1)])


def stops_inside_after_one_turn(agent: Agent[Any]) -> None:
    model = model_of(call("ask", input="?"), call("look", order="1"), says("Too hard."))
    assert ran(agent, model).final_output == "Too hard."
    assert len(model.calls[2].tools) == 1
    assert model.calls[2].tools[0].name == "ask"


def asks_inside(agent: Agent[Any]) -> None:
    model = model_of(call("ask", input="?"), says("Yes."), says("He says yes."))
    assert ran(agent, model).final_output == "He says yes."


def slow() -> Agent[Any]:
    async def look(order: str) -> str:
        """Look it up."""
        if order == "7":
            await asyncio.wait([asyncio.ensure_future(asyncio.Event().wait())], timeout=1.0)
        return "here"

    return Agent(name="Desk", tools=[function_tool(look, timeout=0.05)])


def gives_up_on_order_7(agent: Agent[Any]) -> None:
    assert "here" not in output_of(agent, order="7")


def finds_order_1(agent: Agent[Any]) -> None:
    assert output_of(agent, order="1") == "here"


def must_look() -> Agent[Any]:
    return Agent(name="Desk", tools=[tool()], model_settings=ModelSettings(tool_choice="required"))


def is_made_to_look(agent: Agent[Any]) -> None:
    model = model_of(call("look", order="1"), says("Here."))
    ran(agent, model)
    assert model.calls[0].model_settings.tool_choice == "required"


def is_made_to_look_once(agent: Agent[Any]) -> None:
    model = model_of(call("look", order="1"), says("Here."))
    ran(agent, model)
    assert model.calls[1].model_settings.tool_choice is None


def stops_at_look() -> Agent[Any]:
    return Agent(name="Desk", tools=[tool()], tool_use_behavior={"stop_at_tool_names": ["look"]})


def ends_with_the_output(agent: Agent[Any]) -> None:
    assert ran(agent, model_of(call("look", order="1"))).final_output == "1 is here"


def ends_with_an_answer(agent: Agent[Any]) -> None:
    model = model_of(call("look", order="1"), says("Here."))
    assert ran(agent, model).final_output == "Here."


@dataclass
class Ticket:
    """What an agent answers with."""

    number: int


TICKET = '{"response": {"number": 7}}'


def of_tickets() -> Agent[Any]:
    return Agent(name="Desk", output_type=Ticket)


def answers_with_a_ticket(agent: Agent[Any]) -> None:
    assert ran(agent, model_of(says(TICKET))).final_output == Ticket(7)


def answers_somehow(agent: Agent[Any]) -> None:
    assert ran(agent, model_of(says(TICKET))).final_output


def loop() -> Workflow:
    draft, review = Agent(name="Draft"), Agent(name="Review", output_type=Review)
    flow = Workflow("Loop", start=draft)
    flow.then(draft, review)
    flow.route(
        review,
        on="ok",
        cases={True: End("good"), False: draft},
        at_most={False: 1},
        exhausted=End("bad"),
    )
    return flow


NO, YES = says('{"ok": false}'), says('{"ok": true}')


def gives_up_after_a_round(flow: Workflow) -> None:
    model = model_of(says("1"), NO, says("2"), NO)
    assert ran(flow, model).final_output == "bad"


def is_good_at_once(flow: Workflow) -> None:
    assert ran(flow, model_of(says("1"), YES)).final_output == "good"


def ends(flow: Workflow) -> None:
    assert ran(flow, model_of(says("1"), NO, says("2"), NO)).final_output in ("good", "bad")


CASES = [
    Case("drop-handoff", two_colleagues, comes_to_orders, answers),
    Case("swap-handoffs", two_colleagues, comes_to_orders, answers),
    Case("enable-handoff", lambda: one_colleague(is_enabled=never), offers_no_handoff, answers),
    Case(
        "drop-input-filter",
        lambda: one_colleague(input_filter=forgets),
        hands_over_without_history,
        comes_to_orders,
    ),
    Case("drop-guardrail", guarded, keeps_promises_out, answers),
    Case(
        "run-guardrail-in-parallel",
        lambda: Agent(name="Desk", input_guardrails=[no_cards]),
        calls_no_model_for_cards,
        answers,
    ),
    Case(
        "block-on-guardrail",
        lambda: Agent(name="Desk", input_guardrails=[asks_a_judge]),
        waits_for_no_judge,
        answers,
    ),
    Case(
        "drop-tool-guardrail",
        with_tool(tool_input_guardrails=[no_order_7]),
        refuses_order_7,
        looks_up,
    ),
    Case("drop-tool", with_tool(), looks_up, answers),
    Case("enable-tool", with_tool(is_enabled=never), offers_no_tool, answers),
    Case("drop-approval", with_tool(needs_approval=True), waits_for_a_person, answers),
    Case("raise-cap", looks_with_inner_turns, stops_inside_after_one_turn, asks_inside),
    Case("drop-timeout", slow, gives_up_on_order_7, finds_order_1),
    Case("drop-tool-choice", must_look, is_made_to_look, ends_with_an_answer),
    Case("flip-tool-choice-reset", must_look, is_made_to_look_once, ends_with_an_answer),
    Case("drop-stop", stops_at_look, ends_with_the_output, answers),
    Case("stop-at-first-tool", with_tool(), ends_with_an_answer, answers),
    Case("drop-output-type", of_tickets, answers_with_a_ticket, answers_somehow),
    Case("drop-case", loop, is_good_at_once, gives_up_after_a_round),
    Case("swap-cases", loop, is_good_at_once, ends),
    Case("raise-at-most", loop, gives_up_after_a_round, is_good_at_once),
    Case("drop-at-most", loop, gives_up_after_a_round, is_good_at_once),
]


def first_mutant(agent: Source, operator: str) -> Mutant:
    one = operator_named(operator)
    assert one is not None
    return next(iter(mutants_of(Parts([agent]), [one])))


def is_noticed(change: Change, test: Callable[[Any], None], agent: Source) -> bool:
    with planted(change):
        try:
            test(agent)
        except NOTICED:
            return True
    return False


def test_every_operator_has_a_case() -> None:
    assert [case.operator for case in CASES] == [operator.name for operator in OPERATORS]


def test_the_page_about_testing_lists_every_operator() -> None:
    page = (REPOSITORY / "docs/testing.md").read_text(encoding="utf-8")
    rows = "\n".join(f"| `{one.name}` | {one.summary} |" for one in OPERATORS)
    assert f"| operator | what it does |\n|---|---|\n{rows}\n\n" in page


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.operator)
def test_a_test_of_what_an_operator_changes_notices_it(case: Case) -> None:
    agent = case.make()
    mutant = first_mutant(agent, case.operator)
    case.notices(agent)
    assert is_noticed(mutant.change, case.notices, agent)
    case.notices(agent)  # it is taken back


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.operator)
def test_a_test_of_something_else_overlooks_it(case: Case) -> None:
    agent = case.make()
    assert not is_noticed(first_mutant(agent, case.operator).change, case.overlooks, agent)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.operator)
def test_the_table_of_a_mutant_differs(case: Case) -> None:
    agent = case.make()
    difference = Tables([agent]).difference(first_mutant(agent, case.operator).change)
    assert (difference.exists, difference.refusal) == (True, "")


def test_a_fault_of_what_is_never_on_offer_is_equivalent() -> None:
    off = tool("off", is_enabled=False, needs_approval=True)
    agent = Agent(name="Desk", tools=[tool(), off])
    assert not Tables([agent]).difference(first_mutant(agent, "drop-approval").change).exists
    drop = operator_named("drop-tool")
    assert drop is not None
    differences = [
        Tables([agent]).difference(one.change) for one in mutants_of(Parts([agent]), [drop])
    ]
    assert [one.exists for one in differences] == [True, False]


def test_a_fault_that_the_compiler_finds_is_refused_in_its_words() -> None:
    held: dict[str, Any] = {
        "model_settings": ModelSettings(tool_choice="required"),
        "reset_tool_choice": False,
    }
    orders = Agent[Any](name="Orders", **held)
    triage = Agent[Any](name="Triage", **held, handoffs=[Agent(name="Human"), orders])
    orders.handoffs.append(triage)
    change = first_mutant(triage, "drop-handoff").change
    refusal = Tables([triage]).difference(change).refusal
    assert refusal.startswith("AG202 handoff-cycle-without-exit: ")
    with planted(change), pytest.raises(CompileError):
        answers(triage)


def test_nothing_is_equivalent_in_a_workflow_that_the_compiler_refuses_already() -> None:
    off = tool("off", is_enabled=False, needs_approval=True)
    agent = Agent(name="Desk", tools=[tool(), tool(), off])
    with pytest.raises(CompileError):
        answers(agent)
    difference = Tables([agent]).difference(first_mutant(agent, "drop-approval").change)
    assert (difference.exists, difference.refusal) == (True, "")


def test_agents_that_share_a_tool_share_its_mutants() -> None:
    shared = tool(needs_approval=True)
    orders = Agent(name="Orders", tools=[shared])
    triage = Agent(name="Triage", tools=[shared], handoffs=[orders])
    approval, drop = operator_named("drop-approval"), operator_named("drop-tool")
    assert approval is not None
    assert drop is not None
    assert len(list(mutants_of(Parts([triage]), [approval]))) == 1
    assert len(list(mutants_of(Parts([triage]), [drop]))) == 2


def test_a_scenario_is_the_shortest_way_to_the_fault() -> None:
    refunds = Agent(name="Refunds", tools=[tool("pay", needs_approval=True)])
    inner = Agent(name="Inner", handoffs=[refunds])
    orders = Agent(name="Orders", tools=[inner.as_tool("ask", "Ask.")], handoffs=[refunds])
    desk = Workflow("Desk", start=Agent(name="Triage", handoffs=[orders]), agents=[orders, refunds])
    approval = operator_named("drop-approval")
    assert approval is not None
    (mutant,) = mutants_of(Parts([desk]), [approval])
    assert mutant.scenario == (
        "'Triage' hands over to 'Orders'",
        "'Orders' hands over to 'Refunds'",
        "'Refunds' calls pay",
        "the run waits, a person rejects the call, and pay does not run",
    )


def test_swapped_handoffs_look_to_the_model_as_before() -> None:
    agent = two_colleagues()
    model = model_of(says("Hello."))
    ran(agent, model)
    swapped = model_of(says("Hello."))
    with planted(first_mutant(agent, "swap-handoffs").change):
        ran(agent, swapped)
    described = [
        [(one.tool_name, one.tool_description) for one in used.calls[0].handoffs]
        for used in (model, swapped)
    ]
    assert described[0] == described[1]


def test_a_swapped_handoff_still_calls_what_it_should_call() -> None:
    notes: list[str] = []

    def note(context: object) -> None:
        notes.append("refunds")

    orders, refunds = Agent(name="Orders"), Agent(name="Refunds")
    agent = Agent(name="Triage", handoffs=[orders, handoff(refunds, on_handoff=note)])
    with planted(first_mutant(agent, "swap-handoffs").change):
        result = ran(agent, model_of(call("transfer_to_refunds"), says("Here.")))
    assert (result.last_agent, notes) == (orders, ["refunds"])


def test_a_survivor_of_the_edges_says_what_would_notice_it() -> None:
    flow = loop()
    texts = {
        name: (first_mutant(flow, name).change.text, first_mutant(flow, name).scenario)
        for name in ("drop-case", "swap-cases", "raise-at-most", "drop-at-most")
    }
    rounds = (
        "the run takes the way from 'Review' to 'Draft' once, and would again",
        "it comes to 'end'",
    )
    good = ("'Review' is over with a value of case true", "the run comes to 'end'")
    assert texts == {
        "drop-case": ("values of case true after 'Review' take no case", good),
        "swap-cases": (
            "case true after 'Review' leads to 'Draft', and case false to 'end'",
            good,
        ),
        "raise-at-most": ("a run takes the way from 'Review' to 'Draft' 2 times, not 1", rounds),
        "drop-at-most": ("a run takes the way from 'Review' to 'Draft' without a limit", rounds),
    }
    line = first_mutant(flow, "drop-case").origin.line
    assert line == loop.__code__.co_firstlineno + 4


def test_agents_of_steps_have_mutants_and_what_changes_nothing_is_equivalent() -> None:
    flow = loop()
    assert [agent.name for agent in Parts([flow]).agents] == ["Draft", "Review"]
    review = Parts([flow]).agents[1]
    review.tools = [tool("off", is_enabled=False, needs_approval=True)]
    change = first_mutant(flow, "drop-approval").change
    assert not Tables([flow]).difference(change).exists
