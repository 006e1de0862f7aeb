"""Compacting a session after a run has saved a turn (`OpenAIResponsesCompactionSession`).

While outputs of local tools wait for the model, the compaction waits too: the API could not pair
them with their calls. A compaction that fails costs no answer: the history stays, the log says so,
and the next turn tries again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agentgraph.logger import log_model_and_tool_action_warning, logger
from agentgraph.memory.runs.signatures import takes
from agentgraph.memory.session import is_openai_responses_compaction_aware_session
from agentgraph.user_code.callbacks import resolve

if TYPE_CHECKING:
    from agentgraph.items import RunItem, TResponseInputItem
    from agentgraph.memory.session import OpenAIResponsesCompactionArgs, Session

__all__ = ["compact_after_save"]

_LOCAL_OUTPUTS = frozenset(
    {"tool_call_output_item", "handoff_output_item", "mcp_approval_response_item"}
)


async def compact_after_save(
    session: Session,
    saved: Sequence[RunItem],
    seen: Sequence[TResponseInputItem],
    *,
    response_id: str | None,
    store: bool | None,
    context: object,
) -> None:
    """Let a session compact its history.

    Args:
        session: The session; most kinds never compact.
        saved: The items that were saved.
        seen: What the model saw and answered in the last turn. A history with anything else, such
            as one that was read with a limit, stays, because the summary would lose it.
        response_id: The id of the response of this turn; without one nothing happens.
        store: Whether the provider keeps that response; `None` means its default.
        context: The context of the run.
    """
    if not response_id or not saved or not is_openai_responses_compaction_aware_session(session):
        return
    inner: Any = session
    try:
        if any(item.type in _LOCAL_OUTPUTS for item in saved):
            defer = getattr(inner, "_defer_compaction", None)
            if callable(defer):
                await resolve(defer(response_id, store=store))
            return
        deferred = getattr(inner, "_get_deferred_compaction_response_id", None)
        force = callable(deferred) and deferred() is not None
        args: OpenAIResponsesCompactionArgs = {"response_id": response_id, "force": force}
        if store is not None:
            args["store"] = store
        if not _covers(seen, await inner.get_items(len(seen) + 1)):
            logger.warning("A session is not compacted: the model did not see its whole history")
            return
        more = {"wrapper": context} if takes(inner.run_compaction, "wrapper") else {}
        await resolve(inner.run_compaction(args, **more))
    except Exception as error:  # noqa: BLE001 - the turn is saved, and its answer counts
        message = "The history of a session could not be compacted; it stays as it is"
        log_model_and_tool_action_warning(logger, message, error)


def _covers(seen: Sequence[Mapping[str, Any]], stored: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a model saw all stored items, in order; the ids of items do not count."""
    rest = iter([_content(item) for item in seen])
    return all(_content(item) in rest for item in stored)


def _content(item: Mapping[str, Any]) -> str:
    parts = {name: value for name, value in item.items() if name != "id" and value is not None}
    return json.dumps(parts, sort_keys=True, default=str)
