"""Output types: which schema the model is shown, and what becomes of its JSON."""

from __future__ import annotations

import enum
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import Annotated, Any, Literal, Optional, Union

import pytest
from pydantic import BaseModel, field_validator
from typing_extensions import TypedDict

from agentgraph import agent_output
from agentgraph.agent_output import AgentOutputSchema, AgentOutputSchemaBase
from agentgraph.exceptions import ModelBehaviorError, UserError


class Flight(BaseModel):
    number: int
    gate: str | None = None


class Place(TypedDict):
    city: str


@dataclass
class Stay:
    place: Place
    nights: int = 1


class Mood(enum.Enum):
    GOOD = "good"
    BAD = "bad"


@pytest.mark.parametrize("output_type", [str, None])
def test_text_is_plain_and_has_no_schema(output_type: Any) -> None:
    schema = AgentOutputSchema(output_type)
    assert schema.is_plain_text()
    with pytest.raises(UserError, match="plain text"):
        schema.json_schema()
    with pytest.raises(UserError, match="plain text"):
        schema.validate_json('"x"')


@pytest.mark.parametrize(
    ("output_type", "name"),
    [
        (str, "str"),
        (Flight, "Flight"),
        (list[Flight], "list[Flight]"),
        (dict[str, list[int]], "dict[str, list[int]]"),
        (Optional[Flight], "Union[Flight, NoneType]"),  # noqa: UP045 - both spellings are tested
        (Flight | None, "Union[Flight, NoneType]"),
        (Union[int, str], "Union[int, str]"),  # noqa: UP007
        (Literal["a", 1], "Literal['a', 1]"),
        (Any, "Any"),
    ],
)
def test_the_name_reads_like_the_annotation(output_type: Any, name: str) -> None:
    assert AgentOutputSchema(output_type, strict_json_schema=False).name() == name


def test_a_model_is_used_as_it_is() -> None:
    schema = AgentOutputSchema(Flight)
    assert schema.is_strict_json_schema()
    assert schema.json_schema()["required"] == ["number", "gate"]
    assert schema.json_schema()["additionalProperties"] is False
    assert schema.validate_json('{"number": 7, "gate": null}') == Flight(number=7)


@pytest.mark.parametrize(
    ("output_type", "inner", "value"),
    [
        (int, "3", 3),
        (bool, "true", True),
        (float, "3", 3.0),
        (list[Flight], '[{"number": 1, "gate": "A"}]', [Flight(number=1, gate="A")]),
        (Stay, '{"place": {"city": "Rome"}, "nights": 2}', Stay({"city": "Rome"}, 2)),
        (Mood, '"bad"', Mood.BAD),
        (tuple[int, str], '[1, "a"]', (1, "a")),
        (Flight | None, "null", None),
        (Literal["a", "b"], '"b"', "b"),
    ],
)
def test_any_other_type_is_wrapped_as_a_response(output_type: Any, inner: str, value: Any) -> None:
    schema = AgentOutputSchema(output_type)
    assert list(schema.json_schema()["properties"]) == ["response"]
    assert schema.json_schema()["required"] == ["response"]
    assert schema.validate_json(f'{{"response": {inner}}}') == value


@pytest.mark.parametrize("output_type", [dict, dict[str, int], list[dict[str, int]]])
def test_free_form_keys_need_strict_mode_off_and_the_error_says_how(output_type: Any) -> None:
    with pytest.raises(UserError, match=r"AgentOutputSchema\(.*strict_json_schema=False\)"):
        AgentOutputSchema(output_type)
    assert not AgentOutputSchema(output_type, strict_json_schema=False).is_strict_json_schema()


def test_a_mapping_is_used_as_it_is() -> None:
    assert AgentOutputSchema(Place).validate_json('{"city": "Rome"}') == {"city": "Rome"}
    schema = AgentOutputSchema(dict[str, int], strict_json_schema=False)
    assert schema.validate_json('{"a": 1}') == {"a": 1}


@pytest.mark.parametrize(
    ("output_type", "text", "place"),
    [
        (Flight, "{", "json_invalid"),
        (Flight, "[]", "the whole text"),
        (Flight, '{"gate": null}', "number (missing)"),
        (Flight, '{"number": "7", "gate": null}', "number (int_type)"),
        (list[int], "[1]", "the whole text"),
        (list[int], '{"answer": [1]}', "response (missing)"),
        (list[int], '{"response": ["secret"]}', "response.0 (int_type)"),
    ],
)
def test_a_bad_answer_is_the_models_fault_and_its_place_is_named(
    output_type: Any, text: str, place: str
) -> None:
    with pytest.raises(ModelBehaviorError) as caught:
        AgentOutputSchema(output_type).validate_json(text)
    assert place in str(caught.value)
    assert "secret" not in str(caught.value)


def test_only_a_strict_schema_is_validated_strictly() -> None:
    lax = AgentOutputSchema(Flight, strict_json_schema=False)
    assert lax.validate_json('{"number": "7"}') == Flight(number=7)


def test_what_a_validator_of_the_user_says_stays_out_of_the_message() -> None:
    class Checked(BaseModel):
        word: str

        @field_validator("word")
        @classmethod
        def refuse(cls, word: str) -> str:
            raise ValueError(f"cannot use {word}")

    with pytest.raises(ModelBehaviorError) as caught:
        AgentOutputSchema(Checked).validate_json('{"word": "secret"}')
    assert "secret" not in str(caught.value)


def test_a_schema_is_derived_once_for_a_type() -> None:
    assert AgentOutputSchema(Flight).json_schema() is AgentOutputSchema(Flight).json_schema()
    assert AgentOutputSchema(Flight).json_schema() != (
        AgentOutputSchema(Flight, strict_json_schema=False).json_schema()
    )


def test_a_type_that_cannot_be_hashed_is_described_all_the_same() -> None:
    schema = AgentOutputSchema(Annotated[int, {"unit": "km"}])
    assert schema.validate_json('{"response": 4}') == 4


def test_another_schema_can_stand_in_for_it() -> None:
    class Shout(AgentOutputSchemaBase):
        def is_plain_text(self) -> bool:
            return False

        def name(self) -> str:
            return "Shout"

        def json_schema(self) -> dict[str, Any]:
            return {"type": "object"}

        def is_strict_json_schema(self) -> bool:
            return False

        def validate_json(self, json_str: str) -> str:
            return json_str.upper()

    assert Shout().validate_json("{}x") == "{}X"
    with pytest.raises(TypeError, match="abstract"):
        AgentOutputSchemaBase()  # type: ignore[abstract]


class Opaque:
    """No type that JSON can express."""


@pytest.mark.parametrize("output_type", [Opaque, list[Opaque], "Undefined", dict[str, Opaque]])
@pytest.mark.parametrize("strict", [True, False])
def test_a_type_that_json_cannot_express_is_refused(output_type: Any, strict: bool) -> None:
    with pytest.raises(UserError, match="cannot be described"):
        AgentOutputSchema(output_type, strict_json_schema=strict)


def test_threads_that_derive_many_types_at_once_do_not_disturb_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    derivation = agent_output._Derivation(None, False, {})  # type: ignore[arg-type]
    monkeypatch.setattr(agent_output, "_derive_anew", lambda output_type, strict: derivation)
    monkeypatch.setattr(agent_output, "_DERIVATIONS", {})
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    begin = Barrier(8)

    def derive(thread: int) -> None:
        begin.wait()
        for number in range(50_000):
            agent_output._derive(f"{thread} {number}", True)

    try:
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(derive, range(8)))
    finally:
        sys.setswitchinterval(interval)
    assert 0 < len(agent_output._DERIVATIONS) <= 64 + 8
