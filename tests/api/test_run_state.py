"""A state as text: what it holds, what it leaves out, and that a run goes on from it as if it had
never left the process (docs/design/replay.md, sections 3 and 5 to 7)."""

from __future__ import annotations

import copy
import json
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from agentgraph import (
    Agent,
    AgentOutputSchema,
    GuardrailFunctionOutput,
    InputGuardrailTripwireTriggered,
    ModelSettings,
    OutputGuardrailTripwireTriggered,
    RunConfig,
    RunContextWrapper,
    Runner,
    RunState,
    UserError,
    function_tool,
    input_guardrail,
    output_guardrail,
)
from agentgraph.exceptions import MaxTurnsExceeded
from agentgraph.stored.values import Stored
from agentgraph.testing import ModelStep, ScriptedModel, assistant_message
from tests.api.calls import agent_with, call, echo, script, told
from tests.api.conftest import Play

State = RunState[Any, Any]


class Till:
    """A tool that must be approved, with a book of what it did."""

    def __init__(self) -> None:
        self.paid: list[int] = []

        async def pay(amount: int) -> str:
            self.paid.append(amount)
            return f"paid {amount}"

        self.tool = function_tool(pay, needs_approval=True)


async def waiting(agent: Agent[Any], **options: Any) -> State:
    """The state of a run that waits for a decision."""
    return (await Runner.run(agent, "go", **options)).to_state()


async def again(agent: Agent[Any], state: State, **options: Any) -> State:
    """A state after it was written as text and read back."""
    return await RunState.from_string(agent, state.to_string(), **options)


def decide(state: State, *yes: str) -> State:
    """Let the calls of these ids be made and no other."""
    for item in state.get_interruptions():
        if item.call_id in yes:
            state.approve(item)
        else:
            state.reject(item)
    return state


class TestTheText:
    async def test_is_json_of_a_version(self) -> None:
        state = await waiting(agent_with(script([call("pay", amount=5)]), Till().tool))
        written = state.to_json()
        assert written["$schemaVersion"] == "agentgraph/1"
        assert json.loads(state.to_string()) == written

    async def test_gives_a_state_that_writes_the_same_text(self) -> None:
        agent = agent_with(
            script([call("echo", "c0", text="é\u2028"), call("pay", amount=5)]), echo, Till().tool
        )
        state = await waiting(agent, context={"name": "Ada"}, max_turns=7)
        read = await again(agent, state)
        assert read.to_string() == state.to_string()
        assert (read.max_turns, read.original_input, read.current_agent) == (7, "go", agent)
        assert read.context.context == {"name": "Ada"}
        assert read.context.usage == state.context.usage
        (pending,) = read.get_interruptions()
        assert (pending.name, pending.call_id, pending.agent) == ("pay", "c1", agent)

    async def test_a_run_goes_on_from_it_as_if_it_had_stayed(self, play: Play) -> None:
        async def at_the_end(stored: bool) -> tuple[Any, ...]:
            till = Till()
            reply = [call("echo", "c0", text="x"), call("pay", amount=5)]
            model = script(reply, [call("echo", "c2", text="y")])
            agent = agent_with(model, till.tool, echo)
            state = (await play(agent)).result.to_state()
            state = await again(agent, state) if stored else state
            played = await play(agent, decide(state, "c1"))
            result = played.result
            asked = [call.input for call in model.calls]
            responses = [response.output for response in result.raw_responses]
            items = [(item.type, item.agent.name) for item in played.items]
            return (
                till.paid, asked, responses, items, played.outputs, played.final,
                result.to_input_list(), result.context_wrapper.usage,
            )  # fmt: skip

        assert await at_the_end(stored=True) == await at_the_end(stored=False)

    async def test_holds_the_decisions_that_no_run_has_taken_yet(self) -> None:
        till = Till()
        model = script([call("pay", "c1", amount=1), call("pay", "c2", amount=2)])
        agent = agent_with(model, till.tool)
        state = await waiting(agent)
        first, second = state.get_interruptions()
        state.approve(first)
        state.reject(second, rejection_message="Not today.")
        result = await Runner.run(agent, await again(agent, state))
        assert (result.final_output, till.paid) == ("done", [1])
        assert told(model) == {"c1": "paid 1", "c2": "Not today."}

    @pytest.mark.parametrize("yes", [True, False])
    async def test_keeps_a_lasting_decision(self, yes: bool) -> None:
        till = Till()
        model = script([call("pay", "c1", amount=1)], [call("pay", "c2", amount=2)])
        agent = agent_with(model, till.tool)
        state = await waiting(agent)
        (item,) = state.get_interruptions()
        if yes:
            state.approve(item, always_approve=True)
        else:
            state.reject(item, always_reject=True, rejection_message="Never.")
        result = await Runner.run(agent, await again(agent, state))
        assert result.final_output == "done"
        assert till.paid == ([1, 2] if yes else [])

    async def test_of_a_second_suspension_repeats_nothing_of_the_first(self) -> None:
        till = Till()
        model = script([call("pay", "c1", amount=1)], [call("pay", "c2", amount=2)])
        agent = agent_with(model, till.tool)
        state = await again(agent, decide(await waiting(agent), "c1"))
        state = await again(agent, (await Runner.run(agent, state)).to_state())
        assert till.paid == [1]
        result = await Runner.run(agent, await again(agent, decide(state, "c2")))
        assert (result.final_output, till.paid, len(model.calls)) == ("done", [1, 2], 3)

    async def test_read_twice_gives_two_runs(self) -> None:
        till = Till()
        responder = ModelStep.respond(lambda _: [assistant_message("done")])
        model = ScriptedModel([[call("pay", amount=5)], responder, responder])
        agent = agent_with(model, till.tool)
        text = (await waiting(agent)).to_string()
        for _ in range(2):
            await Runner.run(agent, decide(await RunState.from_string(agent, text), "c1"))
        assert till.paid == [5, 5]

    async def test_read_once_and_run_twice_is_one_run(self) -> None:
        till = Till()
        model = script([call("pay", amount=5)])
        agent = agent_with(model, till.tool)
        state = decide(await again(agent, await waiting(agent)), "c1")
        results = [await Runner.run(agent, state) for _ in range(2)]
        assert [result.final_output for result in results] == ["done", "done"]
        assert (till.paid, len(model.calls)) == ([5], 2)

    async def test_forks(self) -> None:
        till = Till()
        responder = ModelStep.respond(lambda _: [assistant_message("done")])
        agent = agent_with(
            ScriptedModel([[call("pay", amount=5)], responder, responder]), till.tool
        )
        state = decide(await again(agent, await waiting(agent)), "c1")
        fork = state.fork()
        await Runner.run(agent, state)
        await Runner.run(agent, await again(agent, fork))
        assert till.paid == [5, 5]

    async def test_may_name_its_types(self) -> None:
        state: RunState[dict[str, int], Agent[Any]] = await waiting(
            agent_with(script([call("pay", amount=5)]), Till().tool), context={"a": 1}
        )
        assert state.context.context["a"] == 1


class TestTheJournalFile:
    async def test_is_lines_with_a_header_that_can_be_compared(self) -> None:
        till = Till()
        model = script([call("pay", "c1", amount=1)], [call("pay", "c2", amount=2)])
        agent = agent_with(model, till.tool)
        state = await waiting(agent)
        before = state.to_journal().splitlines()
        after = (await Runner.run(agent, decide(state, "c1"))).to_state().to_journal().splitlines()
        assert json.loads(before[0])["kind"] == "journal"
        rows = [json.loads(line) for line in before[1:]]
        assert [row.get("kind", row.get("index")) for row in rows] == [
            "machine",
            *range(len(rows) - 1),
        ]
        assert after[1 : len(before)] == before[1:]
        assert len(after) > len(before)

    async def test_is_another_form_of_the_same_state(self) -> None:
        till = Till()
        agent = agent_with(script([call("pay", amount=5)]), till.tool)
        state = decide(await waiting(agent, context={"a": 1}), "c1")
        state.add_input("And then?")
        read = await RunState.from_journal(agent, state.to_journal())
        assert read.to_json() == state.to_json()
        assert (await Runner.run(agent, read)).final_output == "done"
        assert till.paid == [5]

    async def test_says_which_line_is_damaged(self) -> None:
        agent = agent_with(script([call("pay", amount=5)]), Till().tool)
        lines = (await waiting(agent)).to_journal().splitlines()
        lines[2] = lines[2][:-5]
        with pytest.raises(UserError, match="Line 3"):
            await RunState.from_journal(agent, "\n".join(lines))


@dataclass
class Desk:
    """A context of the program."""

    name: str
    open: bool = True


class Customer(BaseModel):
    """Another one."""

    name: str
    token: SecretStr | None = None


class Handle:
    """One without a stored form."""


class TestTheContext:
    @pytest.mark.parametrize(
        "context", [None, {}, {"a": [1, {"b": None}]}, MappingProxyType({"a": 1})]
    )
    @pytest.mark.parametrize("strict", [True, False])
    async def test_comes_back_if_it_is_a_mapping(
        self, context: Any, strict: bool, caplog: pytest.LogCaptureFixture
    ) -> None:
        agent = agent_with(script([call("pay", amount=5)]), Till().tool)
        text = (await waiting(agent, context=context)).to_string(strict_context=strict)
        read = await RunState.from_string(agent, text, strict_context=strict)
        assert read.context.context == (None if context is None else dict(context))
        assert caplog.records == []

    @pytest.mark.parametrize("context", [Desk("Ada"), Customer(name="Ada")])
    async def test_of_a_class_is_dumped_with_a_warning_and_read_as_a_dictionary(
        self, context: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        agent = agent_with(script([call("pay", amount=5)]), Till().tool)
        text = (await waiting(agent, context=context)).to_string()
        name = f"{__name__}.{type(context).__name__}"
        assert warnings(caplog) == [name]
        read = await RunState.from_string(agent, text)
        assert read.context.context["name"] == "Ada"
        assert warnings(caplog) == [name, name]

    @pytest.mark.parametrize("context", [Desk("Ada"), Customer(name="Ada")])
    async def test_of_a_class_comes_back_with_a_deserializer(
        self, context: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        agent = agent_with(script([call("pay", amount=5)]), Till().tool)
        text = (await waiting(agent, context=context)).to_string()
        caplog.clear()
        read = await RunState.from_string(
            agent,
            text,
            context_deserializer=lambda mapping: type(context)(**mapping),
            strict_context=True,
        )
        assert read.context.context == context
        assert caplog.records == []

    async def test_without_a_stored_form_is_left_out_with_a_warning(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        agent = agent_with(script([call("pay", amount=5)]), Till().tool)
        text = (await waiting(agent, context=Handle())).to_string()
        assert warnings(caplog) == [f"{__name__}.Handle"]
        assert (await RunState.from_string(agent, text)).context.context == {}

    @pytest.mark.parametrize("context", [Desk("Ada"), Customer(name="Ada"), Handle()])
    async def test_of_a_class_is_an_error_where_strictness_is_asked_for(self, context: Any) -> None:
        agent = agent_with(script([call("pay", amount=5)]), Till().tool)
        state = await waiting(agent, context=context)
        with pytest.raises(UserError, match="context_serializer"):
            state.to_json(strict_context=True)
        with pytest.raises(UserError, match="context_deserializer or context_override"):
            await RunState.from_json(agent, state.to_json(), strict_context=True)

    async def test_goes_through_a_serializer(self) -> None:
        agent = agent_with(script([call("pay", amount=5)]), Till().tool)
        state = await waiting(agent, context=Desk("Ada"))
        written = state.to_json(
            context_serializer=lambda desk: {"n": desk.name}, strict_context=True
        )
        read = await RunState.from_json(
            agent, written, context_deserializer=lambda mapping: Desk(mapping["n"], open=False)
        )
        assert read.context.context == Desk("Ada", open=False)

    @pytest.mark.parametrize(
        ("serializer", "complaint"),
        [
            (lambda desk: 1 / 0, "context_serializer failed"),
            (lambda desk: [desk.name], "must return a mapping"),
            (lambda desk: {"desk": desk}, "not JSON data"),
        ],
    )
    async def test_a_serializer_must_give_a_mapping_of_json(
        self, serializer: Any, complaint: str
    ) -> None:
        agent = agent_with(script([call("pay", amount=5)]), Till().tool)
        state = await waiting(agent, context=Desk("Ada"))
        with pytest.raises(UserError, match=complaint):
            state.to_json(context_serializer=serializer)

    async def test_a_mapping_that_is_no_json_is_an_error(self) -> None:
        agent = agent_with(script([call("pay", amount=5)]), Till().tool)
        state = await waiting(agent, context={"desk": Desk("Ada")})
        with pytest.raises(UserError, match="context is not JSON data"):
            state.to_string()

    async def test_that_is_a_mapping_goes_through_a_deserializer_too(self) -> None:
        agent = agent_with(script([call("pay", amount=5)]), Till().tool)
        text = (await waiting(agent, context={"name": "Ada"})).to_string()
        read = await RunState.from_string(
            agent, text, context_deserializer=lambda mapping: RunContextWrapper(Desk(**mapping))
        )
        assert read.context.context == Desk("Ada")

    async def test_says_that_a_deserializer_failed(self) -> None:
        agent = agent_with(script([call("pay", amount=5)]), Till().tool)
        text = (await waiting(agent, context=Handle())).to_string()
        with pytest.raises(UserError, match="context_deserializer failed"):
            await RunState.from_string(
                agent, text, context_deserializer=lambda mapping: mapping["n"]
            )

    async def test_can_be_another_one(self, caplog: pytest.LogCaptureFixture) -> None:
        agent = agent_with(script([call("pay", amount=5)]), Till().tool)
        text = (await waiting(agent, context=Handle())).to_string()
        caplog.clear()
        read = await RunState.from_string(
            agent, text, context_override=Desk("Eve"), strict_context=True
        )
        assert read.context.context == Desk("Eve")
        wrapped = RunContextWrapper(Desk("Eve"))
        read = await RunState.from_string(agent, text, context_override=wrapped)
        assert read.context.context == Desk("Eve")
        assert caplog.records == []

    async def test_names_its_class_and_imports_nothing(self) -> None:
        agent = agent_with(script([call("pay", amount=5)]), Till().tool)
        written = (await waiting(agent, context=Desk("Ada"))).to_json()
        text = json.dumps(written).replace(f"{__name__}.Desk", "antigravity.Desk")
        assert "antigravity.Desk" in text
        await RunState.from_string(agent, text)
        assert "antigravity" not in sys.modules

    async def test_is_what_tools_see_when_the_run_goes_on(self) -> None:
        seen: list[Any] = []

        @function_tool(needs_approval=True)
        async def look(context: RunContextWrapper[Any]) -> str:
            seen.append(context.context)
            return "seen"

        agent = agent_with(script([call("look")]), look)
        state = await again(agent, await waiting(agent, context={"a": 1}))
        await Runner.run(agent, decide(state, "c1"))
        state = await again(agent, (await again(agent, state)).fork(), context_override={"a": 2})
        assert seen == [{"a": 1}]
        assert state.context.context == {"a": 2}


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The classes that the log warns of."""
    assert all(record.levelno == logging.WARNING for record in caplog.records)
    return [str(record.args[0]) for record in caplog.records if record.args]


class TestATextThatIsNotReadable:
    @pytest.mark.parametrize("version", ["agentgraph/2", "1.21", 7, None])
    async def test_names_its_version_and_ours(self, version: Any) -> None:
        agent = agent_with(script([call("pay", amount=5)]), Till().tool)
        written = {**(await waiting(agent)).to_json(), "$schemaVersion": version}
        with pytest.raises(UserError) as caught:
            await RunState.from_json(agent, written)
        assert repr(version) in str(caught.value)
        assert "'agentgraph/1'" in str(caught.value)

    @pytest.mark.parametrize("text", ["", "{", "[]", "7", "{}", '{"run": "x"}'])
    async def test_that_is_something_else_is_an_error_of_the_caller(self, text: str) -> None:
        agent = agent_with(script([call("pay", amount=5)]), Till().tool)
        with pytest.raises(UserError, match="stored"):
            await RunState.from_string(agent, text)

    @pytest.mark.parametrize(
        ("damage", "complaint"),
        [
            (lambda state: state.pop("rows"), "'rows'"),
            (lambda state: state.pop("context"), "'context'"),
            (lambda state: state.pop("machines"), "'machines'"),
            (lambda state: state.pop("began"), "'began'"),
            (lambda state: state.update(began=[]), "began"),
            (lambda state: state["rows"][0].pop("event"), r"rows\[0\].*'event'"),
            (lambda state: state["rows"][0].update(id="x"), r"rows\[0\]"),
            (lambda state: state["rows"][0].update(event="danced"), r"rows\[0\].*danced"),
            (lambda state: state["rows"][0]["payload"].update({"is": "tea"}), r"rows\[0\].*tea"),
            (lambda state: state["rows"][0]["payload"].pop("response"), r"rows\[0\]"),
            (lambda state: state["rows"].pop(0), "journal is at state"),
            (lambda state: state["rows"][1].update(state="elsewhere"), "elsewhere"),
            (lambda state: state.update(machines={}), "is missing"),
            (lambda state: next(iter(state["machines"].values())).update(name="x"), "machine"),
            (lambda state: state.update(decisions=[7]), "damaged"),
            (lambda state: state.update(pending_input=7), "damaged"),
            (lambda state: state.update(input=7), "damaged"),
            (lambda state: state.update(conversation=7), "damaged"),
        ],
    )
    async def test_says_where_it_is_damaged(
        self, damage: Callable[[Any], object], complaint: str
    ) -> None:
        agent = agent_with(
            script([call("echo", "c0", text="x"), call("pay", amount=5)]), echo, Till().tool
        )
        written = copy.deepcopy((await waiting(agent)).to_json())
        damage(written)
        with pytest.raises(UserError, match=complaint):
            await RunState.from_json(agent, written)


class Color(Enum):
    RED = "red"


class Report(BaseModel):
    title: str
    total: Decimal
    color: Color = Color.RED


@dataclass(frozen=True)
class Line:
    """A part of a tool's result."""

    number: int
    price: Decimal


@dataclass(frozen=True)
class Bill:
    """A tool's result."""

    lines: tuple[Line, ...]


@function_tool
async def bill() -> Bill:
    """Make a bill."""
    return Bill((Line(1, Decimal("2.50")),))


class TestValuesOfThePrograms:
    async def test_that_tools_return_come_back_as_they_were(self) -> None:
        agent = agent_with(script([call("bill", "c0"), call("pay", amount=5)]), bill, Till().tool)
        read = await again(agent, await waiting(agent))
        result = await Runner.run(agent, decide(read, "c1"))
        outputs = [item.output for item in result.new_items if item.type == "tool_call_output_item"]
        assert outputs == [Bill((Line(1, Decimal("2.50")),)), "paid 5"]

    @pytest.mark.parametrize("output_type", [Report, AgentOutputSchema(Report), list[Report]])
    async def test_that_are_final_outputs_come_back_as_they_were(self, output_type: Any) -> None:
        report = Report(title="Sales", total=Decimal("1.5"))
        listed = output_type == list[Report]
        answer = (
            json.dumps({"response": [report.model_dump(mode="json")]})
            if listed
            else report.model_dump_json()
        )
        agent = agent_with(
            ScriptedModel([[assistant_message(answer)]]),
            output_type=AgentOutputSchema(list[Report], strict_json_schema=False)
            if listed
            else output_type
            if isinstance(output_type, AgentOutputSchema)
            else AgentOutputSchema(output_type, strict_json_schema=False),
        )
        state = (await Runner.run(agent, "go")).to_state()
        result = await Runner.run(agent, await again(agent, state))
        assert result.final_output == ([report] if listed else report)

    async def test_of_a_class_that_is_gone_are_said_by_name(self) -> None:
        agent = agent_with(script([call("bill", "c0"), call("pay", amount=5)]), bill, Till().tool)
        text = (await waiting(agent)).to_string()
        later = agent_with(script(), Till().tool)
        read = await RunState.from_string(later, text)
        assert read.to_json()["rows"] == json.loads(text)["rows"]
        result = await Runner.run(later, decide(read, "c1"))
        outputs = [item.output for item in result.new_items if item.type == "tool_call_output_item"]
        assert isinstance(outputs[0], Stored)
        assert outputs[0].class_path == f"{__name__}.Bill"

    async def test_that_cannot_be_stored_are_named_with_their_place(self) -> None:
        @function_tool
        async def connect() -> dict[str, Any]:
            return {"open": [Handle()]}

        agent = agent_with(
            script([call("connect", "c0"), call("pay", amount=5)]), connect, Till().tool
        )
        state = await waiting(agent)
        place = rf"rows\[\d\]\.output\.open\[0\] of type {__name__}\.Handle"
        for write in (state.to_json, state.to_string, state.to_journal):
            with pytest.raises(UserError, match=place):
                write()
        # The run itself needs no text.
        assert (await Runner.run(agent, decide(state, "c1"))).final_output == "done"

    async def test_that_guardrails_find_come_back(self) -> None:
        @input_guardrail(run_in_parallel=False)
        async def polite(context: Any, agent: Any, input: Any) -> GuardrailFunctionOutput:
            return GuardrailFunctionOutput({"score": Decimal("0.5")}, tripwire_triggered=False)

        agent = agent_with(script([call("pay", amount=5)]), Till().tool, input_guardrails=[polite])
        result = await Runner.run(agent, decide(await again(agent, await waiting(agent)), "c1"))
        (verdict,) = result.input_guardrail_results
        assert verdict.output.output_info == {"score": Decimal("0.5")}
        assert verdict.guardrail is polite

    @pytest.mark.parametrize("include", [True, False])
    async def test_that_are_secret_are_left_out(self, include: bool) -> None:
        @function_tool
        async def sign_in() -> Customer:
            return Customer(name="Ada", token=SecretStr("s3cret-token"))

        settings = ModelSettings(
            temperature=0.5,
            extra_headers={"Authorization": "s3cret-header"},
            extra_query={"key": "s3cret-query"},
            extra_body={"key": "s3cret-body"},
            extra_args={"key": "s3cret-args"},
        )
        config = RunConfig(tracing={"api_key": "s3cret-tracing"}, trace_metadata={"a": "b"})
        agent = agent_with(
            script([call("sign_in", "c0"), call("pay", amount=5)]),
            sign_in,
            Till().tool,
            model_settings=settings,
        )
        state = await waiting(
            agent,
            run_config=config,
            context=Customer(name="Ada", token=SecretStr("s3cret-context")),
        )
        for text in (state.to_string(include_tracing_api_key=include), state.to_journal()):
            assert "s3cret" not in text
            assert "Ada" in text
            assert "temperature" in text


class TestAddedInput:
    async def test_is_what_the_model_is_shown_next(self, play: Play) -> None:
        till = Till()
        model = script([call("pay", amount=5)])
        agent = agent_with(model, till.tool)
        state = decide((await play(agent)).result.to_state(), "c1")
        state.add_input("Hurry.")
        state.add_input([{"role": "user", "content": "Please."}])
        assert [item["content"] for item in state.pending_input] == ["Hurry.", "Please."]
        state = await again(agent, state)
        assert [item["content"] for item in state.pending_input] == ["Hurry.", "Please."]
        played = await play(agent, state)
        items = model.calls[-1].input
        assert [item.get("type", item.get("content")) for item in items] == [
            "go",
            "function_call",
            "function_call_output",
            "Hurry.",
            "Please.",
        ]
        assert played.result.to_input_list()[-3:-1] == items[-2:]

    async def test_is_a_copy(self) -> None:
        state = await waiting(agent_with(script([call("pay", amount=5)]), Till().tool))
        entry: Any = {"role": "user", "content": [{"type": "input_text", "text": "a"}]}
        state.add_input([entry])
        entry["content"][0]["text"] = "b"
        state.pending_input.clear()
        state.pending_input[0]["content"] = "c"  # type: ignore[typeddict-unknown-key, index]
        assert state.pending_input == [
            {"role": "user", "content": [{"type": "input_text", "text": "a"}]}
        ]

    async def test_can_be_taken_back(self) -> None:
        model = script([call("pay", amount=5)])
        agent = agent_with(model, Till().tool)
        state = decide(await waiting(agent), "c1")
        state.add_input("Hurry.")
        state.clear_pending_input()
        assert state.pending_input == []
        await Runner.run(agent, await again(agent, state))
        assert len(model.calls[-1].input) == 3

    async def test_is_given_once_however_often_the_state_is_run(self) -> None:
        model = script([call("pay", "c1", amount=1)], [call("pay", "c2", amount=2)])
        agent = agent_with(model, Till().tool)
        state = decide(await waiting(agent), "c1")
        state.add_input("Hurry.")
        await Runner.run(agent, state)
        result = await Runner.run(agent, state)
        last = await Runner.run(agent, decide(result.to_state(), "c2"))
        users = [item for item in last.to_input_list() if item.get("role") == "user"]
        assert [item["content"] for item in users] == ["go", "Hurry."]

    async def test_has_no_place_in_a_run_that_is_over(self) -> None:
        agent = agent_with(script())
        state = (await Runner.run(agent, "go")).to_state()
        for one in (state, await again(agent, state)):
            with pytest.raises(UserError, match="the run is over"):
                one.add_input("And?")
            assert one.pending_input == []

    async def test_has_no_place_where_no_turn_is_left(self) -> None:
        agent = agent_with(script([call("pay", amount=5)]), Till().tool)
        state = await waiting(agent, max_turns=1)
        for one in (state, await again(agent, state)):
            with pytest.raises(UserError, match="max_turns=1"):
                one.add_input("And?")
            one.max_turns = 2
            one.add_input("And?")
            assert len(one.pending_input) == 1

    @pytest.mark.parametrize(
        ("behavior", "refused"),
        [
            ("run_llm_again", False),
            ("stop_on_first_tool", True),
            ({"stop_at_tool_names": ["pay"]}, True),
            ({"stop_at_tool_names": ["echo"]}, True),
            ({"stop_at_tool_names": ["bill"]}, False),
            (lambda context, results: None, True),
        ],
    )
    async def test_has_no_place_where_a_result_may_end_the_run(
        self, behavior: Any, refused: bool
    ) -> None:
        model = script([call("echo", "c0", text="x"), call("pay", amount=5)])
        agent = agent_with(model, Till().tool, echo, bill, tool_use_behavior=behavior)
        state = await waiting(agent)
        for one in (state, await again(agent, state)):
            if refused:
                with pytest.raises(UserError, match="may end the run"):
                    one.add_input("And?")
            else:
                one.add_input("And?")
            assert len(one.pending_input) == (not refused)


class TestRunsInsideRuns:
    def desk(self, till: Till, *, later: bool = False) -> Agent[Any]:
        """Three agents, each of which is a tool of the one before it, and each has to ask."""

        def model(*calls: Any, name: str) -> ScriptedModel:
            return (
                script(answer=f"{name} done")
                if later
                else script(list(calls), answer=f"{name} done")
            )

        inner = agent_with(model(call("pay", "i1", amount=3), name="inner"), till.tool)
        middle = agent_with(
            model(call("inner", "m1", input="x"), call("pay", "m2", amount=2), name="middle"),
            inner.as_tool("inner", "Ask."),
            till.tool,
        )
        return agent_with(
            model(call("middle", "o1", input="x"), call("pay", "o2", amount=1), name="outer"),
            middle.as_tool("middle", "Ask."),
            till.tool,
        )

    @pytest.mark.parametrize("one_by_one", [True, False])
    async def test_are_decided_on_from_the_text(self, one_by_one: bool) -> None:
        till = Till()
        text = (await waiting(self.desk(till))).to_string()
        desk = self.desk(till, later=True)
        state = await RunState.from_string(desk, text)
        ids = [item.call_id for item in state.get_interruptions()]
        assert ids == ["i1", "m2", "o2"]
        if one_by_one:
            for position, call_id in enumerate(ids[:-1]):
                state = await RunState.from_string(desk, text)
                waits = state.get_interruptions()
                assert [item.call_id for item in waits] == ids[position:]
                assert waits[0].call_id == call_id
                state.approve(waits[0])
                result = await Runner.run(desk, await again(desk, state))
                text = result.to_state().to_string()
                assert till.paid == [3, 2][: position + 1]
            state = await RunState.from_string(desk, text)
        result = await Runner.run(desk, await again(desk, decide(state, *ids)))
        assert result.final_output == "outer done"
        assert sorted(till.paid) == [1, 2, 3]
        assert result.context_wrapper.usage.requests == 6

    async def test_take_a_rejection_with_its_message(self) -> None:
        till = Till()
        text = (await waiting(self.desk(till))).to_string()
        desk = self.desk(till, later=True)
        state = await RunState.from_string(desk, text)
        for item in state.get_interruptions():
            state.reject(item, rejection_message=f"No {item.call_id}.")
        result = await Runner.run(desk, await again(desk, state))
        assert (result.final_output, till.paid) == ("outer done", [])
        outputs = [item.output for item in result.new_items if item.type == "tool_call_output_item"]
        assert outputs == ["middle done", "No o2."]

    async def test_go_on_in_a_program_that_was_changed(self) -> None:
        till = Till()
        text = (await waiting(self.desk(till))).to_string()
        desk = self.desk(till, later=True)
        for agent in (desk, desk.tools[0].agent, desk.tools[0].agent.tools[0].agent):  # type: ignore[union-attr]
            agent.tools.append(echo)
            agent.instructions = "Be quick."
        state = await RunState.from_string(desk, text)
        assert [item.call_id for item in state.get_interruptions()] == ["i1", "m2", "o2"]
        state.approve(state.get_interruptions()[0])
        result = await Runner.run(desk, state)
        state = await again(desk, result.to_state())
        assert [item.call_id for item in state.get_interruptions()] == ["m2", "o2"]
        result = await Runner.run(desk, decide(state, "m2", "o2"))
        assert (result.final_output, sorted(till.paid)) == ("outer done", [1, 2, 3])
        inner: Any = desk.tools[0].agent.tools[0].agent.model  # type: ignore[union-attr]
        assert inner.last_call.system_instructions == "Be quick."


class TestRunsThatDoNotWait:
    async def test_a_finished_one_gives_its_result_again(self, play: Play) -> None:
        model = script([call("echo", text="x")])
        agent = agent_with(model, echo)
        first = (await play(agent)).result
        state = await again(agent, first.to_state())
        assert state.get_interruptions() == []
        second = (await play(agent, state)).result
        assert (second.final_output, len(model.calls)) == ("done", 2)
        assert second.to_input_list() == first.to_input_list()
        assert second.context_wrapper.usage == first.context_wrapper.usage

    async def test_a_stopped_one_goes_on_with_its_next_turn(self) -> None:
        model = script([call("echo", text="x")])
        agent = agent_with(model, echo)
        live = Runner.run_streamed(agent, "go")
        async for event in live.stream_events():
            if event.type == "run_item_stream_event":
                live.cancel(mode="after_turn")
        state = await again(agent, live.to_state())
        assert (state.get_interruptions(), len(model.calls)) == ([], 1)
        state.add_input("And?")
        result = await Runner.run(agent, state)
        assert (result.final_output, len(model.calls)) == ("done", 2)
        assert model.last_call.input[-1]["content"] == "And?"  # type: ignore[index, typeddict-item]

    async def test_a_failed_one_tries_again_what_failed_and_nothing_else(self) -> None:
        till, broken = Till(), [True]

        @function_tool(failure_error_function=None)
        async def fetch() -> str:
            if broken:
                raise broken.pop() and ConnectionError("no route")
            return "here"

        model = script([call("echo", "c0", text="x")], [call("fetch", "c1")])
        agent = agent_with(model, echo, fetch, till.tool)
        live = Runner.run_streamed(agent, "go")
        with pytest.raises(UserError, match="no route"):
            async for _ in live.stream_events():
                pass
        state = await again(agent, live.to_state())
        result = await Runner.run(agent, state)
        assert (result.final_output, len(model.calls)) == ("done", 3)
        assert told(model) == {"c0": "x", "c1": "here"}

    async def test_one_that_a_guardrail_blocked_stays_blocked(self) -> None:
        @input_guardrail(run_in_parallel=False)
        async def closed(context: Any, agent: Any, input: Any) -> GuardrailFunctionOutput:
            return GuardrailFunctionOutput("closed", tripwire_triggered=True)

        agent = agent_with(script(), input_guardrails=[closed])
        live = Runner.run_streamed(agent, "go")
        with pytest.raises(InputGuardrailTripwireTriggered):
            async for _ in live.stream_events():
                pass
        state = await again(agent, live.to_state())
        with pytest.raises(InputGuardrailTripwireTriggered) as caught:
            await Runner.run(agent, state)
        assert caught.value.guardrail_result.output.output_info == "closed"
        assert caught.value.guardrail_result.guardrail is closed

    async def test_one_whose_turns_ran_out_stays_so(self) -> None:
        agent = agent_with(script([call("echo", text="x")]), echo)
        live = Runner.run_streamed(agent, "go", max_turns=1)
        with pytest.raises(MaxTurnsExceeded):
            async for _ in live.stream_events():
                pass
        with pytest.raises(MaxTurnsExceeded):
            await Runner.run(agent, await again(agent, live.to_state()))


class TestWhatTheCallerBringsAgain:
    async def test_guardrails_of_the_run_judge_the_output(self) -> None:
        @output_guardrail
        async def strict(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
            return GuardrailFunctionOutput(None, tripwire_triggered=True)

        config = RunConfig(output_guardrails=[strict])
        agent = agent_with(script([call("pay", amount=5)]), Till().tool)
        state = await again(agent, await waiting(agent, run_config=config))
        with pytest.raises(OutputGuardrailTripwireTriggered):
            await Runner.run(agent, decide(state, "c1"), run_config=config)

    async def test_guardrails_of_the_run_still_count_after_the_next_suspension(self) -> None:
        @output_guardrail
        async def strict(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
            return GuardrailFunctionOutput(None, tripwire_triggered=True)

        config = RunConfig(output_guardrails=[strict])
        model = script([call("pay", "c1", amount=1)], [call("pay", "c2", amount=2)])
        agent = agent_with(model, Till().tool)
        state = await again(agent, await waiting(agent, run_config=config))
        result = await Runner.run(agent, decide(state, "c1"), run_config=config)
        with pytest.raises(OutputGuardrailTripwireTriggered):
            await Runner.run(agent, decide(result.to_state(), "c2"))

    async def test_a_tool_that_is_gone_answers_as_a_missing_one(self) -> None:
        till = Till()
        text = (await waiting(agent_with(script([call("pay", amount=5)]), till.tool))).to_string()
        model = script()
        agent = agent_with(model, echo)
        state = await RunState.from_string(agent, text)
        config = RunConfig(tool_not_found_behavior="return_error_to_model")
        await Runner.run(agent, decide(state, "c1"), run_config=config)
        assert till.paid == []
        assert "not found" in told(model)["c1"]
