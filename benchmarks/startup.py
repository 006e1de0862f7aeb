"""The cost of starting: whole processes, from the interpreter's start to its end.

Only our side has a command line to measure; the first run of a process is measured on all sides.
"""

from __future__ import annotations

from collections.abc import Mapping

from sides import HERE, Figure, Side, process_cost

__all__ = ["start_up"]

PLAIN = HERE / "plain_agents.py"
HOMEWORK = HERE.parent / "examples" / "homework.py"

FIRST_RUN = """
from {package} import Agent, Runner
from {package}.items import ModelResponse
from {package}.models.interface import Model
from {package}.usage import Usage

class Fake(Model):
    async def get_response(self, *args, **kwargs):
        return ModelResponse([message], Usage(), None)

    def stream_response(self, *args, **kwargs):
        raise NotImplementedError

assert Runner.run_sync(Agent(name="A", model=Fake()), "hi").final_output == "done"
"""

CLIENT_TYPES = """
from openai.types.responses.response_output_message import ResponseOutputMessage
from openai.types.responses.response_output_text import ResponseOutputText

text = ResponseOutputText(type="output_text", text="done", annotations=[])
message = ResponseOutputMessage(
    id="m", type="message", role="assistant", status="completed", content=[text]
)
"""

OWN_TYPES = """
from types import SimpleNamespace

class Message(SimpleNamespace):
    def model_dump(self, **options):
        return {**vars(self), "content": [vars(part) for part in self.content]}

text = SimpleNamespace(type="output_text", text="done", annotations=[])
message = Message(id="m", type="message", role="assistant", status="completed", content=[text])
"""

LANGGRAPH_FIRST_RUN = """
from langchain_core.messages import AIMessage
from langgraph.graph import END, START, MessagesState, StateGraph

async def answer(state):
    return {"messages": [AIMessage("done")]}

graph = StateGraph(MessagesState)
graph.add_node("answer", answer)
graph.add_edge(START, "answer")
graph.add_edge("answer", END)
import asyncio
assert asyncio.run(graph.compile().ainvoke({"messages": ["hi"]}))["messages"][-1].content == "done"
"""

PYDANTIC_AI_FIRST_RUN = """
from pydantic_ai import Agent
from pydantic_ai.messages import ModelResponse, TextPart
from pydantic_ai.models.function import FunctionModel

async def answer(messages, about):
    return ModelResponse([TextPart("done")])

assert Agent(FunctionModel(answer)).run_sync("hi").output == "done"
"""

PROGRAMS = {
    # The SDK accepts only the client's types.
    "agentgraph": OWN_TYPES + FIRST_RUN.format(package="agentgraph"),
    "agents": CLIENT_TYPES + FIRST_RUN.format(package="agents"),
    "langgraph": LANGGRAPH_FIRST_RUN,
    "pydantic_ai": PYDANTIC_AI_FIRST_RUN,
}

IMPORTS = {"langgraph": "langgraph.graph"}

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "agentgraph --version": ("--version",),
    "check of a plain file": ("check", str(PLAIN)),
    "check of examples/homework.py": ("check", str(HOMEWORK)),
}


def start_up(side: Side, repetitions: int = 4) -> dict[str, Figure]:
    """Measure whole processes of a side.

    Args:
        side: The side.
        repetitions: How often to measure each process; the best cost counts.
    """
    figures = {"bare Python": process_cost(side, ["-c", "pass"], repetitions)}
    if side.package == "agentgraph":
        for name, arguments in COMMANDS.items():
            command = ["-m", "agentgraph", *arguments]
            figures[name] = process_cost(side, command, repetitions)
    statement = ["-c", f"import {IMPORTS.get(side.package, side.package)}"]
    figures["import"] = process_cost(side, statement, repetitions)
    program = ["-c", PROGRAMS[side.package]]
    figures["first run of a process, fake model"] = process_cost(side, program, repetitions)
    if side.package == "agentgraph":
        with_client = ["-c", CLIENT_TYPES + FIRST_RUN.format(package="agentgraph")]
        name = "the same, replies of the client's types"
        figures[name] = process_cost(side, with_client, repetitions)
    return figures
