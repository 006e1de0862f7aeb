"""What a source rule reads: the files of a project and the objects that its file made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from agentgraph.agent import Agent
from agentgraph.authoring.suppression import allowed
from agentgraph.cli.capture.kinds import as_source, is_workflow_source
from agentgraph.cli.capture.recorder import Made, RunStart
from agentgraph.cli.capture.source_file import SourceFile
from agentgraph_compiler.diagnostics import Rule
from agentgraph_compiler.options import OptionValues

__all__ = ["Project", "is_allowed"]


@dataclass(frozen=True, slots=True)
class Project:
    """A file of a command with the modules beside it.

    Args:
        files: The file, then the modules of its project that it imports.
        made: The agents and workflows that they made, or that were read from the source.
        begun: The runs that the file began as it was loaded.
        options: What the project sets about rules.
        rules: Every rule.
    """

    files: Sequence[SourceFile]
    made: Sequence[Made]
    begun: Sequence[RunStart] = ()
    options: OptionValues = field(default_factory=dict)
    rules: Sequence[Rule] = ()

    @property
    def file(self) -> SourceFile:
        """The file of the command."""
        return self.files[0]

    def agents(self) -> list[Agent]:
        """The agents, without the workflows."""
        sources = (as_source(one.authored) for one in self.made)
        return [one for one in sources if one is not None and not is_workflow_source(one)]


def is_allowed(rule: Rule, *parts: object) -> bool:
    """Whether the user suppressed a rule, by name or by code, on one of some objects."""
    return any({rule.name, rule.code} & {*allowed(part)} for part in parts)
