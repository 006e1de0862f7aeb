"""The examples of the SDK's own guides run here with one import changed.

The guides are not part of the repository. `AGENTGRAPH_REFERENCE` names the folder that has them,
and without it these tests skip. No key is set, so the rehearsal model answers: the examples show
that the API fits, not what a language model would say.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

import agentgraph
from agentgraph import SQLiteSession
from agentgraph.extensions.memory import SQLAlchemySession
from tests.docs.guide_blocks import GuideBlock, guide_blocks
from tests.docs.loopback_api import LoopbackAPI
from tests.docs.top_level_await import execute

REFERENCE = Path(os.environ.get("AGENTGRAPH_REFERENCE") or os.devnull)
GUIDE = REFERENCE / "sdk-guide.txt"
ITEMS = REFERENCE / "items-and-streaming.txt"

# What the guide's shorter examples take for granted from the text around them.
TAKEN_FOR_GRANTED = """
from agentgraph import *
from agentgraph import Agent
agent = Agent(name="Assistant")
data_agent = Agent(name="Data agent")
history_tutor_agent = Agent(name="History Tutor")
math_tutor_agent = Agent(name="Math Tutor")
triage_agent = Agent(name="Triage Agent", handoffs=[history_tutor_agent, math_tutor_agent])
"""
# An example that branches from turn 2 of a conversation goes on with one that has a turn.
AN_EARLIER_TURN = """
from agentgraph.extensions.memory import AdvancedSQLiteSession
session = AdvancedSQLiteSession(
    session_id="user_123", db_path="conversations.db", create_tables=True
)
await Runner.run(agent, "Good morning", session=session)
session.close()
"""
HOSTED = "OpenAIConversationsSession()"

needs_the_guide = pytest.mark.skipif(
    not GUIDE.exists(), reason="AGENTGRAPH_REFERENCE names no guide"
)
needs_the_items = pytest.mark.skipif(
    not ITEMS.exists(), reason="AGENTGRAPH_REFERENCE names no guide"
)


def examples() -> list[GuideBlock]:
    if not GUIDE.exists():
        return []
    return list(guide_blocks(GUIDE.read_text(encoding="utf-8")))


def ported(code: str) -> str:
    """The one change that the README promises."""
    return re.sub(r"\bfrom agents\b", "from agentgraph", code)


def program_of(code: str) -> str:
    """A whole program: an example that only defines `main` is run as its reader would run it."""
    if "async def main()" in code and "asyncio.run" not in code:
        return f"{code}\n\nawait main()\n"
    return code


@pytest.fixture
def loopback_api(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackAPI]:
    """A server on loopback that the client takes for the API."""
    with LoopbackAPI() as api:
        monkeypatch.setenv("OPENAI_API_KEY", "loopback")
        monkeypatch.setenv("OPENAI_BASE_URL", api.url)
        yield api


@needs_the_guide
@pytest.mark.parametrize("example", examples(), ids=lambda block: f"line {block.line}")
def test_an_example_of_the_guide_runs(
    example: GuideBlock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    monkeypatch.chdir(tmp_path)
    if HOSTED not in example.code:
        monkeypatch.setenv("AGENTGRAPH_MODEL", "rehearsal")
    else:
        request.getfixturevalue("loopback_api")
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with asyncio.Runner() as runner:
        execute(TAKEN_FOR_GRANTED, "taken for granted", namespace, runner)
        if "create_branch_from_turn(2)" in example.code:
            execute(AN_EARLIER_TURN, "an earlier turn", namespace, runner)
        execute(ported(program_of(example.code)), f"guide:{example.line}", namespace, runner)
        runner.run(close_stores(namespace))


async def close_stores(namespace: dict[str, Any]) -> None:
    """Close what the examples leave open, so that no later test pays for it."""
    for value in namespace.values():
        if isinstance(value, AsyncEngine):
            await value.dispose()
        elif isinstance(value, SQLAlchemySession):
            await value.close()
        elif isinstance(value, SQLiteSession):
            value.close()


@needs_the_guide
def test_every_import_of_the_guide_is_found_in_an_example() -> None:
    """The reading of the guide is heuristic; this is how it would be seen to miss a block."""
    text = GUIDE.read_text(encoding="utf-8")
    imports = re.findall(r"^from agents[\w.]* import .*$", text, re.M)
    read = "\n".join(example.code for example in examples())
    assert len(imports) > 20
    assert [line for line in imports if line not in read] == []


def described_classes() -> list[tuple[str, list[str]]]:
    """The classes that the item reference describes, each with the attributes it lists."""
    if not ITEMS.exists():
        return []
    text = ITEMS.read_text(encoding="utf-8")
    parts = re.split(r"^class (\w+):$", text, flags=re.M)[1:]
    return [
        (name, re.findall(r"^- (\w+): .* - ", body.partition("def ")[0], re.M))
        for name, body in zip(parts[::2], parts[1::2], strict=True)
    ]


@needs_the_items
@pytest.mark.parametrize(
    ("name", "attributes"),
    [(name, attributes) for name, attributes in described_classes() if attributes],
)
def test_a_described_class_has_its_attributes(name: str, attributes: list[str]) -> None:
    described = getattr(agentgraph, name)
    annotated = {name for base in described.__mro__ for name in inspect.get_annotations(base)}
    member_names = annotated | set(dir(described))
    assert [attribute for attribute in attributes if attribute not in member_names] == []


@needs_the_items
def test_stream_events_have_the_names_of_the_reference() -> None:
    line = re.search(r"Event names:\n(.*?)Events for", ITEMS.read_text(encoding="utf-8"))
    assert line
    names = re.findall(r'"(\w+)"', line[1])
    hints = typing.get_type_hints(agentgraph.RunItemStreamEvent)
    assert len(names) == 9
    assert set(names) <= set(typing.get_args(hints["name"]))


@needs_the_items
def test_item_helpers_are_all_there() -> None:
    text = ITEMS.read_text(encoding="utf-8").partition("class ItemHelpers:")[2]
    names = re.findall(r"^@classmethod\ndef (\w+)\(", text, re.M)
    assert len(names) == 6
    assert [name for name in names if not callable(getattr(agentgraph.ItemHelpers, name))] == []


def test_no_example_can_reach_a_paid_service() -> None:
    assert "OPENAI_API_KEY" not in os.environ
