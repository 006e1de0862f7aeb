"""Three agents with a tool, without types of other packages: a file to measure `check` on."""

from agentgraph import Agent, function_tool


@function_tool
def look_up(word: str) -> str:
    """Look a word up."""
    return word


maths = Agent(name="Maths tutor", instructions="Explain each step.", tools=[look_up])
history = Agent(name="History tutor", instructions="Name the dates.", tools=[look_up])
triage = Agent(name="Triage", instructions="Hand over.", handoffs=[maths, history])
