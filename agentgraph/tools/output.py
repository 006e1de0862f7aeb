"""What a tool may return besides text, and how the Responses API receives it.

Rule: a structured output (`ToolOutputText`, `ToolOutputImage`, `ToolOutputFileContent`, or a
dictionary of their form) is sent as content parts, and so is a non-empty list or tuple of them.
Anything else is sent as its text form. Only fields that were set are sent.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, model_validator

from agentgraph.items.tool_payload import (
    StructuredToolOutput,
    ToolOutputFileContentDict,
    ToolOutputImageDict,
    ToolOutputTextDict,
    to_output_payload,
)

__all__ = [
    "ToolOutputFileContent",
    "ToolOutputFileContentDict",
    "ToolOutputImage",
    "ToolOutputImageDict",
    "ToolOutputText",
    "ToolOutputTextDict",
    "ValidToolOutputPydanticModels",
    "to_output_payload",
]


class ToolOutputText(BaseModel, StructuredToolOutput):
    """Text as the output of a tool.

    Attributes:
        text: The text.
    """

    type: Literal["text"] = "text"
    text: str


class ToolOutputImage(BaseModel, StructuredToolOutput):
    """An image as the output of a tool. It needs an `image_url` or a `file_id`.

    Attributes:
        image_url: Where the image is, or the image itself as a `data:` URL.
        file_id: The id of an uploaded file.
        detail: How closely the model looks at it.
    """

    type: Literal["image"] = "image"
    image_url: str | None = None
    file_id: str | None = None
    detail: Literal["low", "high", "auto"] | None = None

    @model_validator(mode="after")
    def _has_a_source(self) -> Self:
        if self.image_url is None and self.file_id is None:
            raise ValueError("ToolOutputImage needs image_url or file_id.")
        return self


class ToolOutputFileContent(BaseModel, StructuredToolOutput):
    """A file as the output of a tool. It needs `file_data`, a `file_url` or a `file_id`.

    Attributes:
        file_data: The file itself, in base64.
        file_url: Where the file is.
        file_id: The id of an uploaded file.
        filename: The file's name, without a folder.
    """

    type: Literal["file"] = "file"
    file_data: str | None = None
    file_url: str | None = None
    file_id: str | None = None
    filename: str | None = None

    @model_validator(mode="after")
    def _has_a_source(self) -> Self:
        if self.file_data is None and self.file_url is None and self.file_id is None:
            raise ValueError("ToolOutputFileContent needs file_data, file_url or file_id.")
        return self


ValidToolOutputPydanticModels = ToolOutputText | ToolOutputImage | ToolOutputFileContent
"""Any structured output of a tool."""
