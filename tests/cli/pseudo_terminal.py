"""The command on a terminal of its own, typed into as a person would: question read, line typed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import subprocess
import sys
import termios
from collections.abc import Iterator
from dataclasses import dataclass, field
from select import select

from tests.cli.command import REPOSITORY, environment

_PATIENCE = 120.0
"""Seconds without a sign of life after which a question is given up."""
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


@dataclass
class Screen:
    """What a command shows, and the keyboard in front of it."""

    process: subprocess.Popen[bytes]
    terminal: int
    shown: str = ""
    _read: int = field(default=0, init=False)

    def answer(self, question: str, line: str) -> None:
        """Wait for a question, then type a line."""
        self._wait_for(question)
        os.write(self.terminal, f"{line}\n".encode())

    def press(self, question: str, key: bytes) -> None:
        """Wait for a question, then press a key, such as Ctrl-C."""
        self._wait_for(question)
        os.write(self.terminal, key)

    def status(self) -> int:
        """The exit status, once everything is shown."""
        while self._more():
            pass
        return self.process.wait(_PATIENCE)

    def _wait_for(self, question: str) -> None:
        while (found := self.shown.find(question, self._read)) < 0:
            assert self._more(), f"{question!r} never came:\n{self.shown}"
        self._read = found + len(question)

    def _more(self) -> bool:
        ready, _, _ = select([self.terminal], [], [], _PATIENCE)
        assert ready, f"nothing more came:\n{self.shown}"
        try:
            piece = os.read(self.terminal, 65536)
        except OSError:  # Linux says so when no process has the other side open any more
            return False
        self.shown += _CONTROL.sub("", piece.decode(errors="replace"))
        return bool(piece)


@contextlib.contextmanager
def on_a_terminal(*arguments: object) -> Iterator[Screen]:
    """Start the command on a terminal of 200 columns."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (50, 200))
    process = subprocess.Popen(
        [sys.executable, "-m", "agentgraph", *map(str, arguments)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=REPOSITORY,
        env=environment(TERM="xterm", NO_COLOR="1"),
        start_new_session=True,
        preexec_fn=_controlling_terminal,  # Ctrl-C goes to the process that has the terminal
    )
    os.close(theirs)
    try:
        yield Screen(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _controlling_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
