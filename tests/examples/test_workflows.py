"""The workflows with edges in `examples/workflows/`, with models that have a script."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from agentgraph import Agent, RunConfig, Runner, Workflow
from agentgraph.program import check
from agentgraph.testing import (
    FunctionModel,
    ScriptedModel,
    assistant_message,
    function_call,
)
from examples.workflows import claims, evaluator, front_desk, research, translations, writer
from tests.cli.command import EXAMPLES, environment

FLOWS: dict[str, Workflow | Agent] = {
    "claims": claims.flow,
    "evaluator": evaluator.flow,
    "front_desk": front_desk.desk,
    "research": research.flow,
    "translations": translations.flow,
    "writer": writer.flow,
}


def says(*texts: str) -> RunConfig:
    return RunConfig(model=ScriptedModel([[assistant_message(text)] for text in texts]))


@pytest.mark.parametrize("name", FLOWS)
def test_an_example_is_clean_and_runs_as_a_script(name: str) -> None:
    assert check(FLOWS[name]) == ()
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "workflows" / f"{name}.py")],
        capture_output=True,
        text=True,
        check=False,
        env=environment(AGENTGRAPH_MODEL="rehearsal"),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


async def test_the_author_gets_the_outline_if_the_check_accepts_it() -> None:
    config = says("outline", '{"good": true, "is_story": true}', "Once …")
    result = await Runner.run(writer.flow, "bees", run_config=config)
    assert (result.final_output, result.outputs[writer.outliner]) == ("Once …", "outline")
    config = says("outline", '{"good": true, "is_story": false}')
    result = await Runner.run(writer.flow, "bees", run_config=config)
    assert result.final_output == "The outline is no good: ask for another one."


async def test_the_judge_sends_a_text_back_three_times_at_most() -> None:
    better = '{"score": "needs_improvement", "feedback": "shorter"}'
    passes = '{"score": "pass", "feedback": ""}'
    result = await Runner.run(evaluator.flow, "bees", run_config=says("one", better, "two", passes))
    assert result.final_output == "two"
    rounds = [text for number in range(4) for text in (f"text {number}", better)]
    result = await Runner.run(evaluator.flow, "bees", run_config=says(*rounds))
    assert result.final_output == "The text did not get good enough in three rounds."


@pytest.mark.parametrize(
    ("claim", "more", "answer"),
    [
        ('{"kind": "theft", "euros": 9, "summary": "cup"}', ["yes", "Dear you"], "Dear you"),
        ('{"kind": "damage", "euros": 8, "summary": "cup"}', ["Dear me"], "Dear me"),
        ('{"kind": "other", "euros": 0, "summary": ""}', [], "Please call us."),
    ],
)
async def test_rules_decide_on_a_claim(claim: str, more: list[str], answer: str) -> None:
    result = await Runner.run(claims.flow, "…", run_config=says(claim, *more))
    assert result.final_output == answer
    assert (claims.pay in result.outputs) is (answer in ("Dear you", "Dear me"))


@pytest.mark.parametrize("pays", [True, False])
async def test_a_person_decides_on_a_large_claim(pays: bool) -> None:
    claim = '{"kind": "theft", "euros": 900, "summary": "bike"}'
    result = await Runner.run(claims.flow, "…", run_config=says(claim, "New is 800."))
    [question] = result.interruptions
    assert question.arguments == (
        '{"Reader":{"kind":"theft","euros":900,"summary":"bike"},"Expert":"New is 800."}'
    )
    state = result.to_state()
    state.answer(question, claims.Decision(pay=pays, reason="It was locked."))
    result = await Runner.run(claims.flow, state, run_config=says("Dear you"))
    assert result.final_output == "Dear you"
    assert (claims.pay in result.outputs) is pays


def test_the_script_asks_the_person_at_the_keyboard() -> None:
    claim = '{"kind": "theft", "euros": 900, "summary": "bike"}'
    code = (
        "import runpy, sys\n"
        "from agentgraph.run import every_model_is\n"
        "from agentgraph.testing import ScriptedModel, assistant_message\n"
        f"turns = [[assistant_message(text)] for text in ({claim!r}, 'New.', 'Dear you')]\n"
        "with every_model_is(ScriptedModel(turns)):\n"
        "    runpy.run_path('examples/workflows/claims.py', run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input="y\n",
        capture_output=True,
        text=True,
        check=False,
        cwd=EXAMPLES.parent,
        env=environment(),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("Do we pay this claim? [y/n] Dear you\n")


async def test_the_judge_reads_every_translation_under_its_name() -> None:
    read: list[Any] = []

    def reply(call: Any) -> list[Any]:
        read.append(call.input)
        name = call.system_instructions.rpartition("Spanish. ")[2].rstrip(".")
        return [assistant_message(f"<{name[:4]}>")]

    config = RunConfig(model=FunctionModel(reply))
    result = await Runner.run(translations.flow, "Bees", run_config=config)
    labelled = '{"Word for word":"<Word>","Free":"<Free>","For children":"<For >"}'
    assert labelled in str(read[-1])
    assert result.outputs[translations.texts] == ["<Word>", "<Free>", "<For >"]


async def test_every_query_is_searched_and_the_writer_reads_plan_and_notes() -> None:
    read: list[Any] = []

    def reply(call: Any) -> list[Any]:
        read.append(call.input)
        if call.output_schema is not None:
            return [assistant_message('{"queries": ["bees", "wasps"]}')]
        text = str(call.input)
        return [assistant_message("report" if "queries" in text else f"about {text[-20:]}")]

    config = RunConfig(model=FunctionModel(reply))
    result = await Runner.run(research.flow, "Insects", run_config=config)
    assert result.final_output == "report"
    assert len(result.outputs[research.notes]) == 2
    assert len(read) == 4


async def test_the_front_desk_answers_after_both_specialists() -> None:
    script = ScriptedModel(
        [
            [
                function_call("transfer_to_orders", {}, call_id="a"),
                function_call("transfer_to_returns", {}, call_id="b"),
            ],
            [assistant_message("on its way")],
            [assistant_message("30 days")],
            [assistant_message("It is on its way; you have 30 days.")],
        ]
    )
    result = await Runner.run(front_desk.desk, "Order 12?", run_config=RunConfig(model=script))
    assert result.final_output == "It is on its way; you have 30 days."
    assert result.last_agent is front_desk.desk
    answers = [one.output for one in result.new_items if one.type == "tool_call_output_item"]
    assert sorted(answers) == ["30 days", "on its way"]
