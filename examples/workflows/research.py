"""A planner names what to look up, as many searches run side by side, and a writer reports.

python examples/workflows/research.py "Do bees sleep?"
agentgraph draw examples/workflows/research.py
"""

from __future__ import annotations

import sys

from pydantic import BaseModel, Field

from agentgraph import Agent, Runner, WebSearchTool, Workflow, output_of


class Plan(BaseModel):
    queries: list[str] = Field(max_length=20)


planner = Agent(
    name="Planner",
    instructions="Name the searches that answer the question best, twenty at most.",
    output_type=Plan,
)
searcher = Agent(
    name="Searcher",
    instructions="Search the web, and sum up what you find in two paragraphs.",
    tools=[WebSearchTool()],
)
writer = Agent(name="Writer", instructions="Write a report from the plan and the notes.")

flow = Workflow("Research", start=planner)
notes = flow.each(planner, on="queries", run=searcher, at_most=20, concurrency=5)
flow.then(notes, writer, give=(output_of(planner), output_of(notes)))

if __name__ == "__main__":
    print(Runner.run_sync(flow, " ".join(sys.argv[1:]) or "Do bees sleep?").final_output)
