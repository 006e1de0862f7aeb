"""Refuse an answer of a server that is no reply at all."""

from __future__ import annotations

from agentgraph.items.run_items import raw_field
from agentgraph.models.gate.server import Server

__all__ = ["check_body", "reported_error"]

_JSON_KINDS = {list: "list", dict: "object", bool: "boolean", int: "number", float: "number"}


def check_body(body: object, server: Server) -> None:
    """Check that a server answered with a JSON object that reports no error.

    Args:
        body: What the client made of the answer.
        server: The sender.

    Raises:
        ModelBehaviorError: The answer is something else.
    """
    if isinstance(body, str | bytes):
        start = body.lstrip()[:1]
        form = "HTML" if start in ("<", b"<") else "a text" if start else "nothing"
        raise server.fault(f"answered {form} in place of JSON: does base_url lead to an API?")
    if body is None or isinstance(body, list | int | float):
        kind = _JSON_KINDS.get(type(body), "null")
        raise server.fault(f"answered a JSON {kind} in place of an object.")
    if error := raw_field(body, "error"):
        raise server.fault(f"answered with an error: {reported_error(error)}.")


def reported_error(error: object) -> str:
    """Return the message and the code of an error in the words of a server."""
    if isinstance(error, str):
        return error
    message = raw_field(error, "message")
    code = raw_field(error, "code") or raw_field(error, "type")
    words = message if isinstance(message, str) and message else "without a message"
    return f"{words.rstrip('.')} ({code})" if code else words.rstrip(".")
