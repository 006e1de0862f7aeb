"""Placeholder ids: what an item has as its id when the provider gives none.

Many items may share a placeholder id. It is never sent to the Responses API.
"""

from typing import Final

__all__ = ["FAKE_RESPONSES_ID", "PLACEHOLDER_IDS", "SCRIPTED_MESSAGE_ID"]

FAKE_RESPONSES_ID: Final = "__fake_id__"
"""The id of responses and items made from providers without ids (the published SDK's value)."""

SCRIPTED_MESSAGE_ID: Final = "scripted-message"
"""The id of every message of a scripted model (the published SDK's value)."""

PLACEHOLDER_IDS: Final = ("", FAKE_RESPONSES_ID, SCRIPTED_MESSAGE_ID)
"""All ids that mean "no id"."""
