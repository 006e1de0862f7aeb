"""The user's own traceback: what Python would print, without the frames that are not theirs."""

from __future__ import annotations

import traceback
from importlib.util import find_spec
from pathlib import Path
from typing import Final

__all__ = ["own_traceback"]

_MACHINERY: Final = (
    "agentgraph",
    "agentgraph_compiler",
    "asyncio",
    "concurrent",
    "importlib",
    "openai",
)


def own_traceback(error: BaseException) -> str:
    """Write a traceback as Python does, leaving out frames of this package, of the import system
    and of what carries a run.

    Args:
        error: The exception, with its causes.

    Returns:
        Lines of text, ending in a newline.
    """
    told = traceback.TracebackException.from_exception(error)
    left_out = ("<frozen ", *_folders())
    shown: traceback.TracebackException | None = told
    while shown is not None:
        frames = [frame for frame in shown.stack if not frame.filename.startswith(left_out)]
        # Dataclasses have constructors that were never in a file.
        frames = [frame for frame in frames if frame.filename != "<string>"]
        shown.stack = traceback.StackSummary.from_list(frames)
        shown = shown.__cause__ or (None if shown.__suppress_context__ else shown.__context__)
    return "".join(told.format())


def _folders() -> tuple[str, ...]:
    found = [find_spec(name) for name in _MACHINERY]
    return tuple(f"{Path(spec.origin).parent}/" for spec in found if spec and spec.origin)
