"""Programs for the rules about single definitions: a line at fault says `# fault`; the innocent
programs are close to the faulty ones."""

from __future__ import annotations

FAULTY: dict[str, dict[str, str]] = {
    "AG901": {
        "a package that is not installed": "from a_package_that_is_not_there import x  # fault",
        "a key that is read at import": """
import os
KEY = os.environ["NO_SUCH_KEY_OF_THIS_TEST"]  # fault
""",
        "a name that the library does not have": "from agents import Agnet  # fault",
        "an error in a function that is called": """
def load():
    raise OSError("no connection")  # fault

client = load()
""",
        "the end of the process": "raise SystemExit(3)  # fault",
    },
    "AG902": {
        "a function without a decorator": """
def search(query: str) -> str: ...
clerk = Agent(name="Clerk", tools=[search])  # fault
""",
        "an agent": 'clerk = Agent(name="Clerk", tools=[look_up, desk])  # fault',
        "a name": 'clerk = Agent(name="Clerk", tools=["look_up"])  # fault',
        "appended": """
clerk = Agent(name="Clerk")  # fault
clerk.tools.append(3)
""",
    },
    "AG903": {
        "a name": 'clerk = Agent(name="Clerk", handoffs=["Desk"])  # fault',
        "a tool": 'clerk = Agent(name="Clerk", handoffs=[desk, look_up])  # fault',
        "the class": 'clerk = Agent(name="Clerk", handoffs=[Agent])  # fault',
        "appended": """
clerk = Agent(name="Clerk")  # fault
clerk.handoffs.append("Desk")
""",
    },
    "AG904": {
        "a function without a decorator": """
def safe(context, agent, text): ...
clerk = Agent(name="Clerk", input_guardrails=[safe])  # fault
""",
        "an input guardrail for outputs": """
clerk = Agent(name="Clerk", output_guardrails=[polite])  # fault
""",
        "an output guardrail for inputs": """
@output_guardrail
def short(context, agent, output):
    return GuardrailFunctionOutput(None, len(str(output)) > 100)

clerk = Agent(name="Clerk", input_guardrails=[polite, short])  # fault
""",
    },
    "AG905": {
        "a dictionary with free keys": """
@function_tool  # fault
def book(details: dict[str, str]) -> str:
    "Book."
    return str(details)
""",
        "such a dictionary in a list": """
def book(details: list[dict[str, int]]) -> str:
    "Book."
    return str(details)

tool = function_tool(book)  # fault
""",
        "a model that takes anything": """
from pydantic import BaseModel

class Order(BaseModel, extra="allow"):
    number: int

@function_tool  # fault
def book(order: Order) -> str:
    "Book."
    return str(order)
""",
    },
    "AG906": {
        "a misspelt one of an agent": 'clerk = Agent(name="Clerk", instruction="Help.")  # fault',
        "one of a run": """
def ask(text):
    return Runner.run_sync(desk, text, max_turn=3)  # fault
""",
        "one of a handoff": """
clerk = Agent(name="Clerk", handoffs=[handoff(desk, tool_name="ask")])  # fault
""",
    },
    "AG907": {
        "a list of instructions": 'clerk = Agent(name="Clerk", instructions=["Help."])  # fault',
        "a number for a name": "clerk = Agent(name=3)  # fault",
        "one tool for a list": 'clerk = Agent(name="Clerk", tools=look_up)  # fault',
    },
    "AG919": {
        "a module": "import agents.realtime  # fault",
        "a name of a module that is not here": """
from agents.sandbox import Manifest  # fault
from agents.sandbox import SandboxAgent
""",
        "a name of a module that is here": """
from agentgraph.run_config import SandboxRunConfig  # fault
""",
        "a part, by its name": "from agents import voice  # fault",
    },
}

INNOCENT: dict[str, dict[str, str]] = {
    "AG901": {
        "a package under try": """
try:
    import a_package_that_is_not_there
except ImportError:
    a_package_that_is_not_there = None
""",
        "a key with a default": """
import os
KEY = os.environ.get("NO_SUCH_KEY_OF_THIS_TEST", "")
""",
        "an import in a function": "def load(): import a_package_that_is_not_there",
        "what ends the main block": """
if __name__ == "__main__":
    raise SystemExit(Runner.run_sync(desk, "hello").final_output)
""",
    },
    "AG902": {
        "a decorated function": 'clerk = Agent(name="Clerk", tools=[look_up])',
        "an agent as a tool": 'clerk = Agent(name="Clerk", tools=[desk.as_tool("ask", "Ask.")])',
        "a hosted tool": """
from agents import WebSearchTool
clerk = Agent(name="Clerk", tools=[WebSearchTool()])
""",
        "a function called by name": """
def search(query: str) -> str:
    "Search."
    return query

clerk = Agent(name="Clerk", tools=[function_tool(search)])
""",
    },
    "AG903": {
        "an agent": 'clerk = Agent(name="Clerk", handoffs=[desk])',
        "a handoff": 'clerk = Agent(name="Clerk", handoffs=[handoff(desk)])',
        "a list of agents": """
others = [Agent(name=f"Clerk {number}") for number in range(2)]
clerk = Agent(name="Clerk", handoffs=others)
""",
    },
    "AG904": {
        "a guardrail": 'clerk = Agent(name="Clerk", input_guardrails=[polite])',
        "a guardrail of a function": """
def safe(context, agent, text):
    return GuardrailFunctionOutput(None, "please" not in str(text))

clerk = Agent(name="Clerk", input_guardrails=[InputGuardrail(safe)])
""",
        "an output guardrail": """
@output_guardrail
def short(context, agent, output):
    return GuardrailFunctionOutput(None, len(str(output)) > 100)

clerk = Agent(name="Clerk", output_guardrails=[short])
""",
    },
    "AG905": {
        "not strict": """
@function_tool(strict_mode=False)
def book(details: dict[str, str]) -> str:
    "Book."
    return str(details)
""",
        "a model": """
from pydantic import BaseModel

class Order(BaseModel):
    number: int

@function_tool
def book(order: Order) -> str:
    "Book."
    return str(order)
""",
        "a list of pairs": """
@function_tool
def book(details: list[list[str]]) -> str:
    "Book."
    return str(details)
""",
    },
    "AG906": {
        "unpacked": "clerk = Agent(name='Clerk', **{'instructions': 'x'})",
        "of a subclass": """
class Clerk(Agent):
    def __init__(self, instruction): super().__init__(name="Clerk", instructions=instruction)

clerk = Clerk(instruction="Help.")
""",
        "of another function of that name": """
def handoff(**anything): return anything
handoff(tool_name="ask")
""",
        "one that the library has": 'clerk = Agent(name="Clerk", instructions="Help.")',
    },
    "AG907": {
        "a text": 'clerk = Agent(name="Clerk", instructions="Help.")',
        "a function": 'clerk = Agent(name="Clerk", instructions=lambda context, agent: "Help.")',
        "an async function": """
async def instructions(context, agent): return "Help."
clerk = Agent(name="Clerk", instructions=instructions)
""",
        "nothing": 'clerk = Agent(name="Clerk", instructions=None, output_type=None)',
    },
    "AG919": {
        "under try": """
try:
    from agents import realtime
except ImportError:
    realtime = None
""",
        "for a type checker": """
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from agents import realtime
""",
        "in a function": "def talk(): from agents.voice import VoicePipeline",
        "a module of the project with such a name": """
import types, sys
sys.modules["voice"] = types.ModuleType("voice")
import voice
""",
    },
}
