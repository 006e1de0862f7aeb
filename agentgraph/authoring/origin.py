"""The line of the user's program that constructs an authoring object.

Diagnostics point at a line that a person wrote. An origin is therefore the innermost frame outside
this package and outside machinery that constructs objects for the user (`dataclasses.replace`,
`Agent[Context](...)`, a context manager). Recording an origin walks up the stack a few frames; it
reads no source and formats nothing.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Final

__all__ = ["UNKNOWN_ORIGIN", "SourceLine", "caller_origin"]

SourceLine = tuple[str, int]
"""The name of a source file, as the interpreter knows it, and a line number, counted from 1."""

UNKNOWN_ORIGIN: Final[SourceLine] = ("<unknown>", 0)
"""The origin of an object that no Python code outside this package constructed."""

_PACKAGE: Final = __name__.partition(".")[0]
_PACKAGE_PREFIX: Final = _PACKAGE + "."
_MACHINERY: Final = frozenset(
    {_PACKAGE, "dataclasses", "contextlib", "typing", "copy", "functools"}
)


def caller_origin() -> SourceLine:
    """Find the line of the user's code from which the current call comes.

    Returns:
        The file name and line number of the innermost frame outside this package, or
        `UNKNOWN_ORIGIN` when there is none.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module not in _MACHINERY and not module.startswith(_PACKAGE_PREFIX):
            code = frame.f_code
            # A user's subclass of one of our dataclasses has a generated __init__ in the user's
            # module, without a source line. The line that a person wrote is that of its caller.
            if code.co_filename != "<string>" or code.co_name != "__init__":
                return code.co_filename, frame.f_lineno
        frame = frame.f_back
    return UNKNOWN_ORIGIN
