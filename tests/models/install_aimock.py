"""Install `@copilotkit/aimock`, the server that the models are tested against, into `.cache/`.

usage: install_aimock.py

Does nothing when the wanted version is there. Needs Node and npm; the exit status tells.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

VERSION = "1.43.0"
FOLDER = Path(__file__).resolve().parents[2] / ".cache" / "aimock"
PACKAGE = FOLDER / "node_modules" / "@copilotkit" / "aimock"
CLI = PACKAGE / "dist" / "cli.js"


def is_installed() -> bool:
    """Whether the wanted version is there."""
    manifest = PACKAGE / "package.json"
    return manifest.exists() and json.loads(manifest.read_text())["version"] == VERSION


def install() -> None:
    """Install the wanted version if it is not there.

    Raises:
        RuntimeError: npm is missing, or could not install it; the message is npm's own.
    """
    if is_installed():
        return
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError("npm is not installed; the package `npm` of the system provides it.")
    FOLDER.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [npm, "install", "--no-audit", "--no-fund", "--prefix", str(FOLDER), _wanted()],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"npm could not install {_wanted()}:\n{done.stderr}")


def _wanted() -> str:
    return f"@copilotkit/aimock@{VERSION}"


if __name__ == "__main__":
    try:
        install()
    except RuntimeError as error:
        sys.exit(str(error))
