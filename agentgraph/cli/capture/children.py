"""The children of a command: one process for each file, several at a time.

Where the system forks safely, a child is a fork of this process, which has loaded the library
already. Elsewhere each child is a new interpreter.
"""

from __future__ import annotations

import gc
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import IO, Final, NoReturn, TypeVar

from agentgraph.cli.capture.bounds import without_input
from agentgraph.cli.capture.child import Request, capture
from agentgraph.cli.capture.messages import Message, decoded, encoded
from agentgraph.cli.capture.requests import written_request

__all__ = ["Captured", "can_fork", "capture_files", "processors"]

_PATIENCE: Final = 10.0
"""Seconds that a child has beyond its time limit, to check what it loaded and to end."""
_LAST_LINE: Final = b"\n"
"""What a fork sends last. The end of its pipe does not say that it is done: processes that the file
forked may hold the pipe open."""
_SHOWN: Final = 20_000
"""The most bytes of a file's own output to keep: the last ones."""

M = TypeVar("M", bound=Message)
Report = Callable[["Captured"], None]


@dataclass
class Captured:
    """What the child of a file sent.

    Attributes:
        request: What it was asked for.
        messages: What it sent, in order.
        output: What the file itself printed.
        problem: Why the child ended before its work, in words; empty if it did not.
    """

    request: Request
    messages: list[Message] = field(default_factory=list)
    output: str = ""
    problem: str = ""

    def of(self, kind: type[M]) -> list[M]:
        """The messages of one kind."""
        return [message for message in self.messages if isinstance(message, kind)]


def processors() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def can_fork() -> bool:
    """Whether a fork of this process is safe: on macOS system libraries break in a fork, and
    another thread may hold a lock that the fork would wait for."""
    return hasattr(os, "fork") and sys.platform != "darwin" and threading.active_count() == 1


def capture_files(
    requests: Sequence[Request], *, jobs: int, report: Report | None = None
) -> list[Captured]:
    """Load files, each in a process of its own.

    Args:
        requests: The files.
        jobs: The most processes at a time.
        report: Called with each result as it comes.

    Returns:
        The results, in the order of the requests.
    """
    results = [Captured(request) for request in requests]
    children = _Forks(jobs, report) if can_fork() else _Interpreters(jobs, report)
    children.run(results)
    return results


class _Interpreters:
    """New interpreters."""

    def __init__(self, jobs: int, report: Report | None) -> None:
        self._jobs = jobs
        self._report = report
        self._running: set[subprocess.Popen[bytes]] = set()

    def run(self, results: Sequence[Captured]) -> None:
        with ThreadPoolExecutor(self._jobs) as pool:
            try:
                for captured in pool.map(self._run, results):
                    if self._report is not None:
                        self._report(captured)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                for child in [*self._running]:
                    child.kill()
                raise

    def _run(self, captured: Captured) -> Captured:
        limit = captured.request.limits.seconds
        with tempfile.TemporaryFile() as output:
            child = subprocess.Popen(
                [sys.executable, "-m", "agentgraph.cli.capture"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                start_new_session=True,  # see `_be_child`
            )
            self._running.add(child)
            request = written_request(captured.request)
            try:
                received, _ = child.communicate(request, timeout=limit + _PATIENCE)
            except subprocess.TimeoutExpired:
                child.kill()
                received, _ = child.communicate()
                captured.problem = _overdue(limit)
            finally:
                self._running.discard(child)
            _complete(captured, received, output, child.returncode)
        return captured


@dataclass
class _Fork:
    captured: Captured
    process: int
    output: IO[bytes]
    deadline: float
    received: bytes = b""

    @property
    def is_done(self) -> bool:
        """Whether the last line came: the child only has to end."""
        return self.received.endswith(b"\n" + _LAST_LINE)


class _Forks:
    """Forks of this process."""

    def __init__(self, jobs: int, report: Report | None) -> None:
        self._jobs = jobs
        self._report = report
        self._running: dict[int, _Fork] = {}
        self._selector = selectors.DefaultSelector()

    def run(self, results: Sequence[Captured]) -> None:
        waiting = list(reversed(results))
        # A collection in a child would write to all objects of this process, and so copy them.
        gc.freeze()
        try:
            while waiting or self._running:
                while waiting and len(self._running) < self._jobs:
                    self._start(waiting.pop())
                self._read()
        finally:
            for reader, fork in [*self._running.items()]:
                self._end(reader, fork)
            self._selector.close()
            gc.unfreeze()

    def _start(self, captured: Captured) -> None:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        output = tempfile.TemporaryFile()  # noqa: SIM115 - `_end` closes it
        reader, writer = os.pipe()
        with warnings.catch_warnings():
            # Python warns of threads that other code started; `can_fork` has looked at ours.
            warnings.simplefilter("ignore", DeprecationWarning)
            process = os.fork()
        if process == 0:
            os.close(reader)
            _be_child(captured.request, writer, output.fileno())
        os.close(writer)
        limit = captured.request.limits.seconds + _PATIENCE
        self._running[reader] = _Fork(captured, process, output, time.monotonic() + limit)
        self._selector.register(reader, selectors.EVENT_READ)

    def _read(self) -> None:
        deadline = min(fork.deadline for fork in self._running.values())
        for key, _ in self._selector.select(max(0.0, deadline - time.monotonic())):
            fork = self._running[key.fd]
            piece = os.read(key.fd, 1 << 16)
            fork.received += piece
            if not piece or fork.is_done:
                self._end(key.fd, fork)
        for reader, fork in [*self._running.items()]:
            if time.monotonic() >= fork.deadline:
                fork.captured.problem = _overdue(fork.captured.request.limits.seconds)
                self._end(reader, fork)

    def _end(self, reader: int, fork: _Fork) -> None:
        self._selector.unregister(reader)
        del self._running[reader]
        os.close(reader)
        # The file may have started processes, which end with it. A child that is ending by itself
        # keeps its status.
        _kill(fork.process)
        _, status = os.waitpid(fork.process, 0)
        with fork.output:
            code = 0 if fork.is_done else os.waitstatus_to_exitcode(status)
            _complete(fork.captured, fork.received, fork.output, code)
        if self._report is not None:
            self._report(fork.captured)


def _be_child(request: Request, writer: int, output: int) -> NoReturn:
    status = 1
    try:
        # Without a terminal: the file cannot ask there, as `getpass` does, and Ctrl-C is for the
        # parent, which then ends its children.
        os.setsid()
        without_input(output)
        capture(request, lambda message: _write(writer, encoded(message)))
        sys.stdout.flush()
        sys.stderr.flush()
        _write(writer, _LAST_LINE)
        status = 0
    except BaseException:  # noqa: BLE001 - the parent shows the traceback
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _write(writer: int, line: bytes) -> None:
    while line:
        line = line[os.write(writer, line) :]


def _complete(captured: Captured, received: bytes, output: IO[bytes], status: int) -> None:
    lines = received.split(b"\n")[:-1]  # a child that was killed may have written half a line
    captured.messages = [decoded(line) for line in lines if line]
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - _SHOWN))
    captured.output = output.read().decode(errors="replace")
    if not captured.problem and status:
        captured.problem = _ended(status)


def _ended(status: int) -> str:
    if status > 0:
        return f"its process ended with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = str(-status)
    return f"its process was ended by the signal {name}"


def _overdue(seconds: float) -> str:
    return f"it was not ready after {seconds:g} seconds"


def _kill(process: int) -> None:
    """Kill a child and the processes of its session."""
    try:
        os.killpg(process, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        os.kill(process, signal.SIGKILL)
