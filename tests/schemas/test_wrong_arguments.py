"""What the model is told of arguments that it got wrong: where and why, which the published SDK
does not say (docs/coming-from-the-sdk.md)."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from agentgraph.decorators import function_tool
from tests.tools.calls import invoke

SDK = "An error occurred while running the tool. Please try again."
"""What the published SDK 0.24 says, whatever is wrong."""
AGAIN = f"{SDK} Error: Invalid JSON input for tool book: "

TOLD = {
    '{"city": "Rome"}': AGAIN + "nights: Field required",
    "{}": AGAIN + "city: Field required; nights: Field required",
    '{"city": 17, "nights": 2}': AGAIN + "city: Input should be a valid string",
    '{"city": "Rome", "nights": "secret"}': AGAIN
    + "nights: Input should be a valid integer, unable to parse string as an integer",
    "[1]": AGAIN + "expected a JSON object",
    '{"city": "secret", "nights": NaN}': AGAIN + "a number is not finite",
    '{"city": "Rome", "nights": 1, "nights": 2}': AGAIN + "an object holds a key twice",
    '{"city": "secret': AGAIN + "Unterminated string starting at at character 9",
}


@function_tool
async def book(city: str, nights: int) -> str:
    """Book a room."""
    raise AssertionError("no call with wrong arguments is made")


@pytest.mark.parametrize(("arguments", "told"), TOLD.items())
async def test_the_model_is_told_where_and_why_and_no_value_is_quoted(
    arguments: str, told: str
) -> None:
    assert await invoke(book, arguments) == told
    assert "secret" not in told
    assert len(told) > len(SDK)


def test_the_guide_names_the_difference() -> None:
    page = Path(__file__).parents[2] / "docs" / "coming-from-the-sdk.md"
    rows = [row for row in page.read_text(encoding="utf-8").splitlines() if SDK in row]
    assert len(rows) == 1
    assert "wrong arguments" in rows[0]


@pytest.mark.skipif(
    "AGENTGRAPH_SDK_PYTHON" not in os.environ,
    reason="set AGENTGRAPH_SDK_PYTHON to a Python that has the published Agents SDK",
)
def test_the_published_sdk_says_one_sentence_whatever_is_wrong() -> None:
    script = """
import asyncio, json, sys
from agents import function_tool
from agents.tool_context import ToolContext

@function_tool
async def book(city: str, nights: int) -> str:
    return "x"

async def main():
    told = []
    for arguments in json.loads(sys.argv[1]):
        context = ToolContext({}, tool_name="book", tool_call_id="c", tool_arguments=arguments)
        told.append(await book.on_invoke_tool(context, arguments))
    print(json.dumps(told))

asyncio.run(main())
"""
    # The SDK takes `NaN`, and the last of two values.
    arguments = [each for each in TOLD if "NaN" not in each and each.count("nights") < 2]
    done = subprocess.run(
        [os.environ["AGENTGRAPH_SDK_PYTHON"], "-c", script, json.dumps(arguments)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)) == {SDK}
