"""A question to a person as a step: it is asked, answered, and its answer is the step's output."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from agentgraph import (
    Agent,
    AgentDefinitionError,
    End,
    QuestionItem,
    QuestionStep,
    RunContextWrapper,
    Runner,
    RunState,
    SQLiteJournal,
    SQLiteSession,
    UserError,
    Workflow,
    all_of,
    function_tool,
    output_of,
)
from agentgraph.exceptions import RoutingError
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from tests.workflow.flows import Mood, Ticket, agent, read_by


class Verdict(BaseModel):
    ok: bool
    note: str = Field(default="", max_length=20)


def writing(*drafts: str) -> tuple[Workflow, Agent[Any], QuestionStep]:
    """A draft that a person judges, again and again until it is good."""
    draft = agent("Draft", *drafts)
    flow = Workflow("Writing", start=draft)
    person = flow.ask("person", "Is it good?", answer=Verdict)
    flow.then(draft, person)
    flow.route(
        person,
        on="ok",
        cases={True: End(), False: draft},
        give={draft: (output_of(draft), output_of(person).note)},
    )
    return flow, draft, person


async def asked(flow: Workflow, **options: Any) -> tuple[RunState[Any], QuestionItem]:
    """The state of a run that waits for an answer, and the question."""
    result = await Runner.run(flow, "hi", **options)
    [item] = result.interruptions
    assert isinstance(item, QuestionItem)
    return result.to_state(), item


async def test_a_run_waits_for_the_answer_and_goes_on_with_it_as_the_output_of_the_step() -> None:
    flow, draft, person = writing("draft 1", "draft 2")
    result = await Runner.run(flow, "Write.")
    assert result.final_output is None
    assert [one.type for one in result.new_items] == ["message_output_item"]
    [item] = result.interruptions
    assert isinstance(item, QuestionItem)
    assert (item.name, item.question, item.received) == ("person", "Is it good?", "draft 1")
    assert item.schema == Verdict.model_json_schema()
    assert item.agent is draft
    state = result.to_state()
    state.answer(item, Verdict(ok=False, note="longer"))
    result = await Runner.run(flow, state)
    assert read_by(draft)[1] == ['{"Draft":"draft 1","person.note":"longer"}']
    [again] = result.interruptions
    assert isinstance(again, QuestionItem)
    assert (again.received, again.call_id != item.call_id) == ("draft 2", True)
    state = result.to_state()
    state.answer(again, {"ok": True})
    result = await Runner.run(flow, state)
    assert result.final_output == Verdict(ok=True)
    assert result.outputs == {draft: "draft 2", person: Verdict(ok=True)}
    assert result.last_agent is draft
    assert result.interruptions == []


@dataclass
class Address:
    street: str


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@pytest.mark.parametrize(
    ("answer", "value", "output"),
    [
        (str, "yes", "yes"),
        (bool, False, False),
        (int, 3, 3),
        (Colour, "red", Colour.RED),
        (Colour, Colour.BLUE, Colour.BLUE),
        (Literal["a", "b"], "b", "b"),
        (Address, {"street": "Main"}, Address("Main")),
        (list[Ticket], [{"kind": "other"}], [Ticket(kind="other")]),
        (bool | None, None, None),
    ],
)
async def test_an_answer_is_a_value_of_its_type_also_after_a_text(
    answer: Any, value: object, output: object
) -> None:
    flow = Workflow("Asking", start=agent("Start", "x"))
    person = flow.ask("person", "What?", answer=answer)
    seen: list[object] = []

    def note(value: object) -> str:
        seen.append(value)
        return "noted"

    flow.then(flow.start, person)
    flow.then(person, note)
    state, item = await asked(flow)
    state.answer(item, value)
    state = await RunState.from_string(flow, state.to_string())
    result = await Runner.run(flow, state)
    assert (seen, result.outputs[person], result.final_output) == ([output], output, "noted")
    state = await RunState.from_string(flow, result.to_state().to_string())
    assert (await Runner.run(flow, state)).outputs[person] == output


async def test_the_answer_that_ends_a_run_is_its_final_output() -> None:
    flow = Workflow("Asking", start=agent("Start", "x"))
    flow.then(flow.start, flow.ask("person", "What?"))
    state, item = await asked(flow)
    state.answer(item, "so")
    result = await Runner.run(flow, state)
    assert result.final_output == "so"
    assert result.to_input_list()[-1]["content"][0]["text"] == "so"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "Input should be a valid dictionary"),
        ({"note": ""}, "ok: Field required"),
        ({"ok": "perhaps"}, "ok: Input should be a valid boolean"),
        ({"ok": True, "note": "x" * 21}, "note: String should have at most 20 characters"),
    ],
)
async def test_an_answer_that_does_not_fit_is_refused_at_once(value: object, problem: str) -> None:
    flow, _, _ = writing("draft 1")
    state, item = await asked(flow)
    with pytest.raises(UserError) as caught:
        state.answer(item, value)
    message = str(caught.value)
    assert "question 'person' (Is it good?) does not fit Verdict" in message
    assert problem in message
    assert "perhaps" not in message
    result = await Runner.run(flow, state)
    assert [one.call_id for one in result.interruptions] == [item.call_id]


async def test_the_last_answer_before_the_run_goes_on_counts() -> None:
    flow, _, _ = writing("draft 1")
    state, item = await asked(flow)
    state.answer(item, Verdict(ok=False))
    state.answer(item, Verdict(ok=True))
    assert (await Runner.run(flow, state)).final_output == Verdict(ok=True)


async def test_another_answer_than_the_one_the_run_went_on_with_is_refused() -> None:
    flow, _, _ = writing("draft 1")
    result = await Runner.run(flow, "hi")
    [item] = result.interruptions
    first, same, other = result.to_state(), result.to_state(), result.to_state()
    fork = result.to_state().fork()
    first.answer(item, Verdict(ok=True))
    same.answer(item, {"ok": True})
    other.answer(item, Verdict(ok=True, note="but"))
    fork.answer(item, Verdict(ok=True, note="fork"))
    assert (await Runner.run(flow, first)).final_output == Verdict(ok=True)
    assert (await Runner.run(flow, same)).final_output == Verdict(ok=True)
    with pytest.raises(UserError, match="Question 'person' was answered already"):
        await Runner.run(flow, other)
    assert (await Runner.run(flow, fork)).final_output == Verdict(ok=True, note="fork")


@function_tool(needs_approval=True)
def send() -> str:
    """Send it."""
    return "sent"


async def test_calls_are_approved_and_questions_answered_and_nothing_else() -> None:
    start = Agent(
        name="Start",
        tools=[send],
        model=ScriptedModel(
            [[function_call("send", {}, call_id="c1")], [assistant_message("done")]]
        ),
    )
    flow = Workflow("Both", start=start)
    flow.then(start, flow.ask("person", "Really?", answer=bool))
    result = await Runner.run(flow, "hi")
    [waiting] = result.interruptions
    state = result.to_state()
    with pytest.raises(UserError, match="tool 'send' waits for approval, not for an answer"):
        state.answer(waiting, True)
    with pytest.raises(UserError, match="Cannot answer 'str'"):
        state.answer("person", True)  # type: ignore[arg-type]
    state.approve(waiting)
    result = await Runner.run(flow, state)
    [question] = result.interruptions
    state = result.to_state()
    for act in (state.approve, state.reject):
        with pytest.raises(UserError, match="Question 'person' can be neither approved nor"):
            act(question)
    with pytest.raises(UserError, match="Question 'person' can be neither approved nor"):
        state.context.approve_tool(question)
    state.answer(question, True)
    assert (await Runner.run(flow, state)).final_output is True


def test_synchronous_runs_ask_too() -> None:
    flow, _, _ = writing("draft 1")
    result = Runner.run_sync(flow, "hi")
    state = result.to_state()
    state.answer(result.interruptions[0], Verdict(ok=True))
    assert Runner.run_sync(flow, state).final_output == Verdict(ok=True)


async def test_streamed_runs_ask_too() -> None:
    flow, _, _ = writing("draft 1", "draft 2")
    streamed = Runner.run_streamed(flow, "hi")
    events = [event async for event in streamed.stream_events()]
    assert [event.type for event in events if event.type != "raw_response_event"] == [
        "agent_updated_stream_event",
        "run_item_stream_event",
    ]
    [item] = streamed.interruptions
    state = streamed.to_state()
    state.answer(item, Verdict(ok=False))
    streamed = Runner.run_streamed(flow, state)
    assert [event async for event in streamed.stream_events()]
    state = streamed.to_state()
    state.answer(streamed.interruptions[0], Verdict(ok=True))
    assert (await Runner.run(flow, state)).final_output == Verdict(ok=True)


async def test_a_session_stores_what_came_before_the_question() -> None:
    flow, _, _ = writing("draft 1")
    session = SQLiteSession("asked")
    state, item = await asked(flow, session=session)
    assert [one["role"] for one in await session.get_items()] == ["user", "assistant"]  # type: ignore[typeddict-item]
    state.answer(item, Verdict(ok=True))
    await Runner.run(flow, state, session=session)
    assert len(await session.get_items()) == 2


async def test_a_question_gets_what_give_names() -> None:
    triage, start = agent("Triage", Ticket(kind="order", amount=3), output_type=Ticket), "x"
    flow = Workflow("Asking", start=triage)
    one, two = flow.ask("one", "First?"), flow.ask("two", "Second?")
    flow.then(triage, one, give=output_of(triage).amount)
    flow.then(one, two, give=(output_of(triage), output_of(one)))
    state, item = await asked(flow)
    assert item.received == "3"
    state.answer(item, start)
    [second] = (await Runner.run(flow, state)).interruptions
    assert isinstance(second, QuestionItem)
    assert json.loads(second.received) == {"Triage": {"kind": "order", "amount": 3}, "one": "x"}


async def test_an_answer_decides_by_its_value() -> None:
    for answer, cases, value, end in (
        (bool, {True: End("yes"), False: End("no")}, False, "no"),
        (Mood, {Mood.GOOD: End("+"), Mood.BAD: End("-")}, Mood.BAD, "-"),
        (Literal["a", "b"], {"a": End("A"), "b": End("B")}, "a", "A"),
    ):
        flow = Workflow("Asking", start=agent("Start", "x"))
        person = flow.ask("person", "What?", answer=answer)
        flow.then(flow.start, person)
        flow.route(person, cases=cases)  # type: ignore[arg-type]
        state, item = await asked(flow)
        state.answer(item, value)
        assert (await Runner.run(flow, state)).final_output == end


async def test_an_answer_without_a_case_fails_the_run() -> None:
    flow = Workflow("Asking", start=agent("Start", "x"))
    person = flow.ask("person", "What?")
    flow.then(flow.start, person)
    flow.route(person, cases={"a": End()})
    state, item = await asked(flow)
    state.answer(item, "b")
    with pytest.raises(RoutingError, match="Step 'person'"):
        await Runner.run(flow, state)


async def test_an_answer_holds_for_the_question_that_was_asked() -> None:
    flow, _, _ = writing("draft 1")
    state, item = await asked(flow)
    state.answer(item, Verdict(ok=True))
    stored = state.to_string()
    changed = Workflow("Writing", start=agent("Draft", "never"))
    person = changed.ask("person", "Is it really good?", answer=Verdict)
    changed.then(changed.start, person)
    changed.route(person, on="ok", cases={True: End(), False: changed.start})
    result = await Runner.run(changed, await RunState.from_string(changed, stored))
    assert [type(one) for one in result.interruptions] == [QuestionItem]


async def test_the_step_after_an_answer_may_take_the_context() -> None:
    def context_of(context: RunContextWrapper[Any], value: bool) -> str:
        return f"{context.context}: {value}"

    flow = Workflow("Inner", start=agent("Start", "x"))
    person = flow.ask("person", "Well?", answer=bool)
    flow.then(flow.start, person)
    flow.then(person, context_of)
    state, item = await asked(flow, context="here")
    state.answer(item, True)
    assert (await Runner.run(flow, state)).final_output == "here: True"


def board(name: str) -> Workflow:
    member = agent(name, f"{name} agrees")
    flow = Workflow(name, start=member)
    flow.then(member, flow.ask("person", f"Does {name} agree?", answer=Verdict))
    return flow


async def test_questions_inside_branches_are_asked_together_and_answered_one_by_one() -> None:
    def together(verdicts: list[Verdict]) -> str:
        return ", ".join(one.note for one in verdicts)

    flow = Workflow("Deciding", start=agent("Start", "go"))
    both = flow.parallel("both", [board("Legal"), board("Money")], join=all_of(Verdict))
    flow.then(flow.start, both)
    flow.then(both, together)
    result = await Runner.run(flow, "hi")
    legal, money = result.interruptions
    assert isinstance(legal, QuestionItem)
    assert isinstance(money, QuestionItem)
    assert (legal.question, legal.received) == ("Does Legal agree?", "Legal agrees")
    assert (money.question, legal.call_id != money.call_id) == ("Does Money agree?", True)
    state = result.to_state()
    state.answer(money, Verdict(ok=True, note="paid"))
    state = await RunState.from_string(flow, state.to_string())
    result = await Runner.run(flow, state)
    [left] = result.interruptions
    assert left.call_id == legal.call_id
    state = result.to_state()
    with pytest.raises(UserError, match="Question 'person' can be neither"):
        state.approve(left)
    state.answer(left, {"ok": False, "note": "legal"})
    result = await Runner.run(flow, await RunState.from_string(flow, state.to_string()))
    assert result.final_output == "legal, paid"


class Plain:
    """A class that pydantic knows nothing of."""


def refused() -> Iterator[tuple[str, Any, str]]:
    start = Agent(name="Start")

    def made(act: Any) -> Any:
        return lambda: act(Workflow("Flow", start=start))

    yield "no name", made(lambda f: f.ask("", "What?")), "the name must be a non-empty string"
    yield "no text", made(lambda f: f.ask("person", "")), "the question must be a non-empty string"
    yield (
        "a taken name",
        made(lambda f: (f.ask("person", "What?"), f.ask("person", "Who?"))),
        "there is a question 'person' already",
    )
    yield (
        "a type without a schema",
        made(lambda f: f.ask("person", "What?", answer=Plain)),
        "has no JSON schema",
    )
    yield (
        "a type with a pattern that cannot be read",
        made(lambda f: f.ask("person", "What?", answer=Annotated[str, Field(pattern="(")])),
        "has no JSON schema",
    )
    yield (
        "a question of another workflow",
        made(lambda f: f.then(start, Workflow("Other", start=start).ask("person", "What?"))),
        "question 'person' is of another workflow",
    )
    yield (
        "a conversation",
        made(lambda f: f.then(start, f.ask("person", "What?"), carry="conversation")),
        "carry goes to agents, and 'person' is a question",
    )


@pytest.mark.parametrize(
    ("act", "message"), [row[1:] for row in refused()], ids=[row[0] for row in refused()]
)
def test_what_ask_refuses(act: Any, message: str) -> None:
    with pytest.raises(AgentDefinitionError, match="Workflow 'Flow'") as caught:
        act()
    assert message in str(caught.value)


async def test_a_workflow_that_has_run_takes_no_question() -> None:
    flow, _, _ = writing("draft 1")
    await Runner.run(flow, "hi")
    with pytest.raises(UserError, match="has run"):
        flow.ask("another", "What?")


async def test_a_durable_run_waits_in_its_journal_for_the_answer(tmp_path: Path) -> None:
    journal = SQLiteJournal(tmp_path / "runs.db")
    flow, _, _ = writing("draft 1")
    result = await Runner.run(flow, "hi", journal=journal, run_id="letter")
    assert [one.name for one in result.interruptions] == ["person"]
    later, _, person = writing()
    result = await Runner.resume("letter", later, journal=journal)
    state = result.to_state()
    state.answer(result.interruptions[0], Verdict(ok=True))
    assert (await Runner.run(later, state)).final_output == Verdict(ok=True)
    result = await Runner.resume("letter", later, journal=journal)
    assert result.outputs[person] == Verdict(ok=True)
