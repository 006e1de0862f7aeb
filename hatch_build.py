"""The build hook: puts Graphviz as JavaScript into the package, for drawings that are pages.

usage: hatch_build.py    the same by hand, in a checkout

The build `@viz-js/viz` is a package of npm, and the wheel carries its file, so that a page works
offline. The repository does not: docs/decisions/0023-drawings.md says why.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "@viz-js/viz@3.31.0"
MEMBER = "package/dist/viz-global.js"
SHA256 = "c9e0b310f9883910e01c66054b48b7ff4be3d8695141116635e72b0af152692e"
TARGET = Path("compiler", "agentgraph_compiler", "render", "viz-global.js")


class GraphvizForPages(BuildHookInterface[Any]):
    """Fetches the file before a wheel or an sdist is built."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fetch the file; without npm, or without a network, go on without it."""
        try:
            fetch(Path(self.root))
        except (OSError, RuntimeError) as fault:
            self.app.display_warning(f"Drawings as HTML will not be available: {fault}")


def fetch(root: Path) -> None:
    """Put the file into a checkout, unless it is there.

    Args:
        root: The folder of the project.

    Raises:
        RuntimeError: npm is missing or failed, or the file is not the one that was reviewed.
    """
    target = root / TARGET
    if target.is_file() and _digest(target.read_bytes()) == SHA256:
        return
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError("npm is not installed; the package `npm` of the system provides it.")
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", "--silent", "--pack-destination", folder, PACKAGE]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        archives = list(Path(folder).glob("*.tgz"))
        if done.returncode != 0 or not archives:
            raise RuntimeError(f"npm could not fetch {PACKAGE}: {done.stderr.strip()}")
        with tarfile.open(archives[0]) as archive:
            member = archive.extractfile(MEMBER)
            content = b"" if member is None else member.read()
    if _digest(content) != SHA256:
        raise RuntimeError(f"{PACKAGE} is not the package that was reviewed.")
    # A test that reads the file meanwhile finds all of it or none.
    draft = target.with_suffix(f".{os.getpid()}")
    draft.write_bytes(content)
    draft.replace(target)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    try:
        fetch(Path(__file__).resolve().parent)
    except (OSError, RuntimeError) as fault:
        sys.exit(str(fault))
