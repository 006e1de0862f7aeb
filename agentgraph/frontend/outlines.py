"""The outline of each part of a workflow: everything on which a table depends, as plain data.

An outline is hashable. It holds names, kinds and flags in the user's order and no object, so two
workflows from the same code have equal outlines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from agentgraph.authoring.suppression import allowed
from agentgraph.frontend.discover import is_agent
from agentgraph.frontend.lower_tools import (
    approval,
    enabled,
    is_remote,
    judged,
    kind_of,
    name_in_namespace,
    name_of,
    screened,
)
from agentgraph.frontend.scope import RunScope, plain, retries_of
from agentgraph.frontend.shapes import OWN_CLASSES, PROMPT, RESET, SETTINGS, Shape, shape_of_part
from agentgraph.model_settings import WAITS_FOR_LOCK
from agentgraph_compiler.machine import WorkKind

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.handoffs import Handoff
    from agentgraph.tool_server import ToolServer

Outline = tuple[object, ...]
Memo = tuple[Outline, tuple[str, ...], Callable[[Any], object], Any]
AGENT_TOOL = plain(WorkKind.AGENT)
"""The kind in the outline of an agent used as a tool."""
_MEMO = "_agentgraph_reading"


def tool_outline(tool: object) -> tuple[Shape, Outline]:
    """The shape and the outline of a tool. Tools of our own classes, which many agents share, cache
    them; the shape of any other tool may lack what its outline reads, such as a property."""
    caches = type(tool) in OWN_CLASSES
    memo: Memo | None = tool.__dict__.get(_MEMO) if caches else None
    if memo is not None:
        outline, names, read, values = memo
        if _still_reads(read, tool, values):
            return Shape(tool, names, read, values), outline
    shape, kind = shape_of_part(tool), kind_of(tool)
    outline = (
        plain(name_of(tool)),
        None if kind is None else plain(kind),
        plain(enabled(tool)),
        plain(approval(tool)),
        screened(tool),
        judged(tool),
        is_remote(tool),
        plain(name_in_namespace(tool) or ""),
    )
    if caches:
        # The memo does not refer to the tool, so both are freed at once.
        tool.__dict__[_MEMO] = (outline, shape.names, shape.read, shape.values)
    return shape, outline


def _still_reads(read: Callable[[Any], object], part: object, values: object) -> bool:
    try:
        return read(part) == values
    except AttributeError:
        return False


def guardrail_outlines(guardrails: Iterable[Any] | None) -> tuple[tuple[Shape, ...], Outline]:
    if not guardrails:
        return (), ()
    outlines = tuple(
        [
            (plain(one.get_name()), getattr(one, "run_in_parallel", True), allowed_rules(one))
            for one in guardrails
        ]
    )
    return tuple([shape_of_part(one) for one in guardrails]), outlines


def handoff_outline(entry: Agent[Any] | Handoff[Any, Any], target: object, place: int) -> object:
    """The outline of an entry of ``handoffs``.

    Args:
        entry: A handoff, or an agent that the workflow does not declare.
        target: The agent it leads to; ``None`` if it does not say.
        place: The number of that agent in the chart; -1 if the chart does not have it.
    """
    name = plain(str(getattr(target, "name", None) or getattr(entry, "agent_name", "")))
    if is_agent(entry):
        return name, allowed_rules(entry)
    has_target = target is not None
    return (
        plain(entry.tool_name),
        name,
        has_target,
        place,
        plain(enabled(entry)),
        allowed_rules(entry),
    )


def server_outline(server: ToolServer) -> object:
    return plain(server.name), screened(server), judged(server)


def ending_outline(behavior: object) -> object:
    """The condition under which the output of a tool is the final one, as data."""
    if isinstance(behavior, str):
        return plain(behavior)
    if isinstance(behavior, dict):
        return tuple(map(plain, behavior.get("stop_at_tool_names", ())))
    return True


def choice_outline(values: tuple[Any, ...], scope: RunScope) -> object:
    """The tool choice of an agent in a run, with what decides what it asks of the model."""
    choice = scope.tool_choice
    if choice is None:
        choice = (values[SETTINGS] or {}).get("tool_choice")
    if not isinstance(choice, str) or choice == "auto":
        return None
    return plain(choice), values[RESET] is False, values[PROMPT] is None


def tries_of(agent: Agent[Any], scope: RunScope) -> int:
    """How often a run repeats a failed model call: as the run says, else as the agent says, and the
    repetitions for a locked conversation, unless that is zero."""
    tries = scope.policy.tries
    if tries is None:
        tries = retries_of(getattr(agent, "model_settings", None))
    return 0 if tries == 0 else (tries or 0) + len(WAITS_FOR_LOCK)


def allowed_rules(part: object) -> tuple[str, ...] | None:
    """The rules that the user suppressed on a part; ``None`` if there are none."""
    rules = allowed(part) if "_allowed" in getattr(part, "__dict__", ()) else ()
    return tuple(sorted(map(plain, rules))) if rules else None
