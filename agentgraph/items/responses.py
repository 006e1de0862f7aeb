"""A model's reply, and the names of the wire types in replies and inputs.

The wire types are the `openai` client's own. They are imported at the first use that inspects one;
the code here reads raw items by attribute only. A raw item never changes once it is part of a
response.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Union, cast

from agentgraph.authoring.pydantic_fields import names_types
from agentgraph.exceptions import AgentsException
from agentgraph.items.lazy_aliases import LazyAlias
from agentgraph.usage import Usage

if TYPE_CHECKING:
    from openai.types.responses import Response as TResponse
    from openai.types.responses import ResponseInputItemParam as TResponseInputItem
    from openai.types.responses import ResponseOutputItem as TResponseOutputItem
    from openai.types.responses import ResponseStreamEvent as TResponseStreamEvent
    from pydantic_core import SchemaSerializer

__all__ = [
    "ModelResponse",
    "TResponse",
    "TResponseInputItem",
    "TResponseOutputItem",
    "TResponseStreamEvent",
    "input_form",
]


def _of_the_client(name: str, like: object) -> LazyAlias:
    def load() -> Any:
        from openai.types import responses

        return getattr(responses, name)

    return LazyAlias(name, load, like)


if not TYPE_CHECKING:
    TResponseInputItem = _of_the_client("ResponseInputItemParam", Union[int, str])  # noqa: UP007
    TResponseOutputItem = _of_the_client("ResponseOutputItem", Annotated[int, ""])
    TResponseStreamEvent = _of_the_client("ResponseStreamEvent", Annotated[int, ""])


def input_form(raw_item: object) -> TResponseInputItem:
    """Convert a raw item into its input form, in which it is sent back to a model.

    Args:
        raw_item: A dictionary, which is its own input form, or one of the client's models.

    Returns:
        A dictionary with exactly the fields that the provider sent.

    Raises:
        AgentsException: `raw_item` is neither.
    """
    if isinstance(raw_item, dict):
        return cast("TResponseInputItem", raw_item)
    kind: object = type(raw_item)
    serializer = _serializer_of(kind)
    if serializer is not None:
        # A server may send parts that the client does not know. They go back as they came.
        plain: TResponseInputItem = serializer.to_python(
            raw_item, exclude_unset=True, warnings=False
        )
        return plain
    dump = getattr(raw_item, "model_dump", None)
    if dump is None:
        raise AgentsException(
            f"Cannot send {type(raw_item).__name__!r} to a model: "
            "a raw item is a dictionary or one of the client's response models."
        )
    return cast("TResponseInputItem", dump(exclude_unset=True))


@lru_cache(maxsize=256)
def _serializer_of(kind: type) -> SchemaSerializer | None:
    """Return the serializer of a class that inherits pydantic's `model_dump` unchanged: calling the
    serializer directly takes half the time."""
    from pydantic import BaseModel

    if issubclass(kind, BaseModel) and kind.model_dump is BaseModel.model_dump:
        return kind.__pydantic_serializer__
    return None


@names_types(TResponseOutputItem="openai.types.responses:ResponseOutputItem")
@dataclass
class ModelResponse:
    """One reply of a model.

    Attributes:
        output: The items of the reply, in the model's order.
        usage: The usage of the reply.
        response_id: The provider's id, by which a later call can continue from this reply; `None`
            if the provider has none.
        request_id: The provider's id of the request, for support cases.
        raw_usage: The usage as the provider sent it, if `ModelSettings.preserve_raw_usage` is set.
        answered_by: The name of the model that answered, and its server, if a `FallbackModel` chose
            it.
    """

    output: list[TResponseOutputItem]
    usage: Usage
    response_id: str | None
    request_id: str | None = None
    raw_usage: dict[str, Any] | None = field(default=None)
    answered_by: str | None = field(default=None, kw_only=True)

    def to_input_items(self) -> list[TResponseInputItem]:
        """Convert the reply into input for a later call.

        Returns:
            One new input item for each output item, with exactly the fields that the provider sent.
        """
        return [input_form(item) for item in self.output]


def __getattr__(name: str) -> Any:
    # It is a class, so a lazy alias cannot stand for it.
    if name == "TResponse":
        from openai.types.responses import Response

        return Response
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
