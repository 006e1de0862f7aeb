"""What tells a file from another one that takes its place under the same name."""

from __future__ import annotations

import os

__all__ = ["file_identity"]


def file_identity(path: str) -> tuple[int, int] | None:
    """Return what no other file has that is there at the same time; None if no file is there."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino
