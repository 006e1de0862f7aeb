"""The mutants of a loaded file, and the functions of it that make agents."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from agentgraph.cli.capture.loading import Loading
from agentgraph.cli.capture.messages import FactorySeen, MutantSeen
from agentgraph.cli.capture.source_file import SourceFile
from agentgraph.testing.mutation.changes import Parts
from agentgraph.testing.mutation.equivalence import Tables
from agentgraph.testing.mutation.mutants import mutants_of
from agentgraph.testing.mutation.operators import OPERATORS
from agentgraph.workflow import Source

__all__ = ["mutants_in"]


def mutants_in(
    loaded: Loading, files: Sequence[SourceFile], sources: Sequence[Source]
) -> Iterator[MutantSeen | FactorySeen]:
    """List the mutants of a file, each once, then its factories.

    Args:
        loaded: The loaded file.
        files: The sources of its project.
        sources: Its starts.
    """
    parts = Parts(sources)
    tables = Tables([*sources, *parts.agents])
    for mutant in mutants_of(parts, OPERATORS):
        difference = tables.difference(mutant.change)
        yield MutantSeen(
            **mutant.name._asdict(),
            text=mutant.change.text,
            scenario=mutant.scenario,
            origin=mutant.origin,
            exists=difference.exists,
            refusal=difference.refusal,
        )
    yield from map(FactorySeen, _factories(loaded))


def _factories(loaded: Loading) -> Iterator[str]:
    lines = [
        one.origin.line for one in loaded.recorder.objects if one.origin.file == loaded.source.file
    ]
    for statement in loaded.source.tree.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            last = statement.end_lineno or statement.lineno
            if any(statement.lineno <= line <= last for line in lines):
                yield statement.name
