"""A request as JSON, for a child that is a new interpreter."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from agentgraph.cli.capture.child import Limits, Request
from agentgraph.cli.target import Target

__all__ = ["read_request", "written_request"]


def written_request(request: Request) -> bytes:
    """A request as JSON."""
    target = request.target
    values = {
        "path": str(target.path),
        "name": target.name,
        "text": target.text,
        "work": request.work,
        "limits": asdict(request.limits),
        "options": request.options,
    }
    return json.dumps(values).encode()


def read_request(text: bytes) -> Request:
    """The request that `written_request` wrote."""
    values = json.loads(text)
    target = Target(Path(values["path"]), values["name"], values["text"])
    options = {
        code: {
            name: tuple(value) if isinstance(value, list) else value for name, value in row.items()
        }
        for code, row in values["options"].items()
    }
    return Request(target, values["work"], Limits(**values["limits"]), options)
