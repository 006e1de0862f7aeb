"""Where the command line reads journals: one row for each kind of place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from agentgraph.cli.faults import CommandFault

__all__ = ["READERS", "Reader", "journal_text"]


class Reader(NamedTuple):
    """A kind of place that holds journals.

    Args:
        accepts: Whether an argument of the command line names such a place.
        read: Returns the lines of the journal there, or the JSON text of a state; raises a
            `CommandFault` if there is none.
    """

    accepts: Callable[[str], bool]
    read: Callable[[str], str]


def _read_file(place: str) -> str:
    path = Path(place)
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise CommandFault(f"there is no file {path}") from error
    except IsADirectoryError as error:
        raise CommandFault(f"{path} is a folder", help="name the file of one journal") from error
    except OSError as error:
        raise CommandFault(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CommandFault(f"{path} is no journal: it is no text in UTF-8") from error


READERS: Final = (Reader(lambda place: True, _read_file),)
"""The first that accepts a place reads it; a store of journals gets a row before that of files."""


def journal_text(place: str) -> str:
    """The text of a journal.

    Args:
        place: As on the command line.

    Raises:
        CommandFault: There is no journal.
    """
    return next(reader for reader in READERS if reader.accepts(place)).read(place)
