"""A recording as a file: reading it, writing it without secrets, and adding replies to it.

The file is a journal (`RunState.to_journal`) or the JSON of a state (`RunState.to_string`), as a
program in production writes it. Replies that a test adds are rows of the same form.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from agentgraph.exceptions import UserError
from agentgraph.running.recorded import Recording, read_recording
from agentgraph.running.recorded_tools import changed_lines, lines_to_append
from agentgraph.running.state import RunState
from agentgraph.testing.doubles.scrubbing import Scrubber

if TYPE_CHECKING:
    from agentgraph.running.result import RunResult, RunResultStreaming
    from agentgraph.workflow import Source

__all__ = ["RecordingSource", "append_row", "load_recording", "save_recording", "scrubbed_journal"]

RecordingSource: TypeAlias = "str | os.PathLike[str] | RunState[Any, Any]"
"""Where a recording comes from: a file, or a state in memory."""

# What a person or a program said; the rest of a header is structure.
_SPOKEN: Final = ("input", "context", "pending_input", "decisions")


def load_recording(
    source: RecordingSource, *, may_be_new: bool = False, program: Source | None = None
) -> Recording:
    """Read a recording.

    Args:
        source: The file, or a state.
        program: The agent or workflow whose classes the values of the run have.
        may_be_new: Whether a file that does not exist is an empty recording.

    Raises:
        UserError: There is no such file, or it holds no recording; the message names it.
    """
    if isinstance(source, RunState):
        return read_recording(source.to_journal(), "of the state", program)
    path = Path(source)
    if may_be_new and not path.exists():
        return Recording(str(path), {})
    return read_recording(_text_of(path), str(path), program)


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"The recording {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} cannot be replayed: it is no text in UTF-8.") from error


def save_recording(
    source: RunState[Any, Any] | RunResult | RunResultStreaming,
    path: str | os.PathLike[str],
    *,
    scrubber: Scrubber | None = None,
) -> None:
    """Write a run to a file that `RecordedModel` and `replay` read, without secrets.

    Args:
        source: A result of `Runner.run`, or a `RunState`.
        path: The file; its content is replaced.
        scrubber: What else is secret; None for the usual secrets.

    Raises:
        UserError: A value of the run has no stored form; the message names its place.
    """
    state = source if isinstance(source, RunState) else source.to_state()
    Path(path).write_text(scrubbed_journal(state.to_journal(), scrubber), encoding="utf-8")


def scrubbed_journal(text: str, scrubber: Scrubber | None = None) -> str:
    """The lines of a journal without secrets.

    Args:
        text: The lines, or the JSON of a state, which comes back as lines.
        scrubber: What else is secret; None for the usual secrets.
    """
    scrub = Scrubber() if scrubber is None else scrubber
    return changed_lines(text, lambda line: _scrubbed(line, scrub))


def _scrubbed(row: Mapping[str, Any], scrubber: Scrubber) -> dict[str, Any]:
    """A line without secrets. A machine is known by the digest of its content, so it stays."""
    names = (*_SPOKEN, "payload")
    return {key: scrubber.data(value) if key in names else value for key, value in row.items()}


def append_row(path: Path, row: dict[str, Any], scrubber: Scrubber) -> None:
    """Add a row to a recording.

    Args:
        path: The file; it is made if it does not exist.
        row: The row.
        scrubber: What is secret.

    Raises:
        UserError: The file holds no lines of a journal.
    """
    text = _text_of(path) if path.exists() else ""
    lines = lines_to_append(text, _scrubbed(row, scrubber))
    with path.open("a", encoding="utf-8") as file:
        file.write(lines)
