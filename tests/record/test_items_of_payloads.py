"""From payloads to the items that a program sees."""

from __future__ import annotations

from typing import Any

from agentgraph import Agent
from agentgraph.approvals import CallKey
from agentgraph.items import MessageOutputItem, ToolCallOutputItem
from agentgraph.record.items import WITHHELD, interruption, logged, withheld
from agentgraph.record.payloads import Filtered, LogItem, Question, ToolReturn
from agentgraph.testing import assistant_message

CLERK = Agent[Any](name="Clerk")


class OneAgent:
    """Names in a program with one agent."""

    def agent(self, id: str, machine: str = "") -> Any:
        return CLERK

    def guardrail(self, symbol: str) -> Any:
        raise LookupError(symbol)

    def tool_guardrail(self, tool: str, place: int, name: str, *, output: bool) -> Any:
        raise LookupError(name)


def test_a_filtered_conversation_refers_to_the_items_of_the_log_from_the_first_on() -> None:
    first, second = (
        MessageOutputItem(agent=CLERK, raw_item=assistant_message(text)) for text in "ab"
    )
    filtered = Filtered(history="go", before=(LogItem(0),), latest=(LogItem(0), LogItem(1)))

    data = logged(filtered, [first, second], OneAgent())

    assert data.input_history == "go"
    assert data.pre_handoff_items[0] is first
    assert type(data.new_items) is tuple
    assert [id(item) for item in data.new_items] == [id(first), id(second)]


def test_a_question_has_the_name_that_a_person_knows_also_where_the_call_has_none() -> None:
    raw = {"type": "shell_call", "call_id": "c1", "action": {"commands": ["ls"]}}
    question = Question(
        key=CallKey((), (1, 0, 0), 0),
        tool=("clerk/tool/shell", "shell"),
        content="digest",
        agent="clerk",
        machine="",
        raw=raw,
        name="terminal",
        namespace="office",
    )

    item = interruption(question, OneAgent())

    assert (item.agent, item.name, item.tool_namespace) == (CLERK, "terminal", "office")
    assert item.call_id == "c1"


def test_a_result_that_no_guardrail_could_judge_stands_in_no_item() -> None:
    raw = {"type": "function_call_output", "call_id": "c1", "output": "secret"}
    payload = ToolReturn("secret", raw, "tool_call_output_item")

    item = withheld(payload, CLERK)

    assert isinstance(item, ToolCallOutputItem)
    assert item.output == WITHHELD
    assert item.raw_item == {**raw, "output": WITHHELD}
