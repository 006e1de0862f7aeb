"""Models that answer by what they are shown: the same question has the same answer in every
process, whatever was asked before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from random import Random
from typing import Any

from openai.types.responses import ResponseReasoningItem

from agentgraph import Usage
from agentgraph.models.model_call import ModelCall
from agentgraph.testing import ModelStep, assistant_message, function_call
from tests.replay.world import AT_WORK


class Down(Exception):
    """The provider does not answer."""


def digest(*parts: Any) -> str:
    """A short digest of JSON values."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def dice(*parts: Any) -> Random:
    """Chance that falls the same way for equal JSON values."""
    return Random(digest(*parts))


def thinker(seed: int, name: str, *, fails: float = 0.0) -> Callable[[ModelCall], ModelStep]:
    """What a model does that answers by what it is shown.

    Args:
        seed: Models of different seeds answer differently.
        name: Names the model.
        fails: How likely a first and a second attempt fail.
    """

    def think(call: ModelCall) -> ModelStep:
        shown = digest(seed, name, call.input, call.previous_response_id)
        chance = dice(shown)
        attempts = _asked_before(call, shown, seed, name)
        if attempts < 2 and dice(shown, attempts).random() < fails:
            return ModelStep.raise_error(Down(f"{name} {shown} {attempts}"))
        output = _output(call, chance, shown)
        spent = Usage(
            requests=1,
            input_tokens=len(call.input),
            output_tokens=len(output),
            total_tokens=len(call.input) + len(output),
        )
        return ModelStep(output=output, usage=spent, response_id=f"resp-{shown}")

    return think


def _asked_before(call: ModelCall, shown: str, seed: int, name: str) -> int:
    """How often this was asked already, as far as a journal knows."""
    world = AT_WORK.get()
    asked = [(one.call.input, one.call.previous_response_id) for one in world.asked[:-1]]
    before = [digest(seed, name, *question) for question in (*world.heard, *asked)]
    return before.count(shown)


def _output(call: ModelCall, chance: Random, shown: str) -> list[Any]:
    items: list[Any] = []
    if chance.random() < 0.2:
        items.append(ResponseReasoningItem(id=f"rs-{shown}", summary=[], type="reasoning"))
    done = sum(_is_output(item) for item in call.input)
    if chance.random() < 0.25 + 0.1 * done or not (call.tools or call.handoffs):
        return [*items, assistant_message(_said(call, chance, shown), item_id=f"msg-{shown}")]
    if chance.random() < 0.3:
        items.append(assistant_message(f"wait {shown}", item_id=f"msg-{shown}"))
    names = [tool.name for tool in call.tools]
    calls = [chance.choice(names) for _ in range(chance.choice((1, 1, 2, 3)))] if names else []
    handoffs = [entry.tool_name for entry in call.handoffs]
    if handoffs and (not calls or chance.random() < 0.3):
        calls = [*calls[: chance.randrange(2)], chance.choice(handoffs)]
    if chance.random() < 0.03:
        calls.append("unknown")
    for place, name in enumerate(calls):
        arguments = {} if name in handoffs else _arguments(name, chance, f"{shown}-{place}")
        call_id, item_id = f"call-{shown}-{place}", f"fc-{shown}-{place}"
        items.append(function_call(name, arguments, call_id=call_id, item_id=item_id))
    return items


def _is_output(item: Any) -> bool:
    return isinstance(item, dict) and item.get("type") == "function_call_output"


def _said(call: ModelCall, chance: Random, shown: str) -> str:
    if call.output_schema is None or call.output_schema.is_plain_text():
        return f"said {shown}"
    return '{"number": 4}' if chance.random() < 0.8 else '{"number": "many"}'


def _arguments(name: str, chance: Random, unique: str) -> dict[str, Any]:
    if name.startswith("ask_"):
        return {"input": f"question {unique}"}
    return {"n": chance.randrange(10)}
