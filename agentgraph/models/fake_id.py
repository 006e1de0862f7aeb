"""The id that stands where a provider gives none; it is never sent to the Responses API."""

from typing import Final

__all__ = ["FAKE_RESPONSES_ID"]

FAKE_RESPONSES_ID: Final = "__fake_id__"
"""The id of responses and items made from providers without ids (the published SDK's value)."""
