"""The classes of stored values: how a text names them, and where a reader finds them.

Rule: a stored text names a class, and reading never imports it. The program supplies the classes; a
value of any other class is read as a `Stored`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass
from typing import Any, Final, TypeAlias, get_args, get_origin, get_type_hints

from typing_extensions import is_typeddict

from agentgraph.exceptions import UserError

__all__ = [
    "NotReadable",
    "NotStorable",
    "Path",
    "Stored",
    "Types",
    "class_path",
    "classes_in",
    "find_class",
    "place",
]

Types: TypeAlias = Mapping[str, type[Any]] | Callable[[str], type[Any] | None]
"""The classes that a program supplies, by class path: a mapping or a function."""

Path: TypeAlias = tuple[Any, str] | None
"""The place of a value: the path of its container, and the last step (`.name`, `[3]`)."""

_ADVICE: Final = "Use JSON data, a pydantic model or a dataclass there, or leave the value out."


class NotStorable(UserError):
    """A value has no stored form.

    Args:
        path: The place of the value, such as `output.items[3].socket`.
        type_name: The path of its class.
        reason: Why it has no stored form, if the class alone does not explain it.

    Attributes:
        path: As above.
        type_name: As above.
    """

    path: str
    type_name: str

    def __init__(self, path: str, type_name: str, reason: str = "") -> None:
        self.path = path
        self.type_name = type_name
        because = f": {reason}" if reason else ""
        super().__init__(f"Cannot store {path} of type {type_name}{because}. {_ADVICE}")


class NotReadable(UserError):
    """A stored value is damaged, or the class that it names has changed too much.

    Args:
        path: The place of the value.
        reason: What is wrong.

    Attributes:
        path: As above.
    """

    path: str

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        super().__init__(f"Cannot read the stored value at {path}: {reason}.")


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored value whose class the program does not supply. Storing it again changes nothing.

    Attributes:
        class_path: The class that the text names.
        value: Its content in the text: a dictionary of fields, or the value of an enum.
        form: The stored form itself.
    """

    class_path: str
    value: object
    form: Mapping[str, Any]

    def __hash__(self) -> int:
        # It also replaces members of sets and keys of dictionaries.
        return hash((self.class_path, json.dumps(self.form, sort_keys=True)))


def class_path(cls: type[Any]) -> str:
    """The name of a class in a stored text: its module and its qualified name."""
    return f"{cls.__module__}.{cls.__qualname__}"


def find_class(path: object, types: Types | None) -> type[Any] | None:
    """The class that the program supplies for a path, or `None`."""
    if types is None or not isinstance(path, str):
        return None
    return types.get(path) if isinstance(types, Mapping) else types(path)


def place(path: Path) -> str:
    """Format a path for people."""
    steps: list[str] = []
    while path is not None:
        path, step = path
        steps.append(step)
    return "".join(reversed(steps))


def classes_in(*annotations: object) -> dict[str, type[Any]]:
    """Collect the classes that values of some types may hold, as `decode` takes them.

    Args:
        *annotations: Types such as the output types of agents: classes, unions, `list[Report]`.

    Returns:
        The models, dataclasses, enums and other classes in them, and in the fields of those, by
        class path.

    Raises:
        UserError: Two of the classes have one path.
    """
    classes: dict[str, type[Any]] = {}
    pending = list(annotations)
    while pending:
        annotation = pending.pop()
        origin = get_origin(annotation)
        if origin is not None and origin is not annotation:  # `Generic` is its own origin
            pending.extend((origin, *get_args(annotation)))
        # `list[int]` counts as a class too.
        if not isinstance(annotation, type) or origin is not None:
            continue
        path = class_path(annotation)
        if path not in classes:
            classes[path] = annotation
            pending.extend(_annotations_of(annotation))
        elif classes[path] is not annotation:
            raise UserError(
                f"Two classes have the path {path}. Rename one of them: a stored text cannot tell "
                "them apart."
            )
    return classes


def _annotations_of(cls: type[Any]) -> list[Any]:
    model_fields = getattr(cls, "__pydantic_fields__", None)
    if isinstance(model_fields, Mapping):
        return [field.annotation for field in model_fields.values()]
    if not (is_dataclass(cls) or is_typeddict(cls) or hasattr(cls, "_fields")):
        return []
    try:
        return list(get_type_hints(cls).values())
    except NameError:  # a name that only a type checker knows; its values are read as `Stored`
        return list(vars(cls).get("__annotations__", {}).values())
