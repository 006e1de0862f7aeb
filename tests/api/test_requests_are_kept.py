"""A run keeps what was asked of its models, so that a request can be looked at again."""

from __future__ import annotations

from typing import Any

import pytest

from agentgraph import Agent, RunConfig, Runner, SQLiteSession, handoff
from agentgraph.drivers.workbench import Watcher
from agentgraph.extensions.handoff_filters import remove_all_tools
from agentgraph.run_config import CallModelData, ModelInputData
from agentgraph.running.ending import carry_out
from agentgraph.running.launch import launch
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from tests.api.calls import call, echo


def handing_over(model: ScriptedModel, **settings: Any) -> Agent[Any]:
    second = Agent[Any](name="Second", model=model, tools=[echo])
    return Agent[Any](
        name="First", model=model, tools=[echo], handoffs=[handoff(second, **settings)]
    )


def last_three(asked: CallModelData[Any]) -> ModelInputData:
    return ModelInputData(asked.model_data.input[-3:], "Be brief.")


@pytest.mark.parametrize("config", [RunConfig(), RunConfig(call_model_input_filter=last_three)])
@pytest.mark.parametrize("settings", [{}, {"input_filter": remove_all_tools}])
async def test_every_request_can_be_looked_at_again(
    config: RunConfig, settings: dict[str, Any]
) -> None:
    model = ScriptedModel(
        [
            [call("echo", text="a")],
            [function_call("transfer_to_second", {}, call_id="h")],
            [call("echo", "c2", text="b")],
            [assistant_message("done")],
        ]
    )
    session = SQLiteSession("kept")
    await Runner.run(
        Agent(name="Before", model=ScriptedModel([[assistant_message("hi")]])),
        "hello",
        session=session,
    )
    launched = launch(
        handing_over(model, **settings),
        "go",
        {"run_config": config, "session": session},
        Watcher(),
    )
    await carry_out(launched.run)
    view = launched.run.bench.view
    assert [view.input_of(request) for request in view.requests] == [
        asked.input for asked in model.calls
    ]
    assert [request.instructions for request in view.requests] == [
        asked.system_instructions for asked in model.calls
    ]
    assert [len(request.offered) for request in view.requests] == [2, 2, 1, 1]
