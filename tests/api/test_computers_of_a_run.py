"""Computers that are made for one run and disposed of at its rest; objects that act like one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agentgraph import (
    Agent,
    AgentDefinitionError,
    ComputerProvider,
    ComputerTool,
    RunContextWrapper,
    Runner,
    UserError,
    dispose_resolved_computers,
    function_tool,
    resolve_computer,
)
from agentgraph.models.openai_responses import Converter
from agentgraph.testing import ScriptedModel, assistant_message
from tests.api.calls import agent_with, call, script
from tests.api.conftest import Play
from tests.api.hosted import CLICK, RecordedComputer, computer_call


class Lent:
    """Makes computers, and writes down which were made and given back."""

    def __init__(self, failing: bool = False) -> None:
        self.made: list[tuple[RecordedComputer, Any]] = []
        self.given_back: list[RecordedComputer] = []
        self.failing = failing

    async def create(self, *, run_context: RunContextWrapper[Any]) -> RecordedComputer:
        await asyncio.sleep(0)
        self.made.append((RecordedComputer(), run_context.context))
        return self.made[-1][0]

    def dispose(self, *, run_context: RunContextWrapper[Any], computer: RecordedComputer) -> None:
        self.given_back.append(computer)
        if self.failing:
            raise RuntimeError("stuck")

    def tool(self) -> ComputerTool[Any]:
        return ComputerTool(ComputerProvider(create=self.create, dispose=self.dispose))


async def test_a_run_has_one_computer_and_gives_it_back(play: Play) -> None:
    lent = Lent()
    tool = lent.tool()
    model = script([computer_call(CLICK, "k1")], [computer_call(CLICK, "k2")])
    await play(agent_with(model, tool), context="mine")
    [(computer, context)] = lent.made
    assert context == "mine"
    assert [done[0] for done in computer.done] == ["click", "screenshot"] * 2
    assert lent.given_back == [computer]
    assert isinstance(tool.computer, ComputerProvider)


async def test_two_runs_have_computers_of_their_own() -> None:
    lent = Lent()
    tool = lent.tool()
    agents = [agent_with(script([computer_call(CLICK)]), tool) for _ in range(2)]
    await asyncio.gather(*(Runner.run(agent, "go") for agent in agents))
    first, second = (computer for computer, _ in lent.made)
    assert first is not second
    assert sorted(map(id, lent.given_back)) == sorted(map(id, (first, second)))


async def test_a_run_that_fails_or_is_cancelled_gives_its_computer_back() -> None:
    lent = Lent()
    failing = agent_with(ScriptedModel([[computer_call(CLICK)], ValueError("down")]), lent.tool())
    with pytest.raises(ValueError, match="down"):
        await Runner.run(failing, "go")
    assert len(lent.given_back) == 1

    begun = asyncio.Event()

    @function_tool
    async def hang() -> str:
        begun.set()
        await asyncio.Event().wait()
        return "never"

    waiting = agent_with(script([call("hang")]), lent.tool(), hang)
    task = asyncio.create_task(Runner.run(waiting, "go"))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(lent.given_back) == 2


async def test_a_computer_that_is_not_given_back_does_not_fail_the_run(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lent = Lent(failing=True)
    result = await Runner.run(agent_with(script([computer_call(CLICK)]), lent.tool()), "go")
    assert result.final_output == "done"
    assert "A computer of a run was not disposed of (RuntimeError)" in caplog.text


async def test_a_function_may_make_the_computer() -> None:
    made: list[RecordedComputer] = []

    def create(*, run_context: RunContextWrapper[Any]) -> RecordedComputer:
        made.append(RecordedComputer())
        return made[-1]

    await Runner.run(agent_with(script([computer_call(CLICK)]), ComputerTool(create)), "go")
    assert [done[0] for done in made[0].done] == ["click", "screenshot"]


async def test_what_is_made_must_be_a_computer() -> None:
    tool: ComputerTool[Any] = ComputerTool(lambda *, run_context: "my laptop")
    agent = Agent(name="A", model=ScriptedModel([[assistant_message("hi")]]), tools=[tool])
    with pytest.raises(UserError, match="made str, not a computer"):
        await Runner.run(agent, "go")
    with pytest.raises(AgentDefinitionError, match="or a ComputerProvider, not str"):
        ComputerTool("my laptop")  # type: ignore[type-var]


async def test_the_model_is_told_of_the_computer_that_was_made() -> None:
    lent = Lent()
    model = ScriptedModel([[assistant_message("hi")]])
    await Runner.run(Agent(name="A", model=model, tools=[lent.tool()]), "go")
    [tool] = model.calls[0].tools
    assert tool.computer is lent.made[0][0]  # type: ignore[union-attr]
    assert Converter.convert_tools([tool], []).tools == [{"type": "computer"}]


class Acts:
    """Not a subclass: it has the methods that the model uses."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def screenshot(self) -> str:
        self.done.append("screenshot")
        return "picture"

    def click(self, x: int, y: int, button: str) -> None:
        self.done.append("click")


class ActsLater(Acts):
    async def click(self, x: int, y: int, button: str) -> None:  # type: ignore[override]
        self.done.append("click later")


@pytest.mark.parametrize(("kind", "done"), [(Acts, "click"), (ActsLater, "click later")])
async def test_an_object_with_the_methods_is_a_computer(
    play: Play, kind: type[Acts], done: str
) -> None:
    computer: Any = kind()
    await play(agent_with(script([computer_call(CLICK)]), ComputerTool(computer)))
    assert computer.done == [done, "screenshot"]


async def test_a_program_may_resolve_and_dispose_by_hand() -> None:
    lent = Lent()
    tool, context = lent.tool(), RunContextWrapper(context=None)
    first = await resolve_computer(tool=tool, run_context=context)
    assert await resolve_computer(tool=tool, run_context=context) is first
    await dispose_resolved_computers(run_context=context)
    await dispose_resolved_computers(run_context=context)
    assert lent.given_back == [first]
    assert await resolve_computer(tool=tool, run_context=context) is not first
