"""Laying out drawings with Graphviz, in a separate process with a time limit."""

from __future__ import annotations

import subprocess

from agentgraph_compiler.render.dot import to_dot
from agentgraph_compiler.render.picture import Picture

FORMATS = ("svg", "png", "pdf")
_PIXELS_PER_INCH = 160


class RenderError(Exception):
    """A drawing cannot be made; the message says why and what to do."""


class _RankingError(RenderError):
    """Graphviz cannot give the boxes their ranks."""


def draw(picture: Picture, format: str, *, timeout: float = 30.0) -> bytes:
    """Lay out a picture.

    Args:
        picture: What to draw.
        format: One of ``FORMATS``.
        timeout: Seconds after which a layout is stopped.

    Returns:
        The drawing, as the bytes of a file of that format.

    Raises:
        RenderError: Graphviz is not installed, did not finish in time, or failed.
    """
    try:
        return lay_out(to_dot(picture), format, timeout=timeout)
    except _RankingError:
        # Graphviz 2 cannot rank a few graphs with frames in frames; the other form has other ranks.
        return lay_out(to_dot(picture, acyclic=False), format, timeout=timeout)


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
    try:
        done = subprocess.run(
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
    if done.returncode != 0:
        complaint = done.stderr.decode(errors="replace").strip()
        reason = complaint.partition("\n")[0] or f"status {done.returncode}"
        kind = _RankingError if "init_rank" in complaint else RenderError
        raise kind(f"the program 'dot' could not draw this: {reason}")
    return done.stdout
