"""An effect that happened is kept, whatever fails after it or beside it: the session has the call
with its output, and the next run does not do it again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import pytest

from agentgraph import (
    Agent,
    ApplyPatchTool,
    CustomTool,
    GuardrailFunctionOutput,
    RunConfig,
    RunHooks,
    Runner,
    ShellTool,
    SQLiteSession,
    ToolGuardrailFunctionOutput,
    function_tool,
    handoff,
    output_guardrail,
    tool_output_guardrail,
)
from agentgraph.memory.transcripts.histories import legal
from agentgraph.testing import ScriptedModel, assistant_message
from agentgraph.tool_guardrails import ToolOutputGuardrailData
from tests.api.calls import call
from tests.api.conftest import Play
from tests.api.hosted import custom_call, patch_call, shell_call


@dataclass
class Shop:
    """An agent that pays once if it is told that it has paid, and what goes wrong the first time.

    Attributes:
        paid: What was paid.
        tries: How often a reply asked for the calls.
        tools: The tools besides `pay`.
        beside: The calls of the reply besides that of `pay`.
    """

    paid: list[int] = field(default_factory=list)
    tries: int = 0
    tools: list[Any] = field(default_factory=list)
    beside: list[Any] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    pay: Any = None
    ask: Callable[[str], Any] = lambda call_id: call("pay", call_id)

    def broken(self) -> bool:
        """Whether what is to go wrong goes wrong now: in the first try only."""
        return self.tries == 1

    def agent(self) -> Agent[Any]:
        def reply(asked: Any) -> Any:
            outputs = [item for item in asked.input if "output" in str(item.get("type"))]
            if any("paid" in str(item) or "withheld" in str(item) for item in outputs):
                return [assistant_message("done")]
            self.tries += 1
            return [self.ask(f"c{self.tries}"), *self.beside]

        if self.pay is None:

            @function_tool
            async def pay() -> str:
                self.paid.append(5)
                return "paid"

            self.pay = pay
        tools = [self.pay, *self.tools]
        return Agent(name="A", model=ScriptedModel(reply), tools=tools, **self.settings)


class BrokenHooks(RunHooks[Any]):
    """Hooks one of which fails in the first try."""

    def __init__(self, shop: Shop, *names: str) -> None:
        for name in names:
            setattr(self, name, self._failing(shop))

    def _failing(self, shop: Shop) -> Callable[..., Awaitable[None]]:
        async def hook(*_: Any, **__: Any) -> None:
            if shop.broken() and shop.paid:
                raise OSError("metrics are down")

        return hook


def hook_after(shop: Shop) -> None:
    shop.options["hooks"] = BrokenHooks(shop, "on_tool_end")


def hook_before_the_next_model(shop: Shop) -> None:
    shop.options["hooks"] = BrokenHooks(shop, "on_llm_start")


def hook_of_another_call(shop: Shop) -> None:
    @function_tool
    async def note() -> str:
        return "noted"

    class Hooks(RunHooks[Any]):
        async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
            if tool.name == "note" and shop.broken():
                raise OSError("metrics are down")

    shop.tools, shop.beside = [note], [call("note", "n1")]
    shop.options["hooks"] = Hooks()


def guardrail_after(shop: Shop) -> None:
    @tool_output_guardrail
    def judge(data: ToolOutputGuardrailData) -> ToolGuardrailFunctionOutput:
        if shop.broken():
            raise OSError("judge is down")
        return ToolGuardrailFunctionOutput.allow()

    @function_tool(tool_output_guardrails=[judge])
    async def pay() -> str:
        shop.paid.append(5)
        return "paid"

    shop.pay = pay


def guardrail_that_trips(shop: Shop) -> None:
    @tool_output_guardrail
    def judge(data: ToolOutputGuardrailData) -> ToolGuardrailFunctionOutput:
        return ToolGuardrailFunctionOutput.raise_exception()

    @function_tool(tool_output_guardrails=[judge])
    async def pay() -> str:
        shop.paid.append(5)
        return "paid"

    shop.pay = pay


def sibling_that_raises(shop: Shop) -> None:
    done = asyncio.Event()

    @function_tool
    async def pay() -> str:
        shop.paid.append(5)
        done.set()
        return "paid"

    @function_tool(failure_error_function=None)
    async def fail() -> str:
        await done.wait()
        raise LookupError("sibling")

    shop.pay, shop.tools, shop.beside = pay, [fail], [call("fail", "f1")]


def sibling_that_raises_at_once_beside_a_stubborn_tool(shop: Shop) -> None:
    began = asyncio.Event()

    @function_tool(failure_error_function=None)
    async def fail() -> str:
        await began.wait()
        raise LookupError("sibling")

    @function_tool
    async def pay() -> str:
        began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            shop.paid.append(5)
        return "paid"

    shop.pay, shop.tools, shop.beside = pay, [fail], [call("fail", "f1")]


def decision_about_the_output(shop: Shop) -> None:
    def decide(context: Any, results: Any) -> Any:
        raise LookupError("undecided")

    shop.settings["tool_use_behavior"] = decide


def handoff_beside(shop: Shop) -> None:
    def fail(context: Any) -> None:
        raise LookupError("no transfer")

    second = Agent(name="Second", model=ScriptedModel([]))
    shop.settings["handoffs"] = [handoff(second, on_handoff=fail)]
    shop.beside = [call("transfer_to_second", "h1")]


def turns_that_run_out(shop: Shop) -> None:
    shop.options["max_turns"] = 1


def blocked_output(shop: Shop) -> None:
    @output_guardrail
    async def judge(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(None, tripwire_triggered=shop.broken())

    shop.settings["tool_use_behavior"] = "stop_on_first_tool"
    shop.settings["output_guardrails"] = [judge]
    shop.options["run_config"] = RunConfig(output_guardrail_blocked_message="withheld")


def guardrail_on_the_output_that_raises(shop: Shop) -> None:
    @output_guardrail
    async def judge(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
        raise OSError("judge is down")

    shop.settings["tool_use_behavior"] = "stop_on_first_tool"
    shop.settings["output_guardrails"] = [judge]


WAYS = {
    way.__name__: way
    for way in (
        hook_after,
        hook_before_the_next_model,
        hook_of_another_call,
        guardrail_after,
        guardrail_that_trips,
        sibling_that_raises,
        sibling_that_raises_at_once_beside_a_stubborn_tool,
        decision_about_the_output,
        handoff_beside,
        turns_that_run_out,
        blocked_output,
        guardrail_on_the_output_that_raises,
    )
}
"""What fails in the first try after the payment or beside it."""


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_whatever_fails_the_next_run_knows_of_the_effect(
    play: Play, way: Callable[[Shop], None]
) -> None:
    shop, session = Shop(), SQLiteSession("shop")
    way(shop)
    with pytest.raises(Exception):  # noqa: B017 - each way fails in its own
        await play(shop.agent(), "pay", session=session, **shop.options)
    stored: list[Any] = await session.get_items()
    assert legal(stored)
    kinds = [item.get("type") or item["role"] for item in stored]
    assert (kinds[0], kinds.count("function_call")) == ("user", kinds.count("function_call_output"))
    assert "c1" in [item.get("call_id") for item in stored if item.get("type") == "function_call"]
    outcome = await play(Shop(shop.paid, pay=shop.pay).agent(), "pay", session=session)
    assert shop.paid == [5]
    assert outcome.final == "done"
    session.close()


def _function(shop: Shop) -> None:
    pass


def _sync(shop: Shop) -> None:
    @function_tool
    def pay() -> str:
        shop.paid.append(5)
        return "paid"

    shop.pay = pay


def _custom(shop: Shop) -> None:
    async def pay(context: Any, text: str) -> str:
        shop.paid.append(5)
        return "paid"

    shop.pay = CustomTool("pay", "Pay.", pay)
    shop.ask = lambda call_id: custom_call("pay", "5", call_id)


def _shell(shop: Shop) -> None:
    def run(request: Any) -> str:
        shop.paid.append(5)
        return "paid"

    shop.pay = ShellTool(executor=run)
    shop.ask = lambda call_id: shell_call("pay", call_id=call_id)


def _patch(shop: Shop) -> None:
    class Editor:
        def delete_file(self, operation: Any) -> str:
            shop.paid.append(5)
            return "paid"

        create_file = update_file = delete_file

    shop.pay = ApplyPatchTool(editor=Editor())
    shop.ask = lambda call_id: patch_call(call_id, type="delete_file", path="5")


def _agent(shop: Shop) -> None:
    @function_tool
    async def take() -> str:
        shop.paid.append(5)
        return "taken"

    model = ScriptedModel([[call("take", "t1")], [assistant_message("paid")]])
    inner = Agent(name="Cashier", model=model, tools=[take])
    shop.pay = inner.as_tool("pay", "Pay.")
    shop.ask = lambda call_id: call("pay", call_id, input="x")


KINDS = {
    kind.__name__.strip("_"): kind for kind in (_function, _sync, _custom, _shell, _patch, _agent)
}
"""The kinds of calls that have an effect here."""

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@every_kind
async def test_a_hook_that_fails_loses_the_effect_of_no_kind_of_call(
    play: Play, kind: Callable[[Shop], None]
) -> None:
    shop, session = Shop(), SQLiteSession("shop")
    kind(shop)
    hook_after(shop)
    agent = shop.agent()
    for failing in (True, False):
        if failing:
            with pytest.raises(Exception, match="metrics are down"):
                await play(agent, "pay", session=session, **shop.options)
        else:
            assert (await play(agent, "pay", session=session)).final == "done"
    assert (shop.paid, shop.tries) == ([5], 1)
    assert legal(await session.get_items())
    session.close()


@every_kind
@pytest.mark.parametrize("decided_first", [True, False])
async def test_a_call_beside_one_that_waits_is_kept_where_the_user_goes_on_without_deciding(
    play: Play, kind: Callable[[Shop], None], decided_first: bool
) -> None:
    shop, session, sent = Shop(), SQLiteSession("shop"), list[int]()

    @function_tool(needs_approval=True)
    async def send() -> str:
        sent.append(1)
        return "sent"

    kind(shop)
    shop.tools, shop.beside = [send], [call("send", "s1"), call("send", "s2")]
    agent = shop.agent()
    waiting = await play(agent, "pay", session=session)
    assert (shop.paid, len(waiting.result.interruptions)) == ([5], 2)
    if decided_first:
        state = waiting.result.to_state()
        state.approve(waiting.result.interruptions[0])
        await play(agent, state, session=session)
    played = await play(agent, "never mind", session=session)
    assert (shop.paid, shop.tries, sent) == ([5], 1, [1] if decided_first else [])
    assert played.final == "done"
    assert legal(await session.get_items())
    session.close()


@pytest.mark.parametrize("kind", [_function, _agent, _custom], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("streamed", [True, False])
async def test_a_call_that_finishes_although_the_run_is_cancelled_is_kept(
    kind: Callable[[Shop], None], streamed: bool
) -> None:
    shop, session, began = Shop(), SQLiteSession("shop"), asyncio.Event()

    async def stubborn(*_: Any) -> str:
        began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            shop.paid.append(5)
        return "paid"

    if kind is _custom:
        shop.pay = CustomTool("pay", "Pay.", stubborn)
        shop.ask = lambda call_id: custom_call("pay", "5", call_id)
    else:

        @function_tool
        async def pay() -> str:
            return await stubborn()

        shop.pay = pay
        if kind is _agent:
            model = ScriptedModel([[call("pay", "t1")], [assistant_message("paid")]])
            inner = Agent(name="Cashier", model=model, tools=[pay])
            shop.pay = inner.as_tool("pay", "Pay.", session=SQLiteSession("inner"))
            shop.ask = lambda call_id: call("pay", call_id, input="x")
    agent = shop.agent()
    task = asyncio.create_task(Play(streamed)(agent, "pay", session=session))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert shop.paid == [5]
    stored: list[Any] = await session.get_items()
    assert legal(stored)
    if kind is not _agent:  # the run inside ended in the middle: it has no output to tell
        assert (await Runner.run(agent, "pay", session=session)).final_output == "done"
        assert (shop.paid, shop.tries) == ([5], 1)
    else:
        inner_items: Any = await shop.pay.session.get_items()
        assert "paid" in str([item for item in inner_items if "output" in item])
    session.close()


async def test_a_cancelled_stream_keeps_what_finished_beside_what_was_cut_short() -> None:
    shop, session, began = Shop(), SQLiteSession("shop"), asyncio.Event()

    @function_tool
    async def slow() -> str:
        began.set()
        await asyncio.Event().wait()
        return "never"

    shop.tools, shop.beside = [slow], [call("slow", "s1")]
    agent = shop.agent()
    result = Runner.run_streamed(agent, "pay", session=session)
    async with aclosing(result.stream_events()) as events:  # type: ignore[type-var]
        async for event in events:
            if event.type == "run_item_stream_event" and event.name == "tool_output_created":
                await began.wait()
                break
    assert result.to_input_list()[1:] == (await session.get_items())[1:]
    assert legal(result.to_input_list())
    played = await Runner.run(agent, "never mind", session=session)
    assert (shop.paid, shop.tries, played.final_output) == ([5], 1, "done")
    session.close()
