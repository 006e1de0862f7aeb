"""Hypothesis strategies for charts: every field takes any value of its type, sensible or not."""

from __future__ import annotations

from hypothesis import strategies as st

from agentgraph_compiler.diagnostics import Origin
from agentgraph_compiler.ir.chart import (
    Agent,
    Approval,
    Chart,
    Choice,
    ChoiceKind,
    Enabled,
    Guardrail,
    Handoff,
    Inner,
    Reader,
    Stop,
    StopKind,
    Tool,
)
from agentgraph_compiler.ir.steps import Case, Step, StepKind, Values
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
    Rest,
    Source,
    State,
    StateKind,
    Transition,
    WorkKind,
    plain,
)
from agentgraph_compiler.types import Type

KEYWORDS = ("", "digest", "allow", "->", "by", "#", "@", "runs", 'a "b"', "\n", "\u2028", "é", "\\")
words = st.one_of(
    st.from_regex(r"[a-z_/.]{1,6}", fullmatch=True),
    st.sampled_from(KEYWORDS),
    st.text(max_size=6),
)


def few(items: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(items, max_size=2).map(tuple)


origins = st.builds(Origin, file=words, line=st.integers(min_value=0, max_value=10**6))
types = st.builds(Type, name=words, supertypes=few(words), digest=words)
tools = st.builds(
    Tool,
    symbol=words,
    name=words,
    kind=st.none() | st.sampled_from(WorkKind),
    enabled=st.sampled_from(Enabled),
    machine=words,
    turns=st.integers(0, 20),
    digest=words,
    origin=origins,
    allowed=few(words),
    server=st.booleans(),
    remote=st.booleans(),
    acts=st.booleans(),
    approval=st.sampled_from(Approval),
    screened=st.booleans(),
    judged=st.booleans(),
    extracts=st.booleans(),
    derived=st.booleans(),
    handoff=st.booleans(),
    description=st.none() | words,
    returns=types,
)
handoffs = st.builds(
    Handoff,
    symbol=words,
    name=words,
    target=words,
    target_name=words,
    enabled=st.sampled_from(Enabled),
    digest=words,
    origin=origins,
    allowed=few(words),
    filters=st.booleans(),
    acts=st.booleans(),
    derived=st.booleans(),
    description=st.none() | words,
    input=types,
    takes=types,
)
inner_agents = st.builds(Inner, symbol=words, name=words, origin=origins, certain=st.booleans())
guardrails = st.builds(
    Guardrail,
    symbol=words,
    name=words,
    parallel=st.booleans(),
    passes=st.booleans(),
    of_run=st.booleans(),
    origin=origins,
    allowed=few(words),
)
readers = st.builds(
    Reader,
    what=words,
    context=types,
    reads=few(words),
    writes=few(words),
    whole=st.booleans(),
    origin=origins,
    allowed=few(words),
)
stops = st.builds(Stop, kind=st.sampled_from(StopKind), names=few(words), symbol=words)
choices = st.builds(
    Choice,
    kind=st.sampled_from(ChoiceKind),
    names=few(words),
    resets=st.booleans(),
    hosted=st.booleans(),
)
agents = st.builds(
    Agent,
    id=words,
    name=words,
    context=types,
    members=few(words),
    output=types,
    schema=words,
    not_strict=words,
    tools=few(tools),
    handoffs=few(handoffs),
    input_guardrails=few(guardrails),
    output_guardrails=few(guardrails),
    stop=stops,
    choice=choices,
    digest=words,
    unseen=few(words),
    origin=origins,
    allowed=few(words),
    tries=st.integers(0, 3),
    inner=few(inner_agents),
    readers=few(readers),
    instructions=st.none() | words,
    single_call=st.booleans(),
    identity=st.integers(0, 9),
)
guards = st.builds(Guard, kind=st.sampled_from(GuardKind), names=few(words))
moves = st.builds(
    Move,
    event=st.sampled_from(Event),
    to=words,
    ends=st.none() | st.sampled_from(Event),
    keeps=st.booleans(),
)
phases = st.builds(
    Phase,
    name=words,
    kind=st.sampled_from(WorkKind),
    about=st.sampled_from(About),
    when=guards,
    boundary=st.booleans(),
    withholds=st.booleans(),
    keep=st.none() | st.sampled_from(Keep),
    moves=few(moves),
)
invokes = st.builds(
    Invoke,
    symbol=words,
    phases=few(phases) | st.sampled_from(WorkKind).map(plain),
    machine=words,
    emits=few(st.sampled_from(Emission)),
    stops=st.booleans(),
    group=words,
    places=st.integers(0, 3),
    tries=st.integers(0, 3),
    turn=st.booleans(),
    idle=st.sampled_from(Event),
    digest=words,
    against=st.sampled_from(Premise),
)
transitions = st.builds(
    Transition,
    event=st.sampled_from(Event),
    target=words,
    guard=guards,
    emits=few(st.sampled_from(Emission)),
    output=st.sampled_from(Source),
    cause=st.booleans(),
    arrives=words,
    keeps=st.booleans(),
    against=st.sampled_from(Premise),
    visits=st.booleans(),
    counts=words,
    resets=few(words),
)
ends = st.none() | st.integers()
ranges = st.builds(
    Values,
    single=few(words),
    ranged=st.just(True),
    least=ends,
    most=ends,
    open=st.booleans(),
)
values = ranges | st.builds(Values, single=few(words), open=st.booleans())
cases = st.builds(
    Case,
    label=words,
    target=words,
    takes=st.none() | values,
    at_most=st.integers(min_value=0, max_value=99),
    exhausted=words,
    gives=few(words),
    carries=st.booleans(),
    unread=few(words),
    fields=st.booleans(),
)
of_routes = st.fixed_dictionaries(
    {"on": words, "reads": words, "domain": values, "fault": words}
) | st.just({})
steps = of_routes.flatmap(
    lambda route: st.builds(
        Step,
        id=words,
        name=words,
        kind=st.sampled_from(StepKind),
        agents=few(words),
        output=types,
        cases=few(cases),
        origin=origins,
        ends=st.booleans(),
        digest=words,
        takes=few(types),
        allowed=few(words),
        asks=words,
        **{name: st.just(value) for name, value in route.items()},
    )
)
states = st.builds(
    State,
    id=words,
    kind=st.sampled_from(StateKind),
    agent=words,
    invokes=few(invokes),
    offers=few(invokes),
    transitions=few(transitions),
    rest=st.sampled_from(Rest),
)


def charts(subcharts: bool = True) -> st.SearchStrategy[Chart]:
    """Charts with every field filled from its strategy; sub-charts are flat."""
    return st.builds(
        Chart,
        name=words,
        start=words,
        initial=words,
        agents=few(agents),
        states=few(states),
        rows=few(transitions),
        starts=few(words),
        multi_turn=st.booleans(),
        declared=st.booleans(),
        charts=few(charts(subcharts=False)) if subcharts else st.just(()),
        origin=origins,
        steps=few(steps),
        output_guardrails=few(guardrails),
    )
