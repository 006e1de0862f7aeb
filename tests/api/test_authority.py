"""What a decision lets through: one call of one run with one content, never what a model puts under
the same id or name."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from openai.types.responses.response_output_item import McpApprovalRequest
from pydantic import BaseModel

from agentgraph import (
    Agent,
    ApplyPatchTool,
    CustomTool,
    FunctionTool,
    HostedMCPTool,
    ModelBehaviorError,
    ShellTool,
    UserError,
    function_tool,
    handoff,
)
from agentgraph.items import ToolApprovalItem
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from agentgraph.tools.shell import ShellCommandRequest
from tests.api.calls import agent_with, call, script, told
from tests.api.conftest import Play, Played
from tests.api.hosted import custom_call, patch_call, shell_call


@dataclass(frozen=True)
class Kind:
    """A kind of call that waits for a person.

    Args:
        tool: A tool that notes the contents that it is called with.
        ask: A call with an id and a content.
        done: What was done, from the notes and the run.
    """

    tool: Callable[[list[str]], Any]
    ask: Callable[[str, str], Any]
    done: Callable[[list[str], Played], list[str]] = lambda notes, played: notes


def _function(notes: list[str]) -> Any:
    async def work(content: str, more: int = 0) -> str:
        notes.append(content)
        return "worked"

    return function_tool(work, needs_approval=True)


def _custom(notes: list[str]) -> Any:
    async def work(context: Any, text: str) -> str:
        notes.append(text)
        return "worked"

    return CustomTool("work", "Work.", work, needs_approval=True)


def _shell(notes: list[str]) -> Any:
    def run(request: ShellCommandRequest) -> str:
        notes.extend(request.data.action.commands)
        return "worked"

    return ShellTool(executor=run, needs_approval=True)


class _Editor:
    def __init__(self, notes: list[str]) -> None:
        self.notes = notes

    def delete_file(self, operation: Any) -> str:
        self.notes.append(operation.path)
        return "worked"

    create_file = update_file = delete_file


def _patch(notes: list[str]) -> Any:
    return ApplyPatchTool(editor=_Editor(notes), needs_approval=True)


def server(label: str = "wiki") -> HostedMCPTool:
    config: Any = {
        "type": "mcp",
        "server_label": label,
        "server_url": "https://mcp.invalid",
        "require_approval": "always",
    }
    return HostedMCPTool(tool_config=config)


def request(call_id: str, content: str, label: str = "wiki") -> McpApprovalRequest:
    return McpApprovalRequest(
        id=call_id,
        arguments=f'{{"content":"{content}","more":0}}',
        name="work",
        server_label=label,
        type="mcp_approval_request",
    )


def _approved_requests(_: list[str], played: Played) -> list[str]:
    asked = {
        item.raw_item.id: item.raw_item.arguments
        for item in played.items
        if item.type == "mcp_approval_request_item"
    }
    answers = [item for item in played.items if item.type == "mcp_approval_response_item"]
    return [
        asked[answer.raw_item["approval_request_id"]].split('"')[3]
        for answer in answers
        if answer.raw_item["approve"]
    ]


KINDS = {
    "function": Kind(_function, lambda id, content: call("work", id, content=content)),
    "custom": Kind(_custom, lambda id, content: custom_call("work", content, id)),
    "shell": Kind(_shell, lambda id, content: shell_call(content, call_id=id)),
    "patch": Kind(_patch, lambda id, path: patch_call(id, type="delete_file", path=path)),
    "hosted": Kind(lambda notes: server(), request, _approved_requests),
}

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def approved(state: Any, *, lasting: bool = False) -> Any:
    for item in state.get_interruptions():
        state.approve(item, always_approve=lasting)
    return state


class TestAnIdOfTheModels:
    @every_kind
    @pytest.mark.parametrize("lasting", [False, True])
    async def test_does_not_carry_an_approval_to_other_content_in_a_later_turn(
        self, play: Play, kind: Kind, lasting: bool
    ) -> None:
        notes: list[str] = []
        model = ScriptedModel(
            [[kind.ask("c1", "ls")], [call("echo", "e1", text="x"), kind.ask("c1", "rm")]]
        )
        echoed: list[str] = []
        agent = agent_with(model, kind.tool(notes), noting(echoed))
        state = approved((await play(agent)).result.to_state(), lasting=lasting)
        with pytest.raises(ModelBehaviorError, match="'c1' for two different calls") as raised:
            await play(agent, state)
        assert raised.value.run_data is not None
        items = Played(raised.value.run_data)
        assert (kind.done(notes, items), echoed) == (["ls"], [])

    @every_kind
    async def test_stands_for_one_content_in_one_reply(self, play: Play, kind: Kind) -> None:
        notes: list[str] = []
        echoed: list[str] = []
        reply = [call("echo", "e1", text="x"), kind.ask("c1", "ls"), kind.ask("c1", "rm")]
        agent = agent_with(ScriptedModel([reply]), kind.tool(notes), noting(echoed))
        with pytest.raises(ModelBehaviorError, match="'c1' for two different calls"):
            await play(agent)
        assert (notes, echoed) == ([], [])

    @every_kind
    @pytest.mark.parametrize("later", [False, True])
    async def test_stands_for_one_call_where_the_content_is_the_same(
        self, play: Play, kind: Kind, later: bool
    ) -> None:
        notes: list[str] = []
        one, other = kind.ask("c1", "ls"), kind.ask("c1", "ls")
        model = script([one], [other]) if later else script([one, other])
        agent = agent_with(model, kind.tool(notes))
        waiting = await play(agent)
        assert len(waiting.result.interruptions) == 1
        played = await play(agent, approved(waiting.result.to_state()))
        assert kind.done(notes, played) == ["ls"]
        assert played.final == "done"

    @pytest.mark.parametrize("later", [False, True])
    @pytest.mark.parametrize("which", ["function", "hosted"])
    async def test_stands_for_one_call_whatever_the_order_of_its_keys(
        self, play: Play, which: str, later: bool
    ) -> None:
        written = '{ "more": 0, "content": "ls" }'
        kind, notes = KINDS[which], list[str]()
        one: Any = kind.ask("c1", "ls")
        one = one.model_copy(update={"arguments": '{"content":"ls","more":0}'})
        other = one.model_copy(update={"arguments": written})
        model = script([one], [other]) if later else script([one, other])
        agent = agent_with(model, kind.tool(notes))
        waiting = await play(agent)
        played = await play(agent, approved(waiting.result.to_state()))
        assert (kind.done(notes, played), played.final) == (["ls"], "done")

    @pytest.mark.parametrize(
        "written",
        ['{"content":"ls","content":"ls"}', '{"content":"ls","more":false}', '["ls"]', "ls"],
    )
    async def test_does_not_stand_for_what_only_looks_the_same(
        self, play: Play, written: str
    ) -> None:
        notes: list[str] = []
        same = function_call("work", written, call_id="c1")
        reply = [call("work", "c1", content="ls", more=0), same]
        agent = agent_with(ScriptedModel([reply]), _function(notes))
        with pytest.raises(ModelBehaviorError, match="'c1' for two different calls"):
            await play(agent)
        assert notes == []

    async def test_is_not_shared_by_tools_of_two_names(self, play: Play) -> None:
        notes: list[str] = []
        other = function_tool(_function(notes)._function, name_override="other")
        reply = [call("work", "c1", content="ls"), call("other", "c1", content="ls")]
        agent = agent_with(ScriptedModel([reply]), _function(notes), other)
        with pytest.raises(ModelBehaviorError, match="'c1' for two different calls"):
            await play(agent)
        assert notes == []

    @pytest.mark.parametrize(
        "ids",
        [
            (("a", "\nb"), ("a\n", "b")),
            (("a", "b\nc"), ("a\nb", "c")),
            (("a", "b/c"), ("a/b", "c")),
        ],
    )
    async def test_is_not_joined_with_that_of_the_call_around_it(
        self, play: Play, ids: tuple[tuple[str, str], ...]
    ) -> None:
        notes: list[str] = []
        replies = [[call("work", inner, content=outer)] for outer, inner in ids]
        inner_model = ScriptedModel([*replies, [assistant_message("done")]])
        inner = Agent(name="Expert", model=inner_model, tools=[_function(notes)])
        asked = [call("ask", outer, input="x") for outer, _ in ids]
        agent = agent_with(script(asked), inner.as_tool("ask", "Ask."))
        state = (await play(agent)).result.to_state()
        first, second = state.get_interruptions()
        state.approve(first)
        waiting = await play(agent, state)
        assert len(notes) == 1
        assert [item.call_id for item in waiting.result.interruptions] == [second.call_id]


def noting(notes: list[str]) -> Any:
    async def echo(text: str) -> str:
        notes.append(text)
        return text

    return function_tool(echo)


class TestALastingDecision:
    def deleting(self, gone: list[str], who: str) -> Any:
        async def delete(file: str) -> str:
            gone.append(f"{who} {file}")
            return "gone"

        return function_tool(delete, needs_approval=True)

    @pytest.mark.parametrize("shared", [False, True])
    async def test_about_the_tool_of_one_agent_says_nothing_about_that_of_another(
        self, play: Play, shared: bool
    ) -> None:
        gone: list[str] = []
        own = self.deleting(gone, "own")
        others = own if shared else self.deleting(gone, "another's")
        model = script(
            [call("delete", "c1", file="a")],
            [call("delete", "c2", file="b"), call("transfer_to_second", "h1")],
            [call("delete", "c3", file="c")],
        )
        second = Agent(name="Second", model=model, tools=[others])
        agent = agent_with(model, own, handoffs=[second])
        state = approved((await play(agent)).result.to_state(), lasting=True)
        waiting = await play(agent, state)
        assert gone == ["own a", "own b"]
        assert [item.call_id for item in waiting.result.interruptions] == ["c3"]

    async def test_about_a_tool_says_nothing_about_the_one_that_took_its_place(
        self, play: Play
    ) -> None:
        gone: list[str] = []
        model = script(
            [call("delete", "c1", file="a")],
            [call("transfer_to_second", "h1")],
            [call("delete", "c2", file="b")],
        )
        second = Agent(name="Second", model=model, tools=[self.deleting(gone, "another's")])
        agent = agent_with(model, self.deleting(gone, "own"), handoffs=[second])
        state = approved((await play(agent)).result.to_state(), lasting=True)
        agent.tools = []
        waiting = await play(agent, state)
        assert gone == []
        assert [item.call_id for item in waiting.result.interruptions] == ["c2"]


class TestAnItemMadeByHand:
    def by_hand(self, raw: Any, **more: Any) -> ToolApprovalItem:
        return ToolApprovalItem(agent=None, raw_item=raw, **more)

    async def test_answers_for_the_call_that_it_equals(self, play: Play) -> None:
        notes: list[str] = []
        agent = agent_with(script([call("work", "c1", content="ls")]), _function(notes))
        state = (await play(agent)).result.to_state()
        raw = {
            "type": "function_call",
            "name": "work",
            "call_id": "c1",
            "arguments": '{ "content" : "ls" }',
        }
        state.approve(self.by_hand(raw))
        assert (await play(agent, state)).final == "done"
        assert notes == ["ls"]

    @pytest.mark.parametrize(
        "raw",
        [
            {"name": "work", "call_id": "c1", "arguments": '{"content":"rm"}'},
            {"name": "work", "call_id": "c2", "arguments": '{"content":"ls"}'},
            {"name": "walk", "call_id": "c1", "arguments": '{"content":"ls"}'},
            {"name": "work", "call_id": "c1", "arguments": ""},
        ],
    )
    @pytest.mark.parametrize("approve", [True, False])
    async def test_answers_for_no_other(
        self, play: Play, raw: dict[str, str], approve: bool
    ) -> None:
        notes: list[str] = []
        agent = agent_with(script([call("work", "c1", content="ls")]), _function(notes))
        state = (await play(agent)).result.to_state()
        decide = state.approve if approve else state.reject
        with pytest.raises(UserError, match="no such call waits"):
            decide(self.by_hand({"type": "function_call", **raw}))
        assert len((await play(agent, state)).result.interruptions) == 1
        assert notes == []

    @pytest.mark.parametrize("namespace", [None, "files", "wiki"])
    async def test_for_one_server_does_not_answer_for_another(
        self, play: Play, namespace: str | None
    ) -> None:
        agent = agent_with(script([request("m1", "ls")]), server("wiki"), server("files"))
        state = (await play(agent)).result.to_state()
        item = self.by_hand(request("m1", "ls", "files"), tool_namespace=namespace)
        with pytest.raises(UserError, match="no such call waits"):
            state.approve(item, always_approve=True)
        assert len((await play(agent, state)).result.interruptions) == 1

    async def test_for_a_server_answers_for_its_call(self, play: Play) -> None:
        agent = agent_with(script([request("m1", "ls")]), server("wiki"), server("files"))
        state = (await play(agent)).result.to_state()
        state.approve(self.by_hand(request("m1", "ls"), tool_namespace="wiki"))
        played = await play(agent, state)
        assert _approved_requests([], played) == ["ls"]


class TestArgumentsThatARuleCannotClear:
    @pytest.mark.parametrize(
        "written",
        [
            *('{"amount": NaN}', '{"amount": Infinity}', '{"amount": -Infinity}'),
            *('{"amount": 1e999}', '{"amount": -1e999}', '{"amount": {"of": [NaN]}}'),
            *('{"amount": 5', "[101]", '"101"', "null", "  "),
            *('{"amount": 500, "amount": 5}', '{"amount": 5, "\\u0061mount": 500}'),
            *('{"amount": {"of": 5, "of": 500}}', '{"amount": [{"a": 1}, {"a": 1, "a": 2}]}'),
        ],
    )
    @pytest.mark.parametrize("needs_approval", [True, False])
    async def test_are_shown_to_a_person_and_refused_for_the_call_too(
        self, play: Play, written: str, needs_approval: bool
    ) -> None:
        paid: list[Any] = []

        async def pay(amount: Any) -> str:
            paid.append(amount)
            return "paid"

        tool = function_tool(pay, strict_mode=False)
        tool.needs_approval = needs_approval and (lambda context, args, id: args["amount"] > 100)
        model = script([function_call("pay", written, call_id="c1")])
        agent = agent_with(model, tool)
        played = await play(agent)
        if needs_approval:
            assert len(played.result.interruptions) == 1
            played = await play(agent, approved(played.result.to_state()))
        assert "Invalid JSON input for tool pay" in told(model)["c1"]
        assert (paid, played.final) == ([], "done")

    @pytest.mark.parametrize("ruled", [True, False])
    async def test_are_none_at_all_which_a_person_sees_and_the_call_takes_for_an_empty_object(
        self, play: Play, ruled: bool
    ) -> None:
        done: list[int] = []

        async def clear(count: int = 7) -> str:
            done.append(count)
            return "cleared"

        tool = function_tool(clear, strict_mode=False)
        tool.needs_approval = ruled and (lambda context, args, id: False)
        model = script([function_call("clear", "", call_id="c1")])
        agent = agent_with(model, tool)
        played = await play(agent)
        assert done == ([] if ruled else [7])
        if ruled:
            played = await play(agent, approved(played.result.to_state()))
        assert (done, told(model), played.final) == ([7], {"c1": "cleared"}, "done")

    @pytest.mark.parametrize(
        "written",
        [
            '{"amount": {"a": 1, "b": {"a": 2}}}',
            '{"amount": "a: 1, \\"amount\\": 2", "more": 1}',
            '{"amount": [{"a": 1}, {"a": 1}]}',
        ],
    )
    async def test_are_not_keys_that_stand_once_in_each_object(
        self, play: Play, written: str
    ) -> None:
        asked: list[Any] = []

        async def pay(amount: Any, more: int = 0) -> str:
            return "paid"

        tool = function_tool(pay, strict_mode=False)
        tool.needs_approval = lambda context, args, id: asked.append(args)
        model = script([function_call("pay", written, call_id="c1")])
        played = await play(agent_with(model, tool))
        assert (asked, played.final) == ([json.loads(written)], "done")
        assert told(model) == {"c1": "paid"}

    async def test_reach_no_tool_of_another_kind_without_a_person(self, play: Play) -> None:
        """A tool made by hand reads its arguments itself, and may read the other value."""
        done: list[str] = []

        async def invoke(context: Any, arguments: str) -> str:
            done.append(arguments)
            return "paid"

        tool = FunctionTool(
            name="pay",
            description="Pay.",
            params_json_schema={"type": "object", "properties": {}},
            on_invoke_tool=invoke,
            strict_json_schema=False,
            needs_approval=lambda context, args, id: args["amount"] > 100,
        )
        written = '{"amount": 500, "amount": 5}'
        agent = agent_with(script([function_call("pay", written, call_id="c1")]), tool)
        played = await play(agent)
        assert (len(played.result.interruptions), done) == (1, [])
        assert (await play(agent, approved(played.result.to_state()))).final == "done"
        assert done == [written]

    @pytest.mark.parametrize(
        ("written", "problem"),
        [
            ('{"amount": 500, "amount": 5}', "an object holds a key twice"),
            ('{"amount": NaN}', "a number is not finite"),
            ('{"amount": 1e999}', "a number is not finite"),
        ],
    )
    async def test_are_refused_as_the_input_of_a_handoff(
        self, play: Play, written: str, problem: str
    ) -> None:
        taken: list[Any] = []

        class Amount(BaseModel):
            amount: float

        other = Agent[Any](name="Other", model=script())
        edge = handoff(
            other, on_handoff=lambda context, input: taken.append(input), input_type=Amount
        )
        model = script([function_call("transfer_to_other", written, call_id="h1")])
        with pytest.raises(ModelBehaviorError, match=f"'transfer_to_other': {problem}"):
            await play(Agent(name="Clerk", model=model, handoffs=[edge]))
        assert taken == []

    @pytest.mark.parametrize("typed", [True, False])
    async def test_are_refused_by_an_agent_tool_as_well(self, play: Play, typed: bool) -> None:
        @dataclass
        class Amount:
            amount: float
            input: str = ""

        inner = script()
        tool = Agent(name="Expert", model=inner).as_tool(
            "pay", "Pay.", **({"parameters": Amount} if typed else {})
        )
        written = '{"input": "x", "amount": NaN}'
        model = script([function_call("pay", written, call_id="c1")])
        played = await play(agent_with(model, tool))
        assert "Invalid JSON input for tool pay: a number is not finite" in told(model)["c1"]
        assert (inner.calls, played.final) == ((), "done")
