"""Names that tell the tools of several servers apart.

Rule: a name is made of the server's name and the tool's, fits what the Responses API accepts
(letters, digits, `_` and `-`, 64 of them), and depends on nothing that changes between turns.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final

__all__ = ["prefixed_names"]

_LONGEST: Final = 64
_DIGEST: Final = 8
_UNFIT: Final = re.compile(r"[^A-Za-z0-9_-]+")


def prefixed_names(
    tools: Sequence[str],
    servers: Sequence[str],
    position: int,
    reserved: Collection[str] = (),
) -> list[str]:
    """Name the tools of one server.

    A digest is appended where the plain name would be too long, is taken, or could be that of
    another server's tool.

    Args:
        tools: The tools' names on the server.
        servers: The names of all servers of the agent, this one among them.
        position: Which of them this one is, counted from zero.
        reserved: Names that are taken already.
    """
    stems = [_fitted(server, "server") for server in servers]
    stem = stems[position]
    ambiguous = stems.count(stem) > 1
    plain = [f"mcp_{stem}__{_fitted(tool, 'tool')}" for tool in tools]
    uses = Counter(plain)
    return [
        _with_digest(name, f"{position if ambiguous else ''}\0{servers[position]}\0{tool}")
        if ambiguous or uses[name] > 1 or len(name) > _LONGEST or name in reserved
        else name
        for name, tool in zip(plain, tools, strict=True)
    ]


def _with_digest(name: str, identity: str) -> str:
    digest = hashlib.sha256(identity.encode()).hexdigest()[:_DIGEST]
    return f"{name[: _LONGEST - _DIGEST - 1]}_{digest}"


def _fitted(name: str, default: str) -> str:
    return _UNFIT.sub("_", name).strip("_") or default
