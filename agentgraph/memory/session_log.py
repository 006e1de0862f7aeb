"""A run's side of a session: what was loaded, and what is still to be saved.

Saving is incremental and happens where the history is legal: the caller's input before the first
model call, each finished turn at its end, the last turn once its output passed. Where a run waits
for an approval, the request of a hosted MCP server is saved, because the next input may answer it;
a call of a tool waits in the run's state.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agentgraph.items import ItemHelpers
from agentgraph.memory.session_input import combine, read_and_add
from agentgraph.memory.session_settings import resolve_session_limit
from agentgraph.memory.transcript import repair, writable

if TYPE_CHECKING:
    from agentgraph.items import RunItem, TResponseInputItem
    from agentgraph.memory import Session
    from agentgraph.run_config import RunConfig


class SessionLog:
    """The part of a session that one run writes.

    Args:
        session: The session.
        saved: How many of the run's items it has already, for a run that is resumed.
    """

    __slots__ = ("saved", "session")

    def __init__(self, session: Session, saved: int = 0) -> None:
        self.session = session
        self.saved = saved

    async def load(
        self, given: str | list[TResponseInputItem], config: RunConfig
    ) -> list[TResponseInputItem]:
        """Read the history, combine it with the caller's input and store what of that is new.

        Args:
            given: The caller's input.
            config: The run's configuration (``session_settings``, ``session_input_callback``).

        Returns:
            What the model is shown first.
        """
        limit = resolve_session_limit(None, config.session_settings)
        new = ItemHelpers.input_to_new_input_list(given)
        callback = config.session_input_callback
        if callback is None:
            history = await read_and_add(self.session, new, limit)
            return (await combine(history, new)).model_input
        combined = await combine(await self.session.get_items(limit) or [], new, callback)
        # What a callback made of the two may be in any form that input comes in.
        to_store = ItemHelpers.input_to_new_input_list(combined.to_store)
        if to_store:
            await self.session.add_items(to_store)
        return ItemHelpers.input_to_new_input_list(combined.model_input)

    async def save(self, items: Sequence[RunItem], *, side_effects_only: bool = False) -> None:
        """Store what is new among the run's items, in one write.

        What waits for something, such as a call for its output, is not written before that is
        there, and so never if the run ends without it.

        Args:
            items: All items of the run so far.
            side_effects_only: Whether only calls with their outputs are kept of what is new, not
                what was said: an output that a guardrail blocked must not be read back later.
        """
        unsaved = [
            (position, item)
            for position, item in enumerate(items[self.saved :], start=self.saved + 1)
            if item.type != "tool_approval_item"
            and not (side_effects_only and item.type == "message_output_item")
        ]
        new = [item.to_input_item() for _, item in unsaved]
        count = writable(new)
        written = repair(new).items if side_effects_only else new[:count]
        if written:
            await self.session.add_items(written)
        if count == len(unsaved):
            self.saved = len(items)
        elif count:
            self.saved = unsaved[count - 1][0]
