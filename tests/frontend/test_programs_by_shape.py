"""Programs of one outline share the table of their machine; types, digests and origins are those of
each program's own objects, as they were when it was made (docs/decisions/0018)."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from collections import defaultdict
from threading import Barrier, Thread
from typing import Any

import pytest
from pydantic import create_model

from agentgraph import (
    Agent,
    AgentHooks,
    CompileError,
    InputGuardrail,
    OutputGuardrail,
    RunConfig,
    Workflow,
    allow,
    check,
    function_tool,
    handoff,
)
from agentgraph.frontend.bind import bind, layout_of
from agentgraph.frontend.declarations import Declarations
from agentgraph.frontend.lower_workflow import chart_of, lower
from agentgraph.frontend.reading import read
from agentgraph.frontend.scope import DEFAULT_SCOPE, RunScope
from agentgraph.frontend.tables import Table, Tables
from agentgraph.program import Program, program_for
from agentgraph.testing import ScriptedModel
from agentgraph_compiler.diagnostics import errors
from agentgraph_compiler.emit import emit
from tests.frontend import declared_program, test_shapes
from tests.frontend.test_lowering import line
from tests.frontend.test_shapes import Desk, look_up, verdict


def desk(instructions: str = "Route.") -> Agent[Any]:
    """Agents made anew, as a web handler makes them."""
    tutors = [
        Agent[Any](name=name, instructions=f"Teach {name}.", tools=[look_up])
        for name in ("Maths", "History")
    ]
    return Agent(
        name="Triage",
        instructions=instructions,
        handoffs=[tutors[0], handoff(tutors[1])],
        tools=[tutors[0].as_tool("ask", "Ask.")],
        input_guardrails=[InputGuardrail(verdict)],
    )


class DuckTool:
    """A tool of the user's own class, whose attributes come and go."""

    def __init__(self) -> None:
        self.name, self._is_on = "duck", True

    async def on_invoke_tool(self, *values: Any) -> str:
        return ""


class SwitchedTool(DuckTool):
    @property
    def is_enabled(self) -> bool:
        return self._is_on


def test_agents_made_anew_share_the_states_that_runs_look_up() -> None:
    first, second = program_for(desk()), program_for(desk())
    assert first.machine.state is second.machine.state
    assert first.machine.submachine["maths"].state is second.machine.submachine["maths"].state
    assert first.bindings.start.agent is not second.bindings.start.agent


def test_what_stands_for_the_symbols_is_each_program_s_own() -> None:
    agent = desk()
    program_for(desk())
    bindings = program_for(agent).bindings
    maths, history = agent.handoffs[0], agent.handoffs[1]._agent_ref()  # type: ignore[union-attr,misc]
    assert [bound.agent for bound in bindings.agents.values()] == [agent, maths, history]
    assert bindings.symbols == {"triage/input/verdict": agent.input_guardrails[0]}
    (tool,) = bindings.start.tools
    assert (tool.symbol, tool.tool) == ("triage/tool/ask", agent.tools[0])
    rows = [(row.symbol, row.entry, row.target) for row in bindings.start.handoffs]
    assert rows == [
        ("triage/handoff/transfer_to_maths", maths, "maths"),
        ("triage/handoff/transfer_to_history", agent.handoffs[1], "history"),
    ]
    assert bindings.machines["maths"].start.agent is maths


@pytest.mark.parametrize("scope", [DEFAULT_SCOPE, *declared_program.SCOPES.values()])
@pytest.mark.parametrize("change", declared_program.CHANGES)
def test_the_fingerprint_of_a_shared_table_is_that_of_the_program_s_own_declarations(
    change: str, scope: RunScope
) -> None:
    made = declared_program.program(declared_program.CHANGES[change])
    own = program_for(made, scope).machine
    alone = emit(lower(made, scope)[0])
    assert own.fingerprint == alone.fingerprint
    assert own.to_json() == alone.to_json()
    assert (own.agents, own.states) == (alone.agents, alone.states)
    assert own == alone == own
    assert pickle.loads(pickle.dumps(own)) == copy.deepcopy(own) == alone
    inner = [(part.fingerprint, part.to_json()) for part in own.machines]
    assert inner == [(part.fingerprint, part.to_json()) for part in alone.machines]


def test_programs_of_one_outline_have_one_table() -> None:
    """What differs in the states differs in the outline, for every single change."""
    changes = declared_program.CHANGES
    cases = [(declared_program.program(changes[name]), DEFAULT_SCOPE) for name in changes]
    cases += [(declared_program.program({}), scope) for scope in declared_program.SCOPES.values()]
    for change in test_shapes.CHANGES.values():
        changed = Desk()
        change(changed)
        cases.append((changed.start, DEFAULT_SCOPE))
    tables = defaultdict(set)
    for source, scope in cases:
        reading, outline = read(source, scope)
        chart = chart_of(reading, Declarations(bare=True))
        tables[outline].add((emit(chart).to_json(), layout_of(chart)))
    assert {len(one) for one in tables.values()} == {1}
    assert len(tables) > len(cases) / 2


@pytest.mark.parametrize("change", test_shapes.CHANGES)
def test_what_a_program_says_of_its_agents_is_what_they_were_when_it_was_made(change: str) -> None:
    chart, _ = lower(Desk().start)
    changed = Desk()
    program = program_for(changed.start)
    test_shapes.CHANGES[change](changed)
    assert not program.current
    assert program.machine.to_json() == emit(chart).to_json()
    assert program.chart == chart


def test_a_workflow_that_is_declared_has_the_chart_that_it_had() -> None:
    def declared() -> Workflow:
        first, second = Agent[Any](name="First"), Agent[Any](name="Second")
        first.handoffs.append(second)
        return Workflow("W", first, [first, second])

    workflow = declared()
    program = program_for(workflow)
    chart, _ = lower(workflow)
    workflow.agents = [workflow.start]
    workflow.start.handoffs.clear()
    assert program.chart == chart
    assert program_for(workflow).chart != chart


def test_origins_are_those_of_the_very_objects() -> None:
    one, here = Agent[Any](name="A", tools=[look_up]), line()
    two, there = Agent[Any](name="A", tools=[look_up]), line()
    programs = [program_for(one), program_for(two)]
    assert programs[0].machine.state is programs[1].machine.state
    assert [program.chart.agents[0].origin.line for program in programs] == [here, there]


def test_an_error_is_told_of_the_very_objects_that_have_it() -> None:
    def impostor() -> Any:
        return function_tool(lambda: "", name_override="look_up", description_override="")

    origins = []
    for tool in (impostor(), impostor()):
        agent = Agent[Any](name="A", tools=[look_up, tool])
        with pytest.raises(CompileError) as caught:
            program_for(agent)
        assert caught.value.diagnostics == errors(check(agent))
        origins.append(caught.value.diagnostics[0].origin)
    assert len({(origin.file, origin.line) for origin in origins}) == 1
    first, here = handoff(Agent(name="B"), tool_name_override="look_up"), line()
    with pytest.raises(CompileError, match=f":{here}"):
        program_for(Agent(name="A", tools=[look_up], handoffs=[first]))
    second, there = handoff(Agent(name="B"), tool_name_override="look_up"), line()
    with pytest.raises(CompileError, match=f":{there}"):
        program_for(Agent(name="A", tools=[look_up], handoffs=[second]))


def test_a_suppressed_error_is_none_and_one_beside_it_still_is() -> None:
    def doubled() -> Agent[Any]:
        return Agent(name="A", tools=[look_up], handoffs=[handoff(Agent(name="B"), "look_up")])

    program_for(allow(doubled(), "duplicate-tool-name"))
    with pytest.raises(CompileError):
        program_for(doubled())


@pytest.mark.parametrize("kind", [DuckTool, SwitchedTool])
def test_a_tool_of_another_class_is_read_again_for_each_program(kind: type[DuckTool]) -> None:
    """Its shape may lack what the states depend on: a property, or an attribute added later."""
    tool: Any = kind()

    def offers() -> set[str]:
        states = program_for(Agent[Any](name="A", tools=[tool])).machine.state.values()
        return {offer.symbol for state in states for offer in state.offers}

    assert "a/tool/duck" in offers()
    if kind is DuckTool:
        tool.is_enabled = False
    else:
        tool._is_on = False
    assert "a/tool/duck" not in offers()


class Text(str):
    """A text of the user's own class."""

    __slots__ = ("__weakref__",)


def everything() -> tuple[Agent[Any], RunScope, list[weakref.ref[Any]]]:
    """An agent with one of each of the user's objects, and references to them."""

    class Own(Agent[Any]): ...

    class Hooks(AgentHooks[Any]): ...

    class Model(ScriptedModel): ...

    def work(word: str) -> str:
        return word

    def decide(*arguments: Any) -> Any: ...

    def told(context: Any, agent: Any) -> str:
        return ""

    answer = create_model("Answer", text=(str, ...))
    tool = function_tool(work, is_enabled=decide, needs_approval=decide)
    entry, exit = InputGuardrail[Any](verdict), OutputGuardrail[Any](verdict)
    of_run = OutputGuardrail[Any](verdict, name="of the run")
    inner = Agent[Any](name=Text("Inner"), output_type=answer)
    target = Own(name=Text("Target"), tools=[inner.as_tool("ask", "Ask.")])
    transfer = handoff(target, is_enabled=decide)
    agent = Agent[Any](
        name="Start",
        instructions=told,
        model=Model([]),
        hooks=Hooks(),
        tools=[tool],
        handoffs=[transfer, inner],
        input_guardrails=[entry],
        output_guardrails=[exit],
        output_type=answer,
        tool_use_behavior=decide,
    )
    scope = RunScope.of(RunConfig(output_guardrails=[of_run]))
    held = (
        *(agent, tool, entry, exit, of_run, inner, target, transfer, answer, inner.name),
        *(Own, Hooks, Model, work, decide, told, agent.model, agent.hooks),
    )
    return agent, scope, [weakref.ref(one) for one in held]


def test_nothing_of_the_user_s_hangs_on_a_table_that_is_kept() -> None:
    agent, scope, references = everything()
    program: Program | None = program_for(agent, scope)
    assert program is not None
    states = program.machine.state
    assert program.machine.fingerprint  # what is worked out later is not kept either
    del agent, scope, program
    gc.collect()
    assert [reference() for reference in references if reference() is not None] == []
    agent, scope, _ = everything()
    assert program_for(agent, scope).machine.state is states


def test_the_tables_that_are_kept_are_the_ones_used_last() -> None:
    tables = Tables(limit=3)
    made = {name: _table(name) for name in "abcd"}
    for name in "abc":
        tables.keep(name, made[name])
    assert tables.get("a") is made["a"]
    tables.keep("d", made["d"])
    assert [tables.get(name) is not None for name in "abcd"] == [True, False, True, True]
    assert tables.size == 3


def test_a_table_that_is_kept_twice_counts_once() -> None:
    tables = Tables(limit=2)
    for _ in range(3):
        tables.keep("a", _table("a"))
    tables.keep("b", _table("b"))
    assert tables.size == 2
    assert tables.get("a") is not None


def test_a_table_larger_than_all_that_is_kept_drives_no_other_out() -> None:
    tables = Tables(limit=2)
    tables.keep("a", _table("a"))
    tables.keep("large", _table("x", *"yz"))
    assert tables.get("large") is None
    assert tables.get("a") is not None


def _table(name: str, *others: str) -> Table:
    agent = Agent[Any](name=name, handoffs=[Agent(name=other) for other in others])
    chart, _ = lower(agent)
    return Table(emit(chart), layout_of(chart))


def test_several_threads_compile_at_once() -> None:
    count, wrong = 4, list[Any]()
    together = Barrier(count)

    def work(number: int) -> None:
        together.wait()
        for turn in range(40):
            name = f"Agent of threads {turn}"
            agent = Agent[Any](name=name, instructions=str(number), tools=[look_up])
            program = program_for(agent)
            alone = emit(lower(agent)[0])
            if program.bindings.start.agent is not agent:
                wrong.append(agent)
            if program.machine.fingerprint != alone.fingerprint:
                wrong.append(program)

    threads = [Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_an_agent_that_was_made_unusable_is_refused_though_its_kind_is_known() -> None:
    program_for(Agent(name="Known"))
    broken = {"tools": None, "name": 5, "model": 3, "tool_use_behavior": "never", "hooks": 1}
    for field, value in broken.items():
        agent = Agent[Any](name="Known")
        setattr(agent, field, value)
        with pytest.raises(Exception, match=field):
            program_for(agent)


class Watched(Agent[Any]):
    """An agent that counts how often it is looked at."""

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("_"):
            LOOKS.append(name)
        return super().__getattribute__(name)


LOOKS: list[str] = []


def test_whether_a_program_is_current_costs_no_look_at_agents_that_are_not_entered() -> None:
    far = Watched(name="Far")
    agent = Agent[Any](name="Start", handoffs=[Agent(name="Near", handoffs=[far])])
    program_for(agent)
    program = program_for(agent)
    LOOKS.clear()
    assert program_for(agent) is program
    assert LOOKS == []
    assert program.current
    assert LOOKS


@pytest.mark.parametrize("change", test_shapes.CHANGES)
def test_bindings_are_made_again_from_what_was_read_then(change: str) -> None:
    """A layout fits every reading of its outline, whatever its objects have become since."""
    made, changed = Desk(), Desk()
    layout = layout_of(lower(made.start)[0])
    reading, _ = read(changed.start, DEFAULT_SCOPE)
    test_shapes.CHANGES[change](changed)
    bound = bind(layout, reading)
    assert bound.start.agent is changed.start
    assert [row.tool for row in bound.start.tools] == [changed.tool, changed.agent_tool]
