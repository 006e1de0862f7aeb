"""The cyclic garbage collector during a compilation."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the collector of cyclic garbage, if it is on.

    A compilation makes hundreds of thousands of objects and keeps all of them, so each collection
    would visit all of them again and free nothing: a third of the time for a large workflow.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
