"""A call whose tool is gone when it should be made is answered in the form of its own kind, so that
the history stays one that the API takes."""

from __future__ import annotations

from typing import Any

import pytest

from agentgraph import (
    Agent,
    ApplyPatchTool,
    ComputerTool,
    CustomTool,
    HostedMCPTool,
    LocalShellTool,
    RunConfig,
    RunHooks,
    Runner,
    ShellTool,
    UserError,
    function_tool,
)
from agentgraph.memory.transcripts.histories import legal
from agentgraph.testing import ScriptedModel, assistant_message
from tests.api.calls import call, echo
from tests.api.conftest import Play
from tests.api.hosted import (
    INPUT_ITEM,
    RecordedComputer,
    approval_request,
    computer_call,
    custom_call,
    local_shell_call,
    patch_call,
    shell_call,
)


def fails(*_: Any) -> Any:
    raise OSError("out of order")


class Editor:
    create_file = update_file = delete_file = fails


@function_tool(needs_approval=True)
async def pay(amount: int) -> str:
    """Pay."""
    return f"paid {amount}"


def named_like(tool: Any) -> Any:
    """A function tool with the name of another tool."""
    return function_tool(lambda: "never", name_override=tool.name, description_override="Other.")


WAITING: dict[str, tuple[Any, Any, str]] = {
    "function": (pay, call("pay", amount=1), "function_call_output"),
    "shell": (
        ShellTool(fails, needs_approval=True),
        shell_call("ls"),
        "shell_call_output",
    ),
    "patch": (
        ApplyPatchTool(Editor(), needs_approval=True),  # type: ignore[arg-type]
        patch_call("p1", type="delete_file", path="a.txt"),
        "apply_patch_call_output",
    ),
    "custom": (
        CustomTool(name="raw", description="Raw.", on_invoke_tool=fails, needs_approval=True),
        custom_call("raw", "text"),
        "custom_tool_call_output",
    ),
    "hosted MCP": (
        HostedMCPTool(
            tool_config={"type": "mcp", "server_label": "wiki", "server_url": "http://x"}
        ),
        approval_request(),
        "mcp_approval_response",
    ),
}
FAILED: dict[str, tuple[Any, Any, str]] = {
    "computer": (
        ComputerTool(RecordedComputer("click")),
        computer_call({"type": "click", "x": 1, "y": 2, "button": "left"}),
        "computer_call_output",
    ),
    "local shell": (LocalShellTool(fails), local_shell_call("ls"), "local_shell_call_output"),
}


def agent_of(tool: Any, asked: Any) -> tuple[Agent[Any], ScriptedModel]:
    model = ScriptedModel([[asked], [assistant_message("done")]])
    return Agent(name="Clerk", model=model, tools=[echo, tool]), model


def answers_rightly(model: ScriptedModel, asked: Any, form: str) -> None:
    """The last call of the model holds the call with one answer of its form that the API takes."""
    *_, answer = model.calls[-1].input
    assert answer["type"] == form
    if form == "mcp_approval_response":
        assert (answer["approval_request_id"], answer["approve"]) == (asked.id, False)
    else:
        assert answer["call_id"] == asked.call_id
    if form != "computer_call_output":  # which is an image
        assert "not found in agent 'Clerk'" in str(answer)
    if form != "local_shell_call_output":  # whose `call_id` the client's types do not know
        INPUT_ITEM.validate_python(answer, strict=False)
    assert legal(model.calls[-1].input)


@pytest.mark.parametrize("approve", [True, False])
@pytest.mark.parametrize(
    ("kind", "how"),
    [
        *((kind, "gone") for kind in WAITING),
        # A function tool of the same name would be the tool of a function call.
        *((kind, "another of its name") for kind in WAITING if kind != "function"),
    ],
)
async def test_a_call_that_waited_is_answered_in_its_own_form(
    play: Play, kind: str, how: str, approve: bool
) -> None:
    tool, asked, form = WAITING[kind]
    agent, model = agent_of(tool, asked)
    state = (await play(agent)).result.to_state()
    [waiting] = state.get_interruptions()
    state.approve(waiting) if approve else state.reject(waiting)
    other = [named_like(tool)] if how == "another of its name" else []
    agent.tools = [echo, *other]
    played = await play(agent, state)
    assert played.final == "done"
    answers_rightly(model, asked, form)


@pytest.mark.parametrize("kind", FAILED)
async def test_a_call_that_failed_and_is_made_again_is_answered_in_its_own_form(kind: str) -> None:
    tool, asked, form = FAILED[kind]
    agent, model = agent_of(tool, asked)
    failed = Runner.run_streamed(agent, "go")
    with pytest.raises(UserError):
        async for _ in failed.stream_events():
            pass
    agent.tools = [echo]
    result = await Runner.run(agent, failed.to_state())
    assert result.final_output == "done"
    answers_rightly(model, asked, form)


@pytest.mark.parametrize("kind", WAITING)
async def test_the_formatter_of_errors_is_told_the_kind_of_the_missing_tool(
    play: Play, kind: str
) -> None:
    tool, asked, _ = WAITING[kind]
    agent, model = agent_of(tool, asked)
    state = (await play(agent)).result.to_state()
    state.approve(state.get_interruptions()[0])
    agent.tools = []
    seen: list[Any] = []

    def formatter(arguments: Any) -> str:
        seen.append((arguments.kind, arguments.tool_type, arguments.call_id))
        return "no such thing"

    await play(agent, state, run_config=RunConfig(tool_error_formatter=formatter))
    types = {"shell": "shell", "patch": "apply_patch", "custom": "custom"}
    call_id = getattr(asked, "call_id", None) or asked.id
    assert seen == [("tool_not_found", types.get(kind, "function"), call_id)]
    assert "no such thing" in str(model.calls[-1].input[-1])


async def test_a_call_that_no_longer_asks_for_the_approval_it_waits_for_is_refused_by_name(
    play: Play,
) -> None:
    agent, _ = agent_of(pay, call("pay", amount=1))
    state = (await play(agent)).result.to_state()
    state.approve(state.get_interruptions()[0])
    agent.tools = [named_like(pay)]
    with pytest.raises(UserError, match="'clerk/tool/pay', which no longer asks for approval"):
        await play(agent, state)


async def test_a_tool_that_a_hook_replaces_while_its_call_waits_is_missing(play: Play) -> None:
    tool, asked, form = WAITING["shell"]
    model = ScriptedModel([[asked, call("pay", "c2", amount=1)], [assistant_message("done")]])
    agent = Agent(name="Clerk", model=model, tools=[tool, pay])

    class Hooks(RunHooks[Any]):
        async def on_tool_start(self, context: Any, agent: Any, started: Any) -> None:
            agent.tools = [named_like(tool), pay]

    state = (await play(agent)).result.to_state()
    for approved in ("pay", "shell"):
        items = {item.name: item for item in state.get_interruptions()}
        state.approve(items[approved])
        played = await play(agent, state, hooks=Hooks())
        state = played.result.to_state()
    assert played.final == "done"
    answers = {answer["call_id"]: answer for answer in model.calls[-1].input if "output" in answer}
    assert answers[asked.call_id]["type"] == form
    assert "not found" in str(answers[asked.call_id])
    assert answers["c2"]["output"] == "paid 1"
