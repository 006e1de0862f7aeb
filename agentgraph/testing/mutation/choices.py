"""Faults of the agent's own settings: what it must call, when it stops, what it returns."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from agentgraph.frontend.digests import qualified_name
from agentgraph.testing.mutation.changes import Change, Parts

__all__ = [
    "drop_output_type",
    "drop_stop",
    "drop_tool_choice",
    "flip_tool_choice_reset",
    "stop_at_first_tool",
]

_FREE = (None, "auto", "none")
_AGAIN = "run_llm_again"


def drop_tool_choice(parts: Parts) -> Iterator[Change]:
    """Let the model choose where the agent chooses for it."""
    for agent in parts.agents:
        choice = getattr(agent.model_settings, "tool_choice", None)
        if choice not in (None, "auto"):
            yield Change(
                owner=agent,
                values={
                    "model_settings": dataclasses.replace(agent.model_settings, tool_choice=None)
                },
                agent=agent,
                part="tool_choice",
                text=f"the model of '{agent.name}' may choose, without tool_choice={choice!r}",
                moves=(f"a model call of '{agent.name}' has tool_choice={choice!r}",),
                place=agent,
            )


def flip_tool_choice_reset(parts: Parts) -> Iterator[Change]:
    """Keep a forced tool choice that should be dropped after a call, or the reverse."""
    for agent in parts.agents:
        choice = getattr(agent.model_settings, "tool_choice", None)
        if choice not in _FREE:
            resets = agent.reset_tool_choice is not False
            then = "free again" if resets else f"held to {choice!r} still"
            yield Change(
                owner=agent,
                values={"reset_tool_choice": not resets},
                agent=agent,
                part="reset_tool_choice",
                text=f"reset_tool_choice of '{agent.name}' is {not resets}",
                moves=(
                    f"'{agent.name}' calls a tool",
                    f"the next model call of '{agent.name}' is {then}",
                ),
                place=agent,
            )


def drop_stop(parts: Parts) -> Iterator[Change]:
    """Call the model again where the output of a tool should end the run."""
    for agent in parts.agents:
        behavior = agent.tool_use_behavior
        if behavior == _AGAIN:
            continue
        stop = "a tool"
        if isinstance(behavior, dict):
            stop = " or ".join(map(str, behavior.get("stop_at_tool_names", ()))) or stop
        elif callable(behavior):
            stop = f"a tool at which {qualified_name(behavior).rpartition('.')[2]} stops"
        yield Change(
            owner=agent,
            values={"tool_use_behavior": _AGAIN},
            agent=agent,
            part="tool_use_behavior",
            text=f"the output of {stop} does not end the turn of '{agent.name}'",
            moves=(
                f"'{agent.name}' calls {stop}",
                "the run ends with its output, and the model is not called again",
            ),
            place=agent,
        )


def stop_at_first_tool(parts: Parts) -> Iterator[Change]:
    """End with the output of the first tool where the model should read it."""
    for agent in parts.agents:
        has_function_tools = any(hasattr(tool, "on_invoke_tool") for tool in agent.tools)
        if agent.tool_use_behavior == _AGAIN and has_function_tools:
            yield Change(
                owner=agent,
                values={"tool_use_behavior": "stop_on_first_tool"},
                agent=agent,
                part="tool_use_behavior",
                text=f"'{agent.name}' ends with the output of its first tool",
                moves=(
                    f"'{agent.name}' calls a tool",
                    f"the model of '{agent.name}' reads the output and answers",
                ),
                place=agent,
            )


def drop_output_type(parts: Parts) -> Iterator[Change]:
    """Let an agent answer with text where it should answer with data."""
    for agent in parts.agents:
        if agent.output_type is not None:
            name = getattr(agent.output_type, "__name__", None) or str(agent.output_type)
            yield Change(
                owner=agent,
                values={"output_type": None},
                agent=agent,
                part="output_type",
                text=f"'{agent.name}' answers with text, not with {name}",
                moves=(f"'{agent.name}' answers, and the final output is a {name}",),
                place=agent,
            )
