"""Instances of a program's own classes: taking them apart and making them again.

Rule: an instance is restored by the pickling protocol: no `__init__`, no validator and no
`__post_init__` runs a second time. Only if the class has other fields than the stored form, its
constructor decides whether the value still fits.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field, fields
from functools import cache, cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = [
    "STANDARD_DERIVED",
    "Parts",
    "dataclass_again",
    "dataclass_parts",
    "derived_again",
    "is_derived",
    "is_model",
    "model_again",
    "model_parts",
    "plain_form",
]

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of an instance.

    Attributes:
        fields: The declared fields, by name.
        absent: Declared fields that the instance lacks.
        attributes: Attributes that no field declares.
        private: Private attributes of a model that differ from their defaults.
        extra: Extra fields of a model that allows them; `None` for all others.
        unset: Fields of a model that have their defaults because the program did not set them.
    """

    fields: Mapping[str, Any]
    absent: Set[str] = frozenset()
    attributes: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    private: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    extra: Mapping[str, Any] | None = None
    unset: Set[str] = frozenset()


@cache
def _base_model() -> type[Any]:
    from pydantic import BaseModel

    return BaseModel


def is_model(cls: type[Any]) -> bool:
    """Whether a class is a pydantic model."""
    return issubclass(cls, _base_model())


def model_parts(model: BaseModel) -> Parts:
    """Take a pydantic model apart, without the fields that its class excludes from every dump."""
    cls = type(model)
    stored = _stored_fields(cls)
    present = {name: value for name, value in vars(model).items() if name in stored}
    private = model.__pydantic_private__ or _NOTHING
    return Parts(
        fields=present,
        absent=stored - present.keys(),
        attributes=_attributes(model, cls.__pydantic_fields__.keys()),
        private={
            name: value for name, value in private.items() if not _is_default(cls, name, value)
        },
        extra=model.__pydantic_extra__,
        unset=present.keys() - model.model_fields_set,
    )


def model_again(cls: Any, parts: Parts) -> Any:
    """Make a model from its parts.

    Raises:
        ValueError: The fields of the class have changed, and the stored ones do not satisfy it.
    """
    if parts.fields.keys() | parts.absent != _stored_fields(cls):
        values: dict[str, Any] = {**parts.fields, **(parts.extra or _NOTHING)}
        return cls.model_validate(values, by_alias=False, by_name=True)
    excluded = {
        name: declared.get_default(call_default_factory=True, validated_data={**parts.fields})
        for name, declared in cls.__pydantic_fields__.items()
        if declared.exclude is True and not declared.is_required()
    }
    set_fields = (parts.fields.keys() - parts.unset) | (parts.extra or _NOTHING).keys()
    defaults = {
        name: declared.get_default()
        for name, declared in cls.__private_attributes__.items()
        if name not in parts.private
    }
    model = cls.__new__(cls)
    model.__setstate__(
        {
            "__dict__": {**excluded, **parts.fields, **parts.attributes},
            "__pydantic_extra__": None if parts.extra is None else dict(parts.extra),
            "__pydantic_fields_set__": set(set_fields),
            "__pydantic_private__": _defined({**defaults, **parts.private})
            if cls.__private_attributes__
            else None,
        }
    )
    return model


def _stored_fields(cls: type[Any]) -> Set[str]:
    declared = cls.__pydantic_fields__.items()
    return {name for name, one in declared if one.exclude is not True}


def _is_default(cls: type[Any], name: str, value: object) -> bool:
    declared = cls.__private_attributes__.get(name)
    return declared is not None and declared.default_factory is None and declared.default is value


def _defined(private: dict[str, Any]) -> dict[str, Any]:
    from pydantic_core import PydanticUndefined

    return {name: value for name, value in private.items() if value is not PydanticUndefined}


def _attributes(instance: object, declared: Set[str]) -> dict[str, Any]:
    """The attributes of an instance that are not fields, without cached properties."""
    cls = type(instance)
    return {
        name: value
        for name, value in getattr(instance, "__dict__", _NOTHING).items()
        if name not in declared and not isinstance(getattr(cls, name, None), cached_property)
    }


def dataclass_parts(instance: Any) -> Parts:
    """Take an instance of a dataclass apart."""
    names = [declared.name for declared in fields(instance)]
    present = {name: getattr(instance, name) for name in names if hasattr(instance, name)}
    return Parts(present, set(names) - present.keys(), _attributes(instance, set(names)))


def dataclass_again(cls: type[Any], parts: Parts) -> Any:
    """Make an instance of a dataclass from its parts.

    Raises:
        TypeError: The fields of the class have changed, and its constructor refuses the stored
            ones.
    """
    declared = {one.name: one for one in fields(cls)}
    if parts.fields.keys() | parts.absent != declared.keys():
        computed = {name for name, one in declared.items() if not one.init}
        return cls(**{name: value for name, value in parts.fields.items() if name not in computed})
    instance = object.__new__(cls)
    for name, value in {**parts.fields, **parts.attributes}.items():
        object.__setattr__(instance, name, value)
    return instance


class _Base(NamedTuple):
    """A built-in type that programs derive from, with functions to and from its plain form."""

    cls: type[Any]
    plain: Callable[[Any], Any]
    again: Callable[[Any, Any], Any]


def _filled_list(cls: type[list[Any]], items: list[Any]) -> list[Any]:
    filled = list.__new__(cls)
    list.extend(filled, items)
    return filled


def _filled_dict(cls: type[dict[Any, Any]], items: dict[Any, Any]) -> dict[Any, Any]:
    filled = cls.__new__(cls)
    for key, value in items.items():
        filled[key] = value
    return filled


_BASES: Final = (
    _Base(str, lambda value: str.__getitem__(value, slice(None)), str.__new__),
    _Base(bytes, lambda value: bytes.__getitem__(value, slice(None)), bytes.__new__),
    _Base(int, int.__pos__, int.__new__),
    _Base(float, float.__pos__, float.__new__),
    _Base(tuple, lambda value: tuple.__getitem__(value, slice(None)), tuple.__new__),
    _Base(list, list.copy, _filled_list),
    _Base(dict, dict.copy, _filled_dict),
)

STANDARD_DERIVED: Final = (Counter, OrderedDict)
"""Classes of the standard library that are dictionaries without further data."""


def is_derived(cls: type[Any]) -> bool:
    """Whether a class derives from a built-in type of text, numbers or containers."""
    return issubclass(cls, tuple(base.cls for base in _BASES))


def plain_form(value: Any) -> Any:
    """The plain form of a value whose class derives from a built-in type.

    Returns:
        The value in its base type (a tuple for a named tuple); `None` for other values and for
        values with more data than their plain form.
    """
    cls = type(value)
    for base in _BASES:
        if isinstance(value, base.cls):
            more = cls.__reduce__ is not base.cls.__reduce__ and cls not in STANDARD_DERIVED
            slots = any(vars(one).get("__slots__") for one in cls.__mro__)
            carries_more = more or slots or getattr(value, "__dict__", None)
            return None if carries_more else base.plain(value)
    return None


def derived_again(cls: type[Any], plain: object) -> Any:
    """Make a value of a derived class from its plain form.

    Raises:
        TypeError: The class does not derive from the type of the plain form.
    """
    for base in _BASES:
        if type(plain) is base.cls and issubclass(cls, base.cls):
            return base.again(cls, plain)
    raise TypeError(f"{cls.__qualname__} does not derive from {type(plain).__name__}")
