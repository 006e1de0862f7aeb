"""Lines of the printed form of a chart: written part by part, and cut into tokens to be read from
left to right."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NoReturn, TypeVar

from agentgraph_compiler.diagnostics import UNKNOWN, Origin
from agentgraph_compiler.ir.chart import Enabled
from agentgraph_compiler.machine import OTHERWISE, Emission, Guard, GuardKind
from agentgraph_compiler.types import Type

BARE_WORD = r"[A-Za-z0-9_./*+-]+"
_TOKEN = re.compile(rf'\s*(->|[,:<~@]|{BARE_WORD}|"(?:[^"\\]|\\.)*")')
_BARE = re.compile(BARE_WORD)
_MARKS = frozenset({"->", ",", ":", "<", "~", "@"})
_Choice = TypeVar("_Choice", bound=StrEnum)


class ChartSyntaxError(ValueError):
    """A text is not a printed chart.

    Args:
        message: What the parser expected and what it found.
        line: The line, counted from 1.
    """

    def __init__(self, message: str, line: int) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line


def lines_of(text: str) -> Iterator[Line]:
    """The lines of a text without empty lines and remarks."""
    for number, line in enumerate(text.split("\n"), start=1):
        content = line.strip()
        if content and not content.startswith("#"):
            yield Line(line, number)


class Line:
    """The tokens of one line, read from left to right."""

    def __init__(self, text: str, number: int) -> None:
        self.at = number
        self.indented = text[0].isspace()
        self.tokens: list[str] = []
        self.position = 0
        text, start = text.rstrip(), 0
        while start < len(text):
            token = _TOKEN.match(text, start)
            if token is None:
                self.fail(f"cannot read {text[start:].strip()!r}")
            self.tokens.append(token[1])
            start = token.end()

    def fail(self, message: str) -> NoReturn:
        raise ChartSyntaxError(message, self.at)

    @property
    def _next(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def accept(self, token: str) -> bool:
        """Take ``token`` if it comes next."""
        matches = self._next == token
        self.position += matches
        return matches

    def expect(self, token: str) -> None:
        """Take ``token``, which must come next."""
        if not self.accept(token):
            self.fail(f"expected '{token}', found {self._next or 'the end of the line'}")

    def end(self) -> None:
        """Check that the line ends here."""
        if self._next:
            self.fail(f"expected the end of the line, found {self._next}")

    def word(self, what: str) -> str:
        """Take a word or a string."""
        token = self._next
        if not token or token in _MARKS:
            self.fail(f"expected {what}, found {token or 'the end of the line'}")
        self.position += 1
        if not token.startswith('"'):
            return token
        try:
            text = json.loads(token)
        except json.JSONDecodeError as error:
            self.fail(f"not a string: {token} ({error.msg})")
        assert isinstance(text, str)  # the token is quoted
        return text

    def words(self, what: str) -> tuple[str, ...]:
        """Take one word or several with commas between them."""
        words = [self.word(what)]
        while self.accept(","):
            words.append(self.word(what))
        return tuple(words)

    def clause(self, keyword: str) -> str:
        """Take a keyword and its word; an empty word if the keyword does not come next."""
        return self.word(f"a word after '{keyword}'") if self.accept(keyword) else ""

    def count(self, keyword: str) -> int:
        """Take a keyword and its number; 0 if the keyword does not come next."""
        return self.number(f"a number after '{keyword}'") if self.accept(keyword) else 0

    def number(self, what: str) -> int:
        """Take a number."""
        number = self.word(what)
        if not number.isdecimal():
            self.fail(f"expected {what}, found {number}")
        return int(number)

    def chosen(self, keyword: str, default: _Choice, what: str) -> _Choice:
        """Take a keyword and one of a closed set; the default if the keyword does not come next."""
        return self.choice(type(default), what) if self.accept(keyword) else default

    def choice(self, kinds: type[_Choice], what: str) -> _Choice:
        """Take one of a closed set."""
        token = self.word(what)
        try:
            return kinds(token)
        except ValueError:
            self.fail(f"'{token}' is not {what}; choose one of {', '.join(kinds)}")

    def type(self) -> Type:
        """Take a type term."""
        name = self.word("a type")
        digest = self.word("a digest") if self.accept("~") else ""
        return Type(name, self.words("a type") if self.accept("<") else (), digest)

    def allowed(self) -> tuple[str, ...]:
        """Take the clause of suppressed rules, if there is one."""
        return self.words("a rule") if self.accept("allow") else ()

    def origin(self) -> Origin:
        """Take the origin, if there is one."""
        if not self.accept("@"):
            return UNKNOWN
        file = self.word("a file")
        self.expect(":")
        return Origin(file, self.number("a line number"))

    def enabled(self) -> Enabled:
        """Take whether something is on offer; ``ALWAYS`` if the line does not say."""
        if self._next in (Enabled.SOMETIMES, Enabled.NEVER):
            return self.choice(Enabled, "a word for when it is enabled")
        return Enabled.ALWAYS

    def guard(self) -> Guard:
        """Take a condition, if there is one; its operands end at an arrow or at the end."""
        if not self.accept("when"):
            return OTHERWISE
        kind = self.choice(GuardKind, "a kind of guard")
        return Guard(kind, () if self._next in ("", "->") else self.words("an operand"))

    def emits(self) -> tuple[Emission, ...]:
        """Take the emissions, if there are any."""
        if not self.accept("emits"):
            return ()
        emissions = [self.choice(Emission, "an emission")]
        while self.accept(","):
            emissions.append(self.choice(Emission, "an emission"))
        return tuple(emissions)


def quoted(text: str) -> str:
    """A text as a JSON string."""
    return json.dumps(text, ensure_ascii=not text.isprintable())


def word(text: str) -> str:
    """A word, bare where its characters allow it."""
    return text if _BARE.fullmatch(text) else quoted(text)


def words(texts: Iterable[str]) -> str:
    """Words with commas between them."""
    return ", ".join(map(word, texts))


def type_term(term: Type) -> str:
    """A type term."""
    digest = f" ~ {word(term.digest)}" if term.digest else ""
    supertypes = f" < {words(term.supertypes)}" if term.supertypes else ""
    return f"{word(term.name)}{digest}{supertypes}"


def joined(*parts: str) -> str:
    """The parts of a line without the empty ones."""
    return " ".join(part for part in parts if part)
