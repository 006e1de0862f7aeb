"""`ToolOutputTrimmer`: what it leaves of long outputs, beside the published SDK and in a run."""

from __future__ import annotations

import json

import pytest

from agentgraph import Agent, RunConfig, Runner, function_tool
from agentgraph.extensions import ToolOutputTrimmer
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from tests.published_sdk import needs_the_published_sdk, published

SAME = """
import json
from itertools import product
from PACKAGE.run_config import CallModelData, ModelInputData
from PACKAGE.extensions.tool_output_trimmer import ToolOutputTrimmer

def user(text):
    return {"role": "user", "content": text}

def call(id, name, **more):
    return {"type": "function_call", "call_id": id, "name": name, "arguments": "{}", **more}

def output(id, value):
    return {"type": "function_call_output", "call_id": id, "output": value}

text = {"type": "input_text", "text": "word " * 60}
image = {"type": "input_image", "image_url": "data:" + "i" * 400, "detail": "low"}
file = {"type": "input_file", "file_data": "f" * 700, "filename": "f.txt"}
schema = {
    "type": "object", "title": "T", "description": "d" * 300, "const": {"title": "stays"},
    "properties": {
        "title": {"type": "string", "description": "d" * 90},
        "any": {"anyOf": [{"examples": ["e" * 90]}, True], "items": [{"title": "t"}, 1]},
        "not": {"not": {"$comment": "c"}, "items": {"title": "t"}, "unknown": {"title": "u"}},
    },
    "dependencies": {"a": ["description"], "b": {"title": "t"}},
    "$defs": {"D": {"prefixItems": [{"title": "t"}], "additionalProperties": False}},
}
found = [
    {"type": "function", "name": "f", "description": "d" * 600, "parameters": schema},
    {"type": "namespace", "name": "n", "description": "short",
     "tools": [{"type": "function", "name": "g", "description": "d" * 250, "parameters": {}}, 3]},
    {"type": "other", "parameters": schema},
    "text",
]
history = [
    user("first"),
    call("1", "search"), output("1", "result " * 200),
    call("2", "look", namespace="desk"), output("2", "seen " * 130),
    call("3", "later", namespace="later"), output("3", "x" * 501),
    output("gone", "orphan " * 99),
    call("4", "search"), output("4", "short"),
    call("5", "search"), output("5", {"a": "b" * 800}),
    call("6", "look"), output("6", [text, text, image]),
    call("7", "look"), output("7", [image, file, file]),
    call("8", "look"), output("8", [text, {"type": "other"}]),
    call("9", "look"), output("9", [{**image, "detail": "odd"}]),
    call("10", "look"), output("10", [{**text, "more": "y"}, image]),
    call("11", "look"), output("11", [{"type": "input_file", "filename": "n" * 900}]),
    call("12", "look"), output("12", []),
    {"type": "tool_search_call", "call_id": "s"},
    {"type": "tool_search_output", "call_id": "s", "tools": found},
    {"type": "tool_search_output", "tools": found[:1]},
    {"type": "tool_search_output", "id": "old", "results": [{"text": "r" * 900}]},
    {"type": "reasoning", "id": "r", "summary": []},
    user("second"),
    call("20", "search"), output("20", "result " * 200),
    user("third"),
    call("30", "search"), output("30", "result " * 200),
]
settings = [
    dict(recent_turns=turns, max_output_chars=most, preview_chars=preview, trimmable_tools=tools)
    for turns, most, preview, tools in product(
        (1, 2, 3, 4), (1, 9, 12, 30, 60, 100, 500, 1500), (0, 5, 200, 2000),
        (None, "search", ["desk.look"], ["look", "tool_search"], ("later",), []),
    )
]
results = []
for one in [{}, *settings]:
    trimmer = ToolOutputTrimmer(**one)
    before = json.dumps(history)
    data = ModelInputData(input=list(history), instructions="Be brief.")
    made = trimmer(CallModelData(model_data=data, agent=None, context=None))
    assert json.dumps(history) == before and made.instructions == "Be brief."
    results.append(made.input)
refused = []
for wrong in (dict(recent_turns=0), dict(max_output_chars=0), dict(preview_chars=-1),
              dict(trimmable_tools=b"search")):
    try:
        ToolOutputTrimmer(**wrong)
    except ValueError:
        refused.append(sorted(wrong))
tools = ToolOutputTrimmer(trimmable_tools=["b", "a"]).trimmable_tools
print(json.dumps([results, refused, sorted(tools), type(tools).__name__]))
"""


@needs_the_published_sdk
def test_the_trimmer_leaves_what_that_of_the_published_sdk_leaves(
    capsys: pytest.CaptureFixture[str],
) -> None:
    exec(SAME.replace("PACKAGE", "agentgraph"), {})
    ours = json.loads(capsys.readouterr().out.splitlines()[-1])
    theirs = published(SAME)
    assert len(ours[0]) == 769
    for mine, other in zip(ours[0], theirs[0], strict=True):
        assert mine == other
    assert ours[1:] == theirs[1:]
    assert len({json.dumps(result) for result in ours[0]}) > 50


@function_tool
def search(place: str) -> str:
    """Search a place."""
    return place * 1000


async def test_a_run_sends_previews_of_earlier_turns_and_keeps_its_log_whole() -> None:
    model = ScriptedModel(
        [
            [function_call("search", '{"place": "a"}', call_id="1")],
            [assistant_message("Found.")],
            [function_call("search", '{"place": "b"}', call_id="2")],
            [assistant_message("Found again.")],
        ]
    )
    agent = Agent(name="Guide", model=model, tools=[search])
    config = RunConfig(call_model_input_filter=ToolOutputTrimmer(recent_turns=1))
    first = await Runner.run(agent, "One?", run_config=config)
    asked = [*first.to_input_list(), {"role": "user", "content": "Two?"}]
    second = await Runner.run(agent, asked, run_config=config)
    before, now = (item["output"] for item in model.calls[-1].input if "output" in item)
    assert (
        before == "[Trimmed: search output — 1000 chars → 200 char preview]\n" + "a" * 200 + "..."
    )
    assert now == "b" * 1000
    kept = [item.get("output") for item in second.to_input_list() if "output" in item]
    assert kept == ["a" * 1000, "b" * 1000]
