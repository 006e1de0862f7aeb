"""Copies for user code. Filters and hooks get copies of recorded values, so that a change in place
does not change the record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from typing import Any, TypeVar

from agentgraph.items import RunItem
from agentgraph.model_settings import ModelSettings
from agentgraph.retry import ModelRetryBackoffSettings, ModelRetrySettings

T = TypeVar("T")

_ATOMS = (str, int, float, bool, bytes, type(None))


def copy_of(value: T) -> T:
    """A deep copy of dictionaries, lists, tuples, pydantic models and retry settings; other objects
    are shared.

    Args:
        value: The value.
    """
    if type(value) in _ATOMS:
        return value
    copied: T = _copy_of(value)
    return copied


def _copy_of(value: Any) -> Any:
    kind = type(value)
    if kind is dict:
        return {name: part if type(part) is str else copy_of(part) for name, part in value.items()}
    if kind is list or kind is tuple:
        return kind(map(copy_of, value))
    if hasattr(value, "model_copy"):
        return value.model_copy(deep=True)
    if isinstance(value, ModelRetrySettings | ModelRetryBackoffSettings):
        copied = copy(value)
        vars(copied).update(copy_of(vars(value)))
        return copied
    return value


def copies_of(items: Iterable[RunItem]) -> tuple[RunItem, ...]:
    """Copies of run items, with raw items and outputs of their own; the agents are shared."""
    return tuple(map(_item_copy, items))


def _item_copy(item: RunItem) -> RunItem:
    copied = copy(item)
    for name, value in vars(item).items():
        if name in _CONTENT:
            setattr(copied, name, copy_of(value))
    return copied


_CONTENT = frozenset({"raw_item", "output", "custom_data"})


def originals(
    items: Iterable[RunItem], copies: Sequence[RunItem], log: Sequence[RunItem]
) -> list[RunItem]:
    """Items with every unchanged copy replaced by its original; the others are copied.

    Args:
        items: The items that user code returned.
        copies: Copies of the log.
        log: The log.
    """
    pairs = {id(copied): (copied, original) for copied, original in zip(copies, log, strict=True)}
    resolved: list[RunItem] = []
    for item in items:
        copied, original = pairs.get(id(item), (item, None))
        same = original is not None and _content(copied) == _content(original)
        resolved.append(original if same and original is not None else _item_copy(item))
    return resolved


def _content(item: RunItem) -> list[Any]:
    return [getattr(item, name, None) for name in _CONTENT]


def mutable_names(settings: ModelSettings) -> tuple[str, ...]:
    """The names of the settings with values that can change in place."""
    return tuple(name for name, value in vars(settings).items() if type(value) not in _ATOMS)


def settings_copy(settings: ModelSettings, mutable: Iterable[str]) -> ModelSettings:
    """A copy of settings.

    Args:
        settings: The settings.
        mutable: The names that ``mutable_names`` gives for them.
    """
    copied = object.__new__(type(settings))
    values = copied.__dict__
    values.update(settings.__dict__)
    for name in mutable:
        values[name] = copy_of(values[name])
    return copied
