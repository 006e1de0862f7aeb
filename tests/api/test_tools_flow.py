"""What a run does with the calls of a reply: who answers them, in which order, and what ends it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from agentgraph import (
    Agent,
    ModelBehaviorError,
    ModelSettings,
    RunConfig,
    StopAtTools,
    ToolExecutionConfig,
    ToolsToFinalOutputResult,
    UserError,
    WebSearchTool,
    function_tool,
    handoff,
)
from agentgraph.exceptions import MaxTurnsExceeded
from agentgraph.run_config import ToolErrorFormatterArgs
from agentgraph.testing import ScriptedModel, assistant_message
from tests.api.calls import agent_with, call, echo, script, told
from tests.api.conftest import Play


@dataclass
class Sum:
    total: int


@function_tool
async def add(a: int, b: int) -> Sum:
    """Add two numbers."""
    return Sum(a + b)


async def test_tool_outputs_go_back_to_the_model_by_default(play: Play) -> None:
    model = script([call("echo", text="one")])
    played = await play(agent_with(model, echo))
    assert played.kinds == ["tool_call_item", "tool_call_output_item", "message_output_item"]
    assert told(model) == {"c1": "one"}
    assert played.final == "done"


async def test_the_output_of_the_first_call_can_be_the_final_output(play: Play) -> None:
    model = ScriptedModel([[call("echo", "c1", text="one"), call("echo", "c2", text="two")]])
    agent = agent_with(model, echo, tool_use_behavior="stop_on_first_tool")
    played = await play(agent)
    assert played.final == "one"
    assert played.outputs == ["one", "two"]


async def test_a_structured_agent_is_given_the_tools_object_and_a_plain_one_its_text(
    play: Play,
) -> None:
    reply = [call("add", a=1, b=2)]
    typed = agent_with(
        ScriptedModel([reply]), add, tool_use_behavior="stop_on_first_tool", output_type=Sum
    )
    assert (await play(typed)).final == Sum(3)
    plain = agent_with(ScriptedModel([reply]), add, tool_use_behavior="stop_on_first_tool")
    assert (await play(plain)).final == "Sum(total=3)"


@pytest.mark.parametrize("names", [[], ["another"]])
async def test_where_no_tool_is_named_none_ends_a_run(play: Play, names: list[str]) -> None:
    model = script([call("echo", text="on")])
    played = await play(agent_with(model, echo, tool_use_behavior={"stop_at_tool_names": names}))
    assert played.final == "done"


async def test_only_the_named_tools_end_a_run(play: Play) -> None:
    model = ScriptedModel([[call("echo", "c1", text="on")], [call("add", "c2", a=2, b=2)]])
    behavior = StopAtTools(stop_at_tool_names=["add"])
    played = await play(agent_with(model, echo, add, tool_use_behavior=behavior, output_type=Sum))
    assert played.final == Sum(4)
    assert len(model.calls) == 2


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_a_function_can_decide_what_the_outputs_amount_to(
    play: Play, asynchronous: bool
) -> None:
    seen: list[Any] = []

    def decide(context: Any, results: list[Any]) -> ToolsToFinalOutputResult:
        seen.append([(result.tool.name, result.output) for result in results])
        return ToolsToFinalOutputResult(len(seen) == 2, f"after {context.context}")

    async def decide_later(context: Any, results: list[Any]) -> ToolsToFinalOutputResult:
        return decide(context, results)

    model = ScriptedModel(
        [
            [call("echo", "c1", text="a"), call("echo", "c2", text="b")],
            [call("echo", "c3", text="c")],
        ]
    )
    behavior: Any = decide_later if asynchronous else decide
    played = await play(agent_with(model, echo, tool_use_behavior=behavior), context="work")
    assert played.final == "after work"
    assert seen == [[("echo", "a"), ("echo", "b")], [("echo", "c")]]


async def test_a_deciding_function_that_answers_something_else_is_named(play: Play) -> None:
    behavior: Any = lambda context, results: "final"  # noqa: E731
    agent = agent_with(ScriptedModel([[call("echo", text="a")]]), echo, tool_use_behavior=behavior)
    with pytest.raises(UserError, match=r"'Clerk' must return ToolsToFinalOutputResult, got str"):
        await play(agent)


async def test_a_forced_choice_is_lifted_once_a_tool_was_used(play: Play) -> None:
    model = script([call("echo", text="a")])
    settings = ModelSettings(tool_choice="echo", parallel_tool_calls=False)
    agent = agent_with(model, echo, model_settings=settings)
    await play(agent)
    settings_of_calls = [request.model_settings for request in model.calls]
    assert [request.tool_choice for request in settings_of_calls] == ["echo", None]
    assert [request.parallel_tool_calls for request in settings_of_calls] == [False, False]
    assert agent.model_settings.tool_choice == "echo"


HOSTED: list[dict[str, Any]] = [
    {
        "type": "web_search_call",
        "id": "w1",
        "status": "completed",
        "action": {"type": "search", "query": "x"},
    },
    {"type": "file_search_call", "id": "f1", "status": "completed", "queries": ["x"]},
    {
        "type": "mcp_call",
        "id": "m1",
        "server_label": "wiki",
        "name": "search",
        "arguments": "{}",
        "output": "found",
    },
]


@pytest.mark.parametrize("hosted", HOSTED, ids=lambda item: item["type"])
@pytest.mark.parametrize("forced", ["required", "web_search"])
async def test_a_forced_choice_is_lifted_once_the_provider_used_a_tool(
    play: Play, hosted: dict[str, Any], forced: str
) -> None:
    model = script([hosted])
    settings = ModelSettings(tool_choice=forced)
    agent = agent_with(model, WebSearchTool(), model_settings=settings)
    played = await play(agent)
    assert [request.model_settings.tool_choice for request in model.calls] == [forced, None]
    assert played.final == "done"


@pytest.mark.parametrize("reply", [[], [{"type": "reasoning", "id": "r1", "summary": []}]])
async def test_a_reply_that_does_nothing_lifts_no_forced_choice(play: Play, reply: Any) -> None:
    model = ScriptedModel([reply, [assistant_message('{"response":5}')]])
    settings = ModelSettings(tool_choice="required")
    agent = agent_with(model, WebSearchTool(), model_settings=settings, output_type=int)
    await play(agent)
    assert [request.model_settings.tool_choice for request in model.calls] == ["required"] * 2


async def test_a_choice_that_stays_forced_runs_out_of_turns(play: Play) -> None:
    model = ScriptedModel([[call("echo", f"c{turn}", text="a")] for turn in range(3)])
    agent = agent_with(
        model,
        echo,
        model_settings=ModelSettings(tool_choice="required"),
        reset_tool_choice=False,
        # Without an end of its own the compiler would refuse it.
        tool_use_behavior=StopAtTools(stop_at_tool_names=["other"]),
    )
    with pytest.raises(MaxTurnsExceeded):
        await play(agent, max_turns=3)
    assert [request.model_settings.tool_choice for request in model.calls] == ["required"] * 3


class TestAToolNobodyHas:
    async def test_is_the_models_fault(self, play: Play) -> None:
        agent = agent_with(ScriptedModel([[call("telepathy")]]), echo)
        with pytest.raises(ModelBehaviorError, match="Tool telepathy not found in agent Clerk"):
            await play(agent)

    async def test_is_answered_where_the_run_says_so(self, play: Play) -> None:
        model = script([call("telepathy", "c1"), call("echo", "c2", text="a")])
        config = RunConfig(tool_not_found_behavior="return_error_to_model")
        played = await play(agent_with(model, echo), run_config=config)
        assert told(model) == {"c1": "Tool 'telepathy' not found in agent 'Clerk'.", "c2": "a"}
        # Outputs of tools that exist come first (docs/design/behaviour.md, section 2).
        assert played.outputs == ["a", "Tool 'telepathy' not found in agent 'Clerk'."]

    async def test_is_answered_in_the_callers_words(self, play: Play) -> None:
        def words(args: ToolErrorFormatterArgs[Any]) -> str:
            return f"{args.kind} {args.tool_type} {args.tool_name} {args.call_id}"

        model = script([call("telepathy")])
        config = RunConfig(
            tool_not_found_behavior="return_error_to_model", tool_error_formatter=words
        )
        await play(agent_with(model), run_config=config)
        assert told(model) == {"c1": "tool_not_found function telepathy c1"}

    async def test_does_not_count_as_a_used_tool_of_the_deciding_function(self, play: Play) -> None:
        config = RunConfig(tool_not_found_behavior="return_error_to_model")
        model = script([call("telepathy")])
        agent = agent_with(model, echo, tool_use_behavior="stop_on_first_tool")
        assert (await play(agent, run_config=config)).final == "done"


class TestWhatIsOffered:
    async def test_is_asked_anew_in_every_turn(self, play: Play) -> None:
        asked: list[Any] = []

        async def later(context: Any, agent: Any) -> bool:
            asked.append((context.context, agent.name))
            return len(asked) > 1

        @function_tool(is_enabled=later)
        async def secret() -> str:
            return "sesame"

        model = script([call("echo", "c1", text="a")], [call("secret", "c2")])
        played = await play(agent_with(model, echo, secret), context="cave")
        assert [[tool.name for tool in request.tools] for request in model.calls] == [
            ["echo"],
            ["echo", "secret"],
            ["echo", "secret"],
        ]
        assert asked == [("cave", "Clerk")] * 3
        assert played.outputs == ["a", "sesame"]

    @pytest.mark.parametrize("disabled", [False, lambda context, agent: False])
    async def test_leaves_out_what_is_disabled(self, play: Play, disabled: Any) -> None:
        @function_tool(is_enabled=disabled)
        async def hidden() -> str:
            return "never"

        model = ScriptedModel([[call("hidden")]])
        with pytest.raises(ModelBehaviorError, match="Tool hidden not found"):
            await play(agent_with(model, echo, hidden))
        assert [tool.name for tool in model.calls[0].tools] == ["echo"]

    async def test_grows_while_the_run_goes_on(self, play: Play) -> None:
        @function_tool
        async def learn() -> str:
            agent.tools.append(echo)
            return "learned"

        model = script([call("learn", "c1")], [call("echo", "c2", text="now")])
        agent = agent_with(model, learn)
        assert (await play(agent)).outputs == ["learned", "now"]


class TestANameThatIsOfferedTwice:
    """What the compiler cannot see, since a function decides what is enabled."""

    @staticmethod
    def sometimes(context: Any, agent: Any) -> bool:
        return True

    def named(self, reply: str) -> Any:
        @function_tool(name_override="twin", is_enabled=self.sometimes)
        async def twin() -> str:
            return reply

        return twin

    def handoff(self, name: str) -> Any:
        target = Agent(name=name, model=script(answer=name))
        return handoff(target, tool_name_override="twin", is_enabled=self.sometimes)

    async def test_ends_the_run_where_the_policy_says_so(self, play: Play) -> None:
        config = RunConfig(tool_name_collision_policy="error")
        twins = [self.named("a"), self.named("b")]
        for tools, handoffs in ((twins, []), (twins[:1], [self.handoff("B")])):
            agent = agent_with(script(), *tools, handoffs=handoffs)
            with pytest.raises(UserError, match=r"'Clerk' offers more than one tool .* 'twin'"):
                await play(agent, run_config=config)

    async def test_otherwise_the_last_tool_counts_and_the_log_says_so(
        self, play: Play, caplog: pytest.LogCaptureFixture
    ) -> None:
        model = script([call("twin")])
        played = await play(agent_with(model, self.named("a"), echo, self.named("b")))
        assert played.outputs == ["b"]
        assert [tool.name for tool in model.calls[0].tools] == ["echo", "twin"]
        assert "'Clerk' offers more than one tool or handoff called 'twin'" in caplog.text

    async def test_otherwise_a_handoff_counts_before_a_tool_and_the_last_handoff(
        self, play: Play
    ) -> None:
        model = script([call("twin")])
        handoffs = [self.handoff("B"), self.handoff("C")]
        played = await play(agent_with(model, self.named("a"), echo, handoffs=handoffs))
        assert (played.outputs, played.final) == ([], "C")
        assert [tool.name for tool in model.calls[0].tools] == ["echo"]
        assert len(model.calls[0].handoffs) == 1

    async def test_one_tool_listed_twice_is_offered_once(self, play: Play) -> None:
        twin, model = self.named("a"), script([call("twin")])
        assert (await play(agent_with(model, twin, twin))).outputs == ["a"]
        assert len(model.calls[0].tools) == 1


async def test_tools_beside_a_handoff_run_before_it_is_taken(play: Play) -> None:
    model = script([call("transfer_to_expert", "h1"), call("echo", "c1", text="a")])
    expert = Agent(name="Expert", model=model)
    agent = agent_with(model, echo, handoffs=[expert], tool_use_behavior="stop_on_first_tool")
    played = await play(agent)
    assert played.kinds == [
        "handoff_call_item",
        "tool_call_item",
        "tool_call_output_item",
        "handoff_output_item",
        "message_output_item",
    ]
    assert played.result.last_agent is expert
    assert played.final == "done"


async def test_at_most_so_many_function_tools_run_at_a_time(play: Play) -> None:
    running, most = 0, 0
    order: list[int] = []

    @function_tool
    async def work(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        order.append(number)
        for _ in range(3):
            await asyncio.sleep(0)
        running -= 1
        return number

    model = script([call("work", f"c{number}", number=number) for number in range(6)])
    config = RunConfig(tool_execution=ToolExecutionConfig(max_function_tool_concurrency=2))
    played = await play(agent_with(model, work), run_config=config)
    assert most == 2
    assert order == [0, 1, 2, 3, 4, 5]
    assert played.outputs == [0, 1, 2, 3, 4, 5]


async def test_the_same_call_again_is_not_made_again(play: Play) -> None:
    made: list[str] = []

    @function_tool
    async def pay(amount: int) -> str:
        made.append(f"paid {amount}")
        return made[-1]

    again = call("pay", "c1", amount=5)
    model = script([again], [again, assistant_message("paying")])
    await play(agent_with(model, pay))
    assert made == ["paid 5"]


async def test_one_call_id_for_two_different_calls_is_the_models_fault(play: Play) -> None:
    model = ScriptedModel([[call("echo", "c1", text="a")], [call("echo", "c1", text="b")]])
    with pytest.raises(ModelBehaviorError, match=r"'Clerk'.*'c1' for two different calls"):
        await play(agent_with(model, echo))
