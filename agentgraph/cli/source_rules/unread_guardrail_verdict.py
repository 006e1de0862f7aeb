"""A guardrail that runs an agent and does not look at its verdict.

## What it does

Finds guardrail functions that run an agent whose `output_type` has fields, where no field of that
output decides: the tripwire is a constant, or only asks whether there is an output.

## Why is this bad?

The judging agent costs a model call and changes nothing. An output with fields is true whatever its
fields say, so `bool(result.final_output)` trips always.

## Example

```python
from pydantic import BaseModel

from agentgraph import Agent, GuardrailFunctionOutput, Runner, input_guardrail


class Verdict(BaseModel):
    is_homework: bool


judge = Agent(name="Judge", output_type=Verdict)


@input_guardrail
async def no_homework(context, agent, text):
    result = await Runner.run(judge, text)
    return GuardrailFunctionOutput(result.final_output, tripwire_triggered=False)


tutor = Agent(name="Tutor", input_guardrails=[no_homework])
```

## Use instead

```python
from pydantic import BaseModel

from agentgraph import Agent, GuardrailFunctionOutput, Runner, input_guardrail


class Verdict(BaseModel):
    is_homework: bool


judge = Agent(name="Judge", output_type=Verdict)


@input_guardrail
async def no_homework(context, agent, text):
    result = await Runner.run(judge, text)
    verdict = result.final_output
    return GuardrailFunctionOutput(verdict, tripwire_triggered=verdict.is_homework)


tutor = Agent(name="Tutor", input_guardrails=[no_homework])
```
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, Final

from agentgraph.agent import Agent
from agentgraph.cli.capture.source_file import SourceFile
from agentgraph.cli.capture.uses import WrittenRun
from agentgraph.cli.capture.values import Function
from agentgraph.cli.source_rules.project import Project, is_allowed
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity

RULE = Rule(
    "AG916",
    "unread-guardrail-verdict",
    Severity.WARNING,
    "A guardrail that runs an agent and does not look at its verdict.",
)

_OUTPUT: Final = "GuardrailFunctionOutput"
_TRIPWIRE: Final = "tripwire_triggered"
_WHOLE: Final = frozenset({"final_output", "final_output_as"})
_LOGGING: Final = frozenset({"critical", "debug", "error", "exception", "info", "print", "warning"})


def check(project: Project) -> Iterator[Diagnostic]:
    """Find the guardrail functions of a file."""
    file = project.file
    functions: dict[Function, list[WrittenRun]] = {}
    for run in file.runs:
        if run.is_certain and run.function is not None:
            functions.setdefault(run.function, []).append(run)
    for function, runs in functions.items():
        if not any(True for _ in _verdicts(file, function)):
            continue
        judges = [_judge(file, run) for run in runs]
        if None in judges or _decides(file, function, runs):
            continue
        judge = judges[0]
        if not is_allowed(RULE, judge, file.namespace.get(function.name)):
            yield _finding(file, function, runs[0], judge)


def _verdicts(file: SourceFile, function: Function) -> Iterator[ast.expr | None]:
    """The tripwires in a function; `None` for one that cannot be read."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and file.names.public_name(node.func) == _OUTPUT:
            words = {word.arg: word.value for word in node.keywords}
            yield words.get(_TRIPWIRE) or (node.args[1] if len(node.args) > 1 else None)


def _judge(file: SourceFile, run: WrittenRun) -> Agent[Any] | None:
    """The agent of a run whose output has fields."""
    agents = file.values.of(run.start, run.function)
    output = getattr(agents[0], "output_type", None) if len(agents) == 1 else None
    return agents[0] if isinstance(output, type) and _has_fields(output) else None


def _has_fields(output: type) -> bool:
    if hasattr(output, "__bool__") or hasattr(output, "__len__"):
        return False  # its truth may say something
    return hasattr(output, "model_fields") or hasattr(output, "__dataclass_fields__")


def _decides(file: SourceFile, function: Function, runs: list[WrittenRun]) -> bool:
    """Whether an output of the runs may change what the function does, beside being there."""
    calls = {run.call for run in runs}
    outputs = _outputs(file, function, calls)
    for node in ast.walk(function):
        is_output = node in calls or (
            isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in outputs
        )
        if is_output and not _is_idle(file, node):
            return True
    return None in _verdicts(file, function)


def _outputs(file: SourceFile, function: Function, calls: set[ast.Call]) -> set[str]:
    """The variables that hold a result or its whole output."""
    outputs: set[str] = set()
    while True:
        new = {
            target.id
            for node in ast.walk(function)
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name) and _holds(node.value, calls, outputs)
        }
        if new <= outputs:
            return outputs
        outputs |= new


def _holds(value: ast.expr, calls: set[ast.Call], outputs: set[str]) -> bool:
    match value:
        case ast.Await(value=inner):
            return _holds(inner, calls, outputs)
        case ast.Attribute(value=inner, attr=attribute) if attribute in _WHOLE:
            return _holds(inner, calls, outputs)
        case ast.Call(func=ast.Attribute(attr="final_output_as") as called):
            return _holds(called, calls, outputs)
        case ast.Name(id=name):
            return name in outputs
        case _:
            return value in calls


def _is_idle(file: SourceFile, node: ast.AST) -> bool:
    """Whether a use of an output decides nothing: it is stored, shown, or asked whether it is."""
    inner = node
    for outer in file.around(node):
        match outer:
            case ast.Await() | ast.Dict() | ast.JoinedStr() | ast.FormattedValue():
                pass
            case ast.Attribute(attr=attribute) if attribute in _WHOLE:
                pass
            case ast.Call(func=called) if called is inner:
                if not (isinstance(called, ast.Attribute) and called.attr in _WHOLE):
                    return False
            case ast.Call(func=called) if file.names.public_name(called) == _OUTPUT:
                return True  # as `output_info`, or a tripwire that only asks whether it is
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                return name in _LOGGING or (name == "bool" and _is_idle(file, outer))
            case ast.keyword() | ast.UnaryOp(op=ast.Not()):
                pass
            case ast.Compare(ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=None)]):
                pass
            case ast.Assign() | ast.AnnAssign() | ast.Expr():
                return True
            case _:
                return False
        inner = outer
    return False


def _finding(
    file: SourceFile, function: Function, run: WrittenRun, judge: Agent[Any] | None
) -> Diagnostic:
    output = getattr(judge, "output_type", None)
    fields = getattr(output, "model_fields", None) or getattr(output, "__dataclass_fields__", {})
    named = ", ".join([*fields][:3])
    return Diagnostic(
        RULE,
        f"guardrail '{function.name}' runs agent '{getattr(judge, 'name', '')}' and reads no field"
        " of its output, so the verdict changes nothing",
        file.origin(run.call),
        notes=(Note("the tripwire is set in this function", file.origin(function)),),
        help=f"decide by a field of {getattr(output, '__name__', 'the output')}: {named}",
    )
