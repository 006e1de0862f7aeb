"""The one error of the interpreter."""

from __future__ import annotations


class ProtocolError(Exception):
    """The driver reported something that the machine did not ask for. The state is unchanged."""
