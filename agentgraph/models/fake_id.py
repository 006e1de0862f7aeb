"""Placeholder ids: what an item has as its id when the provider gives none.

Many items may share a placeholder id. It is never sent to the Responses API. The id of a call takes
the place of an id of its item as well: a scripted call has no other (the published SDK's rule).
"""

from collections.abc import Mapping
from typing import Final

__all__ = ["FAKE_RESPONSES_ID", "PLACEHOLDER_IDS", "SCRIPTED_MESSAGE_ID", "has_placeholder_id"]

FAKE_RESPONSES_ID: Final = "__fake_id__"
"""The id of responses and items made from providers without ids (the published SDK's value)."""

SCRIPTED_MESSAGE_ID: Final = "scripted-message"
"""The id of every message of a scripted model (the published SDK's value)."""

PLACEHOLDER_IDS: Final = ("", FAKE_RESPONSES_ID, SCRIPTED_MESSAGE_ID)
"""All ids that mean "no id"."""


def has_placeholder_id(fields: Mapping[str, object]) -> bool:
    """Whether the id of an item in input form means that it has none."""
    identity = fields.get("id")
    if identity is None:
        return False
    return identity in PLACEHOLDER_IDS or identity == fields.get("call_id")
