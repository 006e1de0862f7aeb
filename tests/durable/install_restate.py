"""Install the server of Restate, which the tests of durable runs start, into `.cache/`.

usage: python -m tests.durable.install_restate

Does nothing when the wanted version is there. Needs Node and npm; the exit status tells.
"""

from __future__ import annotations

import sys

from tests.npm import CACHE, install

VERSION = "1.7.12"
SERVER = CACHE / "restate" / "node_modules" / ".bin" / "restate-server"

if __name__ == "__main__":
    try:
        install("@restatedev/restate-server", VERSION, "restate")
    except RuntimeError as error:
        sys.exit(str(error))
