"""Sessions with other parameters than the protocol work in a run, as in the published SDK."""

from __future__ import annotations

import json

import pytest

from tests.published_sdk import needs_the_published_sdk, published

SAME = """
import asyncio, json
from PACKAGE import Agent, RunConfig, Runner, SessionSettings, function_tool
from PACKAGE.testing import ScriptedModel, assistant_message, function_call

class Held:
    session_id = "s"
    session_settings = None

    def __init__(self):
        self.items, self.contexts = [], []

    async def add_items(self, items):
        self.items += items

    async def pop_item(self):
        return self.items.pop() if self.items else None

    async def clear_session(self):
        self.items.clear()

class WithoutLimit(Held):
    async def get_items(self):
        return list(self.items)

class ByKeyword(Held):
    async def get_items(self, *, limit=None):
        return self.items[-limit:] if limit else list(self.items)

class WithWrapper(Held):
    def get_items(self, limit=None, *, wrapper):
        self.contexts.append(["get", wrapper.context])
        return self.items[-limit:] if limit else list(self.items)

    async def add_items(self, items, wrapper):
        self.contexts.append(["add", wrapper.context])
        self.items += items

    async def pop_item(self, wrapper=None):
        return self.items.pop() if self.items else None

    async def clear_session(self, wrapper=None):
        self.items.clear()

class HalfOfIt(ByKeyword):
    async def get_items(self, limit=None, wrapper="none"):
        self.contexts.append(["get", wrapper])
        return self.items[-limit:] if limit else list(self.items)

@function_tool
def look(place: str) -> str:
    return place

async def main(kind, limit):
    model = ScriptedModel([
        [assistant_message("One.")],
        [function_call("look", '{"place": "a"}', call_id="1")],
        [assistant_message("Two.")],
    ])
    agent, session = Agent(name="A", model=model, tools=[look]), kind()
    config = RunConfig(session_settings=SessionSettings(limit=limit))
    for text in ("a", "b"):
        await Runner.run(agent, text, session=session, context="c", run_config=config)
    roles = [i.get("role") or i["type"] for i in session.items]
    seen = [[i.get("role") or i["type"] for i in call.input] for call in model.calls]
    return [roles, seen, sorted({tuple(one) for one in session.contexts})]

kinds = [(kind, limit) for kind in (WithoutLimit, ByKeyword, WithWrapper, HalfOfIt)
         for limit in (None, 1) if not (kind is WithoutLimit and limit)]
print(json.dumps([asyncio.run(main(*one)) for one in kinds]))
"""


_CALL_AND_OUTPUT = ("function_call", "function_call_output")


@needs_the_published_sdk
def test_a_session_may_have_other_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    exec(SAME.replace("PACKAGE", "agentgraph"), {})
    ours = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert ours == published(SAME)
    assert ours[3][2] == [["add", "c"], ["get", "c"]]


def test_a_limit_holds_for_a_session_that_takes_none(capsys: pytest.CaptureFixture[str]) -> None:
    """There the SDK raises a TypeError."""
    script = SAME.replace("PACKAGE", "agentgraph").replace(
        "kinds = [", "kinds = [(WithoutLimit, 1)] or ["
    )
    exec(script, {})
    [[roles, inputs, _]] = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert roles == ["user", "assistant", "user", *_CALL_AND_OUTPUT, "assistant"]
    assert inputs[1] == ["assistant", "user"]
