"""Starts are a set: all agents that a project is seen to give to `Runner`, and in a chat that goes
on with `last_agent` each agent that can be last.

AG501 shows it: an input guardrail of a specialist runs only if a run starts with the specialist.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import agentgraph, written

DESK = """
import asyncio
from agents import Agent, GuardrailFunctionOutput, Runner, handoff, input_guardrail, run_demo_loop

@input_guardrail
def polite(context, agent, text):
    return GuardrailFunctionOutput(None, "please" not in str(text))

billing = Agent(name="Billing", input_guardrails=[polite])
refunds = Agent(name="Refunds")
triage = Agent(name="Triage", handoffs=[billing, refunds])
"""
STARTS = {
    "the agent itself": "async def ask(x): return await Runner.run(billing, x)",
    "an alias of it": "current = billing\nasync def ask(x): return await Runner.run(current, x)",
    "the second alias of a variable": """
async def ask(x, paid):
    agent = triage
    if paid:
        agent = billing
    return await Runner.run(agent, x)
""",
    "one of two": "async def ask(x): return await Runner.run(billing if x else triage, x)",
    "an element of a dictionary": """
desks = {"billing": billing, "refunds": refunds}
async def ask(x, desk): return await Runner.run(desks[desk], x)
""",
    "an element with a default": """
desks = {"billing": billing}
async def ask(x, desk): return await Runner.run(desks.get(desk, triage), x)
""",
    "each of a list": """
async def ask(x): return [await Runner.run(one, x) for one in [triage, billing]]
""",
    "an attribute of an object": """
class Desk:
    def __init__(self): self.agent = billing
    async def ask(self, x): return await Runner.run(self.agent, x)
""",
    "a parameter": """
async def run(agent, x): return await Runner.run(agent, x)
async def ask(x): return await run(triage, x), await run(agent=billing, x=x)
""",
    "what a function returns": """
def pick(x): return billing if x else triage
async def ask(x): return await Runner.run(pick(x), x)
""",
}
CHATS = {
    "last_agent itself": """
async def ask(x):
    result = await Runner.run(triage, x)
    return await Runner.run(result.last_agent, "and?")
""",
    "a variable set from it": """
async def chat():
    agent, items = triage, []
    while True:
        result = await Runner.run(agent, items)
        agent = result.last_agent
""",
    "an attribute set from it": """
class Chat:
    agent = triage
    async def ask(self, x):
        result = await Runner.run(self.agent, x)
        self.agent = result.last_agent
""",
    "its name, in a store": """
desks = {one.name: one for one in (triage, refunds)}
state = {"agent": "Triage"}
async def ask(x):
    result = await Runner.run(desks[state["agent"]], x)
    state["agent"] = result.last_agent.name
""",
    "what a function returns of it": """
async def turn(agent, x):
    result = await Runner.run(agent, x)
    return result.final_output, result.last_agent
async def chat():
    agent = triage
    while True:
        answer, agent = await turn(agent, input())
""",
    "the loop of the library": "async def chat(): await run_demo_loop(triage)",
}
OTHERS = {
    "no run": "",
    "the entry only": "async def ask(x): return await Runner.run(triage, x)",
    "the entry, whose last agent is printed": """
async def ask(x):
    result = await Runner.run(triage, x)
    print(f"{result.last_agent.name}: {result.final_output}")
""",
    "another specialist": "async def ask(x): return await Runner.run(refunds, x)",
    "a chat of another workflow": """
clerk = Agent(name="Clerk")
async def ask(x): return await Runner.run(triage, x)
async def chat():
    agent = clerk
    while True:
        agent = (await Runner.run(agent, input())).last_agent
""",
}


def codes(*arguments: str | Path) -> list[str]:
    report = agentgraph("check", *arguments, "--select", "AG501", "--output-format", "json").out
    return [one["code"] for one in json.loads(report)["diagnostics"]]


@pytest.mark.parametrize("source", [*STARTS.values(), *CHATS.values()], ids=[*STARTS, *CHATS])
def test_a_guardrail_of_an_agent_that_a_run_starts_with_runs(tmp_path: Path, source: str) -> None:
    assert "AG501" not in codes(written(tmp_path, "desk.py", DESK + source))


@pytest.mark.parametrize("source", OTHERS.values(), ids=OTHERS)
def test_a_guardrail_of_an_agent_that_no_run_starts_with_never_runs(
    tmp_path: Path, source: str
) -> None:
    assert codes(written(tmp_path, "desk.py", DESK + source)) == ["AG501"]


def test_a_run_in_one_file_counts_for_the_agents_that_another_file_makes(tmp_path: Path) -> None:
    desk = written(tmp_path, "desk.py", DESK)
    server = "from agents import Runner\nfrom desk import billing, triage\n"
    written(tmp_path, "server.py", server + STARTS["the agent itself"])
    assert codes(desk) == ["AG501"]
    assert codes(tmp_path) == []


def test_a_run_in_an_imported_module_counts_for_the_file_that_imports_it(tmp_path: Path) -> None:
    written(tmp_path, "desk.py", DESK + STARTS["the agent itself"])
    main = "from agents import Agent\nfrom desk import triage\n"
    main += "front = Agent(name='Front', handoffs=[triage])"
    assert codes(written(tmp_path, "main.py", main)) == []


def test_a_chat_in_one_file_counts_for_the_agents_that_another_file_makes(tmp_path: Path) -> None:
    written(tmp_path, "desk.py", DESK)
    server = "from agents import Runner\nfrom desk import triage\n"
    written(tmp_path, "server.py", server + CHATS["a variable set from it"])
    assert codes(tmp_path) == []


def test_a_named_agent_is_checked_with_the_runs_of_its_file(tmp_path: Path) -> None:
    file = written(tmp_path, "desk.py", DESK + STARTS["the agent itself"])
    assert codes(f"{file}:triage") == []


def test_a_module_that_cannot_be_parsed_any_more_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python 3.11 fails to parse where greenlets have changed its depth of recursion."""
    written(tmp_path, "desk.py", DESK + STARTS["the agent itself"])
    main = written(tmp_path, "main.py", "from agents import Agent\nfrom desk import triage\n")
    parse = ast.parse

    def parse_main(content: str, filename: str = "", **options: Any) -> ast.AST:
        if filename.endswith("desk.py"):
            raise SystemError("AST constructor recursion depth mismatch")
        return parse(content, filename, **options)

    assert codes(main) == []
    monkeypatch.setattr(ast, "parse", parse_main)
    assert codes(main) == ["AG501"]
