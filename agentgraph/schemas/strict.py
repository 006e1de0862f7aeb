"""The strict form of a JSON schema, as structured outputs of the Responses API require it.

Rule: the strict form describes the same values as the original schema, but closes every object and
requires every property. A schema that has no such form is refused with a `UserError` instead of
being changed in meaning: an object with free-form keys, a choice at the root, a reference that
contradicts its siblings, or a reference that leads back to itself.
"""

from __future__ import annotations

from typing import Any, Final, TypeGuard

from agentgraph.exceptions import UserError

__all__ = [
    "ensure_strict_json_schema",
    "has_more_than_n_keys",
    "is_dict",
    "is_list",
    "resolve_ref",
    "strict_copy",
]

# The most keywords and names between the root and a part.
_MAX_PATH: Final = 150
# Inlining references multiplies the parts; this many are far more than any API accepts.
_MAX_PARTS: Final = 100_000
_TOO_LARGE: Final = (
    "A JSON schema is too large or too deeply nested to be made strict. "
    "Flatten the type, or use a schema that is not strict."
)
_REF_PREFIX: Final = "#/"
# Keywords whose value maps names to schemas, and those whose value is one schema or a list of them.
_NAMED_SCHEMAS: Final = ("$defs", "definitions", "properties")
_SCHEMA_LISTS: Final = ("anyOf", "allOf")
# Keywords whose parts apply to the same value as the whole schema.
_SAME_VALUE: Final = ("allOf", "anyOf", "oneOf")
# Keywords that allow properties beside the declared ones.
_FREE_KEYS: Final = ("additionalProperties", "patternProperties", "unevaluatedProperties")
# Keywords that constrain no value, so two different ones never contradict each other.
_NOTES: Final = frozenset(
    {
        "$comment",
        "$defs",
        "$id",
        "$schema",
        "default",
        "definitions",
        "deprecated",
        "description",
        "examples",
        "readOnly",
        "title",
        "writeOnly",
    }
)


def ensure_strict_json_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Rewrite a JSON schema in place so that structured outputs accept it.

    Args:
        schema: The schema of an object type, as pydantic or a person wrote it. It is changed in
            place, but an empty schema stays unchanged.

    Returns:
        The same dictionary; for an empty schema, a new one that describes an object without
        properties.

    Raises:
        UserError: The schema allows undeclared properties, has a choice at its root, is nested (or
            refers to itself) too deeply to be written out, contradicts itself beside a `$ref` or
            in a single `allOf`, or has a `$ref` that leads only to itself.
        ValueError: A `$ref` with siblings does not point into the schema.
    """
    if not schema:
        return _empty_object()
    # References are resolved in a copy, because `schema` itself changes during the rewriting.
    return _Rewriting(_copy_of(schema)).whole(schema)


def strict_copy(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the strict form of a schema, and leave the schema unchanged.

    Args:
        schema: As for `ensure_strict_json_schema`, which raises the same errors.
    """
    return _Rewriting(schema).whole(_copy_of(schema)) if schema else _empty_object()


def resolve_ref(*, root: dict[str, object], ref: str) -> object:
    """Find the target of a reference within a schema.

    Args:
        root: The whole schema.
        ref: A JSON pointer that starts with `#/`.

    Raises:
        ValueError: The reference has another form, or its target does not exist.
    """
    if not ref.startswith(_REF_PREFIX):
        raise ValueError(
            f"Cannot resolve $ref {ref!r}: only references of the form '#/…' are supported."
        )
    target: object = root
    for key in ref.removeprefix(_REF_PREFIX).split("/"):
        # RFC 6901: `~1` stands for a slash and `~0` for a tilde; replace them in this order.
        name = key.replace("~1", "/").replace("~0", "~")
        if not is_dict(target) or name not in target:
            raise ValueError(f"Cannot resolve $ref {ref!r}: the schema has nothing at {key!r}.")
        target = target[name]
    return target


def is_dict(value: object) -> TypeGuard[dict[str, object]]:
    """Whether a part of a schema is a JSON object; all keys of one are strings."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[object]]:
    """Whether a part of a schema is a JSON array."""
    return isinstance(value, list)


def has_more_than_n_keys(value: dict[str, object], n: int) -> bool:
    """Whether a JSON object has more than `n` keys."""
    return len(value) > n


def _empty_object() -> dict[str, Any]:
    return {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


def _copy_of(schema: dict[str, Any]) -> dict[str, Any]:
    try:
        duplicate: dict[str, Any] = _copy(schema, {})
    except RecursionError:
        raise UserError(_TOO_LARGE) from None
    return duplicate


def _copy(value: object, copies: dict[int, Any]) -> Any:
    """Copy objects and arrays; one that stands in several places is copied once. Other values are
    immutable."""
    if not isinstance(value, (dict, list)):
        return value
    earlier = copies.get(id(value))
    if earlier is not None:
        return earlier
    if isinstance(value, dict):
        copies[id(value)] = mapping = {}
        for key, member in value.items():
            mapping[key] = _copy(member, copies)
        return mapping
    copies[id(value)] = array = []
    array.extend([_copy(member, copies) for member in value])
    return array


class _Rewriting:
    """The rewriting of one schema.

    Attributes:
        root: The schema before any change; references are resolved in it.
        parts: The number of parts rewritten so far.
        founded: The references that are checked and lead to more than themselves.
    """

    __slots__ = ("founded", "parts", "root")

    def __init__(self, root: dict[str, Any]) -> None:
        self.root = root
        self.parts = 0
        self.founded: set[str] = set()

    def whole(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Make a copy of the root strict, in place."""
        if "anyOf" in schema or "oneOf" in schema:
            raise UserError(
                "A strict JSON schema cannot have `anyOf` or `oneOf` at its root. "
                "Put the choice into a property of an object type."
            )
        return self.rewrite(schema, (), frozenset())

    def rewrite(
        self, node: object, path: tuple[str, ...], inlined: frozenset[str]
    ) -> dict[str, Any]:
        """Make one part of the schema strict, in place.

        Args:
            node: The part.
            path: The keywords and names that lead to it, for messages.
            inlined: The references whose inlined copies contain this part.
        """
        if not isinstance(node, dict):
            raise TypeError(f"Expected a JSON schema at {'/'.join(path) or 'the root'}.")
        self.parts += 1
        if len(path) > _MAX_PATH or self.parts > _MAX_PARTS:
            raise UserError(_TOO_LARGE)
        if "$ref" in node:
            self._check_founded(node, ())
        inlined = self._inline_reference(node, inlined)
        if "oneOf" in node:
            node["anyOf"] = [*node.get("anyOf", ()), *node.pop("oneOf")]
        _close_object(node)
        for keyword in _NAMED_SCHEMAS:
            if is_dict(members := node.get(keyword)):
                for name, member in members.items():
                    members[name] = self.rewrite(member, (*path, keyword, name), inlined)
        if is_dict(items := node.get("items")):
            node["items"] = self.rewrite(items, (*path, "items"), inlined)
        for keyword in _SCHEMA_LISTS:
            if is_list(options := node.get(keyword)):
                node[keyword] = [
                    self.rewrite(option, (*path, keyword, str(index)), inlined)
                    for index, option in enumerate(options)
                ]
        if is_list(parts := node.get("allOf")) and len(parts) == 1:
            del node["allOf"]
            _add_missing(node, parts[0], "its only `allOf`")
        # A default of null means "may be left out", which a strict schema cannot express.
        if "default" in node and node["default"] is None:
            del node["default"]
        return node

    def _inline_reference(self, node: dict[str, Any], inlined: frozenset[str]) -> frozenset[str]:
        """Replace a `$ref` that has siblings by a copy of its target; the siblings win.

        Structured outputs ignore the siblings of a `$ref`, for instance a description.
        """
        while "$ref" in node and len(node) > 1:
            ref = node.pop("$ref")
            if not isinstance(ref, str):
                raise ValueError("A $ref in a JSON schema must be text.")
            if ref in inlined:
                raise UserError(
                    f"The JSON schema's {ref!r} refers to itself beside a description or default, "
                    "which cannot be written out. Remove the keywords beside the reference, or use "
                    "a schema that is not strict."
                )
            inlined |= {ref}
            target = _copy(resolve_ref(root=self.root, ref=ref), {})
            _add_missing(node, target, f"the reference {ref!r}")
        return inlined

    def _check_founded(self, node: object, path: tuple[str, ...]) -> None:
        """Refuse a schema whose references lead back to itself without describing a value.

        Args:
            node: A part of the schema that applies to the value.
            path: The references that lead to this part.
        """
        if not is_dict(node):
            return
        for keyword in _SAME_VALUE:
            if is_list(parts := node.get(keyword)):
                for part in parts:
                    self._check_founded(part, path)
        ref = node.get("$ref")
        if not isinstance(ref, str) or ref in self.founded:
            return
        if ref in path:
            raise UserError(
                f"The JSON schema's {ref!r} refers to itself without describing anything, by "
                "references, `allOf` or `anyOf` alone. Let it describe a value."
            )
        try:
            target = self.root if ref == "#" else resolve_ref(root=self.root, ref=ref)
        except ValueError:
            return  # `_inline_reference` reports a reference that it must resolve
        self._check_founded(target, (*path, ref))
        self.founded.add(ref)


def _add_missing(node: dict[str, Any], other: object, where: str) -> None:
    """Add the keywords of another schema that applies to the same value.

    Args:
        node: The schema.
        other: The other schema.
        where: A description of the other schema, for messages.
    """
    if not is_dict(other):
        raise ValueError("A $ref in a JSON schema must point to a schema.")
    for keyword, value in other.items():
        if node.setdefault(keyword, value) != value and keyword not in _NOTES:
            raise UserError(
                f"A JSON schema beside {where} contradicts it in {keyword!r}. "
                "Remove one of the two, or use a schema that is not strict."
            )


def _close_object(node: dict[str, Any]) -> None:
    kind = node.get("type")
    if kind is None and is_dict(node.get("properties")):
        kind = node["type"] = "object"
    is_object = kind == "object" or (is_list(kind) and "object" in kind)
    if is_object or kind is None:
        for keyword in _FREE_KEYS:
            if node.get(keyword, False) is not False:
                raise UserError(
                    "A strict JSON schema cannot describe an object with free-form keys "
                    f"({keyword}). Declare the keys, or turn strict mode off: "
                    "strict_mode=False for a tool, strict_json_schema=False for an output type."
                )
    if is_object:
        node["additionalProperties"] = False
    if is_dict(properties := node.get("properties")):
        node["required"] = list(properties)
