"""Insurance claims: a model reads the claim, fixed rules decide who works on it, and a person
decides whether a large one is paid.

python examples/workflows/claims.py "My bike was stolen. It cost 900 euros."
agentgraph run examples/workflows/claims.py "My bike was stolen. It cost 900 euros."
agentgraph check examples/workflows/claims.py
"""

from __future__ import annotations

import sys
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from agentgraph import Agent, End, Runner, Workflow, at_least, below, output_of


class Claim(BaseModel):
    kind: Literal["theft", "damage", "other"]
    euros: Annotated[int, Field(ge=0, le=1_000_000)]
    summary: str


reader = Agent(name="Reader", instructions="Read the claim.", output_type=Claim)
letter = Agent(
    name="Letter", instructions="Write a friendly letter to the customer about the decision."
)
expert = Agent(name="Expert", instructions="Estimate the damage and recommend a decision.")


class Decision(BaseModel):
    pay: bool
    reason: str = ""


def pay(claim: Claim) -> str:
    """Small claims are paid at once, large ones if a person says so."""
    return f"We pay {claim.euros} euros for: {claim.summary}"


flow = Workflow("Claims", start=reader)
person = flow.ask("person", "Do we pay this claim?", answer=Decision)
flow.route(
    reader,
    on="kind",
    cases={"theft": expert, "damage": pay, "other": End("Please call us.")},
)
flow.route(
    expert,
    on=output_of(reader).euros,
    cases={below(500): pay, at_least(500): person},
    give={pay: output_of(reader), person: (output_of(reader), output_of(expert))},
)
flow.route(
    person,
    on="pay",
    cases={True: pay, False: letter},
    give={pay: output_of(reader), letter: (output_of(reader), output_of(person))},
)
flow.then(pay, letter)

if __name__ == "__main__":
    result = Runner.run_sync(flow, " ".join(sys.argv[1:]) or "A cup broke, 8 euros")
    while result.interruptions:
        state = result.to_state()
        for question in result.interruptions:
            says = input(f"{question.arguments}\nDo we pay this claim? [y/n] ")
            state.answer(question, Decision(pay=says == "y"))
        result = Runner.run_sync(flow, state)
    print(result.final_output)
