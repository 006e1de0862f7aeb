"""The identity of a file, which differs from that of a replacement with the same name."""

from __future__ import annotations

import os

__all__ = ["file_identity"]


def file_identity(path: str) -> tuple[int, int] | None:
    """Return an id that no other existing file has; None if there is no such file."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino
