"""Cases of the rules about branches side by side (AG229 to AG231, AG308), and of lists (AG224)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from agentgraph import (
    Agent,
    ModelSettings,
    RunContextWrapper,
    SQLiteSession,
    Workflow,
    all_of,
    first_of,
    function_tool,
    quorum,
)
from tests.compiler.rule_cases.case import Rows


class Plan(BaseModel):
    queries: list[str]
    count: int = 0


class Desk:
    note = ""
    other = ""


def board(*branches: Any, after: Any = None, **options: Any) -> Workflow:
    draft = Agent(name="Draft")
    flow = Workflow("Board", start=draft)
    step = flow.parallel("board", list(branches), **options)
    flow.then(draft, step)
    if after is not None:
        flow.then(step, after)
    return flow


def listed(run: Any, on: str | None = "queries", **options: Any) -> Workflow:
    plan = Agent(name="Plan", output_type=options.pop("gives", Plan))
    flow = Workflow("Research", start=plan)
    flow.each(plan, on=on, run=run, at_most=3, **options)
    return flow


def leaving(*, inside: bool = False) -> Workflow:
    """A branch that hands over to a step of the workflow, or of the workflow in the branch."""
    orders = Agent(name="Orders")
    legal = Agent(name="Legal", handoffs=[orders])
    if not inside:
        return board(legal, Agent(name="Finance"), after=orders)
    inner = Workflow("Inner", start=legal)
    inner.then(orders, length)
    inner.then(legal, length)
    return board(inner, Agent(name="Finance"))


def length(text: str) -> int:
    return len(text)


def endless() -> Agent[Any]:
    return Agent(
        name="Endless",
        tools=[function_tool(length)],
        model_settings=ModelSettings(tool_choice="required"),
        reset_tool_choice=False,
    )


def noting(context: RunContextWrapper[Desk], text: str) -> str:
    context.context.note = text
    return text


def noting_too(context: RunContextWrapper[Desk], text: str) -> str:
    context.context.note = text
    return text


def noting_another(context: RunContextWrapper[Desk], text: str) -> str:
    context.context.other = text
    return text


def writes_with_tool(name: str, function: Callable[..., Any]) -> Agent[Any]:
    return Agent(name=name, tools=[function_tool(function)])


def remembers(name: str, session: SQLiteSession) -> Agent[Any]:
    tool = Agent(name="Helper").as_tool("ask", "Ask.", session=session)
    return Agent(name=name, tools=[tool])


ONE, OTHER = SQLiteSession("one"), SQLiteSession("other")


def calling(name: str, *, reads: bool = False) -> Agent[Any]:
    return Agent(name=name, tools=[function_tool(length, read_only=reads)])


LISTS: Rows = {
    "a field that is no list": (listed(length, "count"), ["Plan.count is no list"]),
    "a field that is not there": (listed(length, "pages"), ["no field 'pages'"]),
    "text": (listed(length, None, gives=str), ["is no list"]),
    "a list": (listed(length), []),
    "a list as the output": (listed(length, None, gives=list[str]), []),
}


CASES: dict[str, Rows] = {
    "AG229": {
        "a handoff to a later step": (
            leaving(),
            ["step 'board' hands over to 'Orders'"],
        ),
        "no output": (board(endless(), length), ["branch 'Endless' of step 'board' never gives"]),
        "no output for an item": (listed(endless()), ["branch 'Endless' of step 'each Endless'"]),
        "a handoff inside the branch": (
            board(Agent(name="Legal", handoffs=[Agent(name="Orders")]), length),
            [],
        ),
        "a handoff to a step of the workflow in the branch": (leaving(inside=True), []),
        "functions": (board(length, noting), []),
    },
    "AG230": {
        "two functions": (
            board(noting, noting_too),
            [
                "'noting' and 'noting_too'",
            ],
        ),
        "tools of two agents": (
            board(writes_with_tool("A", noting), writes_with_tool("B", noting_too)),
            ["the field 'note' of the context side by side"],
        ),
        "one session": (
            board(remembers("A", ONE), remembers("B", ONE)),
            ["branches 'A' and 'B' of step 'board' write one session"],
        ),
        "each item": (listed(noting), ["runs of 'noting' of step 'each noting'"]),
        "two fields": (board(noting, noting_another), []),
        "two sessions": (board(remembers("A", ONE), remembers("B", OTHER)), []),
        "one item after another": (listed(noting, concurrency=1), []),
        "no context": (board(length, noting), []),
    },
    "AG231": {
        "the first": (
            board(calling("A"), calling("B"), join=first_of()),
            ["waits for 1 of 2 branches"],
        ),
        "a quorum": (
            board(calling("A"), length, noting, join=quorum(2)),
            ["branch 'A' calls 'length'"],
        ),
        "an agent used as a tool": (
            board(
                Agent(name="A", tools=[calling("Inner").as_tool("inner", "Ask.")]),
                length,
                join=first_of(),
            ),
            ["branch 'A' calls 'length'"],
        ),
        "all": (board(calling("A"), calling("B"), join=all_of()), []),
        "a quorum of all": (board(calling("A"), calling("B"), join=quorum(2)), []),
        "tools that only read": (
            board(calling("A", reads=True), calling("B", reads=True), join=first_of()),
            [],
        ),
    },
    "AG308": {
        "text for a class": (
            board(Agent(name="A"), Agent(name="B", output_type=Plan), join=all_of(Plan)),
            ["its branch 'A' gives text"],
        ),
        "a function": (board(length, join=first_of(str)), ["branch 'length' gives int"]),
        "a quorum": (
            board(length, Agent(name="B"), join=quorum(1, int)),
            ["branch 'B' gives text"],
        ),
        "the type": (board(length, join=all_of(int)), []),
        "no type": (board(length, Agent(name="A")), []),
        "an agent that hands over": (
            board(Agent(name="A", handoffs=[Agent(name="B")]), join=all_of(int)),
            [],
        ),
    },
}
