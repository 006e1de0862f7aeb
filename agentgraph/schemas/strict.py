"""The strict form of a JSON schema, in which a model can only fill what the schema declares.

Rule: a strict schema describes the same values as the schema it came from, written out so that
every object is closed and every property is required (structured outputs of the Responses API).
What cannot be written that way (an object with free-form keys, a choice at the root, a reference
that what stands beside it contradicts, one that leads back to itself) is refused with a `UserError`
rather than changed in meaning.
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

# Keywords and names between the root and a part.
_MAX_PATH: Final = 150
# Inlined references multiply a schema; this many parts are far more than any API accepts.
_MAX_PARTS: Final = 100_000
_TOO_LARGE: Final = (
    "A JSON schema is too large or too deeply nested to be made strict. "
    "Flatten the type, or use a schema that is not strict."
)
_REF_PREFIX: Final = "#/"
# Keywords whose value maps names to schemas, and those whose value is one schema or a list of them.
_NAMED_SCHEMAS: Final = ("$defs", "definitions", "properties")
_SCHEMA_LISTS: Final = ("anyOf", "allOf")
# Parts that judge the very value that the whole judges.
_SAME_VALUE: Final = ("allOf", "anyOf", "oneOf")
# Keywords that say what is allowed beside the declared properties.
_FREE_KEYS: Final = ("additionalProperties", "patternProperties", "unevaluatedProperties")
# Keywords that judge no value: of two of them either may stand.
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
            place, except that an empty schema is left alone.

    Returns:
        The same dictionary; for an empty schema a new one that describes an object without
        properties.

    Raises:
        UserError: When the schema allows undeclared properties, has a choice at its root, is
            nested (or refers to itself) so deeply that it cannot be written out, has something
            beside a `$ref` or in a single `allOf` that contradicts it, or means itself by a `$ref`.
        ValueError: When a `$ref` with siblings does not point into the schema.
    """
    if not schema:
        return _nothing()
    # References are answered from the schema as it was: what stands in `schema` changes under way.
    return _Rewriting(_copied(schema)).whole(schema)


def strict_copy(schema: dict[str, Any]) -> dict[str, Any]:
    """Make the strict form of a schema and leave the schema as it is.

    Args:
        schema: As for `ensure_strict_json_schema`, with the same errors.
    """
    return _Rewriting(schema).whole(_copied(schema)) if schema else _nothing()


def resolve_ref(*, root: dict[str, object], ref: str) -> object:
    """Find what a reference within a schema points to.

    Args:
        root: The whole schema.
        ref: A JSON pointer that starts with `#/`.

    Raises:
        ValueError: When the reference has another form or its target does not exist.
    """
    if not ref.startswith(_REF_PREFIX):
        raise ValueError(
            f"Cannot resolve $ref {ref!r}: only references of the form '#/…' are read."
        )
    target: object = root
    for key in ref.removeprefix(_REF_PREFIX).split("/"):
        # RFC 6901: `~1` stands for a slash and `~0` for a tilde, in this order.
        name = key.replace("~1", "/").replace("~0", "~")
        if not is_dict(target) or name not in target:
            raise ValueError(f"Cannot resolve $ref {ref!r}: the schema has nothing at {key!r}.")
        target = target[name]
    return target


def is_dict(value: object) -> TypeGuard[dict[str, object]]:
    """Tell whether a part of a schema is an object; JSON allows only text keys."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[object]]:
    """Tell whether a part of a schema is an array."""
    return isinstance(value, list)


def has_more_than_n_keys(value: dict[str, object], n: int) -> bool:
    """Tell whether an object has more than `n` keys."""
    return len(value) > n


def _nothing() -> dict[str, Any]:
    return {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


def _copied(schema: dict[str, Any]) -> dict[str, Any]:
    try:
        copied: dict[str, Any] = _copy(schema, {})
    except RecursionError:
        raise UserError(_TOO_LARGE) from None
    return copied


def _copy(value: Any, copies: dict[int, Any]) -> Any:
    """Copy objects and arrays, one that stands in several places once; other values cannot
    change."""
    if not isinstance(value, (dict, list)):
        return value
    made = copies.get(id(value))
    if made is not None:
        return made
    if isinstance(value, dict):
        copies[id(value)] = copied = {}
        for key, member in value.items():
            copied[key] = _copy(member, copies)
        return copied
    copies[id(value)] = listed = []
    listed.extend([_copy(member, copies) for member in value])
    return listed


class _Rewriting:
    """One schema being rewritten.

    Attributes:
        root: The schema before any change, which answers references.
        parts: How many parts have been rewritten so far.
        founded: The references that are known to lead to something else than themselves.
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
            path: Where it stands, for messages.
            inlined: The references whose copies this part lies in.
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
        # A default of null says "may be left out", which a strict schema does not know.
        if "default" in node and node["default"] is None:
            del node["default"]
        return node

    def _inline_reference(self, node: dict[str, Any], inlined: frozenset[str]) -> frozenset[str]:
        """Replace a `$ref` that has siblings by a copy of its target; the siblings win.

        Structured outputs ignore what stands beside a `$ref`, for instance a description.
        """
        while "$ref" in node and len(node) > 1:
            ref = node.pop("$ref")
            if not isinstance(ref, str):
                raise ValueError("A $ref in a JSON schema must be text.")
            if ref in inlined:
                raise UserError(
                    f"The JSON schema's {ref!r} refers to itself beside a description or default, "
                    "which cannot be written out. Remove what stands beside the reference, or use "
                    "a schema that is not strict."
                )
            inlined |= {ref}
            target = _copy(resolve_ref(root=self.root, ref=ref), {})
            _add_missing(node, target, f"the reference {ref!r}")
        return inlined

    def _check_founded(self, node: object, path: tuple[str, ...]) -> None:
        """Refuse a schema that says of a value only that it is what the schema says.

        Args:
            node: A part that judges the value.
            path: The references on the way to it.
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
                "references, `allOf` or `anyOf` alone."
            )
        try:
            target = self.root if ref == "#" else resolve_ref(root=self.root, ref=ref)
        except ValueError:
            return  # what the reference means is somebody else's to say
        self._check_founded(target, (*path, ref))
        self.founded.add(ref)


def _add_missing(node: dict[str, Any], other: object, where: str) -> None:
    """Give a schema the keywords of another one that judges the same value.

    Args:
        node: The schema.
        other: The other one.
        where: What the other one is, for messages.
    """
    if not is_dict(other):
        raise ValueError("A $ref in a JSON schema must point to a schema.")
    for keyword, value in other.items():
        if node.setdefault(keyword, value) != value and keyword not in _NOTES:
            raise UserError(
                f"What stands beside {where} in a JSON schema contradicts it in {keyword!r}. "
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
