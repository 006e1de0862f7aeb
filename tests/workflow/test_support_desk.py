"""A support desk that uses every kind of step and edge at once."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

import agentgraph
from agentgraph import (
    Agent,
    End,
    Runner,
    RunState,
    Workflow,
    all_of,
    at_least,
    below,
    output_of,
)
from agentgraph.testing import ScriptedModel, assistant_message


class Ticket(BaseModel):
    kind: Literal["refund", "order", "other"]
    amount: Annotated[int, Field(ge=0, le=100_000)]


class Review(BaseModel):
    ok: bool
    notes: str = ""


class Verdict(BaseModel):
    ok: bool
    reason: str = ""


class NoMoney(Exception):
    """The bank is empty."""


def says(*texts: str) -> ScriptedModel:
    return ScriptedModel([[assistant_message(text)] for text in texts])


def desk(amount: int, *reviews: bool, bank: bool = True) -> Workflow:
    """The desk with models that have a script.

    Args:
        amount: The money that the customer wants.
        reviews: What the review says, one after the other.
        bank: Whether the bank has money.
    """
    ticket = f'{{"kind": "refund", "amount": {amount}}}'
    triage = Agent(name="Triage", output_type=Ticket, model=says(ticket))
    drafts = says(*(f"draft {number}" for number in range(len(reviews))))
    draft = Agent(name="Draft", model=drafts)
    orders = Agent(name="Orders", model=says("It is on its way."))
    said = says(*(f'{{"ok": {str(ok).lower()}, "notes": "shorter"}}' for ok in reviews))
    review = Agent(name="Review", output_type=Review, model=said)
    legal = Agent(name="Legal", output_type=Verdict, model=says('{"ok": true, "reason": "law"}'))
    finance = Agent(name="Finance", output_type=Verdict, model=says('{"ok": true}'))

    def decide(review: Review) -> str:
        return "decided"

    def pay(decision: object) -> str:
        if not bank:
            raise NoMoney
        return f"paid after {decision if isinstance(decision, str) else len(decision)}"  # type: ignore[arg-type]

    flow = Workflow("Support", start=triage)
    person = flow.ask("person", "A person decides", answer=Verdict)
    board = flow.parallel("board", [legal, finance], join=all_of(Verdict))
    flow.route(
        triage,
        on="kind",
        cases={"refund": draft, "order": orders, "other": End("Please call us.")},
    )
    flow.then(draft, review)
    flow.route(
        review,
        on="ok",
        cases={True: decide, False: draft},
        at_most={False: 3},
        exhausted=person,
        give={draft: (output_of(draft), output_of(review))},
    )
    flow.route(
        decide,
        on=output_of(triage).amount,
        cases={below(1_000): pay, at_least(1_000): board},
    )
    flow.then(board, pay)
    flow.on_error(pay, person)
    flow.budget(model_calls=20, tokens=50_000, seconds=120, on_exhausted=person)
    return flow


def test_the_compiler_has_nothing_to_say() -> None:
    assert agentgraph.check(desk(1)) == ()


@pytest.mark.parametrize(
    ("amount", "reviews", "output"),
    [
        (999, [True], "paid after decided"),
        (1_000, [True], "paid after 2"),
        (999, [False, False, False, True], "paid after decided"),
    ],
)
async def test_rules_and_a_board_decide(amount: int, reviews: list[bool], output: str) -> None:
    result = await Runner.run(desk(amount, *reviews), "I want my money back.")
    assert result.final_output == output


@pytest.mark.parametrize("flow", [desk(1, *[False] * 4), desk(1_000, True, bank=False)])
async def test_a_person_decides_after_the_last_round_and_when_the_bank_fails(
    flow: Workflow,
) -> None:
    waiting = await Runner.run(flow, "I want my money back.")
    assert waiting.final_output is None
    state: RunState[Any] = await RunState.from_string(flow, waiting.to_state().to_string())
    (question,) = state.get_interruptions()
    state.answer(question, Verdict(ok=False, reason="no"))
    result = await Runner.run(flow, state)
    assert result.final_output == Verdict(ok=False, reason="no")
