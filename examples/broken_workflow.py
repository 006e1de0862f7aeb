"""A travel desk with a handful of mistakes, to see what the compiler reports.

    agentgraph check examples/broken_workflow.py
    agentgraph explain AG207

Nothing here is a syntax error, and each agent by itself looks right. The faults are in the way they
are combined. A run would find them one after the other and spend tokens on the way. `python
examples/broken_workflow.py` shows that a run does not begin.
"""

from agentgraph import (
    Agent,
    CompileError,
    GuardrailFunctionOutput,
    ModelSettings,
    RunContextWrapper,
    Runner,
    TResponseInputItem,
    Workflow,
    function_tool,
    handoff,
    input_guardrail,
)


@function_tool
def search(query: str) -> str:
    """Search flights."""
    return f"flights for {query}"


# Same name as the tool above, which the same agent offers.
@function_tool(name_override="search")
def search_hotels(query: str) -> str:
    """Search hotels."""
    return f"hotels for {query}"


@input_guardrail
def no_passport_numbers(
    context: RunContextWrapper[None],
    agent: Agent[None],
    message: str | list[TResponseInputItem],
) -> GuardrailFunctionOutput:
    """Keep passport numbers out."""
    return GuardrailFunctionOutput(None, tripwire_triggered="passport" in str(message))


# Input guardrails run only for the agent that a run starts with. No run starts with this one.
booking = Agent(
    name="Booking",
    instructions="Book what was found.",
    tools=[search, search_hotels],
    input_guardrails=[no_passport_numbers],
)

# These two must call a tool in every turn, and the only one that each has hands over to the other.
prices = Agent(
    name="Prices",
    instructions="Compare prices.",
    model_settings=ModelSettings(tool_choice="required"),
    reset_tool_choice=False,
)
dates = Agent(
    name="Dates",
    instructions="Compare dates.",
    handoffs=[prices],
    model_settings=ModelSettings(tool_choice="required"),
    reset_tool_choice=False,
)
prices.handoffs.append(dates)

# Leads out of the workflow declared below.
complaints = Agent(name="Complaints", instructions="Listen.")

# Nothing leads here.
insurance = Agent(name="Insurance", instructions="Explain what is covered.")

# The only way here is disabled.
visas = Agent(name="Visas", instructions="Say which visa a journey needs.")

triage = Agent(
    name="Travel Desk",
    instructions="Hand over to Booking, Prices or Complaints.",
    handoffs=[booking, prices, complaints, handoff(visas, is_enabled=False)],
)

# Runs itself as a tool.
triage.tools.append(
    triage.as_tool(tool_name="ask_the_desk", tool_description="Ask the travel desk")
)

desk = Workflow(
    "Travel Desk", start=triage, agents=[triage, booking, prices, dates, insurance, visas]
)


if __name__ == "__main__":
    try:
        Runner.run_sync(desk, "A week in Rome, please")
    except CompileError as error:
        print(error)
