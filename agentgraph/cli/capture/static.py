"""A static reading: the agents in the source whose calls did not run.

A file may stop at a missing package or at its first run, and nothing may call some function of it.
The `Agent(...)` calls that did not run become agents all the same, with what the source says of
them: names, handoffs, tools and guardrails that stand in the file. Everything else is left out, so
an agent read like this has fewer parts than the program gives it, never more.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from agentgraph import FunctionTool, InputGuardrail, OutputGuardrail, handoff
from agentgraph.agent import Agent
from agentgraph.authoring.mistakes import not_a_guardrail, not_a_handoff, not_a_tool
from agentgraph.authoring.recording import recording
from agentgraph.cli.capture.imported_names import dotted
from agentgraph.cli.capture.kinds import as_source
from agentgraph.cli.capture.loading import Loading
from agentgraph.cli.capture.recorder import Made
from agentgraph.frontend.origins import origin_of
from agentgraph.workflow import Workflow
from agentgraph_compiler.diagnostics import Diagnostic, Origin, Rule

__all__ = ["read_unexecuted"]

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Reader: TypeAlias = "Callable[[ast.expr, list[_Scope]], Any]"
_GuardrailKind = type[InputGuardrail[Any]] | type[OutputGuardrail[Any]]


def read_unexecuted(loaded: Loading) -> int:
    """Read the agents whose calls did not run, and add them to a loaded file.

    They count as made; their names join the names of the file, or the local variables of their
    function, where these have none.

    Args:
        loaded: The file, after its entries ran.

    Returns:
        The number of agents that were read.
    """
    return _Reading(loaded).read()


@dataclass
class _Scope:
    """The names of a file or of one function.

    Args:
        name: The function; empty for the file.
        body: Its statements.
        values: What its names stand for.
    """

    name: str
    body: list[ast.stmt]
    values: dict[str, Any]
    calls: dict[str, ast.Call] = field(default_factory=dict)


class _Reading:
    def __init__(self, loaded: Loading) -> None:
        self._loaded = loaded
        self._file = loaded.source.file
        self._names = loaded.names
        self._executed = {
            one.origin.line: one.authored
            for one in loaded.recorder.objects
            if one.origin.file == self._file
        }
        self._functions = {
            node.name: node for node in ast.walk(loaded.source.tree) if isinstance(node, _Function)
        }
        self._agents: dict[int, Any] = {}

    def read(self) -> int:
        with recording(None):
            self._read_scopes()
        objects = self._loaded.recorder.objects
        for one in self._agents.values():
            objects.append(Made(one, origin_of(one), bool(getattr(one, "handoffs", None))))
        return sum(not isinstance(agent, Workflow) for agent in self._agents.values())

    def _read_scopes(self) -> None:
        tree = self._loaded.source.tree
        module = _Scope("", tree.body, self._loaded.namespace)
        scopes = [module]
        for function in self._functions.values():
            values = self._loaded.locals.setdefault(function.name, {})
            scopes.append(_Scope(function.name, function.body, values))
        for scope in scopes:
            self._make(scope)
        for scope in scopes:
            outer = [scope] if scope is module else [scope, module]
            for statement in _statements(scope.body):
                self._connect(statement, outer)

    def _make(self, scope: _Scope) -> None:
        """Make the agents of a scope, without the parts that refer to others."""
        for statement in _statements(scope.body):
            target, value = _assignment(statement)
            for call in _own_calls(statement):
                if self._names.public_name(call.func) != "Agent":
                    continue
                variable = target if call is value else ""
                agent = self._executed.get(call.lineno)
                if agent is None:
                    agent = self._agents[id(call)] = self._agent(call, variable)
                if variable:
                    scope.values.setdefault(variable, agent)

    def _agent(self, call: ast.Call, variable: str) -> Agent[Any]:
        name = _argument(call, "name", 0)
        text = name.value if isinstance(name, ast.Constant) else variable
        agent: Agent[Any] = Agent(name=str(text or f"line {call.lineno}"))
        agent._origin = (self._file, call.lineno)
        agent.handoff_description = _description(_argument(call, "handoff_description"))
        return agent

    def _connect(self, statement: ast.stmt, scopes: list[_Scope]) -> None:
        """Give the agents of a statement their parts."""
        for call in _own_calls(statement):
            agent = self._agents.get(id(call))
            if agent is not None:
                self._fill(agent, call, scopes)
            elif isinstance(call.func, ast.Attribute) and call.func.attr in ("append", "extend"):
                self._extend(call, call.func, scopes)
            elif self._is_unexecuted_workflow(call):
                self._workflow(call, statement, scopes)

    def _fill(self, agent: Agent[Any], call: ast.Call, scopes: list[_Scope]) -> None:
        if dotted(_argument(call, "instructions") or call) in self._functions:
            agent.instructions = _not_executed
        agent.handoffs += self._entries(_argument(call, "handoffs"), scopes, self._handoff)
        agent.tools += self._entries(_argument(call, "tools"), scopes, self._tool)
        agent.input_guardrails += self._entries(
            _argument(call, "input_guardrails"), scopes, self._input_guardrail
        )
        agent.output_guardrails += self._entries(
            _argument(call, "output_guardrails"), scopes, self._output_guardrail
        )

    def _extend(self, call: ast.Call, place: ast.Attribute, scopes: list[_Scope]) -> None:
        """Follow `agent.handoffs.append(other)` and `agent.handoffs.extend([...])`."""
        if not (isinstance(place.value, ast.Attribute) and place.value.attr == "handoffs"):
            return
        agent = self._value(place.value.value, scopes)
        if agent is None or not any(agent is one for one in self._agents.values()) or not call.args:
            return
        entries = call.args[0] if place.attr == "extend" else ast.List([call.args[0]], ast.Load())
        agent.handoffs += self._entries(entries, scopes, self._handoff)

    def _is_unexecuted_workflow(self, call: ast.Call) -> bool:
        return (
            self._names.public_name(call.func) == "Workflow" and call.lineno not in self._executed
        )

    def _workflow(self, call: ast.Call, statement: ast.stmt, scopes: list[_Scope]) -> None:
        start = self._value(_argument(call, "start", 1), scopes)
        name = _argument(call, "name", 0)
        if as_source(start) is None or not isinstance(name, ast.Constant):
            return
        agents = self._entries(_argument(call, "agents", 2), scopes, self._value)
        workflow = Workflow(str(name.value) or "workflow", start, agents)
        workflow._origin = (self._file, call.lineno)
        self._agents[id(call)] = workflow
        target, _ = _assignment(statement)
        if target:
            scopes[0].values.setdefault(target, workflow)

    def _entries(
        self, expression: ast.expr | None, scopes: list[_Scope], read: _Reader
    ) -> list[Any]:
        if not isinstance(expression, ast.List | ast.Tuple):
            return []
        entries = (read(element, scopes) for element in expression.elts)
        return [entry for entry in entries if entry is not None]

    def _value(self, expression: ast.expr | None, scopes: list[_Scope]) -> Any:
        """The agent that a name or a call stands for."""
        if isinstance(expression, ast.Call):
            return self._agents.get(id(expression))
        if isinstance(expression, ast.Name):
            for scope in scopes:
                if (source := as_source(scope.values.get(expression.id))) is not None:
                    return source
        return None

    def _handoff(self, expression: ast.expr, scopes: list[_Scope]) -> Any:
        if isinstance(expression, ast.Call) and self._called(expression) == "handoff":
            return self._called_handoff(expression, scopes)
        if isinstance(expression, ast.Constant):
            problem = f"handoffs holds {ast.unparse(expression)}, not an Agent or a Handoff"
            self._mistake(not_a_handoff.RULE, problem, expression)
        return self._value(expression, scopes)

    def _called_handoff(self, call: ast.Call, scopes: list[_Scope]) -> Any:
        """What `handoff(...)` makes."""
        target = self._value(_argument(call, "agent", 0), scopes)
        if target is None:
            return None
        name, enabled = _argument(call, "tool_name_override"), _argument(call, "is_enabled")
        returns = _argument(call, "returns")
        made = handoff(
            target,
            tool_name_override=_text(name),
            is_enabled=not (isinstance(enabled, ast.Constant) and enabled.value is False),
            returns=isinstance(returns, ast.Constant) and returns.value is True,
        )
        made._origin = (self._file, call.lineno)
        return made

    def _tool(self, expression: ast.expr, scopes: list[_Scope]) -> Any:
        if isinstance(expression, ast.Call):
            return self._agent_tool(expression, scopes)
        function = self._functions.get(dotted(expression))
        decorator = self._decorator(function, "function_tool")
        if function is None:
            return None
        if decorator is None:
            self._undecorated(not_a_tool.RULE, function, "function_tool", expression)
            return None
        name: object = function.name
        described = ast.get_docstring(function) or ""
        if isinstance(decorator, ast.Call):
            override = _argument(decorator, "name_override")
            name = override.value if isinstance(override, ast.Constant) else name
            override = _argument(decorator, "description_override")
            described = _description(override) or described
        tool = FunctionTool(str(name), described, {}, _not_executed)
        tool._origin = (self._file, decorator.lineno)
        return tool

    def _agent_tool(self, call: ast.Call, scopes: list[_Scope]) -> Any:
        """The tool of `agent.as_tool(...)`."""
        if not (isinstance(call.func, ast.Attribute) and call.func.attr == "as_tool"):
            return None
        agent = self._value(call.func.value, scopes)
        if agent is None:
            return None
        description = _description(_argument(call, "tool_description", 1))
        tool = agent.as_tool(_text(_argument(call, "tool_name", 0)), description)
        tool._origin = (self._file, call.lineno)
        return tool

    def _input_guardrail(self, expression: ast.expr, scopes: list[_Scope]) -> Any:
        return self._guardrail(expression, "input_guardrail", InputGuardrail)

    def _output_guardrail(self, expression: ast.expr, scopes: list[_Scope]) -> Any:
        return self._guardrail(expression, "output_guardrail", OutputGuardrail)

    def _guardrail(self, expression: ast.expr, decorator: str, kind: _GuardrailKind) -> Any:
        if isinstance(expression, ast.Call) and expression.args + expression.keywords:
            expression = _argument(expression, "guardrail_function", 0) or expression
            function = self._functions.get(dotted(expression))
        else:
            function = self._functions.get(dotted(expression))
            if function is not None and self._decorator(function, decorator) is None:
                self._undecorated(not_a_guardrail.RULE, function, decorator, expression)
                return None
        if function is None:
            return None
        guardrail = kind(guardrail_function=_not_executed, name=function.name)
        guardrail._origin = (self._file, function.lineno)
        return guardrail

    def _undecorated(
        self, rule: Rule, function: _Function, decorator: str, place: ast.expr
    ) -> None:
        """Report a function without the decorator that makes it a part; one with a decorator of
        another library may be anything."""
        others = {"function_tool", "input_guardrail", "output_guardrail"}
        if not function.decorator_list or any(self._decorator(function, one) for one in others):
            problem = f"the function '{function.name}' is used without @{decorator}"
            self._mistake(rule, problem, place)

    def _mistake(self, rule: Rule, problem: str, place: ast.expr) -> None:
        finding = Diagnostic(rule, problem, Origin(self._file, place.lineno))
        self._loaded.findings.append(finding)

    def _decorator(self, function: _Function | None, name: str) -> ast.expr | None:
        for decorator in function.decorator_list if function else ():
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            if self._names.public_name(called) == name:
                return decorator
        return None

    def _called(self, call: ast.Call) -> str | None:
        return self._names.public_name(call.func)


async def _not_executed(*arguments: object) -> Any:
    raise RuntimeError("this function was read from the source and cannot be called")


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a body and of its blocks, without those of functions and classes."""
    for statement in body:
        yield statement
        if isinstance(statement, _Function | ast.ClassDef):
            continue
        for name in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(statement, name, []))
        for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
            yield from _statements(part.body)


def _own_calls(statement: ast.stmt) -> Iterator[ast.Call]:
    """The calls in the expressions of a statement, without those of the statements in it."""
    waiting: list[ast.AST] = [
        child for child in ast.iter_child_nodes(statement) if isinstance(child, ast.expr)
    ]
    waiting += [item.context_expr for item in getattr(statement, "items", ())]
    if isinstance(statement, _Function | ast.ClassDef):
        return
    for expression in waiting:
        for node in ast.walk(expression):
            if isinstance(node, ast.Call):
                yield node


def _assignment(statement: ast.stmt) -> tuple[str, ast.expr | None]:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name, value
        case ast.AnnAssign(target=ast.Name(id=name), value=value):
            return name, value
        case _:
            return "", None


def _text(expression: ast.expr | None) -> str | None:
    """The text of a constant, if it has one."""
    constant = expression.value if isinstance(expression, ast.Constant) else None
    return constant if isinstance(constant, str) and constant else None


def _description(expression: ast.expr | None) -> str | None:
    """A description: its text, or a word for one that only a run makes."""
    if expression is None or (isinstance(expression, ast.Constant) and not expression.value):
        return None
    return _text(expression) or ast.unparse(expression)


def _argument(call: ast.Call, name: str, position: int = -1) -> ast.expr | None:
    """An argument of a call, by name or by position."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    return call.args[position] if 0 <= position < len(call.args) else None
