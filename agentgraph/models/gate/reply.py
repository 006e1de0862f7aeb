"""The last check of a reply, whatever model it comes from: a user's own, a provider's, a double.

Past this check a reply is a `ModelResponse`; its items are of the client's types or dictionaries of
a type that the client does not know; a text is a text that UTF-8 can carry; a call has an id, a
name and arguments. A text or arguments that are null are empty. A call without an id is refused
before anything runs, because its output could not be sent back.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from agentgraph.exceptions import ModelBehaviorError
from agentgraph.items import ModelResponse
from agentgraph.items.run_items import raw_field
from agentgraph.items.text import is_carried, mended
from agentgraph.models.gate.server import Server, with_agent
from agentgraph.usage import Usage

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = ["sound_reply"]

_VALIDATED_TYPES: Final = frozenset({"message", "function_call"})
# The kinds of calls whose output carries their id.
_ANSWERED: Final = frozenset(
    (
        "function_call",
        "custom_tool_call",
        "computer_call",
        "shell_call",
        "apply_patch_call",
    )
)
_NO_OR_A_LIST: Final = (type(None), list)
_NO_LIST: Final[list[Any]] = []
_CALL_TEXTS: Final = {"function_call": ("name", "arguments"), "custom_tool_call": ("name", "input")}


def sound_reply(response: Any, agent_name: str, model: object) -> ModelResponse:
    """Return a model's reply with sound items.

    Args:
        response: What the model returned.
        agent_name: The agent whose model it is, for messages.
        model: The model, for messages.

    Raises:
        ModelBehaviorError: There is no reply, or an item of it cannot be read.
    """
    output: object = getattr(response, "output", None)
    # The exact type first: this check runs in every turn.
    if type(output) is not list and not isinstance(output, Sequence):
        raise ModelBehaviorError(
            f"The model of agent '{agent_name}' gave no response: expected a ModelResponse with a"
            f" list of output items, got {type(response).__name__}."
        )
    reply: ModelResponse = response
    if response.usage is None:  # A third party's model may ignore the annotation.
        reply = replace(reply, usage=Usage())
    if all(map(_is_sound, output)):
        return reply
    gate = _Gate(agent_name, model)
    return replace(reply, output=[gate.item(one) for one in output])


def _is_sound(item: Any) -> bool:
    """Whether an item of one of the client's frequent types needs no look."""
    kind = getattr(item, "type", None)
    if kind == "message":
        content = item.content
        if type(content) is not list:
            return False
        return all(map(_is_sound_part, content))
    if kind == "function_call":
        call_id, name, arguments = item.call_id, item.name, item.arguments
        return (
            type(call_id) is str
            and call_id != ""
            and type(name) is str
            and type(arguments) is str
            and is_carried(call_id + name + arguments)
        )
    return False


def _is_sound_part(part: Any) -> bool:
    kind = getattr(part, "type", None)
    if kind == "output_text":
        text, annotations = part.text, getattr(part, "annotations", _NO_LIST)
        lists = type(annotations) is list and type(getattr(part, "logprobs", None)) in _NO_OR_A_LIST
        return lists and not annotations and type(text) is str and is_carried(text)
    return kind == "refusal" and type(part.refusal) is str and is_carried(part.refusal)


class _Gate:
    """The check of one reply."""

    def __init__(self, agent_name: str, model: object) -> None:
        self._agent_name = agent_name
        self._server = Server.of(model)

    def item(self, item: object) -> Any:
        """Return an item in its sound form."""
        kind = raw_field(item, "type")
        if not isinstance(kind, str) or not kind:
            raise self._fault(f"sent an output item without a type ({type(item).__name__}).")
        if kind in _ANSWERED:
            self._check_id(item, kind)
        item = mended(item)
        if kind in _CALL_TEXTS:
            item = self._with_texts(item, _CALL_TEXTS[kind])
        elif kind == "message":
            item = self._with_content(item)
        return self._typed(item) if isinstance(item, dict) else item

    def _check_id(self, call: object, kind: str) -> None:
        call_id = raw_field(call, "call_id")
        if not isinstance(call_id, str) or not call_id:
            name = raw_field(call, "name") or kind
            raise self._fault(
                f"called {name!r} without a call id, so its output could not be sent back."
            )

    def _with_texts(self, call: object, names: tuple[str, str]) -> Any:
        changes: dict[str, str] = {}
        for name in names:
            value = raw_field(call, name)
            if value is None:
                changes[name] = "{}" if name == "arguments" else ""
            elif not isinstance(value, str):
                raise self._fault(f"sent a call whose {name} is a {type(value).__name__}.")
        return _varied(call, changes)

    def _with_content(self, message: object) -> Any:
        """Return a message whose parts have texts. A null text is empty, and null content has no
        parts; a part of an unknown type stays as it is."""
        content = raw_field(message, "content")
        if content is None:
            content = []
        elif isinstance(content, str):
            content = [{"type": "output_text", "text": content, "annotations": []}]
        if not isinstance(content, list | tuple):
            raise self._fault(f"sent a message whose content is a {type(content).__name__}.")
        return _varied(message, {"content": [self._part(part) for part in content]})

    def _part(self, part: object) -> Any:
        kind = raw_field(part, "type")
        if not isinstance(kind, str):
            raise self._fault(f"sent a message with a part without a type ({_name(part)}).")
        name = {"output_text": "text", "refusal": "refusal"}.get(kind)
        if name is None:
            return part
        text = raw_field(part, name)
        if text is not None and not isinstance(text, str):
            raise self._fault(f"sent a message whose {name} is a {_name(text)}.")
        return _text_part(part, text or "") if name == "text" else _refusal_part(text or "")

    def _typed(self, item: dict[str, Any]) -> Any:
        from pydantic import ValidationError

        try:
            return _items().validate_python(item)
        except ValidationError as error:
            kind = item.get("type")
            if isinstance(kind, str) and kind not in _VALIDATED_TYPES:
                return item  # The client does not know this type of item: pass it on unchanged.
            raise ModelBehaviorError(
                f"The model of agent '{self._agent_name}' gave an output item that cannot be read:"
                f" a dictionary of type {kind!r} whose fields are not those of such an item."
            ) from error

    def _fault(self, what: str) -> Exception:
        return with_agent(self._server.fault(what), self._agent_name)


def _text_part(part: object, text: str) -> Any:
    """Return a part with a text. Its citations and probabilities are kept if they are sound."""
    from openai.types.responses import ResponseOutputText
    from pydantic import ValidationError

    fields = {name: raw_field(part, name) for name in ("annotations", "logprobs")}
    lists = {name: _plain(value) for name, value in fields.items() if isinstance(value, list)}
    whole = {"type": "output_text", "text": text, "annotations": [], **lists}
    try:
        sound = ResponseOutputText.model_validate(whole)
    except ValidationError:
        sound = ResponseOutputText(type="output_text", text=text, annotations=[])
    model_copy = getattr(part, "model_copy", None)
    if model_copy is None:
        return sound
    changes = {name: getattr(sound, name) for name in sound.model_fields_set | fields.keys()}
    return model_copy(update=changes)


def _refusal_part(refusal: str) -> Any:
    from openai.types.responses import ResponseOutputRefusal

    return ResponseOutputRefusal(type="refusal", refusal=refusal)


def _plain(values: list[Any]) -> list[Any]:
    return [
        value.model_dump(exclude_unset=True, warnings=False)
        if hasattr(value, "model_dump")
        else value
        for value in values
    ]


def _name(value: object) -> str:
    return "null" if value is None else type(value).__name__


def _varied(item: object, changes: dict[str, Any]) -> Any:
    if not changes:
        return item
    if isinstance(item, dict):
        return {**item, **changes}
    if (model_copy := getattr(item, "model_copy", None)) is not None:
        return model_copy(update=changes)
    varied = copy(item)  # of a class of the user's
    vars(varied).update(changes)
    return varied


@cache
def _items() -> TypeAdapter[Any]:
    from openai.types.responses import ResponseOutputItem
    from pydantic import TypeAdapter

    return TypeAdapter(ResponseOutputItem)
