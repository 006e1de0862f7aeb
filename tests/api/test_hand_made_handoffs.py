"""A `Handoff` that a program makes itself, without `handoff()`, as the published SDK takes it."""

from __future__ import annotations

import json

import pytest

from agentgraph import Agent, Handoff, Runner, check
from agentgraph.exceptions import ModelBehaviorError
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from tests.published_sdk import needs_the_published_sdk, published

SAME = """
import asyncio, json
from functools import partial
from PACKAGE import Agent, Handoff, RunContextWrapper, Runner, handoff
from PACKAGE.testing import ScriptedModel, assistant_message, function_call

schema = {"type": "object", "properties": {"why": {"type": "string"}}, "required": ["why"],
          "additionalProperties": False}
model = ScriptedModel([[assistant_message("Paid.")] for _ in range(20)])
billing = Agent(name="Billing", model=model)
other = Agent(name="Other", model=model)
told = []

async def of_a_global(ctx, text):
    told.append([type(ctx).__name__, ctx.context, text])
    return billing

async def of_a_choice(ctx, text):
    return billing if json.loads(text)["why"] == "a" else other

def found():
    return billing

async def of_a_function(ctx, text):
    return found()

class Desk:
    def __init__(self, agent):
        self.agent = agent

    async def take(self, ctx, text):
        return self.agent

    async def __call__(self, ctx, text):
        return self.agent

async def of_an_argument(agent, ctx, text):
    return agent

desks = {"billing": billing, "other": other}

async def of_a_table(ctx, text):
    return desks["billing"]

def closure(agent):
    async def invoke(ctx, text):
        return agent
    return invoke

functions = [of_a_global, of_a_choice, of_a_function, Desk(billing).take, Desk(billing),
             partial(of_an_argument, billing), of_a_table, closure(billing)]

def parts(items):
    names = ("role", "type", "name", "arguments", "output")
    return [[item.get(name) for name in names] for item in items]

async def run(function):
    to = Handoff(tool_name="pay", tool_description="Pay", input_json_schema=schema,
                 on_invoke_handoff=function, agent_name="Billing")
    first = ScriptedModel([[function_call("pay", '{"why": "a"}', call_id="1")]])
    result = await Runner.run(Agent(name="Triage", model=first, handoffs=[to]), "Go", context="c")
    return [result.last_agent.name, result.final_output, [i.type for i in result.new_items],
            parts(result.to_input_list()), parts(model.calls[-1].input)]

async def by_hand():
    made = handoff(billing)
    return (await made.on_invoke_handoff(ctx=RunContextWrapper(None), input_json="{}")).name

print(json.dumps([[asyncio.run(run(one)) for one in functions], told, asyncio.run(by_hand())]))
"""


@needs_the_published_sdk
def test_a_hand_made_handoff_leads_where_its_function_says(
    capsys: pytest.CaptureFixture[str],
) -> None:
    exec(SAME.replace("PACKAGE", "agentgraph"), {"__name__": "same"})
    ours = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert ours == published(SAME)
    assert {run[0] for run in ours[0]} == {"Billing"}
    assert ours[1] == [["RunContextWrapper", "c", '{"why": "a"}']]


def made(function: object) -> Handoff:
    return Handoff(
        tool_name="pay",
        tool_description="Pay",
        input_json_schema={"type": "object", "properties": {}, "additionalProperties": False},
        on_invoke_handoff=function,  # type: ignore[arg-type]
        agent_name="Billing",
    )


async def test_a_handoff_that_makes_its_agent_is_not_offered_and_a_check_says_so() -> None:
    async def invoke(ctx: object, text: str) -> Agent:
        return Agent(name="Billing")

    model = ScriptedModel([[assistant_message("Hello.")]])
    agent = Agent(name="Triage", model=model, handoffs=[made(invoke)])
    result = await Runner.run(agent, "Go")
    assert result.final_output == "Hello."
    assert model.calls[-1].handoffs == []
    [note] = [one for one in check(agent) if one.rule.code == "AG401"]
    assert "does not say which agent it leads to" in str(note.notes)


async def test_of_two_agents_with_the_name_none_is_chosen() -> None:
    one, two = Agent(name="Billing"), Agent(name="Billing")

    async def invoke(ctx: object, text: str) -> Agent:
        return one if text else two

    model = ScriptedModel([[function_call("pay", "{}", call_id="1")]])
    agent = Agent(name="Triage", model=model, handoffs=[made(invoke)])
    with pytest.raises(ModelBehaviorError, match="Tool pay not found"):
        await Runner.run(agent, "Go")
