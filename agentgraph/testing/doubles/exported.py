"""The source of a test that replays a recorded run."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import agentgraph
from agentgraph.running.recorded import Recording
from agentgraph.running.recorded_end import RecordedEnd, end_of

__all__ = ["ProgramPlace", "name_part", "recorded_test", "test_name"]

_OURS: Final = "agentgraph.exceptions."
_LONGEST: Final = 60
"""Characters of a text in a comment."""


@dataclass(frozen=True, slots=True)
class ProgramPlace:
    """Where the program of a recorded run is.

    Attributes:
        file: Its file.
        module: Its module.
        workflow: The expression for the agent or the workflow.
        context: The expression for the context object, if the runs need one.
    """

    file: Path
    module: str
    workflow: str
    context: str | None = None

    def loading(self, path: Path) -> list[str]:
        """The lines of a test that import the module.

        Args:
            path: The file of the test.
        """
        folder = json.dumps(
            os.path.relpath(self.file.resolve().parent, path.resolve().parent), ensure_ascii=False
        )
        return [
            f"sys.path.insert(0, str(Path(__file__).parent / {folder}))",
            f'{self.module} = importlib.import_module("{self.module}")',
        ]


def name_part(text: str) -> str:
    """The words of a text as a part of a Python name, joined by underscores."""
    kept = "".join(one if f"_{one}".isidentifier() else " " for one in text.lower())
    return "_".join(kept.split()).strip("_")


def test_name(recording: Recording) -> str:
    """A name for the test of a run: from what the user said first."""
    said = recording.input
    if not isinstance(said, str):
        texts = [one.get("content") for one in said or () if one.get("role") == "user"]
        said = next((text for text in texts if isinstance(text, str)), "")
    return f"test_{name_part(said)[:50].rstrip('_') or 'recorded_run'}"


def recorded_test(
    recording: Recording,
    path: Path,
    program: ProgramPlace | None,
    *,
    run_tools: Collection[str] = (),
) -> str:
    """Write the source of a test.

    Args:
        recording: The run.
        path: The file of the test; the recording stands beside it, with the ending `.jsonl`.
        program: Where the program is; None lets the test ask for a fixture `workflow`.
        run_tools: The names of tools that run.

    Raises:
        UserError: The recording holds no run at rest.
    """
    end = end_of(recording)
    error, fails = _error(end), end.error is not None
    names = {"pytest": fails, "importlib": program is not None, "sys": program is not None}
    lines = [
        f'"""A recorded run of {_workflow_name(recording)!r}, written by `agentgraph export`."""',
        "",
        *(f"import {name}" for name in ("importlib", "sys") if names[name]),
        "from pathlib import Path",
        "",
        *(["import pytest", ""] if fails else []),
        *([f"from agentgraph import {error}"] if error not in ("", "Exception") else []),
        "from agentgraph.testing import replay_sync",
        "",
        'RECORDING = Path(__file__).with_suffix(".jsonl")',
        *(program.loading(path) if program else []),
        "",
        "",
        f"def {test_name(recording)}({'' if program else 'workflow'}) -> None:",
        *(f"    # {number}. {move}" for number, move in enumerate(_moves(recording), 1)),
        *_body(recording, end, program, run_tools),
    ]
    return "\n".join(lines) + "\n"


def _workflow_name(recording: Recording) -> str:
    return "" if recording.machine is None else recording.machine.name


def _error(end: RecordedEnd) -> str:
    """The name under which a test catches the exception of a run."""
    if end.error is None:
        return ""
    name = end.error.rpartition(".")[2]
    public = end.error.startswith(_OURS) and hasattr(agentgraph, name)
    return name if public else "Exception"


def _body(
    recording: Recording,
    end: RecordedEnd,
    program: ProgramPlace | None,
    run_tools: Collection[str],
) -> Iterator[str]:
    arguments = [program.workflow if program else "workflow", "RECORDING"]
    if program is not None and program.context is not None:
        arguments.append(f"context={program.context}")
    if run_tools:
        arguments.append(f"run_tools={list(run_tools)!r}")
    call = f"replay_sync({', '.join(arguments)})"
    if end.error is not None:
        yield f"    with pytest.raises({_error(end)}):"
        yield f"        {call}"
        return
    yield f"    result = {call}"
    if end.waits:
        yield "    assert result.interruptions"
    elif end.output is not None:
        yield f"    assert result.final_output == {end.output!r}"
    else:
        yield "    assert result.final_output is not None"
    if len(recording.agents) > 1:
        yield f"    assert result.last_agent.name == {end.agent!r}"


def _moves(recording: Recording) -> Iterator[str]:
    """What the models of the run decided, one line each."""
    for call in recording.calls:
        if call.path or call.response is None:
            continue
        for item in call.response.output:
            match getattr(item, "type", None):
                case "function_call":
                    yield _line(f"{call.agent}: {item.name}({item.arguments})")  # type: ignore[union-attr]
                case "message":
                    yield _line(f"{call.agent} answers")
                case kind:
                    yield _line(f"{call.agent}: {kind}")


def _line(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
