"""The workflows with edges in `examples/workflows/`, with models that have a script."""

from __future__ import annotations

import subprocess
import sys

import pytest

from agentgraph import RunConfig, Runner
from agentgraph.program import check
from agentgraph.testing import ScriptedModel, assistant_message
from examples.workflows import claims, evaluator, writer
from tests.cli.command import EXAMPLES, environment

FLOWS = {"claims": claims.flow, "evaluator": evaluator.flow, "writer": writer.flow}


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
        ('{"kind": "theft", "euros": 900, "summary": "bike"}', ["yes", "Dear"], "Dear"),
        ('{"kind": "theft", "euros": 9, "summary": "cup"}', ["yes", "Dear you"], "Dear you"),
        ('{"kind": "damage", "euros": 8, "summary": "cup"}', ["Dear me"], "Dear me"),
        ('{"kind": "other", "euros": 0, "summary": ""}', [], "Please call us."),
    ],
)
async def test_rules_decide_on_a_claim(claim: str, more: list[str], answer: str) -> None:
    result = await Runner.run(claims.flow, "…", run_config=says(claim, *more))
    assert result.final_output == answer
    assert (claims.pay in result.outputs) is (answer in ("Dear you", "Dear me"))
