"""The printed form of steps and cases, and its parser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from agentgraph_compiler.diagnostics import Origin
from agentgraph_compiler.ir.lines import Line, joined, quoted, type_term, word, words
from agentgraph_compiler.ir.steps import (
    Branch,
    Branches,
    Case,
    JoinKind,
    Step,
    StepKind,
    Values,
)
from agentgraph_compiler.types import ANY, Type


def step_lines(step: Step, at: Callable[[Origin], str]) -> Iterator[str]:
    """The lines of one step.

    Args:
        step: The step.
        at: Prints an origin.
    """
    yield joined(
        "step",
        word(step.id),
        quoted(step.name),
        step.kind.value,
        "ends" if step.ends else "",
        f"of {words(step.agents)}" if step.agents else "",
        f"gives {type_term(step.output)}" if step.output != ANY else "",
        f"limits {quoted(step.limits)}" if step.limits else "",
        f"digest {word(step.digest)}" if step.digest else "",
        f"allow {words(step.allowed)}" if step.allowed else "",
        f"asks {quoted(step.asks)}" if step.asks else "",
        at(step.origin),
    )
    yield from (f"  takes {type_term(type)}" for type in step.takes)
    if step.branches is not None:
        yield from _branch_lines(step.branches)
    if step.domain is not None:
        yield joined(
            f"  on {quoted(step.on)}",
            f"reads {word(step.reads)}" if step.reads else "",
            f"fault {quoted(step.fault)}" if step.fault else "",
            _printed(step.domain),
        )
    for case in step.ways:
        yield joined(
            f"  {'error' if case.catches else 'case'} {quoted(case.label)}",
            f"-> {word(case.target)}",
            f"at_most {case.at_most}" if case.at_most else "",
            f"exhausted {word(case.exhausted)}" if case.exhausted else "",
            f"gives {words(case.gives)}" if case.gives else "",
            "carries" if case.carries else "",
            f"unread {words(case.unread)}" if case.unread else "",
            "fields" if case.fields else "",
            f"catches {words(case.catches)}" if case.catches else "",
            "" if case.takes is None else joined("takes", _printed(case.takes)),
        )


def _branch_lines(branches: Branches) -> Iterator[str]:
    yield joined(
        f"  join {branches.join.value}",
        f"needs {branches.needs}" if branches.needs else "",
        f"of {type_term(branches.of)}" if branches.of != ANY else "",
        f"most {branches.most}" if branches.most else "",
        f"places {branches.places}" if branches.places else "",
        f"fault {quoted(branches.fault)}" if branches.fault else "",
    )
    for branch in branches.branches:
        yield joined(
            f"  branch {quoted(branch.name)}",
            f"machine {word(branch.machine)}" if branch.machine else "",
            f"gives {type_term(branch.output)}" if branch.output != ANY else "",
            f"acts {words(branch.acts)}" if branch.acts else "",
            f"writes {words(branch.writes)}" if branch.writes else "",
            f"sessions {words(branch.sessions)}" if branch.sessions else "",
        )
        yield from (f"  gets {type_term(type)}" for type in branch.takes)


def _printed(values: Values) -> str:
    ends = ("*" if end is None else quoted(str(end)) for end in (values.least, values.most))
    return joined(
        "open" if values.open else "",
        f"range {' '.join(ends)}" if values.ranged else "",
        f"single {', '.join(map(quoted, values.single))}" if values.single else "",
    )


@dataclass(slots=True)
class StepDraft:
    """A step while its lines are read."""

    id: str
    name: str
    kind: StepKind
    ends: bool
    agents: tuple[str, ...]
    output: Type
    limits: str
    digest: str
    allowed: tuple[str, ...]
    asks: str
    origin: Origin
    takes: list[Type] = field(default_factory=list)
    on: str = ""
    reads: str = ""
    domain: Values | None = None
    fault: str = ""
    cases: list[Case] = field(default_factory=list)
    branches: Branches | None = None
    errors: list[Case] = field(default_factory=list)

    @classmethod
    def opened_by(cls, line: Line) -> StepDraft:
        return cls(
            id=line.word("the id of the step"),
            name=line.word("the name of the step"),
            kind=line.choice(StepKind, "a kind of step"),
            ends=line.accept("ends"),
            agents=line.words("the id of an agent") if line.accept("of") else (),
            output=line.type() if line.accept("gives") else ANY,
            limits=line.clause("limits"),
            digest=line.clause("digest"),
            allowed=line.allowed(),
            asks=line.clause("asks"),
            origin=line.origin(),
        )

    def member(self, line: Line) -> None:
        match line.word("a part of the step"):
            case "takes":
                self.takes.append(line.type())
            case "join":
                self.branches = _join(line)
            case "branch":
                self._add(_branch(line), line)
            case "gets":
                self._give(line)
            case "on":
                self.on = line.word("what the route decides on")
                self.reads, self.fault = line.clause("reads"), line.clause("fault")
                self.domain = _values(line)
            case "case":
                self.cases.append(_case(line))
            case "error":
                self.errors.append(_case(line))
            case other:
                line.fail(f"'{other}' is not a part of a step")

    def _add(self, branch: Branch, line: Line) -> None:
        if self.branches is None:
            line.fail("a branch comes after the line 'join' of its step")
        self.branches = replace(self.branches, branches=(*self.branches.branches, branch))

    def _give(self, line: Line) -> None:
        """Take the type of a value that the last branch takes."""
        if self.branches is None or not self.branches.branches:
            line.fail("a value is given to the branch above it, and there is none")
        *others, last = self.branches.branches
        last = replace(last, takes=(*last.takes, line.type()))
        self.branches = replace(self.branches, branches=(*others, last))

    def built(self) -> Step:
        return Step(
            id=self.id,
            name=self.name,
            kind=self.kind,
            agents=self.agents,
            output=self.output,
            on=self.on,
            reads=self.reads,
            domain=self.domain,
            fault=self.fault,
            cases=tuple(self.cases),
            origin=self.origin,
            ends=self.ends,
            digest=self.digest,
            takes=tuple(self.takes),
            allowed=self.allowed,
            asks=self.asks,
            branches=self.branches,
            errors=tuple(self.errors),
            limits=self.limits,
        )


def _join(line: Line) -> Branches:
    return Branches(
        (),
        join=line.choice(JoinKind, "a kind of join"),
        needs=line.count("needs"),
        of=line.type() if line.accept("of") else ANY,
        most=line.count("most"),
        places=line.count("places"),
        fault=line.clause("fault"),
    )


def _branch(line: Line) -> Branch:
    return Branch(
        line.word("the name of the branch"),
        machine=line.clause("machine"),
        output=line.type() if line.accept("gives") else ANY,
        acts=line.words("the name of a tool") if line.accept("acts") else (),
        writes=line.words("an attribute") if line.accept("writes") else (),
        sessions=line.words("the number of a session") if line.accept("sessions") else (),
    )


def _case(line: Line) -> Case:
    label = line.word("the label of the case")
    line.expect("->")
    return Case(
        label=label,
        target=line.word("the id of a step"),
        at_most=line.count("at_most"),
        exhausted=line.clause("exhausted"),
        gives=line.words("the id of a step") if line.accept("gives") else (),
        carries=line.accept("carries"),
        unread=line.words("a field") if line.accept("unread") else (),
        fields=line.accept("fields"),
        catches=line.words("the path of a class") if line.accept("catches") else (),
        takes=_values(line) if line.accept("takes") else None,
    )


def _values(line: Line) -> Values:
    is_open, ranged = line.accept("open"), line.accept("range")
    ends = (_end(line), _end(line)) if ranged else (None, None)
    single = line.words("a value") if line.accept("single") else ()
    return Values(single=single, ranged=ranged, least=ends[0], most=ends[1], open=is_open)


def _end(line: Line) -> int | None:
    if line.accept("*"):
        return None
    word = line.word("an end of the interval")
    try:
        return int(word)
    except ValueError:
        line.fail(f"expected a whole number or *, found {word}")
