"""What type checkers infer of an agent. Both must reject the lines marked so, and no other."""

from dataclasses import dataclass
from typing import Any, assert_type

from pydantic import BaseModel

from agentgraph import (
    Agent,
    AgentHooks,
    AgentOutputSchema,
    RunContextWrapper,
    Runner,
    Workflow,
    handoff,
)


@dataclass
class Customer:
    name: str


class Ticket(BaseModel):
    number: int


class Refund(BaseModel):
    amount: int


class CustomerAgent(Agent[Customer]):
    pass


class CustomerHooks(AgentHooks[Customer]):
    pass


def greet(context: RunContextWrapper[Customer], agent: Agent[Customer]) -> str:
    return f"You are {agent.name}. You talk to {context.context.name}."


def asks_for_tickets(agent: Agent[Customer, Ticket]) -> None:
    pass


def asks_for_any(agent: Agent[Customer]) -> None:
    pass


# The output is inferred from `output_type`.
assert_type(Agent(name="Desk"), Agent[Any, Any])
assert_type(Agent(name="Desk"), Agent)
assert_type(Agent(name="Desk", output_type=Ticket), Agent[Any, Ticket])
assert_type(Agent(name="Desk", output_type=list[Ticket]), Agent[Any, list[Ticket]])
assert_type(Agent(name="Desk", output_type=AgentOutputSchema(Ticket)), Agent[Any, Any])
assert_type(Agent(name="Desk", output_type=None), Agent[Any, Any])

# Unless the context is written; then both are, or the output stays open.
assert_type(Agent[Customer](name="Desk", output_type=Ticket), Agent[Customer, Any])
assert_type(Agent[Customer, Ticket](name="Desk", output_type=Ticket), Agent[Customer, Ticket])
Agent[Customer, Ticket](name="Desk", output_type=Refund)  # rejected

# A union cannot be inferred. It is accepted, and can be written.
Agent(name="Desk", output_type=Ticket | Refund)
assert_type(
    Agent[Any, Ticket | Refund](name="Desk", output_type=Ticket | Refund),
    Agent[Any, Ticket | Refund],
)

# The context is inferred from instructions and hooks.
assert_type(Agent(name="Desk", instructions=greet), Agent[Customer, Any])
desk = Agent(name="Desk", hooks=CustomerHooks(), output_type=Ticket)
assert_type(desk, Agent[Customer, Ticket])
assert_type(CustomerAgent(name="Desk", output_type=Ticket), CustomerAgent)
assert_type(desk.clone(output_type=Refund), Agent[Customer, Any])

# An agent of a closer type stands for one of a wider type.
asks_for_any(desk)
asks_for_any(CustomerAgent(name="Desk"))
asks_for_tickets(desk)
asks_for_tickets(Agent(name="Desk"))
asks_for_tickets(Agent(name="Desk", output_type=Ticket))
asks_for_tickets(Agent(name="Desk", output_type=Refund))  # rejected
host = Agent(name="Host", handoffs=[desk, handoff(desk)])
host.handoffs.append(desk)
Workflow("office", start=host, agents=[host, desk])


async def run() -> None:
    result = await Runner.run(desk, "Hi", context=Customer("Ada"))
    # A handoff may change which agent answers.
    assert_type(result.final_output, Any)
    assert_type(result.final_output_as(Ticket), Ticket)
    assert_type(result.last_agent, Agent[Any, Any])
    await Runner.run(desk, "Hi", context="Ada")  # rejected
