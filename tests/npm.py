"""Servers from npm that tests start: installed into `.cache/` where they are missing."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

CACHE = Path(__file__).resolve().parents[1] / ".cache"


def folder_of(package: str, folder: str) -> Path:
    """Where a package is installed.

    Args:
        package: The package.
        folder: The name of its folder in `.cache/`.
    """
    return CACHE / folder / "node_modules" / package


def install(package: str, version: str, folder: str) -> None:
    """Install a version of a package if it is not there.

    Args:
        package: The package.
        version: The wanted version.
        folder: The name of its folder in `.cache/`.

    Raises:
        RuntimeError: npm is missing, or could not install it; the message is npm's own.
    """
    if is_installed(package, version, folder):
        return
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError("npm is not installed; the package `npm` of the system provides it.")
    prefix = CACHE / folder
    prefix.mkdir(parents=True, exist_ok=True)
    wanted = f"{package}@{version}"
    done = subprocess.run(
        [npm, "install", "--no-audit", "--no-fund", "--prefix", str(prefix), wanted],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"npm could not install {wanted}:\n{done.stderr}")


def is_installed(package: str, version: str, folder: str) -> bool:
    """Whether a version of a package is there."""
    manifest = folder_of(package, folder) / "package.json"
    return manifest.exists() and json.loads(manifest.read_text())["version"] == version
