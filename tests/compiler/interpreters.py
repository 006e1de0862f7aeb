"""Finds the other Python versions of this machine: on the path, at pyenv, at uv, at the Windows
launcher."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_ASKED = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"


@cache
def interpreter_of(version: str) -> str | None:
    """An interpreter of a version such as ``3.12`` that starts and says it is one.

    A launcher on the path may have nothing behind it (pyenv's shims do), so each is asked.
    """
    return next(filter(None, (_asked(command, version) for command in _commands(version))), None)


def _commands(version: str) -> Iterator[list[str]]:
    yield [f"python{version}"]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for interpreter in sorted(pyenv.glob(f"versions/{version}.*/bin/python")):
        yield [str(interpreter)]
    if path := _output(["uv", "python", "find", "--offline", "--no-project", version]):
        yield [path]
    if os.name == "nt":
        yield ["py", f"-{version}"]


def _asked(command: list[str], version: str) -> str | None:
    says, _, executable = _output([*command, "-c", _ASKED]).partition(" ")
    return executable if says == version else None


def _output(command: list[str]) -> str:
    """What a command prints; nothing where there is no such command, or it fails."""
    if shutil.which(command[0]) is None:
        return ""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
