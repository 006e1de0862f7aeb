"""The inputs of the model calls of one run share what a model made of their common beginning.

Each turn adds a few items to the input. A model that converts the items into requests of its API
converts only those, so turn 1,000 costs what turn 10 costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from agentgraph.items.responses import TResponseInputItem

__all__ = ["Conversions", "ModelInput", "conversion"]

S = TypeVar("S")

Conversions = dict[object, tuple[list[Any], object]]
"""The items that a model has converted and the result, by a key of the model's."""


class ModelInput(list["TResponseInputItem"]):
    """The input of one model call: a list of its own, whose items other inputs share.

    Args:
        items: The items.
        conversions: The conversions of the run, which this input shares with the others.
    """

    __slots__ = ("conversions",)

    def __init__(self, items: Iterable[TResponseInputItem], conversions: Conversions) -> None:
        super().__init__(items)
        self.conversions = conversions

    def __reduce__(self) -> tuple[type[list[Any]], tuple[list[Any]]]:
        """A copy is a plain list, without the conversions."""
        return list, (list(self),)


def conversion(
    input: Sequence[Any], key: object, start: Callable[[], S], add: Callable[[S, list[Any]], object]
) -> S:
    """Convert an input, of which an earlier call may have converted the beginning.

    Args:
        input: The items.
        key: What the conversion depends on besides the items.
        start: Makes an empty conversion.
        add: Adds items to a conversion.

    Returns:
        The conversion of all items. The next call with the same key may add to it.
    """
    conversions = input.conversions if isinstance(input, ModelInput) else {}
    # Taken out first: if an item cannot be converted, half a conversion must not stay.
    items, made = conversions.pop(key, ([], None))
    if made is None or input[: len(items)] != items:
        items, made = [], start()
    result, new = cast("S", made), list(input[len(items) :])
    add(result, new)
    conversions[key] = ([*items, *new], result)
    return result
