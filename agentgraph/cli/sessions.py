"""`agentgraph sessions`: the commands for stored sessions, and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from agentgraph.cli.ending import end
from agentgraph.cli.session_work import (
    ExportFormat,
    Place,
    delete_session,
    export_session,
    list_sessions,
    repair_sessions,
    show_session,
)

__all__ = ["app"]

app = typer.Typer(
    name="sessions",
    help="List, show, export, repair and delete stored sessions.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

_Database = Annotated[
    str,
    typer.Option(
        "--db",
        metavar="FILE|URL",
        help="An SQLite file of SQLiteSession or AdvancedSQLiteSession, or the URL of a "
        "SQLAlchemySession, such as postgresql+asyncpg://user@host/database.",
        show_default=False,
    ),
]
_Session = Annotated[str, typer.Argument(metavar="SESSION", show_default=False)]
_SessionsTable = Annotated[str, typer.Option(help="The table of sessions.")]
_MessagesTable = Annotated[str, typer.Option(help="The table of items.")]
_Branch = Annotated[
    str | None,
    typer.Option(help="A branch of an AdvancedSQLiteSession; default: main.", show_default=False),
]
_Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
_SESSIONS: Final = "agent_sessions"
_MESSAGES: Final = "agent_messages"


@app.command("list")
def list_(
    db: _Database,
    sessions_table: _SessionsTable = _SESSIONS,
    messages_table: _MessagesTable = _MESSAGES,
) -> None:
    """List the sessions, with their sizes and whether each history is legal."""
    end(lambda terminal: list_sessions(terminal, Place(db, sessions_table, messages_table)))


@app.command()
def show(
    session: _Session,
    db: _Database,
    limit: Annotated[
        int | None,
        typer.Option(min=0, help="Show the latest items only.", show_default=False),
    ] = None,
    branch: _Branch = None,
    sessions_table: _SessionsTable = _SESSIONS,
    messages_table: _MessagesTable = _MESSAGES,
) -> None:
    """Print a conversation."""
    place = Place(db, sessions_table, messages_table)
    end(lambda terminal: show_session(terminal, place, session, branch, limit))


@app.command()
def export(
    session: _Session,
    db: _Database,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            show_default=False,
            help="The file to write; default: the standard output.",
        ),
    ] = None,
    export_format: Annotated[
        ExportFormat | None,
        typer.Option(
            "--format",
            show_default=False,
            help="One JSON list, or one item a line; default: by the ending of the file.",
        ),
    ] = None,
    branch: _Branch = None,
    sessions_table: _SessionsTable = _SESSIONS,
    messages_table: _MessagesTable = _MESSAGES,
) -> None:
    """Write the items of a session as JSON, in the form that `add_items` accepts."""
    place = Place(db, sessions_table, messages_table)
    end(lambda terminal: export_session(terminal, place, session, branch, output, export_format))


@app.command()
def repair(
    db: _Database,
    sessions: Annotated[
        list[str] | None,
        typer.Argument(metavar="SESSION", help="Default: every session.", show_default=False),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only show the changes; exit status 1 if there are any."),
    ] = False,
    yes: _Yes = False,
    sessions_table: _SessionsTable = _SESSIONS,
    messages_table: _MessagesTable = _MESSAGES,
) -> None:
    """Make histories legal: remove calls without output, orphan outputs and duplicates."""
    place = Place(db, sessions_table, messages_table)
    end(lambda terminal: repair_sessions(terminal, place, sessions or [], dry_run=dry_run, yes=yes))


@app.command()
def delete(
    session: _Session,
    db: _Database,
    yes: _Yes = False,
    sessions_table: _SessionsTable = _SESSIONS,
    messages_table: _MessagesTable = _MESSAGES,
) -> None:
    """Remove a session with all of its stored data."""
    place = Place(db, sessions_table, messages_table)
    end(lambda terminal: delete_session(terminal, place, session, yes=yes))
