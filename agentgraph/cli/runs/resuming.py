"""`agentgraph runs resume`: a durable run goes on in its program, shown as it happens."""

from __future__ import annotations

import time

from agentgraph.cli.conversation import Conversation, RunSettings
from agentgraph.cli.faults import Status
from agentgraph.cli.journals import opened_journal
from agentgraph.cli.perform import perform_file
from agentgraph.cli.run_events import RunStarted
from agentgraph.cli.terminal import Terminal
from agentgraph.cli.watch import Show
from agentgraph.memory.journals import JournalStore, RunInProgress
from agentgraph.run import Runner
from agentgraph.running.stored_reading import ReadRun, read_run

__all__ = ["resume_run"]


def resume_run(
    terminal: Terminal, place: str, run_id: str, text: str, settings: RunSettings, *, as_json: bool
) -> Status:
    """Go on with a run and show what happens. If a person is at a terminal and the output is text,
    ask that person about what waits.

    Args:
        terminal: Where to show it.
        place: The journal.
        run_id: The run.
        text: The file with the program, with a name or without.
        settings: The options of the run; its limit of turns comes from the journal.
        as_json: Whether to print one JSON object a line instead of text for people.

    Returns:
        `DONE`; `FOUND` if the run was stopped, failed or waits for a decision.

    Raises:
        CommandFault: There is no such run, a process works on it, the file cannot be used, or the
            user's own code failed.
    """

    async def work(talk: Conversation, show: Show) -> Status:
        async with opened_journal(place) as journal:
            read = await _free(journal, run_id)
            head = read.head
            message = head.input if isinstance(head.input, str) else ""
            show(RunStarted(talk.source.name, str(talk.target.path), message))
            return await talk.follow_to_rest(
                lambda: Runner.run_streamed(
                    talk.source,
                    head.input,
                    context=talk.context,
                    session=talk.session,
                    max_turns=head.limit,
                    conversation_id=head.conversation.conversation_id,
                    previous_response_id=head.conversation.previous_response_id,
                    auto_previous_response_id=head.conversation.chained,
                    journal=journal,
                    run_id=run_id,
                    if_running="raise",
                ),
                read.calls,
            )

    return perform_file(terminal, text, settings, work, as_json=as_json)


async def _free(journal: JournalStore, run_id: str) -> ReadRun:
    """Read a run that no process works on.

    Raises:
        UnknownRun: There is no such run.
        RunInProgress: A process works on it.
    """
    read = await read_run(journal, run_id)
    if read.stored.is_held(time.time()):
        raise RunInProgress(run_id, read.stored.holder)
    return read
