"""Coverage without pytest: what counts, what is merged, and its JSON form."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from agentgraph import (
    Agent,
    CustomTool,
    InputGuardrailTripwireTriggered,
    MaxTurnsExceeded,
    OutputGuardrailTripwireTriggered,
    Runner,
    RunState,
    UserError,
    WebSearchTool,
    function_tool,
    handoff,
)
from agentgraph.running.moves import show_moves
from agentgraph.testing import (
    ScriptedModel,
    assistant_message,
    explore,
    function_call,
)
from agentgraph.testing.coverage import Coverage, Tally, WorkflowCoverage, collect, start
from agentgraph.testing.coverage.text import percent_text
from tests.testing.desk import ANSWER, ASK, LOOK, PAY, TO_REFUNDS, desk


def only(coverage: Coverage) -> WorkflowCoverage:
    [workflow] = coverage.workflows
    return workflow


def counts(coverage: Coverage, *subjects: str) -> dict[str, int]:
    """How often runs met the items of some subjects."""
    return {str(one): one.count for one in coverage.items() if one.subject in subjects}


def missing(coverage: Coverage, *subjects: str) -> list[str]:
    return [str(one) for one in coverage.missing if one.subject in subjects]


async def everything(instructions: str = "") -> None:
    """Runs that meet everything of the desk."""

    def made(*replies: Any) -> Agent[Any]:
        return desk(*replies, instructions=instructions)

    async def decided(first: Agent[Any], *, approved: bool) -> None:
        state = (await Runner.run(first, "hello")).to_state()
        [waiting] = state.get_interruptions()
        (state.approve if approved else state.reject)(waiting)
        await Runner.run(first, state)

    back = [function_call("transfer_to_triage", {}, call_id="back")]
    large = [function_call("pay", {"order": "1000"}, call_id="large")]
    again, both = (
        [function_call("ask", {"input": id}, call_id=id), *more]
        for id, more in (("again", []), ("both", TO_REFUNDS))
    )
    await Runner.run(made([ASK, again, both], [ANSWER], [LOOK, *[ANSWER] * 3]), "hello")
    await Runner.run(made([ANSWER]), "hello")
    await Runner.run(made([TO_REFUNDS, ASK, ANSWER], [back], [LOOK, ANSWER]), "hello")
    await Runner.run(made([TO_REFUNDS, TO_REFUNDS], [back, ANSWER]), "hello")
    await decided(made([TO_REFUNDS], [PAY, ANSWER]), approved=True)
    await decided(made([TO_REFUNDS], [PAY, ANSWER]), approved=False)
    await decided(made([TO_REFUNDS], [large, ANSWER]), approved=True)
    await decided(made([TO_REFUNDS, ANSWER], [PAY + back]), approved=True)
    looks = [[function_call("look", {"order": id}, call_id=id)] for id in "0123456789"]
    await Runner.run(made([ASK, ANSWER], [], looks), "hello")
    with pytest.raises(MaxTurnsExceeded):
        await Runner.run(made([TO_REFUNDS]), "hello", max_turns=1)
    with pytest.raises(InputGuardrailTripwireTriggered):
        await Runner.run(made([ANSWER]), "the weather?")
    with pytest.raises(OutputGuardrailTripwireTriggered):
        await Runner.run(made([TO_REFUNDS], [[assistant_message("No.")]]), "hello")


async def test_runs_that_do_everything_that_the_table_offers_cover_it_whole() -> None:
    with collect() as coverage:
        await everything()
    assert coverage.missing == ()
    assert coverage.percent == 100
    assert {subject: tally.owed for subject, tally in only(coverage).subjects()} == {
        "agent": 3,
        "handoff": 2,
        "tool": 5,
        "guardrail": 6,
        "limit": 2,
        "state": 24,
        "transition": 31,
    }


@pytest.mark.parametrize(
    "kind", ["raises", "runs out of time", "is custom", "gets wrong arguments"]
)
async def test_a_failure_that_the_model_reads_about_is_noted(kind: str) -> None:
    @function_tool(timeout=0.01 if kind == "runs out of time" else None)
    async def look(order: str) -> str:
        """Look."""
        if kind == "runs out of time":
            await asyncio.Event().wait()
        raise ValueError("lost")

    async def shout(context: Any, text: str) -> str:
        raise ValueError("hoarse")

    custom = CustomTool(name="look", description="Look.", on_invoke_tool=shout)
    arguments = {} if kind == "gets wrong arguments" else {"order": "1"}
    call: Any = function_call("look", arguments, call_id="1")
    if kind == "is custom":
        call = {"type": "custom_tool_call", "call_id": "1", "name": "look", "input": "x", "id": "c"}
    tools: list[Any] = [custom if kind == "is custom" else look]
    agent = Agent(name="A", model=ScriptedModel([[call], ANSWER]), tools=tools)
    with collect() as coverage:
        result = await Runner.run(agent, "hello")
    assert counts(coverage, "tool") == {"A: look called": 1, "A: look failed": 1}
    read = await RunState.from_string(agent, result.to_state().to_string())
    with collect() as again:
        show_moves(read.journal, 0)
    assert counts(again, "tool") == {"A: look called": 1, "A: look failed": 1}


async def test_one_run_covers_its_own_steps_and_the_rest_is_missing() -> None:
    with collect() as coverage:
        await Runner.run(desk([ASK, ANSWER], expert=[LOOK, ANSWER]), "hello")
    workflow = only(coverage)
    assert counts(coverage, "agent", "handoff", "tool", "guardrail") == {
        "Triage visited": 1,
        "Refunds visited": 0,
        "Triage → Refunds taken": 0,
        "Refunds → Triage taken": 0,
        "Triage: ask called": 1,
        "Triage: ask failed": 0,
        "Refunds: pay called": 0,
        "Refunds: pay approved": 0,
        "Refunds: pay rejected": 0,
        "Refunds: pay failed": 0,
        "Triage: in_scope passed": 1,
        "Triage: in_scope tripped": 0,
        "Refunds: polite passed": 0,
        "Refunds: polite tripped": 0,
        "Refunds: small (arguments of pay) passed": 0,
        "Refunds: small (arguments of pay) tripped": 0,
        "Expert visited (in the run of expert as a tool)": 1,
        "Expert: look called (in the run of expert as a tool)": 1,
        "Expert: look failed (in the run of expert as a tool)": 0,
    }
    assert missing(coverage, "agent", "handoff") == [
        "Refunds visited",
        "Triage → Refunds taken",
        "Refunds → Triage taken",
    ]
    assert "triage.thinking: replied [verdict final] → triage.ending" not in missing(
        coverage, "transition"
    )
    assert "triage.guarding: replied [verdict final] → triage.ending" in missing(
        coverage, "transition"
    )
    assert 0 < workflow.percent < 100


async def test_what_no_run_can_do_does_not_count_and_is_named_with_the_reason() -> None:
    alone = Agent(name="Alone", handoff_description="Nothing leads there.")
    agent = Agent(
        name="A",
        model=ScriptedModel([ANSWER]),
        tools=[WebSearchTool()],
        handoffs=[handoff(alone, is_enabled=False)],
    )
    with collect() as coverage:
        await Runner.run(agent, "hello")
    excuses = {str(one): one.excuse for one in only(coverage).excused}
    assert excuses["A → Alone taken"] == "it is disabled"
    assert excuses["A: web_search called"] == "it runs at the model's side"
    assert "initial: started [session] → loading" in excuses
    assert "every state: cancelled → saving.stopped" in excuses
    # A hosted tool may reply without a message, and then the model is asked again.
    assert missing(coverage, "transition") == ["a.thinking: replied → a.thinking"]


async def test_a_fault_is_noted_and_owed_by_no_test() -> None:
    agent = Agent(name="A", model=ScriptedModel([OSError("no network")]))
    with collect() as coverage, pytest.raises(OSError, match="no network"):
        await Runner.run(agent, "hello")
    items = {str(one): one for one in coverage.items()}
    failed = items["failed"]
    assert (failed.count, failed.owed) == (1, False)
    assert items["every state: failed → saving.failed"].count == 1


async def test_agents_made_anew_are_one_workflow_and_versions_of_it_are_merged() -> None:
    with collect() as coverage:
        await Runner.run(desk([ANSWER]), "hello")
        await Runner.run(desk([ANSWER]), "hello")
        await Runner.run(desk([TO_REFUNDS], [ANSWER], instructions="Be kind."), "hello")
    workflow = only(coverage)
    assert len(workflow.versions) == 2
    assert counts(coverage, "agent")["Triage visited"] == 3
    assert counts(coverage, "agent")["Refunds visited"] == 1


async def test_workflows_with_one_name_that_other_lines_make_are_kept_apart() -> None:
    with collect() as coverage:
        await Runner.run(Agent(name="A", model=ScriptedModel([ANSWER])), "hello")
        other = Agent(name="A", instructions="Another.", model=ScriptedModel([ANSWER]))
        await Runner.run(other, "hello")
    assert [workflow.name for workflow in coverage.workflows] == ["A", "A"]


async def test_a_workflow_that_is_named_counts_alone_and_even_if_it_does_not_run() -> None:
    named, other = desk([]), Agent(name="Other", model=ScriptedModel([ANSWER]))
    with collect(named) as coverage:
        await Runner.run(other, "hello")
    assert only(coverage).name == "Triage"
    assert coverage.percent == 0
    with collect(named) as coverage:
        await Runner.run(desk([ANSWER]), "hello")
    assert coverage.percent > 0
    assert counts(coverage, "guardrail")["Refunds: small (arguments of pay) tripped"] == 0


def test_runs_of_stand_ins_count_for_the_workflow_that_they_stand_in_for() -> None:
    workflow = desk([])
    with collect(workflow) as coverage:
        assert list(explore(workflow, depth=2))
    [simulated] = [one for one in only(coverage).versions if one.simulated]
    assert counts(coverage, "handoff")["Triage → Refunds taken"] > 0
    assert simulated.counts.total() == sum(one.count for one in coverage.items())


def test_runs_of_stand_ins_can_be_left_out() -> None:
    with collect(simulated=False) as coverage:
        assert list(explore(desk([]), depth=2))
    assert coverage.workflows == ()
    assert coverage.report() == "No workflow ran."


async def test_a_collection_can_be_read_and_paused_while_it_runs() -> None:
    collection = start()
    await Runner.run(desk([ANSWER]), "hello")
    assert counts(collection.coverage, "agent")["Triage visited"] == 1
    with collection.paused():
        await Runner.run(desk([ANSWER]), "hello")
    coverage = collection.stop()
    await Runner.run(desk([ANSWER]), "hello")
    assert counts(coverage, "agent")["Triage visited"] == 1


async def test_the_json_form_is_read_back_and_merges_with_what_other_processes_saw() -> None:
    with collect() as first:
        await Runner.run(desk([ANSWER]), "hello")
    with collect() as second:
        await Runner.run(desk([TO_REFUNDS], [ANSWER]), "hello")
    with collect() as both:
        await Runner.run(desk([ANSWER]), "hello")
        await Runner.run(desk([TO_REFUNDS], [ANSWER]), "hello")
    merged = Coverage.from_json(second.to_json())
    merged.merge(Coverage.from_json(first.to_json()))
    assert merged.to_json() == both.to_json()


async def test_a_version_without_its_tool_guardrails_gets_them_from_one_that_has_them() -> None:
    with collect() as coverage:
        await Runner.run(desk([TO_REFUNDS], [PAY, ANSWER]), "hello")
    # A chart that is read from a file names no guardrails of tools.
    bare = [replace(one, tool_guardrails=(), counts=Counter()) for one in only(coverage).versions]
    for first, second in ((Coverage(bare), coverage), (coverage, Coverage(bare))):
        assert list(first.items())  # whatever it has computed before
        merged = Coverage()
        merged.merge(first)
        merged.merge(second)
        assert merged.to_json() == coverage.to_json()


async def test_the_document_has_the_totals_and_the_items() -> None:
    with collect() as coverage:
        await Runner.run(desk([ANSWER]), "hello")
    document: Any = json.loads(coverage.to_json())
    assert (document["format"], document["version"]) == ("agentgraph-coverage", 1)
    [workflow] = document["workflows"]
    assert workflow["subjects"]["agent"] == {"owed": 3, "covered": 1, "percent": 33.33}
    assert document["total"] == workflow["total"]
    [item] = [one for one in workflow["items"] if one["name"] == "refunds/tool/pay"][:1]
    assert item["file"].endswith("desk.py")
    assert {**item, "file": "", "line": 0} == {
        "subject": "tool",
        "part": "",
        "name": "refunds/tool/pay",
        "outcome": "called",
        "agent": "Refunds",
        "title": "pay",
        "file": "",
        "line": 0,
        "count": 0,
        "excuse": "",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "no coverage of agentgraph"),
        ("[]", "its format is not 'agentgraph-coverage'"),
        ('{"format": "agentgraph-coverage", "version": 9}', "has version 9"),
        ('{"format": "agentgraph-coverage", "version": 1}', "damaged: KeyError"),
        (
            '{"format": "agentgraph-coverage", "version": 1, "workflows": [{"versions": [{'
            '"fingerprint": "", "chart": "nonsense", "simulated": false,'
            '"tool_guardrails": [], "counts": []}]}]}',
            "damaged: ChartSyntaxError",
        ),
    ],
)
def test_a_text_that_is_no_coverage_is_refused(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        Coverage.from_json(text)


async def test_the_report_is_a_table_with_lists_under_it() -> None:
    with collect() as coverage:
        await Runner.run(desk([ANSWER]), "hello")
        await Runner.run(Agent(name="Other", model=ScriptedModel([ANSWER])), "hello")
    head, rule, *rows = coverage.report().splitlines()
    assert head.split() == [
        "Workflow",
        "Agents",
        "Handoffs",
        "Tools",
        "Guardrails",
        "Limits",
        "States",
        "Transitions",
        "Cover",
    ]
    assert set(rule) == {"-"}
    assert [row.split()[0] for row in rows] == ["Other", "Triage", rule, "TOTAL"]
    assert rows[0].split()[1:4] == ["1/1", "-", "-"]
    lists = coverage.report(missing=True)
    assert "missing guardrail: Triage: in_scope tripped" in lists
    assert "missing transition: triage.thinking: replied [calls] → triage.acting" in lists
    assert "it cuts a run short, wherever the run is" in lists


def test_only_a_full_coverage_reads_100_percent() -> None:
    assert percent_text(Tally(owed=3000, covered=2999)) == "99.9"
    assert percent_text(Tally(owed=3000, covered=3000)) == "100"
    assert percent_text(Tally(owed=0, covered=0)) == "100"
