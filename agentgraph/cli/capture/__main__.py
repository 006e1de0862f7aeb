"""The child of a command as an interpreter of its own: a request on the standard input, messages on
the standard output."""

from __future__ import annotations

import os
import sys

from agentgraph.cli.capture.bounds import without_input
from agentgraph.cli.capture.child import capture
from agentgraph.cli.capture.messages import Message, encoded
from agentgraph.cli.capture.requests import read_request


def main() -> None:
    """Do what the request says, and end the process."""
    request = read_request(sys.stdin.buffer.read())
    messages = os.dup(1)
    without_input(2)

    def send(message: Message) -> None:
        os.write(messages, encoded(message))

    capture(request, send)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
