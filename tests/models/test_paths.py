"""One table of scenarios on every way to a server, streamed and not.

The items, the output and the events are the same. What a server that misbehaves sends is no answer
on any way.
"""

from __future__ import annotations

from typing import Any

import pytest

from agentgraph import Agent, ModelSettings, SQLiteSession
from tests.models.aimock_server import KEY
from tests.models.paths import PATHS, SCENARIOS, Path, Scenario, get_weather, outcome
from tests.models.test_misbehaving_servers import name_of

EVENTS = {
    "message_output_item": "message_output_created",
    "reasoning_item": "reasoning_item_created",
    "tool_call_item": "tool_called",
    "tool_call_output_item": "tool_output",
}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
@pytest.mark.parametrize("streamed", [False, True], ids=name_of)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.input)
async def test_a_scenario_ends_the_same_on_every_path(
    aimock: str, path: Path, scenario: Scenario, streamed: bool
) -> None:
    session = SQLiteSession("s")
    async with path.model(aimock, KEY) as model:
        agent = Agent[Any](
            name="Desk",
            model=model,
            tools=[get_weather] if scenario.input == "weather" else [],
            output_type=scenario.output_type,
            model_settings=ModelSettings(include_usage=True, **path.settings),
        )
        if isinstance(scenario.output, type):
            with pytest.raises(scenario.output) as caught:
                await outcome(agent, scenario.input, streamed, session=session)
            assert KEY not in str(caught.value)
            return
        result = await outcome(agent, scenario.input, streamed, session=session)

    assert result.items == scenario.items
    assert result.output == scenario.output
    assert scenario.tokens in (None, result.tokens)
    if streamed:
        assert sorted(result.events) == sorted(EVENTS[kind] for kind, *_ in scenario.items)
        assert result.deltas == scenario.items[-1][1]
    assert len(await session.get_items()) == len(scenario.items) + 1
