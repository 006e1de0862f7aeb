"""The stored form of values of user code: outputs of tools, infos of guardrails, final outputs.

JSON values are stored unchanged, all others as an object with the key `$type`. `decode` returns an
equal value of the same class; `encode` refuses a value that it cannot store. They drop only what
must not be stored: a secret of pydantic comes back as its mask, and a field that a model excludes
from every dump comes back as its default.

The tags: `text`, `int` and `float` (values that JSON or UTF-8 cannot represent), `tuple`, `set`,
`frozenset`, `dict` (keys that are not plain text, or a key `$type`), those of `leaf_forms`,
`secret`, and, with the path of their class, `enum`, `model`, `dataclass`, `derived` (a named tuple,
a subclass of `str`) and `adapted` (a class with a pydantic schema of its own).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from agentgraph.stored.instances import (
    STANDARD_DERIVED,
    Parts,
    dataclass_again,
    dataclass_parts,
    derived_again,
    is_derived,
    is_model,
    model_again,
    model_parts,
    plain_form,
)
from agentgraph.stored.leaf_forms import (
    LEAVES,
    READERS,
    adapted,
    adapted_classes,
    encode_text,
    is_plain_number,
    read_adapted,
)
from agentgraph.stored.plain_values import DEEPEST, TAG, NotPlain, copied
from agentgraph.stored.value_types import (
    NotReadable,
    NotStorable,
    Path,
    Stored,
    Types,
    class_path,
    classes_in,
    find_class,
    place,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "NotReadable",
    "NotStorable",
    "Stored",
    "Types",
    "class_path",
    "classes_in",
    "decode",
    "encode",
]

_MASK: Final = "**********"
_STANDARD_DERIVED: Final = {class_path(cls): cls for cls in STANDARD_DERIVED}


def encode(value: object, path: str = "value") -> Any:
    """Turn a value into JSON data.

    Args:
        value: Any value of user code.
        path: The name of the value, for messages: `output`, `custom_data`.

    Returns:
        New JSON data without NaN, infinities or text that UTF-8 cannot encode.

    Raises:
        NotStorable: The value, or a part of it, has no stored form.
    """
    try:
        return copied(value)
    except NotPlain:
        return _Writer().write(value, (None, path))


def decode(data: object, types: Types | None = None, path: str = "value") -> Any:
    """Read what `encode` wrote.

    Args:
        data: The stored form.
        types: The classes of the program, by class path; `classes_in` collects them. A missing
            class is never imported; its value is read as a `Stored`.
        path: The name of the value, for messages.

    Returns:
        A value that shares nothing with `data`.

    Raises:
        NotReadable: The stored form is damaged or no longer fits its class.
    """
    try:
        return copied(data)
    except NotPlain:
        return _Reader(types).read(data, (None, path))


@cache
def _secrets() -> Mapping[str, tuple[type[Any], Any]]:
    """The classes of secrets, by their name in a form, each with the mask that is read back."""
    from pydantic import Secret, SecretBytes, SecretStr

    return {
        "str": (SecretStr, SecretStr(_MASK)),
        "bytes": (SecretBytes, SecretBytes(_MASK.encode())),
        "value": (Secret, Secret(_MASK)),
    }


class _Writer:
    """Writes one value; keeps the containers that surround the current place."""

    def __init__(self) -> None:
        self._inside: set[int] = set()
        self._in_a_key = 0

    def write(self, value: Any, path: Path) -> Any:
        cls = type(value)
        if value is None or cls is bool:
            return value
        if cls is str:
            return encode_text(value)
        if (cls is int or cls is float) and is_plain_number(value):
            return value
        if (leaf := LEAVES.get(cls)) is not None:
            fields = leaf.write(value)
            if isinstance(fields, str):
                raise NotStorable(place(path), class_path(cls), fields)
            return {TAG: leaf.tag, **fields}
        if cls is Stored:
            return dict(value.form)
        if id(value) in self._inside:
            raise NotStorable(place(path), class_path(cls), "it contains itself")
        if len(self._inside) >= DEEPEST:
            raise NotStorable(place(path), class_path(cls), f"it lies {DEEPEST} levels deep")
        self._inside.add(id(value))
        try:
            return self._write_whole(value, path)
        finally:
            self._inside.remove(id(value))

    def _write_whole(self, value: Any, path: Path) -> Any:
        cls = type(value)
        if cls is dict:
            return self._write_dict(value, path)
        if cls is list:
            return self._items(value, path)
        if cls is tuple:
            return {TAG: "tuple", "items": self._items(value, path)}
        if cls is set or cls is frozenset:
            members = [self._write_key(member, (path, "{}")) for member in value]
            return {TAG: cls.__name__, "items": sorted(members, key=_order)}
        if isinstance(value, Enum):
            return self._write_enum(value, path)
        if is_model(cls):
            return self._write_parts("model", cls, model_parts(value), path)
        for kind, (secret, _) in _secrets().items():
            if isinstance(value, secret):
                return self._write_secret(kind, cls, path)
        if is_dataclass(cls) and not is_derived(cls):
            return self._write_parts("dataclass", cls, dataclass_parts(value), path)
        if (plain := plain_form(value)) is not None:
            return {
                TAG: "derived",
                "class": class_path(cls),
                "value": self.write(plain, path),
            }
        if (pair := adapted(value)) is not None:
            return {TAG: "adapted", "class": pair[0], "value": pair[1]}
        reason = "it has more data than its plain form" if is_derived(cls) else ""
        raise NotStorable(place(path), class_path(cls), reason)

    def _items(self, values: Iterable[Any], path: Path) -> list[Any]:
        return [self.write(item, (path, f"[{index}]")) for index, item in enumerate(values)]

    def _write_dict(self, value: dict[Any, Any], path: Path) -> dict[str, Any]:
        if all(type(key) is str and encode_text(key) is key for key in value) and TAG not in value:
            return {key: self.write(item, (path, _step(key))) for key, item in value.items()}
        items = [
            [self._write_key(key, (path, ".keys()")), self.write(item, (path, _step(key)))]
            for key, item in value.items()
        ]
        return {TAG: "dict", "items": items}

    def _write_key(self, value: object, path: Path) -> Any:
        self._in_a_key += 1
        try:
            return self.write(value, path)
        finally:
            self._in_a_key -= 1

    def _write_secret(self, kind: str, cls: type[Any], path: Path) -> dict[str, Any]:
        if self._in_a_key:
            raise NotStorable(place(path), class_path(cls), "masked keys would be equal")
        return {TAG: "secret", "of": kind}

    def _write_enum(self, value: Enum, path: Path) -> dict[str, Any]:
        form = {TAG: "enum", "class": class_path(type(value)), "name": value.name}
        try:
            form["value"] = self.write(value.value, (path, ".value"))
        except NotStorable:
            if value.name not in type(value).__members__:
                raise
        return form

    def _write_parts(self, tag: str, cls: type[Any], parts: Parts, path: Path) -> dict[str, Any]:
        form: dict[str, Any] = {TAG: tag, "class": class_path(cls)}
        form["fields"] = self._named(parts.fields, path)
        if parts.extra is not None:
            form["extra"] = self._named(parts.extra, path)
        if parts.attributes:
            form["attributes"] = self._named(parts.attributes, path)
        if parts.private:
            form["private"] = self._named(parts.private, path)
        if parts.absent:
            form["absent"] = sorted(parts.absent)
        if parts.unset:
            form["unset"] = sorted(parts.unset)
        return form

    def _named(self, values: Mapping[str, Any], path: Path) -> dict[str, Any]:
        return {name: self.write(value, (path, f".{name}")) for name, value in values.items()}


def _order(form: object) -> str:
    return json.dumps(form, sort_keys=True)


def _step(key: object) -> str:
    return f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{key!r}]"


class _Reader:
    """Reads one value."""

    def __init__(self, types: Types | None) -> None:
        self._types = types

    def read(self, data: object, path: Path) -> Any:
        if isinstance(data, list):
            return [self.read(item, (path, f"[{index}]")) for index, item in enumerate(data)]
        if not isinstance(data, Mapping):
            return data
        if TAG not in data:
            return {key: self.read(item, (path, _step(key))) for key, item in data.items()}
        try:
            return self._read_tagged(data, path)
        except NotReadable:
            raise
        except (
            ArithmeticError,
            AttributeError,
            LookupError,
            RuntimeError,
            TypeError,
            ValueError,
        ) as error:
            named = f" of {data['class']}" if "class" in data else ""
            raise NotReadable(
                place(path),
                f"its form {data[TAG]!r}{named} does not fit: {type(error).__name__}: {error}",
            ) from error

    def _read_tagged(self, data: Mapping[str, Any], path: Path) -> Any:
        tag = data[TAG]
        if tag in READERS:
            return READERS[tag](dict(data))
        match tag:
            case "dict":
                return {
                    self.read(key, path): self.read(item, (path, _step(key)))
                    for key, item in data["items"]
                }
            case "tuple" | "set" | "frozenset":
                container: Callable[[Any], Any] = _CONTAINERS[tag]
                return container(self.read(list(data["items"]), path))
            case "secret":
                return _secrets()[data["of"]][1]
            case "enum" | "model" | "dataclass" | "derived" | "adapted":
                return self._read_instance(tag, data, path)
        raise NotReadable(
            place(path),
            f"this version knows no form {tag!r}; a newer version wrote it, or a person changed it",
        )

    def _read_instance(self, tag: str, data: Mapping[str, Any], path: Path) -> Any:
        named = data["class"]
        cls = find_class(named, self._types)
        if cls is None and tag == "derived":
            cls = _STANDARD_DERIVED.get(named)
        if cls is None and tag == "adapted":
            cls = adapted_classes().get(named)
        if tag == "enum":
            return self._read_enum(cls, data, path)
        if tag in ("model", "dataclass"):
            parts = self._parts(data, path)
            if cls is None:
                return Stored(named, {**parts.fields, **(parts.extra or {})}, data)
            return (model_again if tag == "model" else dataclass_again)(cls, parts)
        value = self.read(data["value"], path)
        if cls is None:
            return Stored(named, value, data)
        return (derived_again if tag == "derived" else read_adapted)(cls, value)

    def _read_enum(self, cls: type[Any] | None, data: Mapping[str, Any], path: Path) -> Any:
        name = data["name"]
        if cls is None:
            return Stored(data["class"], self.read(data.get("value", name), path), data)
        members: Mapping[str, Any] = cls.__members__
        if name in members:
            return members[name]
        return cls(self.read(data["value"], path))

    def _parts(self, data: Mapping[str, Any], path: Path) -> Parts:
        extra = data.get("extra")
        return Parts(
            fields=self._named(data["fields"], path),
            absent=frozenset(data.get("absent", ())),
            attributes=self._named(data.get("attributes", {}), path),
            private=self._named(data.get("private", {}), path),
            extra=None if extra is None else self._named(extra, path),
            unset=frozenset(data.get("unset", ())),
        )

    def _named(self, values: Mapping[str, Any], path: Path) -> dict[str, Any]:
        return {name: self.read(value, (path, f".{name}")) for name, value in values.items()}


_CONTAINERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
}
