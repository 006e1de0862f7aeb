"""Workflows of the shapes that people write, in any size, for tests of drawings."""

from __future__ import annotations

from collections.abc import Callable

from agentgraph_compiler.ir.chart import Agent, Chart
from tests.compiler.workflows import agent_tool, chart, function, subchart, to


def _agent(number: int, *targets: int) -> Agent:
    id = f"a{number}"
    handoffs = tuple(to(id, f"a{target}", f"Agent {target}") for target in targets)
    return Agent(id, f"Agent {number}", tools=(function(id, "look_up"),), handoffs=handoffs)


def chain(size: int) -> Chart:
    """Each agent hands over to the next."""
    return chart(*(_agent(n, *((n + 1,) if n + 1 < size else ())) for n in range(size)))


def ring(size: int) -> Chart:
    """Each agent hands over to the next, and the last to the first."""
    return chart(*(_agent(n, (n + 1) % size) for n in range(size)))


def star(size: int) -> Chart:
    """A triage and specialists that hand back."""
    return chart(_agent(0, *range(1, size)), *(_agent(n, 0) for n in range(1, size)))


def tree(size: int) -> Chart:
    """Teams below a triage: every agent hands over to seven others, which hand back."""
    below = {n: range(7 * n + 1, min(7 * n + 8, size)) for n in range(size)}
    return chart(*(_agent(n, *below[n], *(((n - 1) // 7,) if n else ())) for n in range(size)))


def ladder(size: int) -> Chart:
    """A chain with back edges: each agent hands over to the next, and back to the first two."""
    return chart(
        *(_agent(n, *((n + 1,) if n + 1 < size else ()), *range(min(n, 2))) for n in range(size))
    )


def mesh(size: int) -> Chart:
    """Everyone hands over to everyone."""
    return chart(*(_agent(n, *(m for m in range(size) if m != n)) for n in range(size)))


def nested(size: int) -> Chart:
    """Each agent uses the next as a tool."""
    agents = [
        Agent(
            f"a{n}",
            f"Agent {n}",
            tools=(agent_tool(f"a{n}", "ask", f"a{n + 1}"),) if n + 1 < size else (),
        )
        for n in range(size)
    ]
    charts = tuple(subchart(agent.id, agent) for agent in agents[1:])
    return chart(agents[0], charts=charts)


def experts(size: int) -> Chart:
    """One agent uses all others as tools."""
    tools = tuple(agent_tool("a0", f"ask_{n}", f"a{n}") for n in range(1, size))
    charts = tuple(subchart(f"a{n}", Agent(f"a{n}", f"Agent {n}")) for n in range(1, size))
    return chart(Agent("a0", "Agent 0", tools=tools), charts=charts)


SHAPES: tuple[Callable[[int], Chart], ...] = (chain, ring, star, tree, ladder, nested, experts)
