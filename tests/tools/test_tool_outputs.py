"""What the Responses API is sent for what a tool returned."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import ResponseInputFileContentParam, ResponseInputImageContentParam
from pydantic import TypeAdapter, ValidationError

from agentgraph.tools.output import (
    ToolOutputFileContent,
    ToolOutputImage,
    ToolOutputText,
    to_output_payload,
)

TEXT = {"type": "input_text", "text": "a"}
IMAGE = {"type": "input_image", "image_url": "u"}


HALF = {"type": "input_text", "text": "caf\\udce9"}


class Report:
    def __str__(self) -> str:
        return "a report"


@pytest.mark.parametrize(
    ("value", "payload"),
    [
        ("a", "a"),
        (3, "3"),
        (None, "None"),
        (b"x", "b'x'"),
        (Report(), "a report"),
        ({"a": 1}, "{'a': 1}"),
        ([], "[]"),
        ((), "()"),
        (ToolOutputText(text="a"), [TEXT]),
        ({"type": "text", "text": "a"}, [TEXT]),
        ({"type": "text", "text": "a", "more": 1}, [TEXT]),
        (ToolOutputImage(image_url="u"), [IMAGE]),
        (
            ToolOutputImage(file_id="f", detail="low"),
            [{"type": "input_image", "file_id": "f", "detail": "low"}],
        ),
        ({"type": "image", "image_url": "u", "detail": None}, [IMAGE]),
        (
            ToolOutputFileContent(file_data="d", filename="n"),
            [{"type": "input_file", "file_data": "d", "filename": "n"}],
        ),
        ({"type": "file", "file_url": "u"}, [{"type": "input_file", "file_url": "u"}]),
        ([ToolOutputText(text="a"), {"type": "image", "image_url": "u"}], [TEXT, IMAGE]),
        ((ToolOutputText(text="a"),), [TEXT]),
        ("grüße 😀", "grüße 😀"),
        # What is no text in UTF-8, as the name of a file may be, is spelled out.
        ("caf\udce9", "caf\\udce9"),
        (["caf\udce9"], "['caf\\udce9']"),
        ({"type": "text", "text": "caf\udce9"}, [HALF]),
    ],
)
def test_structured_outputs_are_parts_and_the_rest_is_text(value: Any, payload: Any) -> None:
    assert to_output_payload(value) == payload


@pytest.mark.parametrize(
    "value",
    [
        {"type": "text"},
        {"type": "text", "text": 5},
        {"type": "image"},
        {"type": "image", "detail": "low"},
        {"type": "image", "image_url": "u", "detail": "sharp"},
        {"type": "file", "filename": "n"},
        {"type": "sound", "text": "a"},
        {"type": ["text"], "text": "a"},
        [ToolOutputText(text="a"), 3],
        ["a", "b"],
        [[ToolOutputText(text="a")]],
    ],
    ids=repr,
)
def test_what_only_resembles_a_structured_output_is_text(value: Any) -> None:
    assert to_output_payload(value) == str(value)


@pytest.mark.parametrize("output", [ToolOutputImage, ToolOutputFileContent])
def test_an_image_or_a_file_needs_a_source(output: type[Any]) -> None:
    with pytest.raises(ValidationError, match="needs"):
        output()


def test_the_parts_are_what_the_client_sends() -> None:
    image = to_output_payload(ToolOutputImage(image_url="u", detail="auto"))
    file = to_output_payload(ToolOutputFileContent(file_id="f"))
    TypeAdapter(list[ResponseInputImageContentParam]).validate_python(image, strict=True)
    TypeAdapter(list[ResponseInputFileContentParam]).validate_python(file, strict=True)


texts = st.none() | st.text()


@given(image_url=texts, file_id=texts, detail=st.none() | st.sampled_from(["low", "high", "auto"]))
def test_a_model_and_its_dictionary_form_are_sent_alike(
    image_url: str | None, file_id: str | None, detail: Any
) -> None:
    fields = {"image_url": image_url, "file_id": file_id, "detail": detail}
    dictionary = {"type": "image", **fields}
    if image_url is None and file_id is None:
        assert to_output_payload(dictionary) == str(dictionary)
    else:
        assert to_output_payload(ToolOutputImage(**fields)) == to_output_payload(dictionary)
