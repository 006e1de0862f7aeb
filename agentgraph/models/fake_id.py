"""The id that stands where a provider gives none, and others that mean the same.

They are never sent to the Responses API, and any number of items may have them.
"""

from typing import Final

__all__ = ["FAKE_RESPONSES_ID", "PLACEHOLDER_IDS", "SCRIPTED_MESSAGE_ID"]

FAKE_RESPONSES_ID: Final = "__fake_id__"
"""The id of responses and items made from providers without ids (the published SDK's value)."""

SCRIPTED_MESSAGE_ID: Final = "scripted-message"
"""The id of every message that a scripted model says (the published SDK's value)."""

PLACEHOLDER_IDS: Final = ("", FAKE_RESPONSES_ID, SCRIPTED_MESSAGE_ID)
"""Ids that are none."""
