"""The phases that lanes walk: a model call or a call of a tool, with the work around it.

Lanes that walk the same phases share one tuple, however many agents there are. ``agentgraph ir``
prints the phases of a model, and of a function tool without approval and guardrails, so::

    phases save-greet-model-tell
      phase save save keep all when unsaved
      on done to greet
      phase greet greet boundary when arriving
      on done to try
      phase try model boundary
      on replied to tell keeps
      phase tell tell about reply when hooked
      on done ends replied

    phases function-tell
      phase call function about call
      on returned to tell keeps
      phase tell tell about result when hooked
      on done ends returned

A model with retries, and a tool with a predicate for approval and with guardrails::

    phases save-greet-model-wait-tell
      phase save save keep all when unsaved
      on done to greet
      phase greet greet boundary when arriving
      on done to try
      phase try model boundary
      on replied to tell keeps
      on retry to wait keeps
      phase wait wait about result
      on done to try
      phase tell tell about reply when hooked
      on done ends replied

    phases ask-hold-screen-function-judge-tell
      phase ask ask about call
      on passed to screen
      on held to hold
      phase hold hold about call
      on passed to screen
      on rejected ends returned keeps
      phase screen screen about call
      on passed to call
      on rejected ends returned keeps
      phase call function about call
      on returned to judge keeps
      phase judge judge about result withholds
      on passed to tell ends returned
      on rejected to tell ends returned keeps
      phase tell tell about result when hooked
      on done ends returned

A handoff that returns::

    phases handoff-agent
      phase transfer handoff about call
      on done to call
      phase call agent about call
"""

from __future__ import annotations

from functools import cache

from agentgraph_compiler.ir.chart import FUNCTION_TOOLS, Agent, Approval, Tool
from agentgraph_compiler.machine import (
    About,
    Emission,
    Event,
    Guard,
    GuardKind,
    Invoke,
    Keep,
    Move,
    Phase,
    Premise,
    WorkKind,
    plain,
)

HOOKED = Guard(GuardKind.HOOKED)
FUNCTIONS = "functions"
"""The group of function tools; agents used as tools are among them."""
_OUTPUT = (Emission.OUTPUT,)
# A refused call has an output that says so; hooks are not called for it.
_REFUSED = Move(Event.REJECTED, ends=Event.RETURNED, keeps=True)


def model_lane(agent: Agent) -> Invoke:
    """The lane of a model call: it begins a turn."""
    return Invoke(
        f"{agent.id}/model",
        _model(agent.tries > 0),
        tries=agent.tries,
        turn=True,
        digest=agent.digest,
    )


def call_lane(
    tool: Tool, *, places: int, prescreens: bool, against: Premise = Premise.NONE
) -> Invoke:
    """The lane of a call of a tool.

    Args:
        tool: A tool that does not run at the model's side.
        places: How many function tools work at the same time; 0 means no limit.
        prescreens: Whether guardrails check the arguments also before a person decides.
        against: What a model disregards if it calls the tool.
    """
    assert tool.kind is not None
    function = tool.kind in FUNCTION_TOOLS
    if tool.handoff:
        return Invoke(
            tool.symbol,
            _HANDED,
            machine=tool.machine,
            emits=_OUTPUT,
            group=FUNCTIONS if places else "",
            places=places,
            digest=tool.digest,
            against=against,
        )
    group = (FUNCTIONS if places else "") if function else tool.symbol
    phases = _call(
        tool.kind,
        tool.approval,
        screened=function and tool.screened,
        judged=function and tool.judged,
        prescreens=prescreens,
    )
    return Invoke(
        tool.symbol,
        phases,
        machine=tool.machine,
        emits=_OUTPUT,
        stops=function,
        group=group,
        places=places if function else 1,
        digest=tool.digest,
        against=against,
    )


def missing_lane(symbol: str) -> Invoke:
    """The lane of a call of a tool that the agent does not have."""
    return Invoke(symbol, plain(WorkKind.MISSING), emits=_OUTPUT)


@cache
def _model(retries: bool) -> tuple[Phase, ...]:
    unsaved, arriving = Guard(GuardKind.UNSAVED), Guard(GuardKind.ARRIVING)
    replied, again = Move(Event.REPLIED, "tell", keeps=True), Move(Event.RETRY, "wait", keeps=True)
    wait = Phase("wait", WorkKind.WAIT, About.RESULT, moves=(Move(Event.DONE, "try"),))
    return (
        Phase("save", WorkKind.SAVE, when=unsaved, keep=Keep.ALL, moves=(_then("greet"),)),
        Phase("greet", WorkKind.GREET, when=arriving, boundary=True, moves=(_then("try"),)),
        Phase(
            "try",
            WorkKind.MODEL,
            boundary=True,
            moves=(replied, again) if retries else (replied,),
        ),
        *((wait,) if retries else ()),
        _tell(About.REPLY, Event.REPLIED),
    )


@cache
def _call(
    kind: WorkKind, approval: Approval, *, screened: bool, judged: bool, prescreens: bool
) -> tuple[Phase, ...]:
    holds = approval is not Approval.NEVER
    prescreens = holds and screened and prescreens
    after_approval = "screen" if screened else "call"
    returned = Move(Event.RETURNED, "judge" if judged else "tell", keeps=True)
    phases: list[Phase] = []
    if approval is Approval.ASKED:
        moves = (_passed(after_approval), Move(Event.HELD, "prescreen" if prescreens else "hold"))
        phases.append(Phase("ask", WorkKind.ASK, About.CALL, moves=moves))
    if prescreens:
        moves = (_passed("hold"), _REFUSED)
        phases.append(Phase("prescreen", WorkKind.SCREEN, About.CALL, moves=moves))
    if holds:
        moves = (_passed(after_approval), _REFUSED)
        phases.append(Phase("hold", WorkKind.HOLD, About.CALL, moves=moves))
    if screened:
        moves = (_passed("call"), _REFUSED)
        phases.append(Phase("screen", WorkKind.SCREEN, About.CALL, moves=moves))
    phases.append(Phase("call", kind, About.CALL, moves=(returned,)))
    if judged:
        phases.append(_JUDGE)
    return (*phases, _tell(About.RESULT, Event.RETURNED))


def _then(phase: str) -> Move:
    return Move(Event.DONE, phase)


def _passed(phase: str) -> Move:
    return Move(Event.PASSED, phase)


def _tell(about: About, ends: Event) -> Phase:
    return Phase(
        "tell", WorkKind.TELL, about=about, when=HOOKED, moves=(Move(Event.DONE, ends=ends),)
    )


_HANDED = (
    Phase("transfer", WorkKind.HANDOFF, About.CALL, moves=(_then("call"),)),
    *plain(WorkKind.AGENT),
)
_JUDGE = Phase(
    "judge",
    WorkKind.JUDGE,
    About.RESULT,
    withholds=True,
    moves=(
        Move(Event.PASSED, "tell", Event.RETURNED),
        Move(Event.REJECTED, "tell", Event.RETURNED, keeps=True),
    ),
)
