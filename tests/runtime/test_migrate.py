"""A run goes on in another machine: what moves, what keeps its id, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from agentgraph.runtime.commands import CommandId, Perform, Rest
from agentgraph.runtime.migrate import MigrationError, migrate
from agentgraph.runtime.outcomes import Outcome
from agentgraph.runtime.state import ControlState, Facts
from agentgraph.runtime.step import step
from agentgraph_compiler.ir.chart import Agent
from agentgraph_compiler.machine import Emission, Event, Machine
from tests.runtime.declarations import agent, machine_of
from tests.runtime.dialogue import Dialogue

SAME = {"desk": "desk", "back": "back"}


def desk(**fields: Any) -> Agent:
    """An agent with tools."""
    return agent("desk", **{"functions": "search fetch", "handoffs": "back", **fields})


def machine(*, name: str = "desk", **fields: Any) -> Machine:
    """A machine of an agent with tools, and another."""
    fields = {"functions": "search fetch", "handoffs": "back", **fields}
    return machine_of(agent(name, **fields), agent("back"))


def held(calls: str = "search", *, handoffs: str = "", approved: str = "search") -> Dialogue:
    """A run that waits for a decision about its first call."""
    talk = Dialogue(desk(approved=approved), agent("back"))
    talk.reply("desk/model", calls=calls, handoffs=handoffs)
    return talk.tell("desk/search.hold", Event.AWAITING)


def phases(commands: tuple[object, ...]) -> list[tuple[str, str]]:
    """The work asked for, as lanes and phases."""
    asked = [command for command in commands if isinstance(command, Perform)]
    return [(command.invoke.symbol, command.phase.name) for command in asked]


def resumed(new: Machine, state: ControlState) -> tuple[ControlState, list[tuple[str, str]]]:
    """The state once a run at rest was resumed, and the work that this asks for."""
    there, commands = step(new, state, Outcome(CommandId(state.sequence, 0), Event.RESUMED))
    return there, phases(commands)


def test_the_same_machine_changes_nothing_and_gives_what_is_owed_again() -> None:
    talk = Dialogue(desk(), agent("back"), hooked=True)
    moved, commands = migrate(talk.machine, talk.state, talk.machine, SAME)
    assert moved == talk.state
    assert phases(commands) == [("desk/model", "greet")]
    talk.outside(Event.STOPPED)
    moved, commands = migrate(talk.machine, talk.state, talk.machine, SAME)
    assert moved == talk.state
    assert [type(command) for command in commands] == [Rest]


def test_an_agent_changed_while_it_is_greeted_has_its_new_tools_in_this_very_turn() -> None:
    talk = Dialogue(desk(functions="search"), agent("back"), hooked=True)
    new = machine(functions="search write")
    moved, commands = migrate(talk.machine, talk.state, new, SAME)
    assert [command.id for command in commands if isinstance(command, Perform)] == [
        talk.id_of("desk/model.greet")
    ]
    there, commands = step(new, moved, Outcome(talk.id_of("desk/model.greet"), Event.DONE))
    (asked,) = commands
    assert isinstance(asked, Perform)
    assert asked.invoke is new.state["desk.thinking"].invokes[0]
    assert "desk/write" in new.state[new.state[there.state].acting].offered


def test_an_agent_may_change_until_its_model_is_asked() -> None:
    talk = Dialogue(desk(functions="search"), agent("back"))
    moved, commands = migrate(talk.machine, talk.state, machine(functions="write"), SAME)
    assert phases(commands) == [("desk/model", "try")]
    assert moved == talk.state


def test_a_guardrail_beside_the_model_goes_on_and_one_that_is_gone_is_a_reason_to_refuse() -> None:
    talk = Dialogue(desk(parallel="tone topic"), agent("back"), hooked=True)
    new = machine(parallel="tone topic", functions="write")
    _, commands = migrate(talk.machine, talk.state, new, SAME)
    assert phases(commands) == [
        ("desk/tone", "input_guardrail"),
        ("desk/topic", "input_guardrail"),
        ("desk/model", "greet"),
    ]
    with pytest.raises(MigrationError, match=r"'desk/topic' is at work in 'desk\.guarding'"):
        migrate(talk.machine, talk.state, machine(parallel="tone other"), SAME)
    with pytest.raises(MigrationError, match="starts other work"):
        migrate(talk.machine, talk.state, machine(parallel="tone"), SAME)
    with pytest.raises(MigrationError, match="has no counterpart"):
        migrate(talk.machine, talk.state, machine(), SAME)


@pytest.mark.parametrize("where", ["model.wait", "search"])
def test_a_run_in_the_midst_of_something_is_refused(where: str) -> None:
    talk = Dialogue(desk(tries=1), agent("back"))
    if where == "search":
        talk.reply("desk/model", calls="search")
    else:
        talk.tell("desk/model", Event.RETRY)
    with pytest.raises(MigrationError, match="in the middle of"):
        migrate(talk.machine, talk.state, machine(), SAME)


def test_names_of_agents_change_with_everything_that_is_named_after_them() -> None:
    talk = held("search fetch").returned("desk/fetch")
    new = machine(name="front", approved="search")
    moved, commands = migrate(talk.machine, talk.state, new, {"desk": "front", "back": "back"})
    assert isinstance(commands[0], Rest)
    assert (commands[0].agent, moved.kept and moved.kept.state) == ("front", "front.acting")
    assert moved.kept is not None
    assert moved.kept.acted == {"front"}
    there, asked = resumed(new, moved)
    assert asked == [("front/search", "hold")]
    assert there.agent == "front"


def test_a_tool_that_is_gone_is_answered_as_a_missing_one() -> None:
    talk = held("search fetch").returned("desk/fetch")
    new = machine(functions="fetch")
    moved, _ = migrate(talk.machine, talk.state, new, SAME)
    there, asked = resumed(new, moved)
    assert asked == [("desk/missing_tool", "call")]
    _, commands = step(new, there, Outcome(CommandId(2, 0, 1), Event.RETURNED))
    # What was shown stays shown.
    emits = [row for row in commands if not isinstance(row, Perform | Rest)]
    assert [(row.emission, row.source) for row in emits] == [(Emission.OUTPUT, (2, 0, 1))]


def test_a_function_with_the_name_of_a_waiting_action_is_another_tool() -> None:
    talk = Dialogue(desk(actions="shell", approved="shell"), agent("back"))
    talk.reply("desk/model", calls="shell").tell("desk/shell.hold", Event.AWAITING)
    new = machine(functions="shell")
    moved, _ = migrate(talk.machine, talk.state, new, SAME)
    assert resumed(new, moved)[1] == [("desk/missing_tool", "call")]


def test_an_agent_that_lost_all_its_tools_still_answers_the_calls_that_wait() -> None:
    talk = held()
    moved, _ = migrate(talk.machine, talk.state, machine(functions=""), SAME)
    assert resumed(machine(functions=""), moved)[1] == [("desk/missing_tool", "call")]


def test_a_call_that_a_person_was_asked_about_stays_held() -> None:
    talk = held()
    asked = machine(asked="search", screened="search")
    assert resumed(asked, migrate(talk.machine, talk.state, asked, SAME)[0])[1] == [
        ("desk/search", "hold")
    ]
    with pytest.raises(MigrationError, match="no longer asks for approval"):
        migrate(talk.machine, talk.state, machine(), SAME)


def test_a_call_that_has_begun_keeps_its_id_and_is_not_held_anew() -> None:
    talk = Dialogue(desk(), agent("back")).reply("desk/model", calls="search")
    talk.outside(Event.STOPPED)
    new = machine(approved="search")
    moved, _ = migrate(talk.machine, talk.state, new, SAME)
    there, commands = step(new, moved, Outcome(CommandId(moved.sequence, 0), Event.RESUMED))
    assert phases(commands) == [("desk/search", "call")]
    assert [row.id for row in commands if isinstance(row, Perform)] == [talk.id_of("desk/search")]
    assert there.owed == 1


def test_a_call_that_has_not_begun_is_held_where_that_is_new() -> None:
    talk = Dialogue(desk(actions="shell"), agent("back"))
    talk.reply("desk/model", calls="shell shell").outside(Event.STOPPED)
    new = machine(actions="shell", approved="shell")
    moved, _ = migrate(talk.machine, talk.state, new, SAME)
    there, asked = resumed(new, moved)
    assert asked == [("desk/shell", "call")]
    _, commands = step(new, there, Outcome(talk.id_of("desk/shell"), Event.RETURNED))
    assert phases(commands) == [("desk/shell", "hold")]


def test_a_judge_that_is_gone_lets_the_output_pass() -> None:
    talk = Dialogue(desk(judged="search"), agent("back")).reply("desk/model", calls="search")
    talk.returned("desk/search").outside(Event.STOPPED)
    new = machine()
    moved, _ = migrate(talk.machine, talk.state, new, SAME)
    assert resumed(new, moved)[1] == [("desk/search", "tell")]
    gone = machine(functions="fetch")
    moved, _ = migrate(talk.machine, talk.state, gone, SAME)
    assert resumed(gone, moved)[0].state == "desk.thinking"


def test_a_handoff_that_was_asked_for_must_be_there() -> None:
    talk = held(handoffs="back")
    with pytest.raises(MigrationError, match="no handoff 'desk/to_back', which was requested"):
        migrate(talk.machine, talk.state, machine(handoffs="", approved="search"), SAME)


def test_an_agent_at_work_must_be_there_and_another_is_forgotten() -> None:
    talk = held()
    with pytest.raises(MigrationError, match="no agent 'desk', which is at work"):
        migrate(talk.machine, talk.state, machine(), {"back": "back"})
    state = talk.state._replace(acted=frozenset({"desk", "back"}))
    moved, _ = migrate(talk.machine, state, talk.machine, {"desk": "desk"})
    assert moved.acted == {"desk"}


def test_what_holds_for_the_run_may_change_and_holds_on_the_way_back() -> None:
    talk = held()
    facts = Facts(9, session=True, hooked=True)
    moved, _ = migrate(talk.machine, talk.state, talk.machine, SAME, facts=facts)
    assert (moved.facts, moved.kept and moved.kept.facts) == (facts, facts)
    assert resumed(talk.machine, moved)[0].facts == facts
