"""`agentgraph run` and `rehearse` on a workflow with edges: functions and ends have their lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import agentgraph, written

LETTERS = """
from pydantic import BaseModel

from agentgraph import Agent, End, Workflow, output_of
from agentgraph.testing import ScriptedModel, assistant_message


class Review(BaseModel):
    ok: bool


def says(*texts):
    return ScriptedModel([[assistant_message(text)] for text in texts])


def clean(text: str) -> str:
    return text.strip()


async def send(text: str) -> str:
    return f"Sent: {text}"


draft = Agent(name="Draft", model=says("Dear you", "Dear you, again"))
review = Agent(name="Review", output_type=Review, model=says('{"ok": false}', '{"ok": true}'))
flow = Workflow("Letters", start=draft)
flow.then(draft, clean)
flow.then(clean, review)
flow.route(
    review,
    on="ok",
    cases={True: send, False: draft},
    at_most={False: 1},
    exhausted=End("No letter."),
    give={send: output_of(clean)},
)
"""
STEPS = [
    "● Draft",
    "  Dear you",
    "⇒ clean",
    "● Review",
    '  {"ok": false}',
    "● Draft",
    "  Dear you, again",
    "⇒ clean",
    "● Review",
]


def test_a_function_has_its_line_where_it_begins(tmp_path: Path) -> None:
    ended = agentgraph("run", written(tmp_path, "flow.py", LETTERS), "Write.")
    assert ended.status == 0
    assert ended.out.splitlines() == [
        *STEPS,
        '  {"ok": true}',
        "⇒ send",
        "  Sent: Dear you, again",
        "✓ done: Review, 4 turns",
    ]


def test_an_end_with_an_output_has_its_line_too(tmp_path: Path) -> None:
    never = LETTERS.replace('{"ok": true}', '{"ok": false}')
    ended = agentgraph("run", written(tmp_path, "flow.py", never), "Write.")
    assert ended.out.splitlines() == [
        *STEPS,
        '  {"ok": false}',
        "⇒ end",
        "  No letter.",
        "✓ done: Review, 4 turns",
    ]


def test_a_function_that_raises_is_named_before_the_failure(tmp_path: Path) -> None:
    wrong = LETTERS.replace("return text.strip()", "raise RuntimeError('no paper')")
    ended = agentgraph("run", written(tmp_path, "flow.py", wrong), "Write.")
    assert ended.status == 1
    assert ended.out.splitlines() == STEPS[:3]
    assert "RuntimeError: no paper" in ended.err


def test_steps_are_events_as_json(tmp_path: Path) -> None:
    ended = agentgraph("run", "--json", written(tmp_path, "flow.py", LETTERS), "Write.")
    lines = [json.loads(line) for line in ended.out.splitlines()]
    steps = [line for line in lines if line["event"] == "step_started"]
    assert [line["step"] for line in steps] == ["clean", "clean", "send"]
    assert all(set(line) == {"event", "step"} for line in steps)


@pytest.mark.parametrize("kind", ["refund", "order"])
def test_a_rehearsal_goes_through_typed_outputs_and_cases(kind: str, tmp_path: Path) -> None:
    source = f"""
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from agentgraph import Agent, End, Workflow, at_least, below, output_of


class Ticket(BaseModel):
    kind: Literal["{kind}", "other"]
    euros: Annotated[int, Field(ge=10, le=100_000)]


def pay(ticket: Ticket) -> str:
    return f"Paid {{ticket.euros}} euros."


triage, orders = Agent(name="Triage", output_type=Ticket), Agent(name="Orders")
flow = Workflow("Support", start=triage)
flow.route(triage, on="kind", cases={{"refund": orders, "order": orders, "other": End("Call us.")}})
flow.route(
    orders,
    on=output_of(triage).euros,
    cases={{below(1_000): pay, at_least(1_000): End("We call you.")}},
    give={{pay: output_of(triage)}},
)
"""
    ended = agentgraph("run", "--rehearse", written(tmp_path, "flow.py", source), "Money back.")
    assert ended.status == 0
    lines = ended.out.splitlines()
    assert lines[:3] == ["● Triage", f'  {{"kind": "{kind}", "euros": 10}}', "● Orders"]
    assert lines[-3:] == ["⇒ pay", "  Paid 10 euros.", "✓ done: Orders, 2 turns"]


def test_a_person_plays_the_agents_and_the_functions_run(tmp_path: Path) -> None:
    file = written(tmp_path, "flow.py", LETTERS)
    typed = ' Dear me \n{"ok": true}\n'
    ended = agentgraph("rehearse", file, "Write.", typed=typed)
    assert ended.status == 0
    steps = [line for line in ended.out.splitlines() if line.startswith(("●", "⇒", "✓"))]
    assert steps == ["● Draft", "⇒ clean", "● Review", "⇒ send", "✓ done: Review, 2 turns"]
    assert "  Sent: Dear me" in ended.out.splitlines()
