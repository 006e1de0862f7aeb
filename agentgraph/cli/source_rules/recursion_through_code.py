"""A tool whose code runs an agent that has this tool.

## What it does

Follows `Runner.run` in the code of tools and guardrails to the agent that it runs, and from there
along handoffs, agents as tools and the code of other tools. It reports a tool that leads back to
itself, and a guardrail whose code runs an agent that it guards.

## Why is this bad?

`max_turns` bounds one run, not the runs inside it. The model of each run may call the tool again,
so the runs nest until something breaks, and each level costs tokens. A guardrail that runs its own
agent nests on every run.

## Example

```python
from agentgraph import Agent, Runner, function_tool


@function_tool
async def research(topic: str) -> str:
    "Look into a topic."
    result = await Runner.run(researcher, topic)
    return str(result.final_output)


researcher = Agent(name="Researcher", tools=[research])
```

## Use instead

```python
from agentgraph import Agent, Runner, function_tool


@function_tool
async def research(topic: str) -> str:
    "Look into a topic."
    result = await Runner.run(reader, topic)
    return str(result.final_output)


reader = Agent(name="Reader")
researcher = Agent(name="Researcher", tools=[research])
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from agentgraph.agent import Agent
from agentgraph.cli.source_rules.project import Project, is_allowed
from agentgraph.frontend.inner_agents import inner_runs
from agentgraph.frontend.lower_tools import agent_of
from agentgraph.frontend.origins import origin_of
from agentgraph.frontend.targets import target_of
from agentgraph_compiler.diagnostics import UNKNOWN, Diagnostic, Note, Rule, Severity

RULE = Rule(
    "AG914",
    "recursion-through-code",
    Severity.WARNING,
    "A tool whose code runs an agent that has this tool.",
)

_Agents: TypeAlias = tuple[Agent[Any], ...]


def check(project: Project) -> Iterator[Diagnostic]:
    """Find the tools and guardrails of the agents of a file."""
    seen: set[int] = set()
    reading = _Reading()
    for agent in project.agents():
        for tool in agent.tools:
            if id(tool) not in seen and not is_allowed(RULE, agent, tool):
                seen.add(id(tool))
                way = reading.way_back(tool)
                if way:
                    yield _finding(f"tool '{getattr(tool, 'name', tool)}'", agent, tool, way)
        for guardrail in agent.input_guardrails:
            if id(guardrail) not in seen and not is_allowed(RULE, agent, guardrail):
                seen.add(id(guardrail))
                for run in reading.runs(guardrail):
                    if _has(run.input_guardrails, guardrail):
                        name = f"guardrail '{guardrail.get_name()}'"
                        yield _finding(name, agent, guardrail, (run,))


def _has(parts: list[Any], part: object) -> bool:
    return any(one is part for one in parts)


class _Reading:
    """Where the runs of agents lead, read once for each part."""

    def __init__(self) -> None:
        self._runs: dict[int, _Agents] = {}

    def runs(self, part: object) -> _Agents:
        """The agents that the code of a tool or a guardrail runs."""
        if id(part) not in self._runs:
            code = [
                getattr(part, name, None)
                for name in ("_function", "on_invoke_tool", "guardrail_function")
            ]
            function = next((one for one in code if one is not None), None)
            runs = () if function is None else inner_runs(function)
            self._runs[id(part)] = tuple(run.agent for run in runs if run.agent is not None)
        return self._runs[id(part)]

    def way_back(self, tool: object) -> _Agents:
        """A shortest way from the code of a tool to an agent that has it; empty if there is
        none."""
        ways: list[_Agents] = [(agent,) for agent in self.runs(tool)]
        seen = {id(way[0]) for way in ways}
        for way in ways:  # the list grows on the way
            if _has(way[-1].tools, tool):
                return way
            for agent in self._next(way[-1]):
                if id(agent) not in seen:
                    seen.add(id(agent))
                    ways.append((*way, agent))
        return ()

    def _next(self, agent: Agent[Any]) -> Iterator[Agent[Any]]:
        for entry in agent.handoffs:
            if (target := target_of(entry)) is not None and _is_on_offer(entry):
                yield target
        for tool in filter(_is_on_offer, agent.tools):
            if (inner := agent_of(tool)) is not None:
                yield inner
            else:
                yield from self.runs(tool)


def _is_on_offer(part: object) -> bool:
    return getattr(part, "is_enabled", True) is not False


def _finding(what: str, agent: Agent[Any], part: object, way: _Agents) -> Diagnostic:
    names = " → ".join(f"'{one.name}'" for one in way)
    ends = "which has it" if len(way) == 1 else "and the last has it"
    origin = origin_of(part)
    if origin == UNKNOWN:
        origin = origin_of(agent)
    return Diagnostic(
        RULE,
        f"the code of {what} runs agent {names}, {ends}: runs nest without end",
        origin,
        notes=tuple(Note(f"agent '{one.name}' is made here", origin_of(one)) for one in way),
        help="run an agent without it, such as a clone with other tools",
    )
