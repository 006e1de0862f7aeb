"""Charts that the compiler tests share, built by hand as a front end would lower them."""

from __future__ import annotations

from typing import Any

from agentgraph_compiler.diagnostics import Origin
from agentgraph_compiler.ir.builder import build
from agentgraph_compiler.ir.chart import (
    Agent,
    Chart,
    Choice,
    ChoiceKind,
    Enabled,
    Guardrail,
    Handoff,
    Stop,
    StopKind,
    Tool,
)
from agentgraph_compiler.machine import WorkKind
from agentgraph_compiler.types import Type

FILE = "support.py"
ALWAYS_CALLS = Choice(ChoiceKind.SOME, resets=False)
"""The tool choice of an agent whose model must always call something."""


def at(line: int) -> Origin:
    return Origin(FILE, line)


def to(source: str, target: str, name: str = "", *, line: int = 0, **fields: object) -> Handoff:
    """A handoff from one agent to another, named as the SDK names it by default."""
    name = name or target
    tool = f"transfer_to_{name.lower().replace(' ', '_')}"
    return Handoff(f"{source}/handoff/{tool}", tool, target, name, origin=at(line), **fields)  # type: ignore[arg-type]


def function(agent: str, name: str, *, line: int = 0, **fields: object) -> Tool:
    """A function tool of an agent."""
    symbol = f"{agent}/tool/{name}"
    return Tool(symbol, name, WorkKind.FUNCTION, origin=at(line), **fields)  # type: ignore[arg-type]


def agent_tool(agent: str, name: str, machine: str, *, line: int = 0, **fields: object) -> Tool:
    """An agent used as a tool."""
    symbol = f"{agent}/tool/{name}"
    return Tool(symbol, name, WorkKind.AGENT, machine=machine, origin=at(line), **fields)  # type: ignore[arg-type]


def guardrail(agent: str, name: str, *, line: int = 0, **fields: object) -> Guardrail:
    """A guardrail of an agent."""
    return Guardrail(f"{agent}/{name}", name, origin=at(line), **fields)  # type: ignore[arg-type]


def chart(*agents: Agent, charts: tuple[Chart, ...] = (), declared: bool = False) -> Chart:
    """A workflow that starts with the first agent."""
    return build("Workflow", agents[0].id, agents, declared=declared, charts=charts, origin=at(1))


def subchart(name: str, *agents: Agent) -> Chart:
    """What an agent used as a tool runs; it starts with the first agent."""
    return build(name, agents[0].id, agents)


def with_tools(*tools: Tool, **fields: object) -> Chart:
    """A workflow of one agent with tools."""
    return chart(Agent("a", "A", tools=tools, **fields))  # type: ignore[arg-type]


def looping(id: str, *targets: str, **fields: object) -> Agent:
    """An agent whose model must always call something."""
    fields.setdefault("handoffs", tuple(to(id, target) for target in targets))
    return Agent(id, id.upper(), choice=ALWAYS_CALLS, **fields)  # type: ignore[arg-type]


def guarded(id: str, *targets: str, kind: str = "input", **fields: object) -> Agent:
    """An agent with a guardrail of one kind."""
    return Agent(
        id,
        id.upper(),
        handoffs=tuple(to(id, target) for target in targets),
        **{f"{kind}_guardrails": (guardrail(id, "careful"),)},  # type: ignore[arg-type]
        **fields,  # type: ignore[arg-type]
    )


def asks(id: str, *machines: str, **fields: Any) -> Agent:
    """An agent that runs other agents as its tools."""
    tools = tuple(agent_tool(id, f"ask_{machine}", machine, **fields) for machine in machines)
    return Agent(id, id.upper(), tools=tools)


def used(*agents: Agent) -> tuple[Chart, ...]:
    return (subchart("s", *agents),)


def support_desk() -> Chart:
    """Eight agents with back edges, guardrails, tools of every kind and an agent used as a tool."""
    context = Type("app.Customer", ("app.Person",))
    specialists = {
        "orders": "Orders",
        "refunds": "Refunds",
        "billing": "Billing",
        "technical": "Technical support",
        "shipping": "Shipping",
    }
    triage = Agent(
        "triage",
        "Triage",
        context,
        handoffs=tuple(
            to("triage", key, name, line=30 + index)
            for index, (key, name) in enumerate(specialists.items())
        ),
        input_guardrails=(
            guardrail("triage", "on_topic", line=8),
            guardrail("triage", "no_secrets", line=12, parallel=False),
        ),
        origin=at(30),
    )
    tools: dict[str, tuple[Tool, ...]] = {
        "orders": (function("orders", "find_order", line=3), function("orders", "cancel_order")),
        "refunds": (
            function("refunds", "find_order", line=3),
            agent_tool("refunds", "review_refund", "fraud_desk", line=44),
        ),
        "billing": (Tool("", "web_search", None), function("billing", "invoices", server=True)),
        "technical": (Tool("", "file_search", None),),
        "shipping": (function("shipping", "track", enabled=Enabled.SOMETIMES),),
    }
    stops = {"orders": Stop(StopKind.NAMED, ("cancel_order",)), "shipping": Stop(StopKind.FIRST)}
    agents = [
        Agent(
            key,
            name,
            context,
            tools=tools[key],
            handoffs=(to(key, "triage", "Triage", line=50),),
            output_guardrails=(guardrail(key, "polite", line=20),) if key == "refunds" else (),
            stop=stops.get(key, Stop()),
            origin=at(40 + index),
        )
        for index, (key, name) in enumerate(specialists.items())
    ]
    technical = agents[3]
    agents[3] = Agent(
        technical.id,
        technical.name,
        context,
        tools=technical.tools,
        handoffs=(
            *technical.handoffs,
            to("technical", "human", "Human", line=60, enabled=Enabled.SOMETIMES),
        ),
        unseen=("a function decides on each turn whether the handoff to 'Human' is enabled",),
        origin=technical.origin,
    )
    human = Agent("human", "Human", context, origin=at(70))
    fraud = Agent(
        "fraud_desk", "Fraud desk", tools=(function("fraud_desk", "risk_score", line=80),)
    )
    nested = subchart("fraud_desk", fraud)
    return build(
        "Support desk",
        "triage",
        [triage, *agents, human],
        declared=True,
        charts=(nested,),
        origin=at(90),
    )
