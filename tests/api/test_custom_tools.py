"""Custom tools of the Responses API through the runner: text goes in, text comes out."""

from __future__ import annotations

import re
from typing import Any

import pytest
from openai.types.responses import ToolParam
from pydantic import TypeAdapter

import agentgraph
from agentgraph import (
    Agent,
    CustomTool,
    CustomToolCustomDataContext,
    ModelBehaviorError,
    ModelSettings,
    RunConfig,
    RunHooks,
    SQLiteSession,
    ToolContext,
    UserError,
)
from agentgraph.exceptions import AgentDefinitionError
from agentgraph.models.chat_functions import tool_function
from agentgraph.models.responses_converter import Converter
from agentgraph.program import CompileError
from agentgraph.testing import ScriptedModel
from agentgraph.tools.errors import FAILED
from tests.api.calls import agent_with, call, echo, script, told
from tests.api.conftest import Play
from tests.api.hosted import INPUT_ITEM, custom_call

GRAMMAR = {"type": "grammar", "syntax": "regex", "definition": "[0-9]+"}


async def upper(context: ToolContext[Any], text: str) -> str:
    return text.upper()


def shout(function: Any = upper, name: str = "shout", **settings: Any) -> CustomTool:
    return CustomTool(name, "Shout a text.", function, **settings)


async def test_the_function_gets_the_text_and_the_call_and_its_result_is_text(play: Play) -> None:
    seen: list[tuple[Any, ...]] = []

    def count(context: ToolContext[Any], text: str) -> int:
        agent: Any = context.agent
        seen.append((context.tool_name, context.tool_call_id, context.tool_arguments, agent.name))
        return len(text)

    model = script([custom_call("shout", "so be it")])
    played = await play(agent_with(model, shout(count)))
    assert seen == [("shout", "x1", "so be it", "Clerk")]
    assert played.kinds == ["tool_call_item", "tool_call_output_item", "message_output_item"]
    assert played.outputs == ["8"]
    assert played.items[1].raw_item == {
        "type": "custom_tool_call_output",
        "call_id": "x1",
        "output": "8",
    }
    assert told(model) == {"x1": "8"}
    for entry in played.result.to_input_list()[1:3]:
        INPUT_ITEM.validate_python(entry)


async def test_calls_are_made_in_order_and_stand_after_those_of_functions(play: Play) -> None:
    begun: list[str] = []

    async def note(context: ToolContext[Any], text: str) -> str:
        begun.append(text)
        return text

    reply = [
        custom_call("shout", "a", "x1"),
        call("echo", text="b"),
        custom_call("shout", "c", "x2"),
    ]
    played = await play(agent_with(script(reply), shout(note), echo))
    assert begun == ["a", "c"]
    assert played.outputs == ["b", "a", "c"]


async def test_of_an_error_the_model_is_told_without_its_text(play: Play) -> None:
    def fail(context: ToolContext[Any], text: str) -> str:
        raise ValueError("hoarse")

    model = script([custom_call("shout", "a")])
    played = await play(agent_with(model, shout(fail)))
    assert told(model) == {"x1": FAILED}
    assert played.final == "done"


async def test_hooks_hear_of_the_call(play: Play) -> None:
    heard: list[tuple[Any, ...]] = []

    class Ears(RunHooks[Any]):
        async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
            heard.append((tool.name, context.tool_call_id))

        async def on_tool_end(self, context: Any, agent: Any, tool: Any, result: object) -> None:
            heard.append((tool.name, context.tool_call_id, result))

    await play(agent_with(script([custom_call("shout", "a")]), shout()), hooks=Ears())
    assert heard == [("shout", "x1"), ("shout", "x1", "A")]


class TestApproval:
    async def test_a_call_waits_and_is_made_once_approved(self, play: Play) -> None:
        model = script([custom_call("shout", "a")])
        agent = agent_with(model, shout(needs_approval=True))
        waiting = await play(agent)
        (item,) = waiting.result.interruptions
        assert (item.name, item.arguments, item.call_id) == ("shout", "a", "x1")
        state = waiting.result.to_state()
        state.approve(item)
        assert (await play(agent, state)).final == "done"
        assert told(model) == {"x1": "A"}

    @pytest.mark.parametrize(
        ("message", "config", "expected"),
        [
            (None, None, "Tool execution was not approved."),
            ("Hush.", None, "Hush."),
            (
                None,
                RunConfig(tool_error_formatter=lambda args: f"{args.kind} {args.tool_type}"),
                "approval_rejected custom",
            ),
        ],
    )
    async def test_of_a_rejection_the_model_is_told(
        self, play: Play, message: str | None, config: RunConfig | None, expected: str
    ) -> None:
        model = script([custom_call("shout", "a")])
        agent = agent_with(model, shout(needs_approval=True))
        waiting = await play(agent)
        state = waiting.result.to_state()
        state.reject(waiting.result.interruptions[0], rejection_message=message)
        await play(agent, state, run_config=config)
        assert told(model) == {"x1": expected}

    async def test_a_function_says_which_calls_and_another_answers(self, play: Play) -> None:
        async def is_loud(context: Any, text: str, call_id: str) -> bool:
            return text.endswith("!")

        async def answer(context: Any, item: Any) -> Any:
            return {"approve": False, "reason": f"no {item.arguments}"}

        model = script([custom_call("shout", "a", "x1"), custom_call("shout", "b!", "x2")])
        agent = agent_with(model, shout(needs_approval=is_loud, on_approval=answer))
        await play(agent)
        assert told(model) == {"x1": "A", "x2": "no b!"}

    @pytest.mark.parametrize("answer", [True, None, {"reason": "no"}])
    async def test_an_answer_in_another_form_is_refused_by_name(
        self, play: Play, answer: Any
    ) -> None:
        tool = shout(needs_approval=True, on_approval=lambda context, item: answer)
        agent = agent_with(script([custom_call("shout", "a")]), tool)
        with pytest.raises(UserError, match="on_approval of tool 'shout' of agent 'Clerk'"):
            await play(agent)


class TestTheModelsFaults:
    async def test_a_tool_that_nobody_has(self, play: Play) -> None:
        agent = agent_with(ScriptedModel([[custom_call("whisper", "a")]]), shout())
        with pytest.raises(ModelBehaviorError, match="agent 'Clerk' called the tool 'whisper'"):
            await play(agent)

    async def test_a_custom_tool_cannot_be_called_as_a_function(self, play: Play) -> None:
        agent = agent_with(ScriptedModel([[call("shout")]]), shout())
        with pytest.raises(ModelBehaviorError, match="shout"):
            await play(agent)

    async def test_the_same_call_again_is_not_made_again(self, play: Play) -> None:
        made: list[str] = []

        async def note(context: ToolContext[Any], text: str) -> str:
            made.append(text)
            return text

        reply = [custom_call("shout", "a"), custom_call("shout", "a")]
        played = await play(agent_with(script(reply, [custom_call("shout", "a")]), shout(note)))
        assert (made, played.final) == (["a"], "done")

    async def test_one_id_for_two_calls(self, play: Play) -> None:
        reply = [custom_call("shout", "a"), custom_call("shout", "b")]
        with pytest.raises(ModelBehaviorError, match="'x1' for two different calls"):
            await play(agent_with(ScriptedModel([reply]), shout()))


class TestCustomData:
    async def test_stands_on_the_output_and_is_never_sent(self, play: Play) -> None:
        asked: list[tuple[Any, ...]] = []

        async def extract(context: CustomToolCustomDataContext) -> dict[str, Any]:
            context.raw_item["output"] = "changed"  # type: ignore[index]
            asked.append((context.tool.name, context.input, context.output))
            return {"call": context.tool_context.tool_call_id}

        model = script([custom_call("shout", "a")])
        played = await play(agent_with(model, shout(custom_data_extractor=extract)))
        assert asked == [("shout", "a", "A")]
        assert played.items[1].custom_data == {"call": "x1"}
        assert told(model) == {"x1": "A"}

    async def test_an_extractor_that_fails_leaves_the_output_without_data_and_is_logged(
        self, play: Play, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(context: CustomToolCustomDataContext) -> Any:
            raise ValueError("secret")

        model = script([custom_call("shout", "a")])
        played = await play(agent_with(model, shout(custom_data_extractor=fail)))
        assert told(model) == {"x1": "A"}
        assert (played.items[1].output, played.items[1].custom_data) == ("A", None)
        (logged,) = [it.getMessage() for it in caplog.records if it.levelname == "ERROR"]
        assert "custom_data_extractor of tool shout of agent Clerk failed" in logged
        assert "secret" not in caplog.text


class TestRequests:
    @pytest.mark.parametrize("form", [None, {"type": "text"}, GRAMMAR])
    @pytest.mark.parametrize("deferred", [False, True])
    def test_are_as_the_client_declares_them(self, form: Any, deferred: bool) -> None:
        sent = Converter.convert_tools([shout(format=form, defer_loading=deferred)], []).tools
        expected = {"type": "custom", "name": "shout", "description": "Shout a text."}
        if form is not None:
            expected["format"] = form
        assert sent == [{**expected, "defer_loading": True} if deferred else expected]
        TypeAdapter[Any](ToolParam).validate_python(sent[0])

    def test_a_choice_of_the_tool_names_it_as_custom(self) -> None:
        choice = Converter.convert_tool_choice("shout", tools=[shout()])
        assert choice == {"type": "custom", "name": "shout"}

    def test_chat_completions_refuse_it(self) -> None:
        with pytest.raises(UserError, match="'shout'"):
            tool_function(shout())

    async def test_a_session_keeps_call_and_output(self, play: Play) -> None:
        session = SQLiteSession("custom")
        await play(agent_with(script([custom_call("shout", "a")]), shout()), session=session)
        kinds = [item.get("type") for item in await session.get_items()]
        assert kinds == [None, "custom_tool_call", "custom_tool_call_output", "message"]
        session.close()


class TestCompiled:
    def test_it_is_drawn_and_two_of_one_name_are_an_error(self) -> None:
        one = Agent(name="Crier", tools=[shout()])
        assert "shout" in agentgraph.compile(one).draw()
        with pytest.raises(CompileError, match="AG101"):
            agentgraph.compile(Agent(name="Crier", tools=[shout(), shout()]))

    def test_its_context_is_checked_against_the_workflows(self) -> None:
        class Shop: ...

        class Bank: ...

        async def sell(context: ToolContext[Shop], text: str) -> str:
            return f"{context.context}: {text}"

        sell.__annotations__["context"] = ToolContext[Shop]
        diagnostics = agentgraph.check(Agent[Bank](name="Crier", tools=[shout(sell)]))
        assert [diagnostic.rule.code for diagnostic in diagnostics] == ["AG301"]

    def test_a_change_of_its_format_changes_the_fingerprint(self) -> None:
        prints = {
            agentgraph.compile(
                Agent(name="Crier", tools=[shout(format=form)], model_settings=ModelSettings())
            ).machine.fingerprint
            for form in (None, {"type": "text"}, GRAMMAR)
        }
        assert len(prints) == 3


@pytest.mark.parametrize(
    "settings", [{"name": ""}, {"function": None}, {"on_approval": 1}, {"custom_data_extractor": 1}]
)
def test_what_can_be_wrong_by_itself_is_refused_at_once(settings: dict[str, Any]) -> None:
    with pytest.raises(AgentDefinitionError, match="CustomTool"):
        shout(**settings)


async def test_a_failure_is_logged_with_its_place(
    play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(context: ToolContext[Any], text: str) -> str:
        raise ValueError("hoarse")

    with caplog.at_level("WARNING", logger="agentgraph"):
        await play(agent_with(script([custom_call("shout", "a")]), shout(fail)))
    [record] = [one for one in caplog.records if "shout" in one.getMessage()]
    assert re.search(r"ValueError at .*test_custom_tools\.py:\d+", record.getMessage())
    assert "hoarse" not in record.getMessage()
