"""Install `@copilotkit/aimock`, the server that the models are tested against, into `.cache/`.

usage: python -m tests.models.install_aimock

Does nothing when the wanted version is there. Needs Node and npm; the exit status tells.
"""

from __future__ import annotations

import sys

from tests import npm

VERSION = "1.43.0"
PACKAGE = "@copilotkit/aimock"
CLI = npm.folder_of(PACKAGE, "aimock") / "dist" / "cli.js"


def install() -> None:
    """Install the wanted version if it is not there.

    Raises:
        RuntimeError: npm is missing, or could not install it; the message is npm's own.
    """
    npm.install(PACKAGE, VERSION, "aimock")


if __name__ == "__main__":
    try:
        install()
    except RuntimeError as error:
        sys.exit(str(error))
