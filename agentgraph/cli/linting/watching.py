"""Watching files: a check again whenever one of them, or a module that they import, changes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

__all__ = ["changed", "stamps", "wait_for_a_change"]

_INTERVAL: Final = 0.3
"""Seconds between two looks at the files."""

Stamps = Mapping[str, tuple[int, int]]
"""The time of the last change of a file, in nanoseconds, and its size."""


def stamps(files: Iterable[str]) -> Stamps:
    """The stamps of files; those that are not there have none."""
    result = {}
    for file in files:
        try:
            status = os.stat(file)
        except OSError:
            continue
        result[file] = (status.st_mtime_ns, status.st_size)
    return result


def changed(before: Stamps, after: Stamps) -> set[str]:
    """The files that were changed, came or went."""
    return {file for file in before.keys() | after.keys() if before.get(file) != after.get(file)}


def wait_for_a_change(
    files: Callable[[], Iterable[str]],
    before: Stamps,
    pause: Callable[[], None] = lambda: time.sleep(_INTERVAL),
) -> set[str]:
    """Wait until a file is changed, comes or goes.

    Args:
        files: Lists the files, anew for each look.
        before: Their stamps at the last check.
        pause: Waits between two looks.

    Returns:
        The files.
    """
    while not (difference := changed(before, stamps(files()))):
        pause()
    return difference
