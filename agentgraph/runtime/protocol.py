"""The one error of the interpreter."""

from __future__ import annotations


class ProtocolError(Exception):
    """The driver reported what the machine did not ask for; the state is unchanged."""
