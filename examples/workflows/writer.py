"""A story in three stages: an outline, a check of the outline, the story.

The order is fixed, so no model decides on it. The check ends the run where the outline is no good:

    python examples/workflows/writer.py "A story about a lighthouse"
    agentgraph draw examples/workflows/writer.py
"""

from __future__ import annotations

import sys

from pydantic import BaseModel

from agentgraph import Agent, End, Runner, Workflow, output_of


class Verdict(BaseModel):
    good: bool
    is_story: bool


outliner = Agent(
    name="Outliner", instructions="Write a short outline of the story that the user asks for."
)
checker = Agent(
    name="Checker",
    instructions="Read an outline. Is it good, and is it the outline of a story?",
    output_type=Verdict,
)
author = Agent(name="Author", instructions="Write a short story that follows the outline.")


def accepts(verdict: Verdict) -> bool:
    return verdict.good and verdict.is_story


flow = Workflow("Writer", start=outliner)
flow.then(outliner, checker)
flow.route(
    checker,
    on=accepts,
    cases={True: author, False: End("The outline is no good: ask for another one.")},
    give={author: output_of(outliner)},
)

if __name__ == "__main__":
    print(Runner.run_sync(flow, " ".join(sys.argv[1:]) or "A story about bees").final_output)
