"""Laying out DOT with Graphviz, in a separate process with a time limit."""

from __future__ import annotations

import re
import subprocess

FORMATS = ("svg", "png", "pdf")
_PIXELS_PER_INCH = 160
_ID = r'"(?:[^"\\]|\\.)*"|[^\s"]+'
_ARROW_BACK = re.compile(
    rf"(?P<other>{_ID}) -> (?P<one>{_ID}) \[(?P<look>.*\bdir=back\b.*)\]$", re.MULTILINE
)


class RenderError(Exception):
    """A drawing cannot be made; the message says why and what to do."""


def lay_out(source: str, format: str, *, timeout: float = 30.0) -> bytes:
    """Lay out a DOT source.

    Args:
        source: The DOT source.
        format: One of ``FORMATS``.
        timeout: Seconds after which the layout is stopped.

    Returns:
        The drawing, as the bytes of a file of that format.

    Raises:
        RenderError: Graphviz is not installed, did not finish in time, or refused the source.
    """
    command = ["dot", f"-T{format}"]
    if format == "png":
        command.append(f"-Gdpi={_PIXELS_PER_INCH}")
    done = _run(command, source, format, timeout)
    if done.returncode != 0 and b"init_rank" in done.stderr:
        # The ranking of clusters fails on few graphs; turned around they have other ranks.
        done = _run(command, _ARROW_BACK.sub(_turned, source), format, timeout)
    if done.returncode != 0:
        complaint = done.stderr.decode(errors="replace").strip().partition("\n")[0]
        reason = complaint or f"status {done.returncode}"
        raise RenderError(f"the program 'dot' could not draw this: {reason}")
    return done.stdout


def _turned(arrow: re.Match[str]) -> str:
    """An arrow that was written from its target to its source, in its own direction."""
    look = arrow["look"].replace("dir=back", "dir=forward").replace("ltail=", "lhead=")
    look = look.replace("arrowhead=", "arrow=").replace("arrowtail=", "arrowhead=")
    return f"{arrow['one']} -> {arrow['other']} [{look.replace('arrow=', 'arrowtail=')}]"


def _run(
    command: list[str], source: str, format: str, timeout: float
) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            command, input=source.encode(), capture_output=True, timeout=timeout, check=False
        )
    except FileNotFoundError as error:
        raise RenderError(
            f"drawing {format} needs the program 'dot' of Graphviz, which is not installed."
            " Install it (apt-get install graphviz, brew install graphviz, winget install graphviz)"
            " or write the source instead: a file that ends in .dot or .mmd"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise RenderError(
            f"the layout was stopped after {timeout:g} seconds: the drawing is too large."
            " Draw the level 'agents', allow more time, or write the source: .dot or .mmd"
        ) from error
