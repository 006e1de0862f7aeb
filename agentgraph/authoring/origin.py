"""Where in the user's program an authoring object was constructed.

Diagnostics point at the line a person wrote, so an origin is the innermost frame that belongs
neither to this package nor to machinery that constructs objects on the user's behalf
(`dataclasses.replace`, `Agent[Context](...)`, a context manager). Recording one is a short walk up
the stack: no source is read and nothing is formatted.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Final

__all__ = ["UNKNOWN_ORIGIN", "SourceLine", "caller_origin"]

SourceLine = tuple[str, int]
"""A source file's name, as the interpreter knows it, and a line counted from one."""

UNKNOWN_ORIGIN: Final[SourceLine] = ("<unknown>", 0)
"""The origin of an object that no Python code outside this package constructed."""

_PACKAGE: Final = __name__.partition(".")[0]
_PACKAGE_PREFIX: Final = _PACKAGE + "."
_MACHINERY: Final = frozenset(
    {_PACKAGE, "dataclasses", "contextlib", "typing", "copy", "functools"}
)


def caller_origin() -> SourceLine:
    """Find the file and line of the user's code that led to the current call.

    Returns:
        The file name and line number of the innermost frame outside this package, or
        `UNKNOWN_ORIGIN` when there is none.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module not in _MACHINERY and not module.startswith(_PACKAGE_PREFIX):
            code = frame.f_code
            # A dataclass that a user derives from ours has its generated __init__ in the user's
            # module, but no source line: its caller is the line that a person wrote.
            if code.co_filename != "<string>" or code.co_name != "__init__":
                return code.co_filename, frame.f_lineno
        frame = frame.f_back
    return UNKNOWN_ORIGIN
