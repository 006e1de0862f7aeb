"""Instructions tell an agent to hand over, but it has no handoff or tool that does.

## What it does

Reads the instructions of each agent for orders such as *transfer back to the triage agent*, *hand
off to billing specialists* or *escalate to a human*, and looks for a handoff or a tool that could
carry the order out: by its name, its target or its description. It passes over what is denied and
what the user may ask for. An agent whose tools only a run lists may have one that fits, and an
agent with an output type may leave the choice to code, except that of a way back.

## Why is this bad?

The model cannot do what it is told. It claims to transfer the user and stays, or it answers what
another agent should. Nothing fails, so only a reader of the conversation notices.

## Example

```python
from agentgraph import Agent

faq = Agent(
    name="FAQ",
    handoff_description="Answers common questions",
    instructions="Answer from the FAQ. If you cannot, transfer back to the triage agent.",
)
triage = Agent(name="Triage", handoffs=[faq])
```

## Use instead

```python
from agentgraph import Agent

faq = Agent(
    name="FAQ",
    handoff_description="Answers common questions",
    instructions="Answer from the FAQ. If you cannot, transfer back to the triage agent.",
)
triage = Agent(name="Triage", handoffs=[faq])
faq.handoffs = [triage]
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.instructions import Handover, handovers
from agentgraph_compiler.analysis.wording import significant, stems
from agentgraph_compiler.diagnostics import Diagnostic, Fix, NewHandoff, Note, Rule, Severity
from agentgraph_compiler.ir.chart import Agent, Chart, Enabled, Handoff, Tool, is_allowed
from agentgraph_compiler.ir.obedience import callable_handoffs
from agentgraph_compiler.options import Option
from agentgraph_compiler.types import TEXT

RULE = Rule(
    "AG210",
    "promised-handover-missing",
    Severity.WARNING,
    "Instructions tell an agent to hand over, but it has no handoff or tool that does.",
)
IGNORED = Option(
    RULE,
    "ignore-targets",
    (),
    "Whom an order may name although no handoff leads there, as in `transfer to the front desk`.",
)
VERBS = Option(
    RULE,
    "verbs",
    (),
    "Further words that order a handover before `to`, such as `loop` in `loop over to Billing`.",
)
_HANDS_OVER: Final = re.compile(
    r"escalat|transfer|hand_?(off|over)|rout(e|ing)|delegat|forward|redir"
)
_SHORTEST: Final = 4
"""The fewest letters of a stem that may stand for a longer one."""
_REACHES_PEOPLE: Final = re.compile(
    "human|ticket|notif|contact|alert|support|mail|send|message|slack|call|page|approv|request"
    "|ask|report|file|submit|open|create|flag|log|assign|schedul|book"
)


class Missing(NamedTuple):
    """An order that an agent cannot follow.

    Args:
        chart: The chart of the agent.
        agent: The agent.
        order: The order.
        fix: The handoff back that it promises, if that is clear.
    """

    chart: Chart
    agent: Agent
    order: Handover
    fix: Fix | None

    @property
    def is_way_back(self) -> bool:
        """Whether the order is to hand back."""
        return self.order.is_return or self.fix is not None


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Report the orders that agents cannot follow."""
    return (_finding(one.agent, one.order, one.fix) for one in missing(analysis))


def missing(analysis: Analysis) -> Iterator[Missing]:
    """Find orders that an agent cannot follow, in time linear in instructions and offers."""
    reported: set[tuple[str, object, str]] = set()
    ignored = {significant(words) for words in IGNORED.of(analysis.options)}
    verbs = VERBS.of(analysis.options)
    for part in analysis.chart.walk():
        sources: dict[str, list[Agent]] = {}
        for source in part.agents:
            for row in callable_handoffs(source):
                sources.setdefault(row.target, []).append(source)
        for agent in part.agents:
            if not agent.instructions or is_allowed(RULE, agent):
                continue
            orders = {
                order.target.lower(): order
                for order in handovers(agent.instructions, verbs)
                if order.is_return or agent.output == TEXT
                if significant(order.target) not in ignored
            }
            offers = _Offers(analysis.chart, agent) if orders else None
            for words, order in orders.items():
                key = agent.name, agent.origin, words
                if offers is not None and key not in reported and not offers.carry_out(order):
                    reported.add(key)
                    yield Missing(part, agent, order, _way_back(agent, order, sources))


class _Offers:
    """The tools and handoffs that an agent's model can call."""

    def __init__(self, chart: Chart, agent: Agent) -> None:
        tools = [row for row in agent.tools if row.enabled is not Enabled.NEVER]
        handoffs = [row for row in agent.handoffs if row.enabled is not Enabled.NEVER]
        servers = any(row.server or "mcp" in row.name for row in tools)
        self.is_open = servers or agent.choice.hosted
        inner = [chart.subchart[row.machine] for row in tools if row.machine in chart.subchart]
        agents = [one.agent[one.start].name for one in inner] + [run.name for run in agent.inner]
        self.has_agents = bool(handoffs or agents)
        words = stems(" ".join((*agents, *(row.target_name for row in handoffs))))
        self.words = words.union(*map(_stems_of_tool, tools), *map(_stems_of_handoff, handoffs))
        # The usual names of handoffs all begin with "transfer", wherever they lead.
        returning = [row for row in tools if row.handoff]
        self.names = [row.name for row in tools if not row.handoff]
        self.names += [
            name
            for name in (*(row.name for row in handoffs), *(row.name for row in returning))
            if not name.startswith("transfer_to_")
        ]

    def carry_out(self, order: Handover) -> bool:
        """Whether one of them may be what an order means."""
        meant = significant(order.target)
        if self.is_open or (self.has_agents and not meant):
            return True
        if any(_are_alike(one, other) for one in meant for other in self.words):
            return True
        if any(map(_HANDS_OVER.search, self.names)):
            return True
        return order.is_person and any(map(_REACHES_PEOPLE.search, self.names))


def _are_alike(stem: str, other: str) -> bool:
    """Whether two stems may mean the same: the maths agent is called "Mathematician"."""
    if len(stem) < _SHORTEST or len(other) < _SHORTEST:
        return stem == other
    return stem.startswith(other) or other.startswith(stem)


def _stems_of_tool(tool: Tool) -> frozenset[str]:
    return stems(f"{tool.name} {tool.description or ''}")


def _stems_of_handoff(handoff: Handoff) -> frozenset[str]:
    return stems(f"{handoff.name.removeprefix('transfer_to_')} {handoff.description or ''}")


def _way_back(agent: Agent, order: Handover, sources: Mapping[str, Sequence[Agent]]) -> Fix | None:
    """The handoff that an order promises, if one of the agents that hand over to this one is
    meant."""
    meant = significant(order.target)
    candidates = [
        source
        for source in sources.get(agent.id, ())
        if (significant(source.name) == meant if meant else order.is_return)
    ]
    if len(candidates) != 1 or candidates[0] is agent:
        return None
    (target,) = candidates
    change = NewHandoff(agent.origin, agent.name, target.origin, target.name)
    return Fix(f"add '{target.name}' to the handoffs of '{agent.name}'", (change,))


def _finding(agent: Agent, order: Handover, fix: Fix | None) -> Diagnostic:
    names = [f"'{row.name}'" for row in agent.tools]
    names += [f"'{row.name}'" for row in agent.handoffs]
    listed = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
    return Diagnostic(
        RULE,
        f"the instructions of agent '{agent.name}' tell it to hand over to '{order.target}', but it"
        " has no such handoff or tool",
        agent.origin,
        notes=(
            Note(f"they say: {_shortened(order.sentence)}"),
            Note(f"it has {listed}" if names else "it has no handoffs and no tools"),
        ),
        help="add the agent that is meant to its handoffs, or take the sentence out",
        fix=fix,
    )


def _shortened(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:119]}…"
