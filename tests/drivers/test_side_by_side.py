"""If one of several concurrent callbacks fails, the others end before the run does, and each
coroutine is awaited. (Warnings are errors here, so an unawaited coroutine fails the test.)"""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from agentgraph import Agent, AgentHooks, RunContextWrapper, RunHooks, function_tool, handoff
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from tests.api.conftest import Play


class Asked:
    """A callback that waits, and one that fails, in three ways."""

    def __init__(self) -> None:
        self.waiting = asyncio.Event()
        self.ended: list[str] = []

    async def waits(self, *_: Any, **__: Any) -> bool:
        try:
            self.waiting.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)  # what it has to tidy up is waited for
            self.ended.append("cancelled")
            raise
        return True

    async def fails_later(self, *_: Any, **__: Any) -> bool:
        await self.waiting.wait()
        raise LookupError("failed")

    async def fails(self, *_: Any, **__: Any) -> bool:
        raise LookupError("failed")

    def fails_when_called(self, *_: Any, **__: Any) -> Any:
        raise LookupError("failed")


FAILING = ["fails_later", "fails", "fails_when_called"]
ORDERS = ["first", "last"]


def nothing_is_left() -> bool:
    gc.collect()
    return asyncio.all_tasks() == {asyncio.current_task()}


def pair(asked: Asked, how: str, order: str) -> list[Any]:
    callbacks = [getattr(asked, how), asked.waits]
    return callbacks if order == "first" else callbacks[::-1]


def tool(name: str, is_enabled: Any) -> Any:
    @function_tool(name_override=name, is_enabled=is_enabled)
    async def work() -> str:
        return "worked"

    return work


def target(name: str = "B") -> Agent[Any]:
    return Agent(name=name, model=ScriptedModel([[assistant_message("done")]]))


@pytest.mark.parametrize("how", FAILING)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("offered", ["tools", "handoffs"])
async def test_a_failing_is_enabled_ends_its_siblings(
    play: Play, offered: str, order: str, how: str
) -> None:
    asked = Asked()
    switches = pair(asked, how, order)
    agent = target("A")
    if offered == "tools":
        agent.tools = [tool(f"t{n}", switch) for n, switch in enumerate(switches)]
    else:
        agent.handoffs = [
            handoff(target(f"B{n}"), is_enabled=switch) for n, switch in enumerate(switches)
        ]
    with pytest.raises(LookupError, match="failed"):
        await play(agent)
    assert nothing_is_left()
    assert asked.ended == (["cancelled"] if asked.waiting.is_set() else [])
    assert asked.waiting.is_set() or how != "fails_later"


@pytest.mark.parametrize("how", FAILING)
@pytest.mark.parametrize("order", ORDERS)
async def test_it_does_so_where_a_program_asks_for_the_tools_of_an_agent(
    order: str, how: str
) -> None:
    asked = Asked()
    tools = [tool(f"t{n}", switch) for n, switch in enumerate(pair(asked, how, order))]
    agent = Agent[Any](name="A", tools=tools)
    with pytest.raises(LookupError, match="failed"):
        await agent.get_all_tools(RunContextWrapper(None))
    assert nothing_is_left()
    assert asked.ended == (["cancelled"] if asked.waiting.is_set() else [])


HOOKS = [("on_agent_start", "on_start"), ("on_llm_start",) * 2, ("on_agent_end", "on_end")]


def hooked(kind: Any, name: str, callback: Any) -> Any:
    hooks = kind()
    setattr(hooks, name, callback)
    return hooks


@pytest.mark.parametrize("how", FAILING)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("names", HOOKS, ids=lambda names: names[0])
async def test_a_failing_hook_ends_the_other_one(
    play: Play, names: tuple[str, str], order: str, how: str
) -> None:
    asked = Asked()
    of_run, of_agent = pair(asked, how, order)
    agent = target("A")
    agent.hooks = hooked(AgentHooks, names[1], of_agent)
    with pytest.raises(LookupError, match="failed"):
        await play(agent, hooks=hooked(RunHooks, names[0], of_run))
    assert nothing_is_left()
    assert asked.ended == (["cancelled"] if asked.waiting.is_set() else [])


@pytest.mark.parametrize("how", FAILING)
@pytest.mark.parametrize("order", ORDERS)
async def test_a_failing_hook_on_a_handoff_ends_the_other_one(
    play: Play, order: str, how: str
) -> None:
    asked = Asked()
    of_run, of_agent = pair(asked, how, order)
    model = ScriptedModel([[function_call("transfer_to_b", {}, call_id="h")]])
    agent = Agent(name="A", model=model, handoffs=[target()])
    agent.hooks = hooked(AgentHooks, "on_handoff", of_agent)
    with pytest.raises(LookupError, match="failed"):
        await play(agent, hooks=hooked(RunHooks, "on_handoff", of_run))
    assert nothing_is_left()
    assert asked.ended == (["cancelled"] if asked.waiting.is_set() else [])
