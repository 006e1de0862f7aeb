"""The stored form of payloads: one table says how each field of each payload is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, TypeAlias

from agentgraph.approvals import CallKey, ruling_from_json, ruling_to_json
from agentgraph.items.tool_origin import ToolOrigin
from agentgraph.model_settings import ModelSettings
from agentgraph.record import payloads, step_payloads
from agentgraph.record.payloads import Identity, LogItem, Note, ToolVerdict
from agentgraph.runtime.commands import CommandId
from agentgraph.stored.faults import decode_fault, encode_fault
from agentgraph.stored.items import (
    decode_input,
    decode_raw_item,
    decode_response,
    encode_input,
    encode_raw_item,
    encode_response,
)
from agentgraph.stored.value_types import Types
from agentgraph.stored.values import decode, encode
from agentgraph.usage import deserialize_usage, serialize_usage

_SECRET = frozenset(
    field.name for field in fields(ModelSettings) if field.name.startswith("extra_")
)
"""Settings that may hold keys; a stored run leaves them out."""

Write: TypeAlias = Callable[[Any, str], Any]
Read: TypeAlias = Callable[[Any, "Types | None"], Any]


class Form(NamedTuple):
    """How a field is stored.

    Args:
        write: Takes the value, and its place for messages; returns the stored form.
        read: Takes the stored form and the classes of the program; returns the value.
    """

    write: Write
    read: Read


def _optional(form: Form) -> Form:
    return Form(
        lambda value, path: None if value is None else form.write(value, path),
        lambda data, types: None if data is None else form.read(data, types),
    )


def _each(form: Form) -> Form:
    return Form(
        lambda values, path: [form.write(one, f"{path}[{at}]") for at, one in enumerate(values)],
        lambda data, types: tuple(form.read(one, types) for one in data),
    )


def _rows(kind: Callable[..., object]) -> Form:
    return Form(
        lambda rows, path: [list(row) for row in rows],
        lambda data, types: tuple(kind(*row) for row in data),
    )


def _write_settings(settings: object, path: str) -> Any:
    stored = {
        name: value
        for name, value in vars(settings).items()
        if value is not None and name not in _SECRET
    }
    if "retry" in stored:
        # The policy is code of the program and no part of the request to the model.
        stored["retry"] = stored["retry"].to_json_dict()
    return {name: encode(value, f"{path}.{name}") for name, value in stored.items()}


def _read_settings(data: Mapping[str, Any], types: Types | None) -> Any:
    return ModelSettings(**{name: decode(value, types) for name, value in data.items()})


def _write_log_item(item: LogItem, path: str) -> Any:
    if item.place >= 0:
        return item.place
    more = None if item.more is None else encode(dict(item.more), path)
    return [item.kind, item.agent, encode_raw_item(item.raw, path), more]


def _read_log_item(data: int | Sequence[Any], types: Types | None) -> LogItem:
    if isinstance(data, int):
        return LogItem(data)
    kind, agent, raw, more = data
    return LogItem(
        place=-1,
        kind=kind,
        agent=agent,
        raw=decode_raw_item(raw),
        more=None if more is None else decode(more, types),
    )


def _simple(write: Callable[[Any], Any], read: Callable[[Any], Any]) -> Form:
    """The form of a field that needs neither its place nor the classes of the program."""
    return Form(lambda value, path: write(value), lambda data, types: read(data))


def _nothing(_: object) -> None:
    return None


def _write_note(note: Note, path: str) -> Any:
    row = [note.kind, note.position, note.description]
    more = [_write_origin(note.origin), note.title]
    return row if more == [None, None] else row + more


def _read_note(row: Sequence[Any], types: Types | None) -> Note:
    parts: list[Any] = [*row, None, None]  # a row that has no origin is shorter
    origin = ToolOrigin.from_json_dict(parts[3])
    return Note(parts[0], parts[1], parts[2], origin=origin, title=parts[4])


def _write_origin(origin: ToolOrigin | None) -> Any:
    return None if origin is None else origin.to_json_dict()


def _write_input(items: str | Iterable[Any]) -> Any:
    return encode_input(items if isinstance(items, str) else list(items))


def _read_input(data: object) -> Any:
    items = decode_input(data)
    return items if isinstance(items, str) else tuple(items)


def _write_key(key: CallKey) -> Any:
    return [list(map(list, key.path)), list(key.reply), key.lane]


def _read_key(data: Sequence[Any]) -> CallKey:
    return CallKey(tuple(map(tuple, data[0])), tuple(data[1]), data[2])


def _itself(value: object) -> object:
    return value


_PLAIN = _simple(_itself, _itself)
_FLAG = _simple(lambda flag: flag or None, bool)
"""A flag that is stored only if it is set."""
_VALUE = Form(encode, decode)
_RAW = Form(encode_raw_item, lambda data, types: decode_raw_item(data))
_INPUT = _simple(_write_input, _read_input)
_INPUTS = _simple(
    lambda inputs: {id: _write_input(one) for id, one in inputs.items()},
    lambda data: {id: _read_input(one) for id, one in data.items()},
)
_RESPONSE = _simple(encode_response, decode_response)
_FAULT = Form(lambda value, path: encode_fault(value), decode_fault)
_USAGE = _simple(serialize_usage, deserialize_usage)
_RULING = _simple(ruling_to_json, ruling_from_json)
_TUPLE = _simple(list, tuple)
_COMMAND = _simple(list, lambda data: CommandId(*data))
_KEY = _simple(_write_key, _read_key)
_SETTINGS = Form(_write_settings, _read_settings)
_LOG = Form(_write_log_item, _read_log_item)
_LEFT_OUT = _simple(_nothing, _nothing)


@dataclass(frozen=True, slots=True)
class PayloadForm:
    """How a payload is stored.

    Args:
        kind: Its class.
        fields: The form of each stored field; the others follow from these.
    """

    kind: Callable[..., object]
    fields: Mapping[str, Form]

    def write(self, payload: object, path: str) -> dict[str, Any]:
        """The payload as JSON data."""
        written = {}
        for name, form in self.fields.items():
            value = getattr(payload, name)
            if form is not _PLAIN and value is not None:
                value = form.write(value, f"{path}.{name}")
            if value is not None:
                written[name] = value
        return written

    def read(self, data: Mapping[str, Any], types: Types | None) -> Any:
        """Read what ``write`` returned."""
        return self.kind(
            **{name: form.read(data.get(name), types) for name, form in self.fields.items()}
        )


def _of(payload: Callable[..., object], /, **fields: Form) -> PayloadForm:
    return PayloadForm(payload, fields)


def _nested(form: PayloadForm) -> Form:
    return Form(form.write, form.read)


_REQUEST = _of(
    payloads.Request,
    instructions=_PLAIN,
    first=_PLAIN,
    last=_PLAIN,
    epoch=_PLAIN,
    replaced=_optional(_INPUT),
    settings=_SETTINGS,
    offered=_TUPLE,
)
_VERDICT = _of(ToolVerdict, place=_PLAIN, name=_PLAIN, behavior=_VALUE, info=_VALUE)
_SCREENED = _of(
    payloads.Screened,
    tool=_PLAIN,
    verdicts=_each(_nested(_VERDICT)),
    output=_VALUE,
    raw=_optional(_RAW),
    about_output=_PLAIN,
    custom_data=_optional(_VALUE),
)
_QUESTION = _of(
    payloads.Question,
    key=_KEY,
    tool=_TUPLE,
    content=_PLAIN,
    agent=_PLAIN,
    machine=_PLAIN,
    raw=_RAW,
    name=_PLAIN,
    namespace=_PLAIN,
    origin=_simple(_write_origin, ToolOrigin.from_json_dict),
    interrupted=_PLAIN,
)
_FILTERED = _of(payloads.Filtered, history=_INPUT, before=_each(_LOG), latest=_each(_LOG))
_SAVED = _of(payloads.SavedTurn, written=_TUPLE, items=_INPUT, block=_optional(_TUPLE), anew=_PLAIN)

FORMS: Mapping[str, PayloadForm] = {
    "reply": _of(
        payloads.ModelReply,
        response=_RESPONSE,
        agent=_PLAIN,
        request=_nested(_REQUEST),
        notes=_each(Form(_write_note, _read_note)),
        identities=_rows(Identity),
        fault=_optional(_FAULT),
        output=_LEFT_OUT,
    ),
    "failed attempt": _of(
        payloads.FailedAttempt, fault=_FAULT, number=_PLAIN, wait=_PLAIN, locks=_PLAIN
    ),
    "failure": _of(
        payloads.Failure,
        fault=_FAULT,
        usage=_optional(_USAGE),
        screened=_optional(_nested(_SCREENED)),
    ),
    "screened": _SCREENED,
    "return": _of(
        payloads.ToolReturn,
        output=_VALUE,
        raw=_RAW,
        kind=_PLAIN,
        custom_data=_optional(_VALUE),
        usage=_optional(_USAGE),
        failed=_FLAG,
    ),
    "waiting": _of(payloads.Waiting, questions=_each(_nested(_QUESTION))),
    "ruled": _of(payloads.Ruled, ruling=_optional(_RULING)),
    "resumed": _of(payloads.Resumed, rulings=_each(_RULING), input=_INPUT, again=_PLAIN),
    "transfer": _of(
        payloads.Transfer,
        source=_PLAIN,
        target=_PLAIN,
        raw=_RAW,
        ignored=_each(_RAW),
        filtered=_optional(_nested(_FILTERED)),
    ),
    "filtered": _FILTERED,
    "verdict": _of(
        payloads.GuardrailVerdict,
        symbol=_PLAIN,
        agent=_PLAIN,
        tripped=_PLAIN,
        info=_VALUE,
        about_output=_PLAIN,
        judged=_VALUE,
    ),
    "output": _of(step_payloads.FinalOutput, output=_VALUE, message=_optional(_RAW), step=_PLAIN),
    "branch": _of(
        step_payloads.BranchOutput,
        output=_VALUE,
        message=_optional(_RAW),
        step=_PLAIN,
        split=_COMMAND,
        agent=_PLAIN,
        machine=_PLAIN,
    ),
    "split": _of(
        step_payloads.Split, step=_PLAIN, source=_optional(_COMMAND), inputs=_TUPLE, single=_FLAG
    ),
    "chosen": _of(
        step_payloads.Chosen,
        step=_PLAIN,
        source=_optional(_COMMAND),
        agent=_PLAIN,
        case=_PLAIN,
        inputs=_INPUTS,
        entered=_optional(_COMMAND),
    ),
    "loaded": _of(payloads.Loaded, shown=_INPUT, saved=_nested(_SAVED)),
    "saved": _SAVED,
    "migrated": _of(payloads.Migrated, before=_PLAIN, after=_PLAIN, agents=_PLAIN, facts=_TUPLE),
}
"""Every kind of payload, by the name that it has in a journal."""

_NAMES: Mapping[Any, str] = {form.kind: name for name, form in FORMS.items()}


def write_payload(payload: object, path: str) -> dict[str, Any] | None:
    """A payload as JSON data.

    Args:
        payload: The payload of an outcome; ``None`` for none.
        path: Its place, for messages.

    Raises:
        NotStorable: A value of user code has no stored form; the message names its place.
    """
    if payload is None:
        return None
    name = _NAMES[type(payload)]
    return {"is": name, **FORMS[name].write(payload, path)}


def read_payload(data: Mapping[str, Any] | None, types: Types | None) -> Any:
    """Read what :func:`write_payload` wrote.

    Args:
        data: The stored form.
        types: The classes of the program, by path.

    Raises:
        KeyError: It is not a payload.
        NotReadable: A value in it is damaged.
    """
    if data is None:
        return None
    return FORMS[data["is"]].read(data, types)
