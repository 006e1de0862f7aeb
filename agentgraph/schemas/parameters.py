"""The JSON schema of the pydantic model behind a function's arguments.

Rule: the result equals the schema of pydantic's own generator. This generator only takes less time,
because a program describes each of its tools once, at its start.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

if TYPE_CHECKING:
    from pydantic_core import CoreSchema

__all__ = ["arguments_json_schema"]

_UNSORTED: Final = ("properties", "default")
_PLAIN_DEFAULTS: Final = frozenset({bool, int, str, type(None)})
# Parts of a reference within a core schema: `package.module.Name:4711`, or `….Name:4711[int:12]`.
_NUMBER: Final = re.compile(r":\d+")
_QUALIFIER: Final = re.compile(r"[^.\[\],]+\.")
_SIMPLE_NAME: Final = re.compile(r"[A-Za-z0-9_]+")


def arguments_json_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Describe the values that a model validates.

    Args:
        model: A model to which no other model refers.

    Raises:
        PydanticUserError: The type of a field has no JSON schema.
    """
    return model.model_json_schema(schema_generator=_ArgumentsJsonSchema)


class _PlainJsonSchema(GenerateJsonSchema):
    # The function still uses a default that JSON cannot express; the schema leaves it out.
    ignored_warning_kinds = {  # noqa: RUF012 - declared so by pydantic
        "skipped-choice",
        "non-serializable-default",
    }


class _ArgumentsJsonSchema(_PlainJsonSchema):
    # The mapping from a kind of type to a method is the same for every schema and slow to compute.
    _methods: ClassVar[dict[Any, str]] = {}

    def build_schema_type_to_method(self) -> dict[Any, Callable[[Any], dict[str, Any]]]:
        if not self._methods:
            methods = super().build_schema_type_to_method()
            self._methods.update({kind: method.__name__ for kind, method in methods.items()})
        return {kind: getattr(self, name) for kind, name in self._methods.items()}

    def encode_default(self, dft: object) -> Any:
        # Pydantic builds a serializer for each default; these types need none.
        return dft if type(dft) in _PLAIN_DEFAULTS else super().encode_default(dft)

    def generate(
        self, schema: CoreSchema, mode: Literal["validation", "serialization"] = "validation"
    ) -> dict[str, Any]:
        """Write the schema in one pass over the schemas of the types.

        To name the definitions, pydantic compares each with all others. That is needless when the
        names of the types differ, as they nearly always do.
        """
        json_schema = self.generate_inner(schema)
        # This raises for a definition that JSON cannot express.
        counts = self.get_json_ref_counts(json_schema)
        names = {
            ref: _short_name(self.defs_to_core_refs[self.json_to_defs_refs[ref]][0])
            for ref in counts
            if ref in self.json_to_defs_refs
        }
        root: Any = json_schema.get("$ref")
        simple = all(map(_SIMPLE_NAME.fullmatch, names.values()))
        if len(json_schema) > 1 or counts.get(root) != 1 or not simple or _clash(names):
            return _PlainJsonSchema(self.by_alias, self.ref_template).generate(schema, mode)
        definitions = {
            names[ref]: self.definitions[self.json_to_defs_refs[ref]]
            for ref in names
            if ref != root
        }
        whole = dict(self.definitions[self.json_to_defs_refs[root]])
        if definitions:
            whole["$defs"] = definitions
        references = {ref: self.ref_template.format(model=name) for ref, name in names.items()}
        renamed: dict[str, Any] = _renamed(whole, None, references)
        return renamed


def _short_name(core_ref: str) -> str:
    return _QUALIFIER.sub("", _NUMBER.sub("", core_ref))


def _clash(names: dict[Any, str]) -> bool:
    return len(set(names.values())) < len(names)


def _renamed(value: object, key: str | None, references: dict[Any, str]) -> Any:
    """Copy a part of a schema, rename its references and sort its keywords."""
    if isinstance(value, dict):
        keys = value if key in _UNSORTED else sorted(value)
        return {name: _renamed(value[name], name, references) for name in keys}
    if isinstance(value, list):
        return [_renamed(member, key, references) for member in value]
    # The mapping of a discriminator refers to definitions outside a `$ref`.
    return references.get(value, value) if isinstance(value, str) else value
