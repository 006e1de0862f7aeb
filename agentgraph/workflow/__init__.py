"""`Workflow`: the agent that a run starts with, and a closed set of agents or edges between steps.

A case of a route is data (values, intervals, classes), never a condition in code, so that the
compiler sees gaps before a run (docs/workflows.md). Read `declared.py` first, then `workflow.py`.
"""

from __future__ import annotations

from agentgraph.workflow.branches import Branches, all_of, first_of, quorum
from agentgraph.workflow.keys import Interval, at_least, below, between
from agentgraph.workflow.outputs import output_of
from agentgraph.workflow.questions import QuestionStep
from agentgraph.workflow.routes import Route
from agentgraph.workflow.steps import End
from agentgraph.workflow.workflow import Source, Step, Workflow

__all__ = [
    "Branches",
    "End",
    "Interval",
    "QuestionStep",
    "Route",
    "Source",
    "Step",
    "Workflow",
    "all_of",
    "at_least",
    "below",
    "between",
    "first_of",
    "output_of",
    "quorum",
]
