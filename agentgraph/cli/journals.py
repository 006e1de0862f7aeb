"""Where the command line reads journals."""

from __future__ import annotations

from pathlib import Path

from agentgraph.cli.faults import CommandFault

__all__ = ["journal_text"]


def journal_text(place: str) -> str:
    """The text of a journal: its lines, or the JSON text of a state.

    Args:
        place: The file, as on the command line.

    Raises:
        CommandFault: There is no journal.
    """
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
