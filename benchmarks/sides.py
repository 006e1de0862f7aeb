"""The sides of the comparison: run and measure a process of a side.

A side is a Python with a package in it: this checkout, another checkout of agentgraph (``--base``),
the published Agents SDK, LangGraph, pydantic-ai. The peers have environments of their own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["OURS", "Figure", "Side", "add_side_options", "measure", "process_cost", "sides_of"]

HERE = Path(__file__).resolve().parent
CACHE = HERE.parent / ".cache"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of one process: seconds of processor and wall time, or bytes."""

    cpu: float = 0.0
    wall: float = 0.0
    size: float = 0.0


@dataclass(frozen=True, slots=True)
class Side:
    """One side.

    Attributes:
        title: Its name in a table.
        python: Its interpreter; a path that need not exist.
        script: The file with its workloads, in this folder.
        package: The package that the workloads import.
        path: Folders that come first on its search path.
    """

    title: str
    python: str
    script: str
    package: str
    path: tuple[str, ...] = ()

    @property
    def installed(self) -> bool:
        """Whether its package can be imported."""
        try:
            code = (
                f"import importlib.util as u, sys; sys.exit(u.find_spec({self.package!r}) is None)"
            )
            process = subprocess.run(
                [self.python, "-c", code], check=False, capture_output=True, env=self.environment()
            )
        except OSError:
            return False
        return process.returncode == 0

    def environment(self) -> dict[str, str]:
        """The environment variables of its processes, which trace nothing and send nothing."""
        # The first of several processes writes the byte code for the others.
        foreign = {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE"}
        own = {name: value for name, value in os.environ.items() if name not in foreign}
        quiet = {"OPENAI_API_KEY": "none", "OPENAI_AGENTS_DISABLE_TRACING": "1"}
        path = {"PYTHONPATH": os.pathsep.join(self.path)} if self.path else {}
        return {**own, **quiet, "LANGSMITH_TRACING": "false", **path}


def checkout(title: str, folder: Path) -> Side:
    """Return a checkout of agentgraph as a side; it uses the other packages of this Python."""
    path = (str(folder.resolve()), str((folder / "compiler").resolve()))
    return Side(title, sys.executable, "workloads.py", "agentgraph", path)


def peer(title: str, python: str, script: str, package: str) -> Side:
    """Return a package in an environment of its own as a side.

    Args:
        title: As for `Side`.
        python: Its interpreter: a path, which may be relative to the current folder, a command, or
            an empty text.
        script: As for `Side`.
        package: As for `Side`.
    """
    # Whole processes are measured in another folder. Resolving links would leave the environment.
    path = os.path.abspath(python) if os.sep in python else python
    return Side(title, path or "none", script, package)


OURS = checkout("agentgraph", HERE.parent)


def add_side_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that name the sides."""
    parser.add_argument(
        "--peer-python",
        default=os.environ.get("AGENTGRAPH_SDK_PYTHON", ""),
        help="a Python that has openai-agents",
    )
    parser.add_argument("--base", type=Path, help="another checkout of agentgraph to compare with")
    for name in ("langgraph", "pydantic-ai"):
        python = str(CACHE / name / "bin" / "python")
        parser.add_argument(f"--{name}-python", default=python, help=f"a Python that has {name}")


def sides_of(options: argparse.Namespace) -> tuple[Side, ...]:
    """Return the sides that the options name, this checkout first."""
    base = () if options.base is None else (checkout("base", options.base),)
    return (
        OURS,
        *base,
        peer("Agents SDK", options.peer_python, "workloads.py", "agents"),
        peer("LangGraph", options.langgraph_python, "langgraph_workloads.py", "langgraph"),
        peer("pydantic-ai", options.pydantic_ai_python, "pydantic_ai_workloads.py", "pydantic_ai"),
    )


def measure(side: Side, workload: str) -> dict[str, Figure]:
    """Run one workload in a process of a side; return no figures if the side cannot do it.

    Raises:
        RuntimeError: The process failed; the message has its standard error.
    """
    command = [side.python, str(HERE / side.script), side.package, workload]
    environment = side.environment()
    process = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    if process.returncode:
        raise RuntimeError(f"{workload} of {side.title} failed:\n{process.stderr}")
    figures: dict[str, dict[str, float]] = json.loads(process.stdout.splitlines()[-1])
    return {name: Figure(**figure) for name, figure in figures.items()}


def process_cost(side: Side, arguments: Sequence[str], repetitions: int) -> Figure:
    """Return the best cost of a whole process of a side, including the start of Python.

    Args:
        side: The side.
        arguments: The arguments of the interpreter.
        repetitions: How often to measure it. One more run comes first and writes the byte code.
    """
    costs = [_one_process(side, arguments) for _ in range(repetitions + 1)][1:]
    return Figure(min(cost.cpu for cost in costs), min(cost.wall for cost in costs))


def _one_process(side: Side, arguments: Sequence[str]) -> Figure:
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            [side.python, *arguments],
            stdout=output,
            stderr=output,
            env=side.environment(),
            # `-m` and `-c` import from the current folder first: there must be no checkout there.
            cwd=HERE,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            raise RuntimeError(f"{arguments} of {side.title} failed:\n{output.read().decode()}")
    return Figure(usage.ru_utime + usage.ru_stime, wall)
