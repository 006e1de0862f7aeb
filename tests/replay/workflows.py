"""Workflows drawn from a seed, with everything that a run may do."""

from __future__ import annotations

import asyncio
import copy
from dataclasses import dataclass, field
from random import Random
from typing import Any

from agentgraph import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrail,
    ModelRetrySettings,
    ModelSettings,
    OutputGuardrail,
    RunConfig,
    StopAtTools,
    ToolGuardrailFunctionOutput,
    ToolsToFinalOutputResult,
    Usage,
    function_tool,
    handoff,
    tool_input_guardrail,
    tool_output_guardrail,
)
from agentgraph.extensions.handoff_filters import remove_all_tools
from agentgraph.run_config import ToolExecutionConfig
from tests.api.scenarios import Answer, Case, Scenario, _agent_recorder, _recorder
from tests.replay.thinking import dice, thinker


@dataclass
class Generated(Case):
    """A workflow drawn from a seed.

    Attributes:
        sessions: The sessions of the agents that are tools.
        effects: What tools and callbacks of handoffs did.
    """

    sessions: list[Any] = field(default_factory=list)
    effects: list[str] = field(default_factory=list)


def generated(seed: int) -> Scenario:
    """The workflow of a seed."""
    return lambda sdk: _Drawing(sdk, seed).case()


class _Drawing:
    """Draws one workflow.

    Args:
        sdk: Gives the scripted model that a world can rewind.
        seed: What to draw.
    """

    def __init__(self, sdk: Any, seed: int) -> None:
        self.sdk, self.seed, self.chance = sdk, seed, Random(seed)
        self.drawn = Generated(agent=None, input="go")
        # What raises ends the calls beside it, and how far those have come is chance: only calls
        # that are made one by one raise.
        self.serial = self.flip(0.4)

    def case(self) -> Generated:
        chance, drawn = self.chance, self.drawn
        agents = [self.agent(name) for name in ("A", "B", "C")[: chance.choice((1, 2, 2, 3))]]
        for agent in agents:
            for other in agents:
                if agent is not other and chance.random() < 0.6:
                    agent.handoffs.append(self.handoff(other))
        drawn.agent = agents[0]
        if chance.random() < 0.6:
            agents[0].tools.append(self.deep(1))
        drawn.options = self.options()
        if chance.random() < 0.5:
            drawn.session = self.session()
        elif self.kept_by_server():
            # Output guardrails are refused beside a conversation that the server keeps.
            drawn.options["run_config"].output_guardrails = None
            for agent in agents:
                agent.output_guardrails = []
        return drawn

    def flip(self, likely: float) -> bool:
        return self.chance.random() < likely

    def agent(self, name: str, tools: int = 2) -> Agent[Any]:
        made: Agent[Any] = Agent(
            name=name,
            instructions=self.chance.choice((None, f"You are {name}.", _instructions)),
            model=self.sdk.ScriptedModel(thinker(self.seed, name, fails=self.fails())),
            model_settings=ModelSettings(
                retry=ModelRetrySettings(
                    max_retries=2, backoff={"initial_delay": 0.0}, policy=lambda _: True
                )
            ),
            tools=[self.tool(f"t{place}_{name}") for place in range(tools)],
        )
        if self.flip(0.2):
            made.output_type = Answer
        if self.flip(0.3):
            made.tool_use_behavior = self.behavior(f"t0_{name}")
        if self.flip(0.3):
            made.hooks = _agent_recorder(self.sdk, self.drawn.hooks)
        if self.flip(0.3):
            made.input_guardrails = [self.guardrail(InputGuardrail, name, blocking=self.flip(0.5))]
        if self.flip(0.3):
            made.output_guardrails = [self.guardrail(OutputGuardrail, name)]
        return made

    def fails(self) -> float:
        return self.chance.choice((0.0, 0.0, 0.3))

    def behavior(self, name: str) -> Any:
        def decide(context: Any, results: list[Any]) -> ToolsToFinalOutputResult:
            texts = [str(result.output) for result in results]
            final = dice(self.seed, texts).random() < 0.4
            return ToolsToFinalOutputResult(is_final_output=final, final_output="+".join(texts))

        return self.chance.choice(
            ("stop_on_first_tool", StopAtTools(stop_at_tool_names=[name]), decide)
        )

    def guardrail(self, kind: Any, name: str, *, blocking: bool = False) -> Any:
        # One that runs beside the model never trips: whether the model replies first is chance.
        beside = kind is InputGuardrail and not blocking
        seed, trips = self.seed, 0.0 if beside else self.chance.choice((0.0, 0.3))

        async def judge(context: Any, agent: Any, judged: Any) -> GuardrailFunctionOutput:
            await asyncio.sleep(0)
            context.usage.add(Usage(requests=1, total_tokens=7))
            text = str(judged)
            tripped = dice(seed, "trip", name, text).random() < trips
            return GuardrailFunctionOutput(output_info={"of": name}, tripwire_triggered=tripped)

        if kind is InputGuardrail:
            return InputGuardrail(judge, name=f"input {name}", run_in_parallel=not blocking)
        return kind(judge, name=f"output {name}")

    def tool(self, name: str) -> Any:
        chance, effects, seed = self.chance, self.drawn.effects, self.seed
        kind = chance.choice(("works", "works", "fails", "raises" if self.serial else "works"))
        waits, raises = Random(name), 0.04 if self.serial else 0.0

        async def work(n: int) -> str:
            for _ in range(waits.randrange(4)):
                await asyncio.sleep(0)
            effects.append(f"{name} {n}")
            if kind != "works" and dice(seed, name, n).random() < 0.3:
                raise ValueError(f"{name} cannot do {n}")
            return f"{name} did {n}"

        async def over_five(context: Any, arguments: dict[str, Any], call_id: str) -> bool:
            return bool(arguments.get("n", 0) > 5)

        made: Any = function_tool(
            work,
            name_override=name,
            needs_approval=chance.choice((False, False, True, over_five)),
            **({"failure_error_function": None} if kind == "raises" else {}),
        )
        if self.flip(0.3):
            made.tool_input_guardrails = [_screening(seed, name, raises)]
        if self.flip(0.3):
            made.tool_output_guardrails = [_judging(seed, name, raises)]
        if self.flip(0.2):
            made.custom_data_extractor = lambda context: {"of": name}
        return made

    def deep(self, depth: int) -> Any:
        """An agent as a tool, with agents as tools inside it, three deep.

        Its session is for calls made one by one: in which order others load it is chance.
        """
        name = f"Deep{depth}"
        agent = self.agent(name, tools=1)
        agent.output_type = None
        if depth < 3:
            agent.tools.append(self.deep(depth + 1))
        session = self.session(name) if self.serial and self.flip(0.4) else None
        if session is not None:
            self.drawn.sessions.append(session)
        return agent.as_tool(
            tool_name=f"ask_{name.lower()}",
            tool_description="Ask.",
            max_turns=self.chance.choice((None, 3)),
            session=session,
            needs_approval=self.flip(0.2),
            hooks=_recorder(self.sdk, self.drawn.hooks) if self.flip(0.2) else None,
            **({"failure_error_function": None} if self.serial and self.flip(0.3) else {}),
        )

    def handoff(self, target: Agent[Any]) -> Any:
        effects, chance = self.drawn.effects, self.chance
        return handoff(
            target,
            on_handoff=lambda context: effects.append(f"handoff to {target.name}"),
            input_filter=chance.choice((None, None, remove_all_tools, _only_the_question)),
            nest_handoff_history=chance.choice((None, None, True)),
        )

    def session(self, name: str = "outer") -> Any:
        return self.sdk.SQLiteSession(name)

    def kept_by_server(self) -> bool:
        options, kept = self.drawn.options, self.chance.randrange(4)
        match kept:
            case 0:
                options["auto_previous_response_id"] = True
            case 1:
                options["previous_response_id"] = "resp-0"
            case 2:
                options["conversation_id"] = "conversation"
        return kept < 3

    def options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"max_turns": self.chance.choice((2, 4, 8))}
        if self.flip(0.5):
            options["hooks"] = _recorder(self.sdk, self.drawn.hooks)
        if self.flip(0.5):
            options["error_handlers"] = {
                "max_turns": lambda _: {"final_output": "enough", "include_in_history": True},
                "invalid_final_output": lambda _: Answer(number=0),
            }
        config = RunConfig(
            nest_handoff_history=self.flip(0.2),
            call_model_input_filter=_noting if self.flip(0.2) else None,
            tool_not_found_behavior=self.chance.choice(("raise_error", "return_error_to_model")),
            reasoning_item_id_policy=self.chance.choice((None, "omit")),
        )
        if self.flip(0.2):
            config.output_guardrails = [self.guardrail(OutputGuardrail, "run")]
        if self.serial:
            config.tool_execution = ToolExecutionConfig(max_function_tool_concurrency=1)
        options["run_config"] = config
        return options


def _instructions(context: Any, agent: Any) -> str:
    return f"I am {agent.name}."


def _screening(seed: int, name: str, raises: float) -> Any:
    @tool_input_guardrail
    def screen(data: Any) -> ToolGuardrailFunctionOutput:
        return _verdict(seed, raises, name, data.context.tool_arguments)

    return screen


def _judging(seed: int, name: str, raises: float) -> Any:
    @tool_output_guardrail
    def judge(data: Any) -> ToolGuardrailFunctionOutput:
        return _verdict(seed, raises, name, str(data.output))

    return judge


def _verdict(seed: int, raises: float, *about: str) -> ToolGuardrailFunctionOutput:
    chance = dice(seed, "verdict", *about).random()
    if chance < 0.2:
        return ToolGuardrailFunctionOutput.reject_content(f"rejected {about}", output_info=1)
    if chance < 0.2 + raises:
        return ToolGuardrailFunctionOutput.raise_exception(output_info="raised")
    return ToolGuardrailFunctionOutput.allow(output_info=list(about))


def _only_the_question(data: Any) -> Any:
    return data.clone(pre_handoff_items=(), new_items=data.new_items[-2:])


def _noting(data: Any) -> Any:
    changed = copy.copy(data.model_data)
    changed.input = [*changed.input, {"role": "developer", "content": "be brief"}]
    return changed
