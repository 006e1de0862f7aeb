"""A rehearsed run, in which the person takes replies back: the run begins again before them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agentgraph.cli.conversation import Conversation
from agentgraph.cli.decide import Decided
from agentgraph.cli.faults import CommandFault, Status
from agentgraph.cli.rehearse import Person, Undone
from agentgraph.run import Runner
from agentgraph.running.result import RunResultStreaming
from agentgraph.running.state import RunState

__all__ = ["Rehearsal"]

_REPLIED = "replied"


@dataclass(kw_only=True)
class Rehearsal(Conversation):
    """The run of a workflow with the person as the model.

    Args:
        person: The person.
    """

    person: Person

    def __post_init__(self) -> None:
        self.person.catch_up = self.watch.catch_up

    async def follow(self, result: RunResultStreaming) -> tuple[RunResultStreaming, Status]:
        """Show the run; after an undo, the run that goes on from before the last reply."""
        while True:
            status = Status.FOUND
            with contextlib.suppress(Undone):
                status = await self.watch.follow(result)
            if not self.person.undoing:
                return result, status
            state = await self._before_the_last_reply(result)
            self.terminal.out.print("  the last reply is taken back", style="quiet")
            result = Runner.run_streamed(self.source, state, session=self.session)

    def note(self, decisions: Sequence[Decided]) -> None:
        """Note the decisions for a saved test, with the number of replies before them."""
        self.person.decisions.append((len(self.person.replies), decisions))

    async def _before_the_last_reply(self, result: RunResultStreaming) -> RunState[Any]:
        person = self.person
        lines = result.to_state().to_journal().splitlines()
        replied = [at for at, line in enumerate(lines) if json.loads(line).get("event") == _REPLIED]
        kept = lines[: replied[-1]] if replied else _without_rows(lines)
        text = "\n".join(kept)
        # Replies of runs that guardrails and tools began themselves are in no journal of this run;
        # where their work is repeated, they are given again without a question.
        in_journal = [one for one in person.replies if _is_in("\n".join(lines), one.number)]
        dropped = in_journal[-1] if in_journal else person.replies[-1]
        at = person.replies.index(dropped)
        person.replies, person.repeated = person.replies[:at], []
        person.repeated = [one for one in person.replies if not _is_in(text, one.number)]
        person.decisions = [one for one in person.decisions if one[0] <= at]
        person.undoing = False
        try:
            return await RunState.from_journal(
                self.source, f"{text}\n", context_override=self.context
            )
        except ValueError as error:
            raise CommandFault(f"the last reply cannot be taken back: {error}") from error


def _without_rows(lines: list[str]) -> list[str]:
    return [line for line in lines if "event" not in json.loads(line)]


def _is_in(journal: str, number: int) -> bool:
    """Whether a journal holds the items of a reply."""
    return f'"call_{number}_1"' in journal or f'"msg_{number}_1"' in journal
