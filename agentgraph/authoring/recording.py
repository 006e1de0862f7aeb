"""The recorder: what a program tells a tool that loads it, or that watches it.

While a recorder is set, it notes every agent and workflow as it is made, and every run before it
begins. A recorder that loads a program without running it notes mistakes in definitions instead of
raising them, and ends each run there. The recorder belongs to the process, not to a context: a
program may make agents and begin runs in any of its threads.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

__all__ = ["Recorder", "current_recorder", "recording"]


class Recorder(Protocol):
    """Receives what a program makes and begins."""

    def made(self, authored: object, /) -> None:
        """Note an agent or a workflow at the end of its construction."""

    def mistaken(self, error: Exception, authored: object = None, /) -> None:
        """Note a mistake in a definition, and the object is made without the wrong part; or raise
        the error, as without a recorder.

        Args:
            error: The error that is raised while no recorder is set.
            authored: The object, if it is made already.
        """

    def started(self, source: object, options: Mapping[str, Any], /) -> None:
        """Note a run before it begins.

        Args:
            source: The agent, workflow or program that the run starts with.
            options: The keyword arguments of the run.

        Raises:
            BaseException: To end the run; no ``Exception``, so that a program does not handle it.
        """


_recorder: Recorder | None = None


def current_recorder() -> Recorder | None:
    """The recorder of this process, if one is set."""
    return _recorder


@contextlib.contextmanager
def recording(recorder: Recorder | None) -> Iterator[None]:
    """Set the recorder of this process, or take it away, until the end of the context."""
    global _recorder
    previous, _recorder = _recorder, recorder
    try:
        yield
    finally:
        _recorder = previous
