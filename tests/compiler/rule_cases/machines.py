"""Cases of the rules about what the interpreter relies on: well-formedness and handled outcomes."""

from __future__ import annotations

from tests.compiler.rule_cases.case import Rows

HEAD = """\
chart "c" start a initial initial
agent a "A"
state initial initial
  on started -> s
state done done end
state failed failed end
state blocked blocked end
"""


def lane(phases: str, clauses: str = "") -> str:
    """A state with one lane that walks some phases."""
    return f"phases p\n{phases}\nstate s ending of a\n  invoke x walks p {clauses}"


MODEL = "state s thinking of a\n  invoke m model\n  on failed -> failed\n"


GUARDING = "state s guarding of a\n  invoke g input_guardrail\n  invoke m model\n"


PHASES = """\
phases p
  phase save save keep all when session
  on done to end
  phase end end when hooked
  on done ends passed
state s ending
  invoke e walks p idle passed
"""


ALL_VERDICTS = "final, again, empty, refused, invalid, unknown"


FAULTS: tuple[tuple[str, str], ...] = (
    (HEAD, "state 'initial' has a transition to 's', which does not exist"),
    (HEAD + "state s done\nstate s done", "state 's' is defined twice"),
    (HEAD + 'state s done\nagent a "B"', "agent 'a' is defined twice"),
    (HEAD + "state s done of b", "state 's' belongs to agent 'b', which does not exist"),
    (
        HEAD + "state s ending of a\n  invoke x end\n  invoke x end",
        "invoke in state 's' 'x' is defined twice",
    ),
    (
        HEAD + "state s acting of a\n  offer x agent",
        "invoke 'x' must name a sub-chart if it is of kind 'agent', and only then",
    ),
    (
        HEAD + "state s acting of a\n  offer x function runs c",
        "invoke 'x' must name a sub-chart if it is of kind 'agent', and only then",
    ),
    (
        HEAD + "state s acting of a\n  offer x agent runs d",
        "invoke 'x' runs the sub-chart 'd', which does not exist",
    ),
    (
        HEAD + 'state s done\nagent b "B"\n  tool x "x" agent runs d',
        "tool 'x' of agent 'b' runs the sub-chart 'd', which does not exist",
    ),
    (
        HEAD + 'state s done\nagent b "B"\n  handoff h "h" -> z "Z"',
        "handoff 'h' of agent 'b' leads to agent 'z', which does not exist",
    ),
    (
        HEAD + "state s handoff of a\n  on replied when requests -> done",
        "state 's' has a guard 'requests' that does not name one handoff",
    ),
    (
        'chart "c" start b initial i\nagent a "A"\nstate i done',
        "the start agent 'b' does not exist",
    ),
    (
        'chart "c" start a initial i starts b\nagent a "A"\nstate i done',
        "the start agent 'b' does not exist",
    ),
    (
        'chart "c" start a initial j\nagent a "A"\nstate i done',
        "the initial state 'j' does not exist",
    ),
    (
        HEAD.replace("initial initial", "initial initial starts b", 1) + "state s done end\n"
        'agent b "B"',
        "runs start with agent 'b', but state 'b.thinking' does not exist",
    ),
    (
        HEAD.replace("initial initial", "initial initial multi_turn", 1) + "state s over of a\n"
        "  on done -> done",
        "runs start with agent 'a', but state 'a.thinking' does not exist",
    ),
    (
        HEAD + "state s over\n  on done -> t\nstate t over\n  on done -> s",
        "a step could go round forever among s, t: none of them has to do any work",
    ),
    (
        HEAD + "state s done\nrows\n  on failed -> lost",
        "the machine has a transition to 'lost', which does",
    ),
    (HEAD + "state s done\n  on done -> done arrives b", "to agent 'b', which does not exist"),
    (
        HEAD + lane("  phase a model\n  on replied to b"),
        "moves to 'b', but the lane has no such",
    ),
    (HEAD + lane("  phase a model\n  on done"), "moves on 'done', but cannot end with"),
    (HEAD + lane("  phase a model\n  on failed"), "moves on 'failed', but that event leaves"),
    (
        HEAD + lane("  phase a hold\n  on awaiting"),
        "moves on 'awaiting', but that event leaves",
    ),
    (HEAD + lane("  phase a model\n  on replied ends failed"), "ends the lane with 'failed'"),
    (HEAD + lane("  phase a end\n  phase a end"), "has two phases with the same name"),
    (HEAD + lane(""), "invoke 'x' has no phases"),
    (HEAD + lane("  phase a save"), "must have 'keep' if it is of kind 'save', and only then"),
    (
        HEAD + lane("  phase a end keep all"),
        "must have 'keep' if it is of kind 'save', and only",
    ),
    (HEAD + lane("  phase a missing when hooked"), "makes a call, so it cannot have a guard"),
    (HEAD + lane("  phase a model", "tries 1"), "has tries, but none of its phases has a move"),
    (HEAD + lane("  phase a model", "places 1"), "has places, but no group that shares them"),
    (
        HEAD + "state s acting\n  offer x missing group g places 1\n"
        "  offer y missing group g places 2",
        "state 's' gives group 'g' two different numbers of places",
    ),
    (
        HEAD + lane("  phase a model\n  on retry to a", "tries 1") + "\n  invoke y walks p tries 1",
        "state 's' has two lanes with tries; only one lane of a state may have them",
    ),
)
WELL_FORMED = {
    "a state that is there": HEAD + "state s done end",
    "two invokes with names of their own": (
        HEAD + "state s ending of a\n  invoke x end\n  invoke y end\n"
        "  on done -> done\n  on failed -> failed"
    ),
    "a handoff to an agent that is there": (
        HEAD + 'state s done end\nagent b "B"\n  handoff h "h" -> a "A"'
    ),
    "several starts that are there": (
        HEAD.replace("initial initial", "initial initial starts b", 1) + "state s done end\n"
        'agent b "B"\nstate b.thinking thinking of b\n  on replied -> done\n  on failed -> failed\n'
    ),
    "a circle of steps with work in it": (
        HEAD + "state s ending of a\n  invoke x end\n  on done -> t\n  on failed -> failed\n"
        "state t over of a\n  on done -> s"
    ),
    "a lane that goes from phase to phase": (
        HEAD + lane("  phase a save keep all\n  on done to b\n  phase b end\n  on done ends done")
    ),
}
MALFORMED_CHART: Rows = {
    **{f"{number}: {fault}": (text, [fault]) for number, (text, fault) in enumerate(FAULTS)},
    **{name: (text, []) for name, text in WELL_FORMED.items()},
}

STATES: dict[str, tuple[str, list[str]]] = {
    "no transition": (MODEL, ["replied"]),
    "one that always holds": (MODEL + "  on replied -> s", []),
    "only transitions with guards": (
        MODEL + "  on replied when calls -> s\n  on replied when spent -> s",
        ["replied"],
    ),
    "one verdict of six": (MODEL + "  on replied when verdict final -> s", ["replied"]),
    "every verdict": (MODEL + f"  on replied when verdict {ALL_VERDICTS} -> s", []),
    "every verdict, in two transitions": (
        MODEL + "  on replied when verdict final -> s\n"
        "  on replied when verdict again, empty, refused, invalid, unknown -> done",
        [],
    ),
    # The guardrail's outcome waits for the reply, and with it the state sees the reply.
    "a guardrail beside the model": (
        GUARDING + "  on replied -> done\n  on tripped -> blocked\n  on failed -> failed",
        [],
    ),
    "a guardrail that may trip": (
        GUARDING + "  on replied -> done\n  on failed -> failed",
        ["tripped"],
    ),
    "guardrails first, and no transition": (
        "state s screening of a\n  invoke g input_guardrail",
        ["failed", "passed", "tripped"],
    ),
    "saving may fail": ("state s ending of a\n  invoke e end\n  on done -> done", ["failed"]),
    "a person may decline": (
        "state s deciding of a\n  invoke d decide\n  on accepted -> s\n  on failed -> s",
        ["declined"],
    ),
    "a call, and no transition": (
        "state s acting of a\n  offer f function",
        ["awaiting", "failed", "returned"],
    ),
    "a call that may go on": (
        "state s acting of a\n  offer f function\n  on returned when stops -> s\n"
        "  on awaiting -> s\n  on failed -> s",
        ["returned"],
    ),
    "a rest, and no transition": ("state s suspended wait", ["resumed"]),
    "a rest that goes on": ("state s suspended wait\n  on resumed -> s", []),
    "a rest that goes back": ("state s suspended wait\n  on resumed -> back", []),
    "an end": ("state s done end", []),
    "an agent that is over, and no transition": ("state s over of a", ["done"]),
    "an agent that is over": ("state s over of a\n  on done -> done", []),
    # What holds in every state is handled in each.
    "what holds in every state": (
        "rows\n  on failed -> failed\nstate s ending\n  invoke e end\n  on done -> done",
        [],
    ),
    "a lane that may pass": (PHASES + "  on done -> done\n  on failed -> failed", ["passed"]),
    "a lane whose ends are all handled": (
        PHASES + "  on done -> done\n  on failed -> failed\n  on passed -> done",
        [],
    ),
}
UNHANDLED_OUTCOME: Rows = {
    name: (HEAD + state, [f" on '{event}'" for event in events])
    for name, (state, events) in STATES.items()
}
UNHANDLED_OUTCOME |= {
    "a run may start": (HEAD + "state s done end", []),
    "a run may not start, by a guard": (
        HEAD.replace("on started", "on started when spent") + "state s done end",
        [" on 'started'"],
    ),
}

CASES: dict[str, Rows] = {"AG200": MALFORMED_CHART, "AG205": UNHANDLED_OUTCOME}
