"""One fixture for behaviour that a plain and a streamed run share: every test that asks for `play`
runs twice, and what was announced is held against what the result lists."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from agentgraph import Runner, RunState
from agentgraph.result import RunResultBase
from agentgraph.stream_events import event_name


@dataclass
class Played:
    """A run that came to rest, and what was announced of it if it was streamed."""

    result: Any
    events: list[Any] = field(default_factory=list)

    @property
    def final(self) -> Any:
        return self.result.final_output

    @property
    def items(self) -> list[Any]:
        return list(self.result.new_items)

    @property
    def kinds(self) -> list[str]:
        """The types of the items, in order."""
        return [item.type for item in self.items]

    @property
    def outputs(self) -> list[Any]:
        """What the tools returned, in the order of the items."""
        return [item.output for item in self.items if item.type == "tool_call_output_item"]


@dataclass(frozen=True)
class Play:
    """Runs a workflow; call it like `Runner.run`."""

    streamed: bool

    async def __call__(self, agent: Any, given: Any = "go", **options: Any) -> Played:
        if not self.streamed:
            return Played(await Runner.run(agent, given, **options))
        result = Runner.run_streamed(agent, given, **options)
        events = [event async for event in result.stream_events()]
        _announced_what_is_listed(result, events, resumed=isinstance(given, RunState))
        return Played(result, events)


def _announced_what_is_listed(result: RunResultBase, events: list[Any], *, resumed: bool) -> None:
    streamed_items = [event.item for event in events if event.type == "run_item_stream_event"]
    listed = [item for item in result.new_items if event_name(item) is not None]
    if resumed:
        # What was announced before the run was suspended is not announced again, and an output that
        # comes late stands among those that came before.
        assert {id(item) for item in streamed_items} <= {id(item) for item in listed}
        announced = {id(item) for item in streamed_items}
        listed = [item for item in listed if id(item) in announced]
    assert [id(item) for item in streamed_items] == [id(item) for item in listed]


@pytest.fixture(params=["plain", "streamed"])
def play(request: pytest.FixtureRequest) -> Play:
    """A plain run, then a streamed one."""
    return Play(request.param == "streamed")
