"""A rehearsal as a test: the person's replies as the script of a `ScriptedModel`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

from agentgraph.cli.decide import Decided
from agentgraph.cli.faults import CommandFault
from agentgraph.cli.rehearse import RehearsedReply
from agentgraph.cli.rehearsed_reply import Part
from agentgraph.cli.run_events import RunCompleted, RunFailed, RunSuspended
from agentgraph.cli.workload import Workload
from agentgraph.testing.doubles.exported import ProgramPlace, name_part

__all__ = ["place_of", "saved_test"]

_TEMPLATE = '''"""A rehearsal of {file}, written by `agentgraph rehearse`."""

import asyncio
import importlib
import sys
from pathlib import Path

{imports}

{loading}


def test_{name}() -> None:
    model = ScriptedModel(
        [
{steps}
        ]
    )
    with every_model_is(model):
{run}
    model.assert_complete()
'''


def saved_test(
    path: Path,
    workload: Workload,
    message: str,
    replies: Iterable[RehearsedReply],
    decisions: Iterable[Sequence[Decided]],
    end: RunCompleted | RunFailed | RunSuspended,
    *,
    context: str | None,
) -> str:
    """Write the source of a test that repeats a rehearsal.

    Args:
        path: Where the test will be saved.
        workload: The workflow.
        message: The user's message.
        replies: The replies of the person, in their order.
        decisions: The decisions of the person, once for each time that calls waited for them.
        end: How the run came to rest at last.
        context: The name of the context object, or of a function that makes it.

    Raises:
        CommandFault: The file has no name for the workflow.
    """
    program = place_of(workload, context)
    replies = list(replies)
    decided = list(decisions)
    made = "" if program.context is None else f", context={program.context}"
    runs = [f"Runner.run({program.workflow}, {message!r}{made})"]
    runs += [f"Runner.run({program.workflow}, state)"] * len(decided)
    names = {"Runner", *([end.error] if isinstance(end, RunFailed) else [])}
    parts = [part for reply in replies for part in reply.parts]
    builders = {"ScriptedModel"}
    builders |= {"assistant_message" for part in parts if part.kind == "answer"}
    builders |= {"function_call" for part in parts if part.kind == "call"}
    imports = [
        f"from agentgraph import {', '.join(sorted(names))}",
        "from agentgraph.run import every_model_is",
        f"from agentgraph.testing import {', '.join(sorted(builders))}",
    ]
    if isinstance(end, RunFailed):
        imports.insert(0, "import pytest\n")
    return _TEMPLATE.format(
        file=program.file.name,
        imports="\n".join(imports),
        loading="\n".join(program.loading(path)),
        name=name_part(message)[:50].rstrip("_") or "rehearsal",
        steps="\n".join(_step(reply) for reply in replies),
        run="\n".join([*_decided(runs, decided), *_last_run(runs[-1], end)]),
    )


def place_of(workload: Workload, context: str | None = None) -> ProgramPlace:
    """Where a test finds the workflow of a file, and its context object.

    Args:
        workload: The workflow.
        context: The name of the context object, or of a function that makes it.

    Raises:
        CommandFault: The file has no name for the workflow, or none for the context.
    """
    file = workload.target.path.resolve()
    workflow = _name_of(workload.source, file, workload.target.name)
    if context is not None:
        made = callable(workload.named(context))
        context = f"{file.stem}.{context}{'()' if made else ''}"
    return ProgramPlace(file, file.stem, workflow, context)


def _name_of(source: object, file: Path, name: str | None) -> str:
    """An expression for the workflow of a file."""
    for module in list(sys.modules.values()):
        if not _is_from(module, file):
            continue
        names = [key for key, value in vars(module).items() if value is source]
        if names:
            return f"{file.stem}.{names[0]}"
        if name is not None and callable(getattr(module, name, None)):
            return f"{file.stem}.{name}()"
    raise CommandFault(
        f"{file.name} has no name for the workflow, so no test can be written for it"
    )


def _is_from(module: ModuleType, file: Path) -> bool:
    place = getattr(module, "__file__", None)
    return isinstance(place, str) and Path(place).resolve() == file


def _step(reply: RehearsedReply) -> str:
    lines = [
        f"                {_builder(part, reply.number, place)},"
        for place, part in enumerate(reply.parts, 1)
    ]
    return "\n".join(["            [", *lines, "            ],"])


def _builder(part: Part, number: int, place: int) -> str:
    match part.kind:
        case "call":
            return f"function_call({part.name!r}, {part.text!r}, call_id='call_{number}_{place}')"
        case "answer":
            return f"assistant_message({part.text!r})"
        case "refusal":
            content = [{"type": "refusal", "refusal": part.text}]
            message = {"id": f"msg_{number}_{place}", "type": "message", "role": "assistant"}
            return repr({**message, "status": "completed", "content": content})


def _decided(runs: Sequence[str], decided: Sequence[Sequence[Decided]]) -> Iterator[str]:
    """The runs that rested at calls, and the decisions on them."""
    for run, decisions in zip(runs, decided, strict=False):  # the last run follows the decisions
        yield f"        result = asyncio.run({run})"
        yield "        state = result.to_state()"
        names = [f"call_{place}" for place in range(1, len(decisions) + 1)]
        yield f"        [{', '.join(names)}] = result.interruptions"
        for name, (approved, reason, is_answer, answer) in zip(names, decisions, strict=True):
            if is_answer:
                yield f"        state.answer({name}, {answer!r})"
                continue
            message = "" if reason is None else f", rejection_message={reason!r}"
            yield f"        state.{'approve' if approved else 'reject'}({name}{message})"


def _last_run(run: str, end: RunCompleted | RunFailed | RunSuspended) -> Iterator[str]:
    if isinstance(end, RunFailed):
        yield f"        with pytest.raises({end.error}):"
        yield f"            asyncio.run({run})"
        return
    yield f"        result = asyncio.run({run})"
    if isinstance(end, RunSuspended):
        waiting = sorted([*(one.tool for one in end.approvals), *(q.name for q in end.questions)])
        yield f"    assert sorted(one.name for one in result.interruptions) == {waiting!r}"
        return
    yield f"    assert result.last_agent.name == {end.agent!r}"
    if isinstance(end.output, str):
        yield f"    assert result.final_output == {end.output!r}"
