"""The keys of encrypted stores: each conversation, run or machine has its own, from one secret."""

from __future__ import annotations

import base64
import binascii

from agentgraph.memory.encoding import is_text
from agentgraph.memory.errors import MissingExtra

try:
    from cryptography.fernet import Fernet
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF
except ImportError as error:
    raise MissingExtra("Encryption", "encrypt") from error

__all__ = ["INLINE_CHARACTERS", "KEY_ID", "cipher", "derived_key", "is_secret"]

KEY_ID = "hkdf-v1"
"""What envelopes call this scheme; the published SDK's name."""

INLINE_CHARACTERS = 50_000
"""Larger inputs are encrypted in a thread, because they would block the event loop."""


def is_secret(key: object) -> bool:
    """Whether a value can be the program's key: a text that is not empty."""
    return isinstance(key, str) and bool(key) and is_text(key)


def derived_key(key: str, subject: str, purpose: bytes) -> bytes:
    """Derive the key of one subject.

    Args:
        key: The program's key: a Fernet key, or any other secret text.
        subject: Whose key it is, such as the id of a session.
        purpose: What the key is for.

    Returns:
        32 bytes.
    """
    kdf = HKDF(algorithm=SHA256(), length=32, salt=subject.encode(), info=purpose)
    return kdf.derive(_material(key))


def cipher(key: str, subject: str, purpose: bytes) -> Fernet:
    """The cipher of one subject; see `derived_key`."""
    return Fernet(base64.urlsafe_b64encode(derived_key(key, subject, purpose)))


def _material(key: str) -> bytes:
    """The bytes that a Fernet key encodes, or the UTF-8 bytes of any other text."""
    try:
        material = base64.urlsafe_b64decode(key)
    except (binascii.Error, ValueError):
        return key.encode()
    return material if len(material) == 32 else key.encode()
