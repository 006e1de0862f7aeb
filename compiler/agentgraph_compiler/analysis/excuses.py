"""Why tests do not owe what a run can do, or cannot."""

from __future__ import annotations

from agentgraph_compiler.machine import Premise

UNREACHED = "no run can get there"
DISABLED = "it is disabled"
HOSTED = "it runs at the model's side"
OUTSIDE = "its target is outside this workflow"
FAULT = "only a fault, a tripped guardrail or the turn limit leads there"
CUT_SHORT = "it cuts a run short, wherever the run is"
RESUMED = "it is the way back of a run that is resumed"
SESSION = "only runs with a session get there"
NO_FAULT_OWED = "a failure is noted, not owed"
OWED_AS_EDGE = "it is owed as an edge"
SPENT_BUDGET = "a spent budget is noted, not owed"
AFTER_BUDGET = "only a run that spends its budget gets there"
NEVER_TRIPS = "it never trips"
NEVER_WAITS = "none of the tools waits for a decision"
NEVER_AGAIN = "without a hosted tool or a structured output, each reply is a call or the answer"
ENOUGH = "no run makes so many turns"
SINGLE = "its replies have one call only"
PREMISES = {
    Premise.CHOICE: "only a model that disregards its tool choice gets there",
    Premise.FIRST_CHOICE: "only a model that disregards its tool choice gets there",
    Premise.OFFER: "only a model that calls what is not on offer gets there",
    Premise.SCHEMA: "only a model that disregards its schema gets there",
}
