"""A chat loop whose runs get only the last message.

## What it does

Finds runs in a `while` loop whose input is what the person just typed and nothing else: no session,
no `to_input_list()` of the run before, no conversation at the provider. A run in a function that
such a loop calls counts too.

## Why is this bad?

Each run begins a new conversation: the agent does not know what was said a line before.

## Example

```python
from agentgraph import Agent, Runner

support = Agent(name="Support")


async def chat() -> None:
    while True:
        message = input("> ")
        result = await Runner.run(support, message)
        print(result.final_output)
```

## Use instead

```python
from agentgraph import Agent, Runner, SQLiteSession

support = Agent(name="Support")


async def chat() -> None:
    session = SQLiteSession("one-conversation")
    while True:
        message = input("> ")
        result = await Runner.run(support, message, session=session)
        print(result.final_output)
```
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final, TypeAlias

from agentgraph.cli.capture.source_file import Scope, SourceFile
from agentgraph.cli.capture.uses import WrittenRun
from agentgraph.cli.source_rules.project import Project
from agentgraph_compiler.diagnostics import Diagnostic, Rule, Severity

RULE = Rule(
    "AG912",
    "forgetful-chat-loop",
    Severity.WARNING,
    "A chat loop whose runs get only the last message.",
)

_MEMORY: Final = frozenset(
    {"auto_previous_response_id", "conversation_id", "previous_response_id", "session"}
)
_READERS: Final = frozenset({"input", "ask", "prompt", "prompt_async"})
"""Functions and methods that ask the person at the terminal."""

_Store: TypeAlias = ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr


def check(project: Project) -> Iterator[Diagnostic]:
    """Find the runs of a file that forget."""
    file = project.file
    for run in file.runs:
        message = _input_of(run.call)
        if not run.is_certain or message is None or run.method == "run_demo_loop":
            continue
        agents = file.values.of(run.start, run.function)
        if any(callable(getattr(one, "instructions", None)) for one in agents):
            continue  # they may tell the agent what was said
        if any(_is_forgetful(file, loop, said) for loop, said in _loops(file, run, message)):
            yield Diagnostic(
                RULE,
                "each run of this chat gets only the last message, so the agent forgets the ones"
                " before",
                file.origin(run.call),
                help="pass 'session=SQLiteSession(…)', or 'result.to_input_list()' with the new"
                " message",
            )


def _input_of(call: ast.Call) -> ast.expr | None:
    """The input of a run that nothing else gives a memory."""
    words = {word.arg: word.value for word in call.keywords}
    if None in words or _MEMORY & words.keys():
        return None
    if any(isinstance(one, ast.Starred) for one in call.args):
        return None
    return call.args[1] if len(call.args) > 1 else words.get("input")


def _loops(
    file: SourceFile, run: WrittenRun, message: ast.expr
) -> Iterator[tuple[ast.While, ast.expr]]:
    """The loops around a run, each with the input in it: its own, or those around the calls of its
    function."""
    loop = _loop_around(file, run.call)
    if loop is not None:
        yield loop, message
    function = run.function
    if loop is not None or function is None or not isinstance(message, ast.Name):
        return
    parameters = [one.arg for one in function.args.args]
    calls = file.calls_by_name.get(function.name, ())
    if not calls or message.id not in parameters or _stores(function, message.id):
        return
    position = parameters.index(message.id)
    for call in calls:
        words = {word.arg: word.value for word in call.keywords}
        said = call.args[position] if position < len(call.args) else words.get(message.id)
        outer = _loop_around(file, call)
        if outer is not None and said is not None:
            yield outer, said


def _loop_around(file: SourceFile, node: ast.AST) -> ast.While | None:
    for outer in file.around(node):
        if isinstance(outer, Scope):
            return None
        if isinstance(outer, ast.While):
            return outer
    return None


def _is_forgetful(file: SourceFile, loop: ast.While, message: ast.expr) -> bool:
    calls = [node.func for node in ast.walk(loop) if isinstance(node, ast.Call)]
    # An agent made in the loop may have the conversation in its instructions.
    if any(file.names.public_name(one) == "Agent" for one in calls):
        return False
    if any(getattr(one, "attr", "") == "clone" for one in calls):
        return False
    return _is_typed(message, loop, frozenset())


def _is_typed(expression: ast.expr, loop: ast.While, seen: frozenset[str]) -> bool:
    """Whether an expression holds what the person typed in this round, and nothing else."""
    asked, variables = _parts(expression)
    for name in variables - seen:
        stores = _stores(loop, name)
        values = [one.value for one in stores if not isinstance(one, ast.AugAssign)]
        if not values or len(values) < len(stores):
            return False
        if not all(one is not None and _is_typed(one, loop, seen | {name}) for one in values):
            return False
    return asked or bool(variables)


def _parts(expression: ast.expr) -> tuple[bool, set[str]]:
    """Whether an expression asks the person, and the variables that it reads beside."""
    asked, variables = False, set[str]()
    waiting: list[ast.AST] = [expression]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call):
            if _asks(node):
                asked = True
                continue
            waiting += [*node.args, *(word.value for word in node.keywords)]
            if isinstance(node.func, ast.Attribute):
                waiting.append(node.func.value)
        elif isinstance(node, ast.Name):
            variables.add(node.id)
        else:
            waiting += ast.iter_child_nodes(node)
    return asked, variables


def _asks(call: ast.Call) -> bool:
    """Whether a call asks the person, itself or in a thread: `to_thread(input, …)`."""
    functions = [call.func, *call.args]
    return any(
        (one.id if isinstance(one, ast.Name) else getattr(one, "attr", "")) in _READERS
        for one in functions
    )


def _stores(node: ast.AST, name: str) -> list[_Store]:
    """The assignments to a variable below a node."""
    stores: list[_Store] = []
    for part in ast.walk(node):
        match part:
            case ast.Assign(targets=[ast.Name(id=target)]):
                pass
            case (
                ast.AnnAssign(target=ast.Name(id=target))
                | ast.AugAssign(target=ast.Name(id=target))
                | ast.NamedExpr(target=ast.Name(id=target))
            ):
                pass
            case _:
                continue
        if target == name:
            stores.append(part)
    return stores
