"""`OpenAIResponsesCompactionSession`: in runs and by hand, beside the published SDK."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from openai.types.responses import ResponseCompactionItem

from agentgraph import (
    Agent,
    OpenAIResponsesCompactionSession,
    RunConfig,
    Runner,
    SessionSettings,
    SQLiteSession,
)
from agentgraph.extensions.memory import (
    AdvancedSQLiteSession,
    AsyncSQLiteSession,
    EncryptedSession,
    SQLAlchemySession,
)
from agentgraph.items import ModelResponse
from agentgraph.memory.openai_responses_compaction_session import is_openai_model_name
from agentgraph.testing import ScriptedModel, assistant_message
from agentgraph.usage import Usage
from agentgraph.user_code.callbacks import resolve
from tests.published_sdk import needs_the_published_sdk, published

SAME = """
import asyncio, json
from types import SimpleNamespace
from PACKAGE import Agent, ModelResponse, Runner, SQLiteSession, Usage, function_tool
from PACKAGE import ModelSettings, OpenAIResponsesCompactionSession
from PACKAGE.memory.openai_responses_compaction_session import (
    DEFAULT_COMPACTION_THRESHOLD, default_should_trigger_compaction, is_openai_model_name,
    select_compaction_candidate_items,
)
from PACKAGE.testing import ScriptedModel, assistant_message
from openai.types.responses import ResponseFunctionToolCall, ResponseUsage

class Compactor:
    def __init__(self, output=None):
        self.requests, self.responses, self.output = [], self, output

    async def compact(self, **request):
        self.requests.append({**request, "input": texts(request.get("input"))})
        usage = ResponseUsage(
            input_tokens=5, output_tokens=2, total_tokens=7,
            input_tokens_details={"cached_tokens": 0, "cache_write_tokens": 0},
            output_tokens_details={"reasoning_tokens": 0})
        output = self.output or [{"type": "compaction", "id": "cmp", "encrypted_content": "x"}]
        return SimpleNamespace(output=output, usage=usage)

def texts(items):
    return items and [item.get("role") or item["type"] for item in items]

def reply(id, *output):
    return ModelResponse(output=[*output], usage=Usage(requests=1), response_id=id)

def call(id):
    return ResponseFunctionToolCall(
        type="function_call", name="look", call_id=id, arguments='{"place": "a"}')

@function_tool
def look(place: str) -> str:
    return place

async def runs(mode, most, **settings):
    compactor, asked = Compactor(), []

    def due(context):
        asked.append([context["response_id"], context["compaction_mode"],
                      len(context["compaction_candidate_items"]), len(context["session_items"])])
        return len(context["compaction_candidate_items"]) >= most

    session = OpenAIResponsesCompactionSession(
        "s", SQLiteSession("s"), client=compactor, compaction_mode=mode,
        should_trigger_compaction=due)
    model = ScriptedModel([
        reply("r1", assistant_message("One.")),
        reply("r2", call("1")),
        reply("r3", call("2")),
        reply("r4", assistant_message("Two.")),
        reply("r5", assistant_message("Three.")),
        reply(None, assistant_message("Four.")),
    ])
    agent = Agent(name="A", model=model, tools=[look], model_settings=ModelSettings(**settings))
    steps = []
    for text in "abcd":
        result = await Runner.run(agent, text, session=session)
        steps.append([texts(await session.get_items()), result.context_wrapper.usage.requests,
                      len(compactor.requests)])
    return [compactor.requests, steps, sorted({one[1] for one in asked})]

async def by_hand():
    image = {"type": "input_image", "image_url": "", "file_id": "f", "detail": None}
    file = {"type": "input_file", "file_data": None, "file_id": "f", "filename": "n"}
    user = {"type": "message", "role": "user",
            "content": [image, file, {"type": "input_text", "text": "t"}]}
    answer = {"type": "message", "role": "assistant", "id": "m", "content": []}
    compactor = Compactor([user, answer])
    session = OpenAIResponsesCompactionSession("s", SQLiteSession("s"), client=compactor)
    items = [{"role": "assistant", "content": str(n)} for n in range(9)]
    await session.add_items([{"role": "user", "content": "q"}, *items])
    await session.run_compaction({"response_id": "r"})
    await session.run_compaction({"response_id": "r", "store": False, "force": True})
    after = await session.get_items()
    await session.add_items(items)
    await session.run_compaction()
    await session.pop_item()
    try:
        await session.run_compaction({"compaction_mode": "previous_response_id"})
    except ValueError:
        after.append("no response")
    await session.clear_session()
    return [compactor.requests, after, await session.get_items()]

names = ["gpt-5", "openai/gpt-4.1", "ft:gpt-4o:org", "o3", "o", "claude", "", " gpt-4 ", "ft:o1:x"]
items = [{"role": "user", "content": "a"}, {"type": "message", "role": "user", "content": "a"},
         {"type": "compaction"}, {"type": "reasoning"}, {"role": "assistant", "content": "b"},
         {"role": "system", "content": "c"}]
refused = []
for wrong in ({"model": "claude"}, {"max_rollback_items": 0}):
    try:
        OpenAIResponsesCompactionSession("s", SQLiteSession("s"), **wrong)
    except ValueError:
        refused.append(sorted(wrong))
print(json.dumps([
    [asyncio.run(runs(*one, **more)) for one, more in (
        (("auto", 3), {}), (("input", 3), {}), (("auto", 1), {"store": False}),
        (("previous_response_id", 2), {}), (("auto", 99), {}),
    )],
    asyncio.run(by_hand()), [is_openai_model_name(name) for name in names],
    select_compaction_candidate_items(items), DEFAULT_COMPACTION_THRESHOLD, refused,
    [default_should_trigger_compaction({"compaction_candidate_items": [1] * n}) for n in (9, 10)],
]))
"""


@needs_the_published_sdk
def test_a_session_is_compacted_when_and_as_the_published_sdk_does(
    capsys: pytest.CaptureFixture[str],
) -> None:
    exec(SAME.replace("PACKAGE", "agentgraph"), {"__name__": "same"})
    ours = json.loads(capsys.readouterr().out.splitlines()[-1])
    theirs = published(SAME)
    for mine, other in zip(ours[0], theirs[0], strict=True):
        assert mine == other
    assert ours[1:] == theirs[1:]
    assert [len(run[0]) for run in ours[0]][-1] == 0
    assert all(run[0] for run in ours[0][:-1])


class Failing:
    """A client whose compactions fail."""

    def __init__(self) -> None:
        self.responses = self
        self.calls = 0

    async def compact(self, **_: Any) -> SimpleNamespace:
        self.calls += 1
        raise RuntimeError("overloaded")


def agent_of(*texts: str) -> Agent:
    replies = [
        ModelResponse([assistant_message(text)], Usage(requests=1), f"r{number}")
        for number, text in enumerate(texts)
    ]
    return Agent(name="A", model=ScriptedModel(replies))


def session_of(client: Any, store: Any = None) -> OpenAIResponsesCompactionSession:
    return OpenAIResponsesCompactionSession(
        "s",
        SQLiteSession("s") if store is None else store,
        client=client,
        should_trigger_compaction=lambda _: True,
    )


async def test_a_compaction_that_fails_costs_no_answer_and_no_history() -> None:
    client = Failing()
    session = session_of(client)
    result = await Runner.run(agent_of("One."), "Go", session=session)
    assert result.final_output == "One."
    assert client.calls == 1
    assert len(await session.get_items()) == 2


async def test_a_history_that_the_model_did_not_see_whole_stays() -> None:
    client = Failing()
    session = session_of(client)
    await session.add_items([{"role": "user", "content": "before"}])
    config = RunConfig(session_settings=SessionSettings(limit=0))
    await Runner.run(agent_of("One."), "Go", session=session, run_config=config)
    assert client.calls == 0
    assert len(await session.get_items()) == 3


class Compactor:
    """A client that returns one item."""

    def __init__(self, item: Any = None) -> None:
        self.responses = self
        self.item = item or {"type": "compaction", "id": "c"}

    async def compact(self, **_: Any) -> SimpleNamespace:
        return SimpleNamespace(output=[self.item], usage=None)


async def compacted(role: str, part: dict[str, Any], **fields: Any) -> Any:
    """The only part of a message that a compaction returned, as the session has it."""
    session = session_of(Compactor({**fields, "role": role, "content": [part]}))
    await session.run_compaction({"force": True})
    (message,) = await session.get_items()
    (after,) = list(message["content"])  # type: ignore[typeddict-item]
    return after


@pytest.mark.parametrize("fields", [{}, {"type": "message"}])
@pytest.mark.parametrize(
    ("part", "after"),
    [
        (
            {"type": "input_image", "image_url": "u", "file_id": "f", "detail": "low"},
            {"type": "input_image", "image_url": "u", "detail": "low"},
        ),
        (
            {"type": "input_image", "image_url": "", "file_id": "f", "detail": None},
            {"type": "input_image", "file_id": "f"},
        ),
        (
            {"type": "input_file", "file_data": "d", "file_url": "u", "filename": "n"},
            {"type": "input_file", "file_data": "d", "filename": "n"},
        ),
        (
            {"type": "input_file", "file_data": None, "file_url": "u", "file_id": "f"},
            {"type": "input_file", "file_url": "u"},
        ),
        (
            {"type": "input_file", "file_data": "", "file_id": "f", "detail": "high"},
            {"type": "input_file", "file_id": "f", "detail": "high"},
        ),
        ({"type": "input_text", "text": ""}, {"type": "input_text", "text": ""}),
    ],
)
async def test_a_part_of_a_users_message_keeps_the_first_of_its_sources(
    part: dict[str, Any], after: dict[str, Any], fields: dict[str, Any]
) -> None:
    assert await compacted("user", part, **fields) == after


async def test_a_message_of_the_model_stays_as_the_api_returned_it() -> None:
    part = {"type": "input_image", "image_url": "", "file_id": "f"}
    assert await compacted("assistant", part, type="message") == part


async def test_a_text_stays_and_a_model_of_the_client_becomes_what_the_api_sent() -> None:
    # A server may send what the client's model does not allow; that is no reason for a warning.
    model = ResponseCompactionItem.model_construct(type="compaction", id="c", encrypted_content=1)
    text = {"role": "user", "content": "a"}
    sent = {"type": "compaction", "id": "c", "encrypted_content": 1}
    for item, after in ((model, sent), (text, text)):
        session = session_of(Compactor(item))
        with warnings.catch_warnings(action="error"):
            await session.run_compaction({"force": True})
        assert await session.get_items() == [after]


@pytest.mark.parametrize(
    ("kind", "sources"),
    [("input_image", "image_url or file_id"), ("input_file", "file_data or file_url or file_id")],
)
async def test_a_part_without_a_source_is_refused(kind: str, sources: str) -> None:
    with pytest.raises(ValueError, match=f"An {kind} of the compaction has no {sources}"):
        await compacted("user", {"type": kind, "file_id": ""})


@pytest.mark.parametrize(
    ("model", "is_openai"),
    [
        ("gpt-5", True),
        ("o3", True),
        ("ft:gpt-4o:org::id", True),
        ("ft:o1:org", True),
        (" openai/ft:gpt-4o:org ", True),
        ("router/openai/gpt-5", True),
        ("o", False),
        ("opus", False),
        ("openai/claude", False),
        ("gpt-5/other", False),
        ("", False),
    ],
)
def test_a_model_of_openai_is_known_by_its_name(model: str, is_openai: bool) -> None:
    assert is_openai_model_name(model) is is_openai


async def test_a_replacement_that_fails_leaves_the_earlier_history() -> None:
    class Full(SQLiteSession):
        async def add_items(self, items: list[Any]) -> None:
            if items[0].get("type") == "compaction":
                raise RuntimeError("full")
            await super().add_items(items)

    session = session_of(Compactor(), Full("s"))
    items: list[Any] = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    await session.add_items(items)
    with pytest.raises(RuntimeError, match="full"):
        await session.run_compaction({"response_id": "r"})
    assert await session.get_items() == items


async def test_a_history_above_the_limit_of_a_rollback_stays() -> None:
    session = session_of(Compactor())
    session.max_rollback_items = 1
    await session.add_items([{"role": "user", "content": "a"}] * 2)
    with pytest.raises(ValueError, match="max_rollback_items"):
        await session.run_compaction({"force": True})


STORES: dict[str, Callable[[str], Any]] = {
    "SQLite in a file": lambda path: SQLiteSession("s", path),
    "advanced SQLite": lambda path: AdvancedSQLiteSession(
        session_id="s", db_path=path, create_tables=True
    ),
    "async SQLite": lambda path: AsyncSQLiteSession("s", path),
    "SQLAlchemy": lambda path: SQLAlchemySession.from_url(
        "s", url=f"sqlite+aiosqlite:///{path}", create_tables=True
    ),
    "encrypted": lambda path: EncryptedSession("s", SQLiteSession("s", path), "a long secret key"),
}


@pytest.mark.parametrize("store", STORES)
async def test_any_session_may_stand_beneath(store: str, tmp_path: Path) -> None:
    session = session_of(Compactor(), STORES[store](str(tmp_path / "s.db")))
    for text in ("a", "b"):
        await Runner.run(agent_of("One."), text, session=session)
        assert await session.get_items() == [{"type": "compaction", "id": "c"}]
    for held in (session.underlying_session, getattr(session.underlying_session, "engine", None)):
        close = getattr(held, "close", None) or getattr(held, "dispose", None)
        if close is not None:
            await resolve(close())
