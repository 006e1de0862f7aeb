"""Cancellation in every place where a run awaits user code: only the caller cancels a run.

On Python 3.11 and 3.12 a `TaskGroup` that fails after its block leaves `Task.cancelling()` at 1,
also where the code handles the failure. No run takes that for a cancellation.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, NamedTuple

import pytest

from agentgraph import (
    Agent,
    AgentHooks,
    FunctionTool,
    GuardrailFunctionOutput,
    InputGuardrail,
    ModelSettings,
    ModelTimeoutError,
    OutputGuardrail,
    RunConfig,
    RunHooks,
    Runner,
    ToolGuardrailFunctionOutput,
    ToolsToFinalOutputResult,
    UserError,
    function_tool,
    handoff,
    tool_input_guardrail,
)
from agentgraph.memory import SessionABC
from agentgraph.memory.errors import SessionError
from agentgraph.run_config import CallModelData, ModelInputData
from agentgraph.testing import ModelStep, ScriptedModel, assistant_message, function_call
from tests.api.calls import call, echo, script, told
from tests.api.leaks import running

Act = Callable[[], Awaitable[None]]
RunScene = Callable[["Scene"], Coroutine[Any, Any, Any]]
PASSED = GuardrailFunctionOutput(None, False)


class Scene(NamedTuple):
    """A workflow that comes by the place, and with what it is run."""

    agent: Agent[Any]
    options: dict[str, Any]


class Memory(SessionABC):
    """A session of the program's own, which acts when it reads or when it writes."""

    session_id = "memory"
    session_settings = None

    def __init__(self, *, read: Act | None = None, write: Act | None = None) -> None:
        self.items: list[Any] = []
        self.read, self.write = read, write

    async def get_items(self, limit: int | None = None) -> list[Any]:
        if self.read is not None:
            await self.read()
        return self.items if limit is None else self.items[-limit:]

    async def add_items(self, items: list[Any]) -> None:
        if self.write is not None:
            await self.write()
        self.items.extend(items)

    async def pop_item(self) -> Any:
        return self.items.pop() if self.items else None

    async def clear_session(self) -> None:
        self.items.clear()


def agent_of(model: ScriptedModel | None = None, **settings: Any) -> Agent[Any]:
    """An agent that calls a tool before it answers."""
    settings.setdefault("tools", [echo])
    return Agent(name="A", model=model or script([call("echo", text="x")]), **settings)


def in_input_guardrail(act: Act, *, parallel: bool = False) -> Scene:
    async def guard(*_: Any) -> GuardrailFunctionOutput:
        await act()
        return PASSED

    return Scene(agent_of(input_guardrails=[InputGuardrail(guard, run_in_parallel=parallel)]), {})


def in_parallel_guardrail(act: Act) -> Scene:
    return in_input_guardrail(act, parallel=True)


def in_output_guardrail(act: Act) -> Scene:
    async def guard(*_: Any) -> GuardrailFunctionOutput:
        await act()
        return PASSED

    return Scene(agent_of(output_guardrails=[OutputGuardrail(guard)]), {})


def in_hook(name: str) -> Callable[[Act], Scene]:
    def place(act: Act) -> Scene:
        async def hook(*_: Any, **__: Any) -> None:
            await act()

        hooks: Any = RunHooks()
        setattr(hooks, name, hook)
        return Scene(agent_of(), {"hooks": hooks})

    return place


def in_hooks_of_both(act: Act) -> Scene:
    async def hook(*_: Any, **__: Any) -> None:
        await act()

    of_run: Any = RunHooks()
    of_agent: Any = AgentHooks()
    of_run.on_agent_start = of_agent.on_start = hook
    return Scene(agent_of(hooks=of_agent), {"hooks": of_run})


def in_instructions(act: Act) -> Scene:
    async def instructions(*_: Any) -> str:
        await act()
        return "Be kind."

    return Scene(agent_of(instructions=instructions), {})


def in_on_handoff(act: Act) -> Scene:
    async def on_handoff(_: Any) -> None:
        await act()

    return _handing_over(on_handoff=on_handoff)


def in_input_filter(act: Act) -> Scene:
    async def input_filter(data: Any) -> Any:
        await act()
        return data

    return _handing_over(input_filter=input_filter)


def in_handoff_hook(act: Act) -> Scene:
    async def on_handoff(*_: Any, **__: Any) -> None:
        await act()

    hooks: Any = RunHooks()
    hooks.on_handoff = on_handoff
    return Scene(_handing_over().agent, {"hooks": hooks})


def _handing_over(**settings: Any) -> Scene:
    target = Agent(name="B", model=script())
    asked = [function_call("transfer_to_b", {}, call_id="h1")]
    return Scene(agent_of(ScriptedModel([asked]), handoffs=[handoff(target, **settings)]), {})


def in_model_input_filter(act: Act) -> Scene:
    async def filter_input(asked: CallModelData[Any]) -> ModelInputData:
        await act()
        return asked.model_data

    return Scene(agent_of(), {"run_config": RunConfig(call_model_input_filter=filter_input)})


def in_session_read(act: Act) -> Scene:
    return Scene(agent_of(), {"session": Memory(read=act)})


def in_session_write(act: Act) -> Scene:
    return Scene(agent_of(), {"session": Memory(write=act)})


def in_session_callback(act: Act) -> Scene:
    async def combine(history: list[Any], new: list[Any]) -> list[Any]:
        await act()
        return history + new

    config = RunConfig(session_input_callback=combine)
    return Scene(agent_of(), {"session": Memory(), "run_config": config})


def in_model(act: Act) -> Scene:
    async def reply(_: Any) -> Any:
        await act()
        return [assistant_message("done")]

    return Scene(agent_of(ScriptedModel([ModelStep.respond(reply)])), {})


def in_tool_guardrail(act: Act) -> Scene:
    @tool_input_guardrail
    async def guard(_: Any) -> ToolGuardrailFunctionOutput:
        await act()
        return ToolGuardrailFunctionOutput.allow()

    tool = function_tool(_text, tool_input_guardrails=[guard])
    return Scene(agent_of(script([call("_text")]), tools=[tool]), {})


async def _text() -> str:
    return "text"


def in_is_enabled(act: Act) -> Scene:
    async def enabled(*_: Any) -> bool:
        await act()
        return True

    return Scene(
        agent_of(script([call("_text")]), tools=[function_tool(_text, is_enabled=enabled)]), {}
    )


def in_needs_approval(act: Act) -> Scene:
    async def needed(*_: Any) -> bool:
        await act()
        return False

    tool = function_tool(_text, needs_approval=needed)
    return Scene(agent_of(script([call("_text")]), tools=[tool]), {})


def in_tool_use_behavior(act: Act) -> Scene:
    async def decide(*_: Any) -> ToolsToFinalOutputResult:
        await act()
        return ToolsToFinalOutputResult(False)

    return Scene(agent_of(tool_use_behavior=decide), {})


def in_extractor(act: Act) -> Scene:
    async def extract(_: Any) -> str:
        await act()
        return "extracted"

    tool = Agent(name="Inner", model=script()).as_tool(
        "ask", "Ask.", custom_output_extractor=extract, failure_error_function=None
    )
    return Scene(agent_of(script([call("ask", input="q")]), tools=[tool]), {})


def tool_of(act: Act, **settings: Any) -> FunctionTool:
    async def work() -> str:
        await act()
        return "worked"

    tool: FunctionTool = function_tool(work, **settings)
    return tool


def in_tool(act: Act) -> Scene:
    return Scene(agent_of(script([call("work")]), tools=[tool_of(act)]), {})


def in_tool_with_a_deadline(act: Act) -> Scene:
    return Scene(agent_of(script([call("work")]), tools=[tool_of(act, timeout=600)]), {})


def in_tool_beside_another(act: Act) -> Scene:
    model = script([call("work"), call("echo", "c2", text="x")])
    return Scene(agent_of(model, tools=[tool_of(act), echo]), {})


def in_tool_of_agent_tool(act: Act) -> Scene:
    inner = Agent(name="Inner", model=script([call("work")]), tools=[tool_of(act)])
    tool = inner.as_tool("ask", "Ask.")
    return Scene(agent_of(script([call("ask", input="q")]), tools=[tool]), {})


def in_tool_of_agent_tool_beside_another(act: Act) -> Scene:
    scene = in_tool_of_agent_tool(act)
    model = script([call("ask", input="q"), call("echo", "c2", text="x")])
    return Scene(scene.agent.clone(model=model, tools=[*scene.agent.tools, echo]), {})


def in_on_stream(act: Act) -> Scene:
    async def listen(_: Any) -> None:
        await act()

    inner = Agent(name="Inner", model=script())
    tool = inner.as_tool("ask", "Ask.", on_stream=listen)
    return Scene(agent_of(script([call("ask", input="q")]), tools=[tool]), {})


RAISING: dict[str, Callable[[Act], Scene]] = {
    "blocking guardrail": in_input_guardrail,
    "parallel guardrail": in_parallel_guardrail,
    "output guardrail": in_output_guardrail,
    "hook on_agent_start": in_hook("on_agent_start"),
    "hook on_llm_start": in_hook("on_llm_start"),
    "hook on_llm_end": in_hook("on_llm_end"),
    "hook on_tool_start": in_hook("on_tool_start"),
    "hook on_tool_end": in_hook("on_tool_end"),
    "hook on_agent_end": in_hook("on_agent_end"),
    "hook on_handoff": in_handoff_hook,
    "hooks of run and agent": in_hooks_of_both,
    "instructions": in_instructions,
    "on_handoff": in_on_handoff,
    "input filter": in_input_filter,
    "call_model_input_filter": in_model_input_filter,
    "session that reads": in_session_read,
    "session that writes": in_session_write,
    "session callback": in_session_callback,
    "model": in_model,
    "tool guardrail": in_tool_guardrail,
    "is_enabled": in_is_enabled,
    "needs_approval": in_needs_approval,
    "tool_use_behavior": in_tool_use_behavior,
    "output extractor": in_extractor,
}
"""Places where what user code raises ends the run."""

TOOLS: dict[str, Callable[[Act], Scene]] = {
    "tool": in_tool,
    "tool with a deadline": in_tool_with_a_deadline,
    "tool beside another": in_tool_beside_another,
    "tool of an agent tool": in_tool_of_agent_tool,
    "tool of an agent tool beside another": in_tool_of_agent_tool_beside_another,
}
"""Places where a model is told what user code raises."""

PLACES = {**RAISING, **TOOLS, "on_stream": in_on_stream}


async def plain(scene: Scene) -> Any:
    return (await Runner.run(scene.agent, "go", **scene.options)).final_output


async def streamed(scene: Scene) -> Any:
    result = Runner.run_streamed(scene.agent, "go", **scene.options)
    async for _ in result.stream_events():
        pass
    return result.final_output


async def fail() -> None:
    raise LookupError("of the group")


async def fail_after_the_block() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(fail())


async def fail_in_the_block() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(fail())
        await asyncio.Event().wait()


async def handle_a_failed_group() -> None:
    """What leaves a cancellation behind on Python 3.11."""
    with pytest.raises(ExceptionGroup):
        await fail_after_the_block()


async def handle_a_deadline() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await asyncio.Event().wait()


async def handle_all_of_them() -> None:
    """Needs a task without leftovers, and leaves one."""
    with pytest.raises(ExceptionGroup):
        await fail_in_the_block()
    await handle_a_deadline()
    await handle_a_failed_group()


both = pytest.mark.parametrize("run", [plain, streamed])


@both
@pytest.mark.parametrize("act", [handle_a_failed_group, handle_a_deadline, handle_all_of_them])
@pytest.mark.parametrize("place", PLACES)
async def test_what_user_code_handles_by_itself_does_not_end_the_run(
    place: str, act: Act, run: RunScene
) -> None:
    assert await run(PLACES[place](act)) == "done"
    assert running() == set()


@both
async def test_what_one_place_leaves_behind_does_not_reach_the_next(
    run: RunScene,
) -> None:
    acted = 0

    async def act() -> None:
        nonlocal acted
        acted += 1
        await handle_all_of_them()

    async def hook(*_: Any, **__: Any) -> None:
        await act()

    hooks: Any = RunHooks()
    for name in ("on_agent_start", "on_llm_start", "on_llm_end", "on_tool_start", "on_tool_end"):
        setattr(hooks, name, hook)
    hooks.on_agent_end = hook
    last = ModelStep.respond(_acting(act, [assistant_message("done")]))
    agent = agent_of(
        ScriptedModel([[call("work")], [call("work", "c2")], last]),
        tools=[tool_of(act, needs_approval=_acting(act, False), is_enabled=_acting(act, True))],
        instructions=_acting(act, "Be kind."),
        input_guardrails=in_input_guardrail(act).agent.input_guardrails,
        output_guardrails=in_output_guardrail(act).agent.output_guardrails,
    )
    options = {"hooks": hooks, "session": Memory(read=act, write=act)}
    assert await run(Scene(agent, options)) == "done"
    assert acted >= 25


def _acting(act: Act, value: Any) -> Callable[..., Awaitable[Any]]:
    async def acting(*_: Any) -> Any:
        await act()
        return value

    return acting


@both
@pytest.mark.parametrize("act", [fail_after_the_block, fail_in_the_block])
@pytest.mark.parametrize("place", TOOLS)
async def test_a_model_is_told_that_a_group_failed_in_a_tool(
    place: str, act: Act, run: RunScene
) -> None:
    scene = TOOLS[place](act)
    assert await run(scene) == "done"
    assert told_of(scene.agent) == FAILED


FAILED = "An error occurred while running the tool. Please try again."


def told_of(agent: Agent[Any]) -> str:
    """What the model that called the tool was told: an agent's own, or that of its agent tool."""
    for tool in agent.tools:
        inner = getattr(tool, "agent", None)
        if inner is not None:
            return told_of(inner)
    assert isinstance(agent.model, ScriptedModel)
    return str(told(agent.model)["c1"])


@both
@pytest.mark.parametrize("act", [fail_after_the_block, fail_in_the_block])
@pytest.mark.parametrize("place", [place for place in RAISING if place != "needs_approval"])
async def test_a_group_that_fails_elsewhere_ends_the_run_with_what_it_raised(
    place: str, act: Act, run: RunScene
) -> None:
    with pytest.raises((ExceptionGroup, UserError, SessionError)) as raised:
        await run(RAISING[place](act))
    error: BaseException | None = raised.value
    while error is not None and not isinstance(error, ExceptionGroup):
        error = error.__cause__
    assert error is not None
    assert error.subgroup(LookupError) is not None
    assert running() == set()


@both
@pytest.mark.parametrize("act", [fail_after_the_block, fail_in_the_block])
async def test_a_person_is_asked_where_a_group_failed_in_a_rule_of_approval(
    act: Act, run: RunScene
) -> None:
    scene = in_needs_approval(act)
    assert await run(scene) is None
    assert isinstance(scene.agent.model, ScriptedModel)
    assert len(scene.agent.model.calls) == 1
    assert running() == set()


async def test_a_deadline_of_a_tool_counts_after_a_group_that_failed_in_it() -> None:
    async def act() -> None:
        await handle_a_failed_group()
        await asyncio.Event().wait()

    model = script([call("work")])
    scene = Scene(agent_of(model, tools=[tool_of(act, timeout=0.01)]), {})
    assert await plain(scene) == "done"
    assert "timed out" in told(model)["c1"]


async def test_a_deadline_of_a_model_counts_after_a_group_that_failed_in_it() -> None:
    async def act() -> None:
        await handle_a_failed_group()
        await asyncio.Event().wait()

    scene = in_model(act)
    scene.agent.model_settings = ModelSettings(timeout=0.01)
    with pytest.raises(ModelTimeoutError):
        await plain(scene)


class Stuck:
    """An act that does not come back; `left` says that it was cancelled."""

    def __init__(self, *, first: Act | None = None, stubborn: bool = False) -> None:
        self.first, self.stubborn = first, stubborn
        self.reached = asyncio.Event()
        self.left = False

    async def __call__(self) -> None:
        if self.left:
            return
        if self.first is not None:
            await self.first()
        try:
            self.reached.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.left = True
            if not self.stubborn:
                raise


@both
@pytest.mark.parametrize(
    ("first", "stubborn"), [(None, False), (handle_a_failed_group, False), (None, True)]
)
@pytest.mark.parametrize("place", PLACES)
async def test_cancelling_the_caller_cancels_the_run_whatever_user_code_did_before_or_does_then(
    place: str, first: Act | None, stubborn: bool, run: RunScene
) -> None:
    stuck = Stuck(first=first, stubborn=stubborn)
    caller = asyncio.create_task(run(PLACES[place](stuck)))
    await stuck.reached.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert stuck.left
    assert running() == set()


async def raise_a_cancellation() -> None:
    raise asyncio.CancelledError


async def raise_a_cancellation_after_a_failed_group() -> None:
    await handle_a_failed_group()
    raise asyncio.CancelledError


cancelling_itself = pytest.mark.parametrize(
    "act", [raise_a_cancellation, raise_a_cancellation_after_a_failed_group]
)


@both
@cancelling_itself
@pytest.mark.parametrize("place", RAISING)
async def test_a_cancellation_that_user_code_raises_by_itself_is_a_fault(
    place: str, act: Act, run: RunScene
) -> None:
    with pytest.raises(UserError, match="CancelledError although"):
        await run(RAISING[place](act))
    assert running() == set()


@both
@cancelling_itself
@pytest.mark.parametrize("place", TOOLS)
async def test_a_model_is_told_that_a_tool_cancelled_itself(
    place: str, act: Act, run: RunScene
) -> None:
    scene = TOOLS[place](act)
    assert await run(scene) == "done"
    assert told_of(scene.agent) == FAILED


@pytest.mark.parametrize("place", PLACES)
def test_a_loop_that_shuts_down_cancels_a_streamed_run_in_the_background(place: str) -> None:
    results = []

    async def begin() -> None:
        stuck = Stuck()
        scene = PLACES[place](stuck)
        results.append(Runner.run_streamed(scene.agent, "go", **scene.options))
        await stuck.reached.wait()

    asyncio.run(begin())
    (result,) = results
    assert result.run_loop_task is not None
    assert result.run_loop_task.cancelled()
    assert result.run_loop_exception is None
    assert result.final_output is None


async def test_cancelling_all_tasks_before_a_run_has_begun_leaves_no_complaint() -> None:
    model = script()
    caller = asyncio.create_task(Runner.run(Agent(name="A", model=model), "go"))
    await asyncio.sleep(0)  # the caller has made the task of the run, which has not begun
    assert len(running()) == 2
    for task in running():
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    gc.collect()  # a coroutine that nothing awaited warns now, and warnings are errors
    assert model.calls == ()
    assert running() == set()
