"""Run a program that awaits outside a function, as documents and notebooks show it.

Each such ``await`` runs on the given loop and returns before the next statement, so that a document
may go on with `Runner.run_sync`, which refuses to work inside a running loop.
"""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Coroutine
from typing import Any

_WAIT = "_wait_for"


class _Await(ast.NodeTransformer):
    """Turn every top-level ``await x`` into a call that waits for ``x``."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        return node

    def visit_Await(self, node: ast.Await) -> ast.Call:
        self.generic_visit(node)
        wait = ast.Call(ast.Name(_WAIT, ast.Load()), [ast.Lambda(_NO_ARGUMENTS, node.value)], [])
        return ast.copy_location(wait, node)


_NO_ARGUMENTS = ast.arguments([], [], None, [], [], None, [])


def execute(source: str, filename: str, namespace: dict[str, Any], runner: asyncio.Runner) -> None:
    """Run a program in a namespace.

    Args:
        source: The program; it may await outside functions.
        filename: What tracebacks name.
        namespace: The global names, which the program changes.
        runner: The loop on which top-level awaits run.
    """

    def wait_for(start: Any) -> Any:
        async def awaited() -> Any:
            return await start()

        work: Coroutine[Any, Any, Any] = awaited()
        return runner.run(work)

    namespace[_WAIT] = wait_for
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST
    tree = compile(source, filename, "exec", flags, dont_inherit=True)
    tree = ast.fix_missing_locations(_Await().visit(tree))
    exec(compile(tree, filename, "exec", dont_inherit=True), namespace)
