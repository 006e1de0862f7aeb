"""The command in this process: arguments in, status and both outputs out."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from typer.testing import CliRunner

from agentgraph.cli import app
from agentgraph.cli.capture.warming import warm

warm([])  # so that each child of a check is cheap
REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = REPOSITORY / "examples"
FIXTURES = Path(__file__).parent / "fixtures"

# An agent whose tool takes a value that a rehearsal finds only where a person writes it.
SEATS = """
from typing import Annotated
from pydantic import Field
from agentgraph import Agent, function_tool

@function_tool
def book(seat: Annotated[str, Field(pattern="^[0-9]+[A-F]$")]) -> str:
    "Book a seat."
    return seat

a = Agent(name="Seats", instructions="Book.", tools=[book])
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str


def agentgraph(*arguments: object, typed: str | None = None) -> Ended:
    """Run the command as if its output went into a file.

    Args:
        arguments: The command line.
        typed: What stands on the standard input.
    """
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=typed)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ended(result.exit_code, result.stdout, result.stderr)


def written(folder: Path, name: str, source: str) -> Path:
    """Write a Python file."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(source).lstrip("\n"), encoding="utf-8")
    return path


def environment(**more: str) -> dict[str, str]:
    """The environment of a process of its own: this repository on the path, no key, no colours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    search_path = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "compiler")])
    return {**kept, "PYTHONPATH": search_path, **more}


def started(*arguments: object, **more: str) -> subprocess.Popen[str]:
    """Start the command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "agentgraph", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        env=environment(**more),
    )
