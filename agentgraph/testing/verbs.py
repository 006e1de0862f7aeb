"""The verbs in the names of the rules of a state machine (`agentgraph.testing.stateful`)."""

from __future__ import annotations

from collections.abc import Mapping

from agentgraph.testing.routes import Decider, Kind

__all__ = ["OTHERS", "RETURNING", "VERBS"]

VERBS: Mapping[Kind, str] = {
    "answer": "answers", "call": "calls", "handoff": "calls", "refuse": "refuses",
    "unknown_tool": "calls_an_unknown_tool", "malformed": "writes_no_json",
    "wrong_types": "writes_wrong_types", "reused_id": "reuses_an_id", "empty": "says_nothing",
    "cut": "breaks_off", "raise": "fails", "slow": "takes_time",
}  # fmt: skip
OTHERS: Mapping[Decider, Mapping[Kind, str]] = {
    "tool": {"return": "returns", "raise": "fails", "time_out": "runs_out_of_time"},
    "guardrail": {"pass": "passes", "reject": "rejects", "trip": "trips", "raise": "fails"},
    "person": {
        "approve": "approves",
        "reject": "rejects",
        "return": "answers",
        "leave": "leaves",
    },
    "function": {"no": "says_no", "yes": "says_yes", "return": "returns", "raise": "fails"},
}  # fmt: skip
RETURNING: tuple[Decider, ...] = ("tool", "function", "person")
