"""The user's own traceback: what Python would print, without the frames of other code."""

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
    """Write a traceback as Python does, without the frames of this package, of the import system
    and of the libraries that carry a run.

    Args:
        error: The exception, with its causes.

    Returns:
        Lines of text, ending in a newline.
    """
    outermost = traceback.TracebackException.from_exception(error)
    foreign = ("<frozen ", *_folders())
    link: traceback.TracebackException | None = outermost
    while link is not None:
        frames = [frame for frame in link.stack if not frame.filename.startswith(foreign)]
        # The generated constructors of dataclasses have no file.
        frames = [frame for frame in frames if frame.filename != "<string>"]
        link.stack = traceback.StackSummary.from_list(frames)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return "".join(outermost.format())


def _folders() -> tuple[str, ...]:
    specs = [find_spec(name) for name in _MACHINERY]
    return tuple(f"{Path(spec.origin).parent}/" for spec in specs if spec and spec.origin)
