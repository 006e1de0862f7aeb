"""Commands and patches on this side: local shell, shell and patch tools through the runner."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest
from openai.types.responses import ResponseFunctionShellToolCallOutput

from agentgraph import (
    ApplyPatchTool,
    LocalShellCommandRequest,
    LocalShellTool,
    ModelBehaviorError,
    RunConfig,
    Runner,
    ShellTool,
    SQLiteSession,
    UserError,
    apply_diff,
)
from agentgraph.testing import ScriptedModel, assistant_message
from agentgraph.tools.errors import FAILED
from agentgraph.tools.shell import (
    ApplyPatchOperation,
    ApplyPatchResult,
    ShellCallOutcome,
    ShellCommandOutput,
    ShellCommandRequest,
    ShellResult,
)
from tests.api.calls import agent_with, call, echo, script, told
from tests.api.conftest import Play
from tests.api.hosted import INPUT_ITEM, local_shell_call, patch_call, shell_call


def shell_output(call_id: str) -> ResponseFunctionShellToolCallOutput:
    """What a provider says of a call that it has carried out."""
    exited = {"type": "exit", "exit_code": 0}
    return ResponseFunctionShellToolCallOutput.model_validate(
        {
            "type": "shell_call_output",
            "id": f"item_out_{call_id}",
            "call_id": call_id,
            "status": "completed",
            "output": [{"stdout": "x", "stderr": "", "outcome": exited}],
        }
    )


def kinds_of(items: Any) -> list[str]:
    """The types of input items."""
    return [item.get("type", "message") for item in items]


def _shell(executor: Any = None, **settings: Any) -> ShellTool:
    def run(request: ShellCommandRequest) -> str:
        return f"ran {request.data.action.commands}"

    return ShellTool(executor=executor or run, **settings)


class TestLocalShell:
    async def test_runs_a_command_through_the_users_executor(self, play: Play) -> None:
        async def run(request: LocalShellCommandRequest) -> str:
            command = request.data.action.command
            process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
            written, _ = await process.communicate()
            return f"{request.ctx_wrapper.context}: {written.decode().strip()}"

        reply = [local_shell_call(sys.executable, "-c", "print(6 * 7)")]
        played = await play(agent_with(script(reply), LocalShellTool(run)), context="here")
        assert played.kinds == ["tool_call_item", "tool_call_output_item", "message_output_item"]
        assert played.outputs == ["here: 42"]
        raw = played.items[1].raw_item
        assert raw == {
            "type": "local_shell_call_output",
            "id": "l1",
            "call_id": "l1",
            "output": "here: 42",
        }
        INPUT_ITEM.validate_python(raw)

    async def test_ends_the_run_when_its_executor_raises(self, play: Play) -> None:
        def run(request: LocalShellCommandRequest) -> str:
            raise OSError("no shell")

        agent = agent_with(ScriptedModel([[local_shell_call("ls")]]), LocalShellTool(run))
        with pytest.raises(UserError, match="tool local_shell of agent Clerk: no shell") as caught:
            await play(agent)
        assert isinstance(caught.value.__cause__, OSError)

    async def test_runs_one_command_at_a_time(self, play: Play) -> None:
        log: list[str] = []

        async def run(request: LocalShellCommandRequest) -> str:
            (name,) = request.data.action.command
            log.append(f"begin {name}")
            await asyncio.sleep(0)
            log.append(f"end {name}")
            return name

        calls = [local_shell_call("a", call_id="l1"), local_shell_call("b", call_id="l2")]
        played = await play(agent_with(script(calls), LocalShellTool(run)))
        assert log == ["begin a", "end a", "begin b", "end b"]
        assert played.outputs == ["a", "b"]


class TestShell:
    async def test_runs_commands_through_the_users_executor(self, play: Play) -> None:
        asked: list[Any] = []

        async def run(request: ShellCommandRequest) -> ShellResult:
            asked.append(request.data.action)
            return ShellResult(
                [
                    ShellCommandOutput("one", "", ShellCallOutcome("exit", 0)),
                    ShellCommandOutput("", "late", ShellCallOutcome("timeout")),
                ]
            )

        reply = [shell_call("a", "b", timeout_ms=100)]
        played = await play(agent_with(script(reply), _shell(run)))
        assert (asked[0].commands, asked[0].timeout_ms) == (["a", "b"], 100)
        raw = played.items[1].raw_item
        assert raw == {
            "type": "shell_call_output",
            "call_id": "s1",
            "output": [
                {"stdout": "one", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}},
                {"stdout": "", "stderr": "late", "outcome": {"type": "timeout"}},
            ],
        }
        INPUT_ITEM.validate_python(raw)
        assert played.outputs == ["one\nlate"]

    async def test_shows_no_more_than_the_model_wants_to_see(self, play: Play) -> None:
        model = script([shell_call("a", max_output_length=5)])
        played = await play(agent_with(model, _shell(lambda request: "0123456789")))
        assert played.outputs == ["01234"]
        assert played.items[1].raw_item["max_output_length"] == 5

    async def test_tells_the_model_when_its_executor_raises(self, play: Play) -> None:
        def run(request: ShellCommandRequest) -> str:
            raise OSError("no shell")

        model = script([shell_call("a")])
        played = await play(agent_with(model, _shell(run)))
        (entry,) = told(model)["s1"]
        assert entry["stdout"] == FAILED
        assert entry["outcome"] == {"type": "exit", "exit_code": 1}
        assert played.final == "done"

    async def test_spells_out_what_is_no_text(self, play: Play) -> None:
        model = script([shell_call("ls")])
        await play(agent_with(model, _shell(lambda request: "caf\udce9.txt")))
        (entry,) = told(model)["s1"]
        assert entry["stdout"] == r"caf\udce9.txt"

    async def test_at_the_provider_is_no_work_of_ours(self, play: Play) -> None:
        tool = ShellTool(environment={"type": "container_auto"})
        model = ScriptedModel([[shell_call("a"), assistant_message("done")]])
        played = await play(agent_with(model, tool))
        assert played.kinds == ["tool_call_item", "message_output_item"]
        assert played.final == "done"

    async def test_at_the_provider_is_not_sent_again_without_its_output(self, play: Play) -> None:
        tool = ShellTool(environment={"type": "container_auto"})
        answered = [shell_call("a", call_id="s1"), shell_output("s1")]
        model = script([*answered, shell_call("b", call_id="s2")], [shell_call("c", call_id="s3")])
        session = SQLiteSession("s")
        played = await play(agent_with(model, tool), session=session)
        kinds = ["message", "shell_call", "shell_call_output"]
        assert [kinds_of(asked.input) for asked in model.calls] == [kinds[:1], kinds, kinds]
        assert kinds_of(await session.get_items()) == [*kinds, "message"]
        assert kinds_of(played.result.to_input_list()) == [*kinds, "message"]
        assert played.kinds.count("tool_call_item") == 3

    @pytest.mark.parametrize(
        "kept", [{"conversation_id": "c"}, {"auto_previous_response_id": True}]
    )
    async def test_at_the_provider_has_an_output_that_the_provider_knows(
        self, play: Play, kept: dict[str, Any]
    ) -> None:
        tool = ShellTool(environment={"type": "container_auto"})
        replies: list[Any] = [
            {"output": [shell_call("a"), shell_output("s1"), call("echo", text="x")]},
            {"output": [assistant_message("done")]},
        ]
        model = ScriptedModel([{**reply, "response_id": "r"} for reply in replies])
        await play(agent_with(model, tool, echo), **kept)
        assert kinds_of(model.calls[1].input) == ["function_call_output"]

    async def test_waits_for_approval_and_can_be_rejected(self, play: Play) -> None:
        ran: list[str] = []

        def run(request: ShellCommandRequest) -> str:
            ran.extend(request.data.action.commands)
            return "ran"

        async def risky(context: Any, action: Any, call_id: str) -> bool:
            return "rm" in action.commands[0]

        calls = [shell_call("rm -r x", call_id="s1"), shell_call("ls", call_id="s2")]
        model = script(calls)
        agent = agent_with(model, _shell(run, needs_approval=risky))
        waiting = await play(agent)
        assert ran == ["ls"]
        assert [item.call_id for item in waiting.result.interruptions] == ["s1"]
        state = waiting.result.to_state()
        state.reject(waiting.result.interruptions[0], rejection_message="Not that one.")
        await play(agent, state)
        assert ran == ["ls"]
        assert [entry["stderr"] for entry in told(model)["s1"]] == ["Not that one."]

    @pytest.mark.parametrize("approve", [True, False])
    async def test_can_be_approved_by_a_function_at_once(self, play: Play, approve: bool) -> None:
        def answer(context: Any, item: Any) -> Any:
            assert (item.name, item.call_id) == ("shell", "s1")
            return {"approve": approve, "reason": "because"}

        model = script([shell_call("ls")])
        played = await play(agent_with(model, _shell(needs_approval=True, on_approval=answer)))
        assert played.final == "done"
        (entry,) = told(model)["s1"]
        assert (entry["stdout"] == "ran ['ls']") is approve
        assert (entry["stderr"] == "because") is not approve


class _Editor:
    def __init__(self) -> None:
        self.log: list[tuple[str, str, str | None]] = []

    def _note(self, operation: ApplyPatchOperation) -> None:
        self.log.append((operation.type, operation.path, operation.diff))

    def create_file(self, operation: ApplyPatchOperation) -> ApplyPatchResult:
        self._note(operation)
        return ApplyPatchResult(output="made")

    async def update_file(self, operation: ApplyPatchOperation) -> str:
        self._note(operation)
        return "changed"

    def delete_file(self, operation: ApplyPatchOperation) -> None:
        self._note(operation)
        raise OSError("read-only")


async def test_an_editor_makes_changes_in_order_and_the_model_is_told_of_faults(
    play: Play,
) -> None:
    editor = _Editor()
    calls = [
        patch_call("p1", type="create_file", path="a", diff="+x"),
        patch_call("p2", type="update_file", path="a", diff="+y"),
        patch_call("p3", type="delete_file", path="a"),
    ]
    played = await play(agent_with(script(calls), ApplyPatchTool(editor)))
    assert editor.log == [
        ("create_file", "a", "+x"),
        ("update_file", "a", "+y"),
        ("delete_file", "a", None),
    ]
    raws = [item.raw_item for item in played.items if item.type == "tool_call_output_item"]
    assert [(raw["status"], raw["output"]) for raw in raws] == [
        ("completed", "made"),
        ("completed", "changed"),
        ("failed", FAILED),
    ]
    for raw in raws:
        INPUT_ITEM.validate_python(raw)


async def test_a_rejected_change_is_told_in_the_callers_words(play: Play) -> None:
    editor = _Editor()
    model = script([patch_call("p1", type="create_file", path="a", diff="+x")])
    agent = agent_with(model, ApplyPatchTool(editor, needs_approval=True))
    waiting = await play(agent)
    state = waiting.result.to_state()
    state.reject(waiting.result.interruptions[0])
    config = RunConfig(tool_error_formatter=lambda args: f"{args.kind} {args.tool_type}")
    await play(agent, state, run_config=config)
    assert editor.log == []
    assert told(model)["p1"] == "approval_rejected apply_patch"


@pytest.mark.parametrize(
    ("reply", "named"),
    [
        (local_shell_call("ls"), "local_shell"),
        (shell_call("ls"), "shell"),
        (patch_call("p1", type="delete_file", path="a"), "apply_patch"),
        ({"type": "custom_tool_call", "call_id": "x1", "name": "magic", "input": "?"}, "magic"),
    ],
)
async def test_a_call_without_the_tool_is_the_models_fault(
    play: Play, reply: Any, named: str
) -> None:
    agent = agent_with(ScriptedModel([[reply]]))
    with pytest.raises(ModelBehaviorError, match=f"agent 'Clerk' called the tool '{named}'"):
        await play(agent)


async def test_cancelling_a_run_leaves_no_command_running() -> None:
    started = asyncio.Event()
    codes: list[int | None] = []

    async def run(request: LocalShellCommandRequest) -> str:
        process = await asyncio.create_subprocess_exec("sleep", "1000")
        started.set()
        try:
            await process.wait()
        finally:
            process.kill()
            codes.append(await process.wait())
        return ""

    agent = agent_with(ScriptedModel([[local_shell_call("x")]]), LocalShellTool(run))
    task = asyncio.create_task(Runner.run(agent, "go"))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert codes == [-9]


async def test_a_model_reads_what_is_wrong_with_its_own_diff(play: Play) -> None:
    class Editor(_Editor):
        def update_file(self, operation: ApplyPatchOperation) -> str:
            return apply_diff("old\n", operation.diff or "")

    calls = [patch_call("p1", type="update_file", path="a", diff="-new\n+x")]
    played = await play(agent_with(script(calls), ApplyPatchTool(Editor())))
    [output] = played.outputs
    assert output.startswith(f"{FAILED} Error: Invalid Context")
