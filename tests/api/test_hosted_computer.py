"""A model operates a computer: its actions in order, a screenshot after them, safety checks."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import pytest

from agentgraph import (
    AsyncComputer,
    ComputerTool,
    ModelBehaviorError,
    RunHooks,
    UserError,
)
from agentgraph.testing import ScriptedModel
from agentgraph.tool import ComputerToolSafetyCheckData
from tests.api.calls import agent_with, call, echo, script
from tests.api.conftest import Play
from tests.api.hosted import CLICK, INPUT_ITEM, RecordedComputer, computer_call

_ACTIONS: list[tuple[dict[str, Any], tuple[Any, ...]]] = [
    (CLICK, ("click", 1, 2, "left")),
    ({"type": "double_click", "x": 1, "y": 2}, ("double_click", 1, 2)),
    ({"type": "scroll", "x": 1, "y": 2, "scroll_x": 3, "scroll_y": 4}, ("scroll", 1, 2, 3, 4)),
    ({"type": "type", "text": "hi"}, ("type", "hi")),
    ({"type": "wait"}, ("wait",)),
    ({"type": "move", "x": 1, "y": 2}, ("move", 1, 2)),
    ({"type": "keypress", "keys": ["CTRL", "A"]}, ("keypress", "CTRL", "A")),
    (
        {"type": "drag", "path": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]},
        ("drag", (1, 2), (3, 4)),
    ),
]


@pytest.mark.parametrize(("action", "done"), _ACTIONS, ids=[done[0] for _, done in _ACTIONS])
async def test_an_action_is_carried_out_and_its_outcome_is_shown(
    play: Play, action: dict[str, Any], done: tuple[Any, ...]
) -> None:
    computer = RecordedComputer()
    played = await play(agent_with(script([computer_call(action)]), ComputerTool(computer)))
    assert computer.done == [done, ("screenshot",)]
    assert played.kinds == ["tool_call_item", "tool_call_output_item", "message_output_item"]
    url = "data:image/png;base64,picture2"
    assert played.outputs == [url]
    assert played.items[1].raw_item == {
        "type": "computer_call_output",
        "call_id": "k1",
        "output": {"type": "computer_screenshot", "image_url": url},
        "acknowledged_safety_checks": None,
    }
    INPUT_ITEM.validate_python(played.items[1].raw_item)


async def test_several_actions_of_one_call_are_carried_out_in_order(play: Play) -> None:
    computer = RecordedComputer()
    reply = [computer_call(actions=[action for action, _ in _ACTIONS])]
    played = await play(agent_with(script(reply), ComputerTool(computer)))
    assert computer.done == [*(done for _, done in _ACTIONS), ("screenshot",)]
    assert len(played.outputs) == 1


@pytest.mark.parametrize("actions", [[], [{"type": "screenshot"}], [CLICK, {"type": "screenshot"}]])
async def test_one_screenshot_is_enough(play: Play, actions: list[dict[str, Any]]) -> None:
    computer = RecordedComputer()
    reply = [computer_call(actions=actions)]
    await play(agent_with(script(reply), ComputerTool(computer)))
    assert [entry[0] for entry in computer.done].count("screenshot") == 1
    assert computer.done[-1] == ("screenshot",)


async def test_a_blocking_computer_is_operated_in_a_thread(play: Play) -> None:
    threads: list[threading.Thread] = []

    class Watched(RecordedComputer):
        def click(self, x: int, y: int, button: Any) -> None:
            threads.append(threading.current_thread())

    await play(agent_with(script([computer_call(CLICK)]), ComputerTool(Watched())))
    assert threads[0] is not threading.main_thread()


async def test_an_async_computer_is_operated_in_the_loop(play: Play) -> None:
    done: list[str] = []

    class Remote(AsyncComputer):
        async def screenshot(self) -> str:
            return "picture"

        async def click(self, x: int, y: int, button: Any) -> None:
            await asyncio.sleep(0)
            done.append(threading.current_thread().name)

        async def double_click(self, x: int, y: int) -> None: ...
        async def scroll(self, x: int, y: int, scroll_x: int, scroll_y: int) -> None: ...
        async def type(self, text: str) -> None: ...
        async def wait(self) -> None: ...
        async def move(self, x: int, y: int) -> None: ...
        async def keypress(self, keys: list[str]) -> None: ...
        async def drag(self, path: list[tuple[int, int]]) -> None: ...

    played = await play(agent_with(script([computer_call(CLICK)]), ComputerTool(Remote())))
    assert done == [threading.main_thread().name]
    assert played.outputs == ["data:image/png;base64,picture"]


async def test_calls_of_one_reply_are_made_one_after_the_other(play: Play) -> None:
    computer = RecordedComputer()
    calls = [
        computer_call({"type": "type", "text": "a"}, "k1"),
        call("echo", "c1", text="beside"),
        computer_call({"type": "type", "text": "b"}, "k2"),
    ]
    played = await play(agent_with(script(calls), ComputerTool(computer), echo))
    assert computer.done == [("type", "a"), ("screenshot",), ("type", "b"), ("screenshot",)]
    # Functions stand before computers, each kind in the order of the calls.
    assert played.outputs == [
        "beside",
        "data:image/png;base64,picture2",
        "data:image/png;base64,picture4",
    ]


async def test_keys_are_held_where_the_computer_can_hold_them(
    play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    class Keyboard(RecordedComputer):
        def click(self, x: int, y: int, button: Any, keys: list[str] | None = None) -> None:
            self._do("click", keys)

    for computer in (Keyboard(), RecordedComputer()):
        reply = [computer_call({**CLICK, "keys": ["SHIFT"]})]
        await play(agent_with(script(reply), ComputerTool(computer)))
        held = isinstance(computer, Keyboard)
        assert computer.done[0] == (("click", ["SHIFT"]) if held else ("click", 1, 2, "left"))
        assert ("keys" in caplog.text) is not held


async def test_hooks_hear_of_an_action(play: Play) -> None:
    heard: list[Any] = []

    class Hooks(RunHooks[Any]):
        async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
            heard.append((agent.name, tool.name, context.context))

        async def on_tool_end(self, context: Any, agent: Any, tool: Any, result: object) -> None:
            heard.append(result)

    agent = agent_with(script([computer_call(CLICK)]), ComputerTool(RecordedComputer()))
    await play(agent, hooks=Hooks(), context="desk")
    assert heard == [("Clerk", "computer_use_preview", "desk"), "picture2"]


_CHECKS = [{"id": "s1", "code": "malicious", "message": "Looks odd."}, {"id": "s2"}]


class TestSafetyChecks:
    @pytest.mark.parametrize("asynchronous", [False, True])
    async def test_are_acknowledged_one_by_one(self, play: Play, asynchronous: bool) -> None:
        asked: list[Any] = []

        def consent(data: ComputerToolSafetyCheckData) -> bool:
            asked.append((data.safety_check.id, data.agent.name, data.tool_call.call_id))
            return True

        async def consent_later(data: ComputerToolSafetyCheckData) -> bool:
            return consent(data)

        tool = ComputerTool(RecordedComputer(), consent_later if asynchronous else consent)
        played = await play(agent_with(script([computer_call(CLICK, checks=_CHECKS)]), tool))
        assert asked == [("s1", "Clerk", "k1"), ("s2", "Clerk", "k1")]
        raw = played.items[1].raw_item
        assert raw["acknowledged_safety_checks"] == [
            {"id": "s1", "code": "malicious", "message": "Looks odd."},
            {"id": "s2", "code": None, "message": None},
        ]
        INPUT_ITEM.validate_python(raw)

    async def test_that_are_not_acknowledged_end_the_run_before_anything_is_done(
        self, play: Play
    ) -> None:
        computer = RecordedComputer()
        tool = ComputerTool(computer, lambda data: data.safety_check.id == "s1")
        agent = agent_with(ScriptedModel([[computer_call(CLICK, checks=_CHECKS)]]), tool)
        message = r"'s2' of tool 'computer_use_preview' of agent 'Clerk' was not acknowledged"
        with pytest.raises(UserError, match=message):
            await play(agent)
        assert computer.done == []

    async def test_that_nobody_is_asked_about_are_not_acknowledged(
        self, play: Play, caplog: pytest.LogCaptureFixture
    ) -> None:
        tool = ComputerTool(RecordedComputer())
        with caplog.at_level(logging.WARNING, "agentgraph"):
            played = await play(agent_with(script([computer_call(CLICK, checks=_CHECKS)]), tool))
        assert played.items[1].raw_item["acknowledged_safety_checks"] is None
        assert "no on_safety_check" in caplog.text


@pytest.mark.parametrize("broken", ["click", "screenshot"])
async def test_a_computer_that_fails_ends_the_run_and_is_named(play: Play, broken: str) -> None:
    tool = ComputerTool(RecordedComputer(broken))
    agent = agent_with(ScriptedModel([[computer_call(CLICK)]]), tool)
    message = f"tool computer_use_preview of agent Clerk: cannot {broken}"
    with pytest.raises(UserError, match=message) as caught:
        await play(agent)
    assert isinstance(caught.value.__cause__, OSError)


async def test_a_computer_that_stops_iterating_is_not_waited_for(play: Play) -> None:
    class Exhausted(RecordedComputer):
        def move(self, x: int, y: int) -> None:
            next(iter([]))

    model = ScriptedModel([[computer_call({"type": "move", "x": 1, "y": 2})]])
    async with asyncio.timeout(120):
        with pytest.raises(UserError, match="of agent Clerk: move raised StopIteration"):
            await play(agent_with(model, ComputerTool(Exhausted())))


async def test_a_call_without_the_tool_is_the_models_fault(play: Play) -> None:
    agent = agent_with(ScriptedModel([[computer_call(CLICK)]]), echo)
    with pytest.raises(ModelBehaviorError, match="agent 'Clerk' called the tool 'computer'"):
        await play(agent)


async def test_a_computer_does_not_end_a_run_that_stops_on_the_first_tool(play: Play) -> None:
    model = script([computer_call(CLICK)])
    tools = ComputerTool(RecordedComputer()), echo
    played = await play(agent_with(model, *tools, tool_use_behavior="stop_on_first_tool"))
    assert played.final == "done"
