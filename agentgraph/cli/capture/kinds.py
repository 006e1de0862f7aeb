"""Which objects of a file are agents or workflows.

Objects of other libraries count if they have the attributes of an agent with the right types. Many
objects answer to every name, such as a pymongo database or a tab of Streamlit; those do not count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any, Final

from typing_extensions import TypeIs

from agentgraph.agent import Agent
from agentgraph.frontend.discover import is_agent
from agentgraph.frontend.lower_tools import agent_of
from agentgraph.frontend.step_reading import parts_of_steps
from agentgraph.frontend.targets import target_of
from agentgraph.program import Program
from agentgraph.workflow import Source, Workflow

__all__ = ["agents_led_to", "as_source", "is_workflow_source", "members_of", "sources_in"]

_DEPTH: Final = 4
"""How deep agents may lie in lists and dicts of lists and dicts."""
_MEMBERS: Final = 1000
"""The most elements of one list or dict to look at."""


def as_source(value: object) -> Source | None:
    """The agent or workflow that an object is, or that a program is made of; else ``None``."""
    if isinstance(value, Program):
        return value.source
    if isinstance(value, Agent | Workflow):
        return value
    if isinstance(value, type) or type(value).__module__ == "builtins":
        return None
    try:
        return value if _has_the_shape_of_a_source(value) else None
    except Exception:  # noqa: BLE001 - an attribute of a foreign object may raise anything
        return None


def is_workflow_source(source: Source) -> TypeIs[Workflow]:
    """Whether an agent or workflow is a workflow."""
    return not hasattr(source, "handoffs")


def sources_in(namespace: Mapping[str, Any]) -> Iterator[tuple[str, Source]]:
    """The agents and workflows of a namespace, each under its first name: `desk`, `team['billing']`
    for one in a dict."""
    seen: set[int] = set()
    for name, value in namespace.items():
        if name.startswith("__"):
            continue
        for place, member in members_of(value, name):
            source = as_source(member)
            if source is not None and id(source) not in seen:
                seen.add(id(source))
                yield place, source


def members_of(value: object, place: str, depth: int = _DEPTH) -> Iterator[tuple[str, object]]:
    """An object, or the elements of a list or dict and of those in it, with their places."""
    match value:
        case dict() if depth:
            pairs = [(f"{place}[{key!r}]", one) for key, one in [*value.items()][:_MEMBERS]]
        case list() | tuple() if depth:
            pairs = [(f"{place}[{n}]", one) for n, one in enumerate(value[:_MEMBERS])]
        case Set() if depth and type(value).__module__ == "builtins":
            pairs = [(place, one) for one in [*value][:_MEMBERS]]
        case _:
            yield place, value
            return
    for inner, member in pairs:
        yield from members_of(member, inner, depth - 1)


def agents_led_to(source: Source) -> Iterator[Agent[Any]]:
    """The agents of a workflow, or those that an agent hands over to or uses as tools."""
    if is_workflow_source(source):
        yield from source.agents
        yield from filter(is_agent, parts_of_steps(source))
        return
    yield from filter(None, map(target_of, source.handoffs))
    yield from filter(None, map(agent_of, source.tools))


def _has_the_shape_of_a_source(value: object) -> TypeIs[Source]:
    if not isinstance(getattr(value, "name", None), str):
        return False
    if isinstance(getattr(value, "handoffs", None), list):
        return isinstance(getattr(value, "tools", None), list)
    agents = getattr(value, "agents", None)
    return isinstance(agents, list | tuple) and as_source(getattr(value, "start", None)) is not None
