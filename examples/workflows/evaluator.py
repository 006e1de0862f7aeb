"""A writer and a judge: the judge sends the text back, three times at most.

python examples/workflows/evaluator.py "A slogan for a bakery"
agentgraph draw examples/workflows/evaluator.py
"""

from __future__ import annotations

import sys
from typing import Literal

from pydantic import BaseModel

from agentgraph import Agent, End, Runner, Workflow, output_of


class Evaluation(BaseModel):
    score: Literal["pass", "needs_improvement", "fail"]
    feedback: str


writer = Agent(name="Writer", instructions="Write what is asked for. Take feedback into account.")
judge = Agent(
    name="Judge",
    instructions="Judge the text. Say what must become better. Never let the first try pass.",
    output_type=Evaluation,
)


def accepted(text: str) -> str:
    return text


flow = Workflow("Evaluator and optimiser", start=writer)
flow.then(writer, judge)
flow.route(
    judge,
    on="score",
    cases={
        "pass": accepted,
        "needs_improvement": writer,
        "fail": End("The judge gave up on this text."),
    },
    at_most={"needs_improvement": 3},
    exhausted=End("The text did not get good enough in three rounds."),
    give={
        accepted: output_of(writer),
        writer: (output_of(writer), output_of(judge).feedback),
    },
)

if __name__ == "__main__":
    print(Runner.run_sync(flow, " ".join(sys.argv[1:]) or "A slogan for bees").final_output)
