"""Workflows drawn from seeds that run unchanged on the published Agents SDK and here.

The same seed gives the same agents, tools, guardrails, session and options in both packages, and
models that reply alike: what a model says follows from the seed, from who is asked and how often.
"""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import sys
from collections import Counter
from contextvars import ContextVar
from functools import cache
from random import Random
from typing import Any, Final

from tests.api.scenarios import Answer, Case, Observed, Scenario, observe, package

PATIENCE: Final = 120
"""Seconds after which a run is said to hang."""


class Failed(Exception):
    """What drawn tools, guardrails and models raise."""


_AT_WORK: ContextVar[_Drawing] = ContextVar("_AT_WORK")


@cache
def _tool(function_tool: Any, name: str, is_told: bool) -> Any:
    """A tool of a package, made once, because to read a signature takes long.

    Args:
        function_tool: Makes it.
        name: Its name.
        is_told: Whether the model is told of its errors.
    """

    async def act(n: int) -> str:
        drawing = _AT_WORK.get()
        drawing.log.append(f"{name} {n}")
        if drawing.dice("raises", name).random() < 0.1:
            raise Failed(name)
        return f"{name} has {n}"

    options = {} if is_told else {"failure_error_function": None}
    return function_tool(act, name_override=name, **options)


class _Drawing:
    """Draws one workflow.

    Args:
        sdk: The names of a package.
        seed: What to draw.
    """

    def __init__(self, sdk: Any, seed: int) -> None:
        self.sdk, self.seed, self.chance = sdk, seed, Random(seed)
        self.asked: Counter[str] = Counter()
        self.log: list[str] = []
        # What raises ends the calls beside it, and how far those have come is chance: it raises
        # only in workflows whose models make one call at a time.
        self.is_serial = self.chance.random() < 0.5

    def flip(self, likely: float) -> bool:
        return self.chance.random() < likely

    def case(self) -> Case:
        agents = [self.agent(name) for name in "ABC"[: self.chance.choice((1, 2, 3))]]
        for agent in agents:
            for other in agents:
                if agent is not other and self.flip(0.6):
                    agent.handoffs.append(self.handoff(other))
        if self.flip(0.4):
            agents[0].tools.append(self.inner())
        agents[0].input_guardrails = self.guardrails("InputGuardrail")
        session = self.sdk.SQLiteSession("drawn") if self.flip(0.5) else None
        options: dict[str, Any] = {"max_turns": self.chance.choice((2, 4))}
        if self.flip(0.3):
            options["run_config"] = self.sdk.RunConfig(
                tool_not_found_behavior="return_error_to_model",
                nest_handoff_history=self.flip(0.5),
            )
        return Case(agents[0], options=options, hooks=self.log, session=session)

    def agent(self, name: str) -> Any:
        tools = [self.tool(f"{kind}_{name.lower()}") for kind in ("look", "pay")]
        agent = self.sdk.Agent(
            name=name,
            instructions=f"You are {name}.",
            model=self.model(name),
            tools=tools[: self.chance.choice((0, 1, 2, 2))],
        )
        if self.flip(0.15):
            agent.output_type = Answer
        if self.flip(0.3):
            agent.tool_use_behavior = self.chance.choice(
                (
                    "stop_on_first_tool",
                    self.sdk.StopAtTools(stop_at_tool_names=[f"pay_{name.lower()}"]),
                    self.decides(name),
                )
            )
        if self.flip(0.2):
            choice = self.chance.choice(("required", "none", "auto"))
            agent.model_settings = self.sdk.ModelSettings(tool_choice=choice)
        agent.reset_tool_choice = self.flip(0.7)
        agent.output_guardrails = self.guardrails("OutputGuardrail")
        return agent

    def decides(self, name: str) -> Any:
        def decide(context: Any, results: list[Any]) -> Any:
            stops = self.dice("decides", name).random() < 0.5
            output = results[0].output if stops else None
            return self.sdk.ToolsToFinalOutputResult(is_final_output=stops, final_output=output)

        return decide

    def dice(self, *about: object) -> Random:
        """Chance that falls alike for the same question, asked as often."""
        question = repr(about)
        self.asked[question] += 1
        return Random(f"{self.seed} {question} {self.asked[question]}")

    def guardrails(self, kind: str) -> list[Any]:
        if self.flip(0.7):
            return []

        async def judge(context: Any, agent: Any, value: Any) -> Any:
            chance = self.dice(kind, agent.name).random()
            self.log.append(f"{kind} {agent.name}")
            if chance < 0.05:
                raise Failed(kind)
            tripped = chance < 0.2
            return self.sdk.GuardrailFunctionOutput(kind, tripwire_triggered=tripped)

        made = getattr(self.sdk, kind)
        # Beside the model, how far it comes before a trip is chance.
        blocking = {"run_in_parallel": False} if kind == "InputGuardrail" else {}
        return [made(guardrail_function=judge, name=kind, **blocking)]

    def tool(self, name: str) -> Any:
        is_told = not (self.is_serial and self.flip(0.2))
        tool = copy.copy(_tool(self.sdk.function_tool, name, is_told))
        tool.needs_approval = self.flip(0.15)
        tool.is_enabled = not self.flip(0.08)
        if self.flip(0.2):
            tool.tool_input_guardrails = [self.tool_guardrail("tool_input_guardrail", name)]
        if self.flip(0.2):
            tool.tool_output_guardrails = [self.tool_guardrail("tool_output_guardrail", name)]
        return tool

    def tool_guardrail(self, kind: str, name: str) -> Any:
        output = self.sdk.ToolGuardrailFunctionOutput

        def judge(of: Any) -> Any:
            chance = self.dice(kind, name).random()
            if chance < 0.2:
                return output.reject_content(f"{kind} says no")
            trips = self.is_serial and chance < 0.3
            return output.raise_exception() if trips else output.allow()

        return getattr(self.sdk, kind)(judge)

    def inner(self) -> Any:
        agent = self.agent("Inner")
        agent.output_type = None
        return agent.as_tool(tool_name="ask_inner", tool_description="Ask.")

    def handoff(self, target: Any) -> Any:
        options: dict[str, Any] = {}
        if self.flip(0.3):
            options["on_handoff"] = lambda context: self.log.append(f"to {target.name}")
        return self.sdk.handoff(target, **options)

    # -- models

    def model(self, name: str) -> Any:
        def think(call: Any) -> Any:
            model.enqueue(step)
            chance = self.dice("model", name)
            place = self.asked[repr(("model", name))]
            return self.reply(call, f"{name}{place}", chance)

        step = self.sdk.ModelStep.respond(think)
        model = self.sdk.ScriptedModel([step])
        return model

    def reply(self, call: Any, id: str, chance: Random) -> Any:
        sdk = self.sdk
        if chance.random() < 0.03:
            return sdk.ModelStep(error=Failed("model"))
        if chance.random() < 0.03:
            return []
        names = [tool.name for tool in call.tools]
        handoffs = [entry.tool_name for entry in call.handoffs]
        if chance.random() < 0.3 or not (names or handoffs):
            return [self.said(call, id, chance)]
        items = [self.said(call, id, chance)] if chance.random() < 0.2 else []
        for at in range(1 if self.is_serial else chance.choice((1, 1, 2, 3))):
            called = chance.choice([*names, *names, *handoffs])
            if called == "ask_inner":
                # The calls of two inner runs would come in an order of chance.
                names.remove(called)
                names = names or [*handoffs] or ["unknown"]
            if chance.random() < 0.03:
                called = "unknown"
            items.append(self.call(called, f"{id}{at}", chance, called in handoffs))
        return items

    def said(self, call: Any, id: str, chance: Random) -> Any:
        text = f"said {id}"
        if call.output_schema is not None and not call.output_schema.is_plain_text():
            text = '{"number": 4}' if chance.random() < 0.8 else "no number"
        return self.sdk.assistant_message(text, item_id=f"m_{id}")

    def call(self, called: str, id: str, chance: Random, is_handoff: bool) -> Any:
        arguments: Any = {} if is_handoff else {"n": chance.randrange(3)}
        if called == "ask_inner":
            arguments = {"input": "What?"}
        return self.sdk.function_call(called, arguments, call_id=f"c_{id}", item_id=f"f_{id}")


def drawn(seed: int) -> Scenario:
    """The workflow of a seed, as a scenario."""

    def make(sdk: Any) -> Case:
        drawing = _Drawing(sdk, seed)
        _AT_WORK.set(drawing)
        return drawing.case()

    return make


def is_streamed(seed: int) -> bool:
    """Whether the run of a seed is streamed."""
    return seed % 3 == 0


async def seen(sdk: Any, seed: int) -> Observed:
    """What a run of the workflow of a seed shows."""
    run = observe(sdk, drawn(seed), streamed=is_streamed(seed))
    try:
        observed = await asyncio.wait_for(run, PATIENCE)
    except TimeoutError:
        return {"raised": "it hangs"}
    if "hooks" in observed:
        # Calls of one reply are made side by side.
        observed["hooks"] = sorted(observed["hooks"])
    as_json: Observed = json.loads(json.dumps(observed))
    return as_json


async def _serve(name: str) -> None:
    """Answer each line, a first seed and the one after the last, with a line of what was seen."""
    sdk = package(name)
    for line in sys.stdin:
        answers = [await seen(sdk, seed) for seed in range(*json.loads(line))]
        sys.stdout.write(json.dumps(answers) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    logging.disable()
    asyncio.run(_serve(sys.argv[1]))
