"""`agentgraph runs approve`, `reject` and `answer`: decisions on runs that wait, stored without
their program."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from rich.text import Text

from agentgraph.cli.faults import CommandFault, Status
from agentgraph.cli.journals import opened_journal
from agentgraph.cli.runs.showing import print_waiting
from agentgraph.cli.target import Target
from agentgraph.cli.terminal import Terminal, print_hanging, printable_name
from agentgraph.cli.workload import loaded
from agentgraph.items import Interruption, QuestionItem
from agentgraph.running.stored_decisions import Choice, decide_run

__all__ = ["answer_run", "rule_on_run"]


def rule_on_run(
    terminal: Terminal,
    place: str,
    run_id: str,
    calls: Sequence[str],
    make: Callable[[Interruption], Choice],
    done: str,
    *,
    every: bool,
) -> Status:
    """Approve or reject waiting calls.

    Args:
        terminal: Where to say what was decided.
        place: The journal.
        run_id: The run.
        calls: The ids of the calls, or the names of their tools; the only waiting call if empty.
        make: Makes the decision on each of them.
        done: What was done to them, in a word.
        every: Whether to decide on all waiting calls.

    Raises:
        CommandFault: There is no such run or call, several calls wait and none was named, or a
            process works on the run.
    """

    def choose(waiting: Sequence[Interruption]) -> list[Choice]:
        open_calls = [item for item in waiting if not isinstance(item, QuestionItem)]
        if not open_calls:
            raise CommandFault(
                f"run {run_id!r} waits for no approval, but for an answer",
                help="`agentgraph runs answer` gives it",
            )
        chosen = open_calls if every else _named(open_calls, calls, "or give --all")
        return [make(item) for item in chosen]

    return _decide(terminal, place, run_id, choose, done)


def answer_run(
    terminal: Terminal, place: str, run_id: str, value: str, name: str | None, program: str | None
) -> Status:
    """Answer a question, or say what a call returned that was interrupted.

    Args:
        terminal: Where to say what was answered.
        place: The journal.
        run_id: The run.
        value: The answer, as text or as JSON.
        name: The question or the call, by its name or its id; the only one if left out.
        program: The file of the workflow, with a name or without. A question needs it: the answer
            must fit its type.

    Raises:
        CommandFault: There is no such run or question, the answer does not fit, or a process works
            on the run.
    """

    def choose(waiting: Sequence[Interruption]) -> list[Choice]:
        questions = [item for item in waiting if isinstance(item, QuestionItem) or item.interrupted]
        if not questions:
            raise CommandFault(
                f"run {run_id!r} waits for no answer, but for an approval",
                help="`agentgraph runs approve` and `reject` give it",
            )
        (item,) = _named(questions, () if name is None else (name,), "with --question")
        if not isinstance(item, QuestionItem):
            return [Choice.returned(item, value)]
        if program is None:
            raise CommandFault(
                "the answer must fit the type of the question, so the program is needed",
                help="give --program FILE[:NAME]",
            )
        with loaded(Target.parse(program)) as workload:
            return [Choice.answering(item, value, workload.source)]

    return _decide(terminal, place, run_id, choose, "answered")


def _named(
    items: Sequence[Interruption], names: Sequence[str], way_out: str
) -> Sequence[Interruption]:
    """The items that the names say; without names the only one."""
    ids = ", ".join(f"{item.call_id} ({item.qualified_name})" for item in items)
    if not names:
        if len(items) > 1:
            raise CommandFault(f"{len(items)} wait: {ids}", help=f"name one, {way_out}")
        return items
    chosen = []
    for name in dict.fromkeys(names):
        matches = [item for item in items if name == item.call_id] or [
            item for item in items if name in (item.name, item.qualified_name)
        ]
        if len(matches) != 1:
            problem = "nothing" if not matches else "more than one"
            raise CommandFault(f"{problem} with the name {name!r} waits", help=f"these wait: {ids}")
        chosen += matches
    return list(dict.fromkeys(chosen))


def _decide(
    terminal: Terminal,
    place: str,
    run_id: str,
    choose: Callable[[Sequence[Interruption]], list[Choice]],
    done: str,
) -> Status:
    decided: list[Choice] = []

    def chosen(waiting: Sequence[Interruption]) -> list[Choice]:
        decided.extend(choose(waiting))
        return decided

    async def work() -> list[Interruption]:
        async with opened_journal(place) as journal:
            return await decide_run(journal, run_id, chosen)

    left = asyncio.run(work())
    for choice in decided:
        name, call = choice.item.qualified_name or "", choice.item.call_id or ""
        words = f"{printable_name(name)} ({printable_name(call)})"
        print_hanging(terminal.out, Text(f"{done} ", "passed"), Text(words))
    print_waiting(terminal, left, content=False)
    more = ", and what is left can be decided once it waits again" if left else ""
    hint = f"`agentgraph runs resume {printable_name(run_id)} FILE` goes on{more}"
    terminal.err.print(Text(hint, "quiet"), soft_wrap=True)
    return Status.DONE
