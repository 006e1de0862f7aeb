"""Lists of attribute names agree with the classes whose attributes they name.

A list that cannot be derived from the class, because it also says something about each name or
because the class is in a higher layer, is compared with it here.
"""

from __future__ import annotations

import inspect
from dataclasses import MISSING, fields
from typing import Any

import pytest

from agentgraph import Agent, RunConfig, Runner, Usage, agent_validation, handoff
from agentgraph.agent_tool import AgentTool
from agentgraph.approvals import CallKey, Decision, Ruling, ruling_from_json, ruling_to_json
from agentgraph.cli import source_spans
from agentgraph.extensions.memory import advanced_sqlite_reports
from agentgraph.frontend import lower_agent, lower_tools, shapes
from agentgraph.frontend.digests import public_fields
from agentgraph.frontend.scope import RunScope
from agentgraph.run_config import DurableOptions, RunOptions
from agentgraph.usage.run_usage import RunUsage


class Reads:
    """Stands for any object and keeps the names of the attributes that are read of it."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)
        self.names: set[str] = set()

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("_") and name != "names":
            object.__getattribute__(self, "names").add(name)
        return object.__getattribute__(self, name)

    def __getattr__(self, name: str) -> None:
        return None


def test_the_quick_check_of_an_agent_looks_at_every_field() -> None:
    usual = agent_validation._USUAL_TYPES.keys()
    assert usual | {"model", "output_type"} == set(public_fields(Agent))


def test_lowering_reads_of_a_run_configuration_what_its_shape_holds() -> None:
    settings = Reads()
    config = Reads(model_settings=settings)
    RunScope.of(config)
    config.names.remove("model_settings")
    read = config.names | {f"model_settings.{name}" for name in settings.names}
    assert read == set(shapes._OF_RUN_CONFIGS)
    assert config.names <= set(public_fields(RunConfig))


def test_a_handoff_made_of_an_agent_reads_what_the_shape_of_a_target_holds() -> None:
    agent = Agent[Any](name="A", handoff_description="Helps.")
    other = Agent[Any](name="A", handoff_description="Helps.", instructions="Be brief.")
    assert handoff(agent).tool_description == handoff(other).tool_description
    for name in shapes._OF_TARGETS:
        changed = agent.clone(**{name: "Changed"})
        assert handoff(changed).tool_description != handoff(agent).tool_description


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (lower_agent._IN_THE_CHART, Agent),
        (lower_tools._ASIDE, AgentTool),
    ],
)
def test_what_a_digest_leaves_out_exists(names: frozenset[str], kind: type) -> None:
    assert names <= set(public_fields(kind))


def test_positions_in_source_are_looked_up_for_every_list_of_authoring_objects() -> None:
    lists = {field.name for field in fields(Agent) if field.default_factory is list}
    assert lists == {*source_spans._LISTS, "mcp_servers"}


def test_the_usage_of_a_run_sums_every_field_of_a_usage() -> None:
    names = {field.name for field in fields(Usage)}
    assert names == {name for name, value in vars(RunUsage).items() if isinstance(value, property)}


def test_the_reports_of_a_session_show_every_count_of_a_usage() -> None:
    columns = {*advanced_sqlite_reports._COUNTERS, *advanced_sqlite_reports._DETAILS}
    assert columns == {field.name for field in fields(Usage)} - {"request_usage_entries"}


def test_a_ruling_comes_back_with_every_field() -> None:
    ruling = Ruling(
        key=CallKey((("a", 1),), ("b", 2), 3),
        tool=("symbol", "name"),
        content="digest",
        name="tool",
        call_id="call",
        decision=Decision(True, "because"),
        sticky=True,
    )
    values = [getattr(ruling, field.name) for field in fields(Ruling)]
    defaults = [field.default for field in fields(Ruling) if field.default is not MISSING]
    assert not any(value in defaults for value in values)
    assert ruling_from_json(ruling_to_json(ruling)) == ruling


def test_the_options_of_a_run_are_the_keywords_of_the_runner() -> None:
    keywords = inspect.signature(Runner.run).parameters.values()
    names = {one.name for one in keywords if one.kind is one.KEYWORD_ONLY}
    assert names | DurableOptions.__annotations__.keys() == RunOptions.__annotations__.keys()
