"""Loading: a file runs under a recorder, entry by entry, and no run begins.

The entries of a file are its import (the module), its main block, and its factories. Each ends at
the first run that it would begin, at an error, or at its end.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterator, Set
from dataclasses import dataclass, field
from importlib import import_module
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Final, Literal

from agentgraph.authoring.recording import recording
from agentgraph.cli.capture.imported_names import LibraryNames
from agentgraph.cli.capture.places import Place, place_of
from agentgraph.cli.capture.recorder import MODULE, ProgramRecorder, RunStopped
from agentgraph.cli.capture.sdk_imports import sdk_means_this_library
from agentgraph.cli.capture.source import SourceText, main_blocks
from agentgraph.cli.source_spans import origins_in
from agentgraph.cli.tracebacks import own_traceback
from agentgraph.frontend.origins import Overrides
from agentgraph_compiler.diagnostics import UNKNOWN, Diagnostic, Origin

__all__ = ["MAIN", "Ending", "Loading", "loading"]

MAIN: Final = "main block"

How = Literal["finished", "stopped", "failed", "exited"]


@dataclass(frozen=True, slots=True)
class Ending:
    """How an entry of a file ended.

    Args:
        entry: The entry.
        how: At its end, at a run, at an error, or by ending the process.
        reason: The error in one line, if it failed or exited.
        origin: The line of the file where it ended.
        details: The traceback, without the frames of other code.
    """

    entry: str
    how: How = "finished"
    reason: str = ""
    origin: Origin = UNKNOWN
    details: str = ""


@dataclass
class Loading:
    """A file that is being loaded.

    Attributes:
        source: The file.
        place: How it is imported.
        recorder: What it made and began.
        names: The library's names in it.
        namespace: Its names.
        endings: How its entries ended, in order.
        findings: The findings about the source itself.
        locals: The local variables of the functions in which entries ended, by function.
    """

    source: SourceText
    place: Place
    recorder: ProgramRecorder
    names: LibraryNames = field(default_factory=lambda: LibraryNames({}, frozenset()))
    namespace: dict[str, Any] = field(default_factory=dict)
    endings: list[Ending] = field(default_factory=list)
    locals: dict[str, dict[str, Any]] = field(default_factory=dict)
    findings: list[Diagnostic] = field(default_factory=list)
    _modules_before: frozenset[str] = field(default=frozenset(), init=False)

    @property
    def imported(self) -> bool:
        """Whether the import reached its end, or a run."""
        return bool(self.endings) and self.endings[0].how in ("finished", "stopped")

    def module_ending(self) -> Ending:
        """How the import ended."""
        return self.endings[0] if self.endings else Ending(MODULE)

    @property
    def own_modules(self) -> list[ModuleType]:
        """The modules that came with the file: itself and new ones below its folder."""
        return [sys.modules[name] for name in _own(self._modules_before, self.place)]

    @property
    def overrides(self) -> Overrides:
        """Origins of objects that do not record their own."""
        return origins_in(self.own_modules)

    def run_module(self) -> None:
        """Import the file."""
        self.enter(MODULE, self._import)

    def _import(self) -> Any:
        name, file = self.place.module, self.source.file
        package = name.rpartition(".")[0]
        if package:
            import_module(package)
        loader = _TreeLoader(name, self.source)
        spec = spec_from_file_location(name, file, loader=loader)
        assert spec is not None
        module = module_from_spec(spec)
        sys.modules[name] = module
        self.namespace = vars(module)
        return loader.run(module)

    def run_main(self) -> None:
        """Run the main block, if there is one and the import reached its end."""
        statements = main_blocks(self.source.tree)
        if not statements or self.module_ending().how != "finished":
            return
        code = compile(ast.Module(statements, []), self.source.file, "exec", dont_inherit=True)
        self.namespace["__name__"] = "__main__"
        self.enter(MAIN, lambda: exec(code, self.namespace))

    def enter(self, entry: str, work: Callable[[], Any]) -> Any:
        """Run an entry to its end, to its first run, or to an error.

        Args:
            entry: The name of the entry.
            work: Runs it. If it returns an awaitable, that is awaited.

        Returns:
            What the entry returns; `None` if it does not end by itself.
        """
        self.recorder.entry = entry
        try:
            result = work()
            if inspect.isawaitable(result):
                result = asyncio.run(_awaited(result))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - what the program raises is the result
            self._note_locals(error)
            self.endings.append(self._ending(entry, error))
            return None
        self.endings.append(Ending(entry))
        return result

    def _ending(self, entry: str, error: BaseException) -> Ending:
        line = _line_in(self.source.file, error)
        origin = Origin(self.source.file, line) if line else UNKNOWN
        if self.recorder.stopped(entry) or isinstance(error, RunStopped):
            return Ending(entry, "stopped", "", origin)
        if isinstance(error, SystemExit):
            return Ending(entry, "exited", f"ended the process (status {error.code})", origin)
        text = " ".join(str(error).split())
        reason = f"{type(error).__name__}: {text}" if text else type(error).__name__
        return Ending(entry, "failed", reason, origin=origin, details=own_traceback(error))

    def _note_locals(self, error: BaseException) -> None:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if frame.f_code.co_filename == self.source.file:
                self.locals.setdefault(frame.f_code.co_name, dict(frame.f_locals))


@contextlib.contextmanager
def loading(source: SourceText, recorder: ProgramRecorder) -> Iterator[Loading]:
    """Prepare the loading of a file: its folders on the path, its recorder, what `agents` means.

    Args:
        source: The file.
        recorder: Notes what it makes.

    Yields:
        The file, not imported yet; its modules stay in `sys.modules` while the context is open.
    """
    file = Path(source.file)
    place = place_of(file, source.tree)
    before, search_path, arguments = frozenset(sys.modules), list(sys.path), list(sys.argv)
    sys.path[:0] = [str(folder) for folder in place.folders]
    sys.argv[:] = [source.file]
    if place.module in before:  # a file must not replace a loaded module with the same name
        place = Place(place.root, f"_{place.module}_of_agentgraph_cli", place.folders)
    loaded = Loading(source, place, recorder)
    loaded._modules_before = before
    try:
        with recording(recorder), sdk_means_this_library(source.tree, file) as loaded.names:
            yield loaded
    finally:
        sys.argv[:] = arguments
        sys.path[:] = search_path
        for name in _own(before, place):
            del sys.modules[name]


class _TreeLoader(SourceFileLoader):
    """Runs the syntax tree of a file, which is parsed once for all that read it."""

    def __init__(self, name: str, source: SourceText) -> None:
        super().__init__(name, source.file)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if self._source.is_notebook else 0
        code: CodeType = compile(
            self._source.tree, self._source.file, "exec", flags, dont_inherit=True
        )
        return code

    def run(self, module: ModuleType) -> Any:
        """Run the file; a notebook with an `await` at its top gives an awaitable."""
        code = self.get_code(module.__name__)
        if code.co_flags & inspect.CO_COROUTINE:
            return eval(code, vars(module))
        exec(code, vars(module))
        return None


async def _awaited(result: Awaitable[object]) -> Any:
    return await result


def _line_in(file: str, error: BaseException) -> int:
    """The innermost line of a file in a traceback; 0 if it has none."""
    if isinstance(error, SyntaxError) and error.filename == file:
        return error.lineno or 0
    lines = [
        line
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename == file
    ]
    return lines[-1] if lines else 0


def _own(before: Set[str], place: Place) -> list[str]:
    """The modules that came with a file: itself, and new ones below its folder.

    Modules of a package that was loaded before do not belong to the file, wherever they are, nor do
    installed modules and those of Python itself.
    """
    # In a fork, each look at a module that was loaded before copies the page of its counter.
    new = [name for name in sys.modules if name not in before]
    return [
        name
        for name in new
        if name == place.module
        or (
            (top := name.partition(".")[0]) not in before
            and top not in sys.stdlib_module_names
            and _is_below(sys.modules[name], place.root)
        )
    ]


def _is_below(module: ModuleType, root: Path) -> bool:
    file = getattr(module, "__file__", None)
    if not isinstance(file, str):
        return False
    path = Path(file)
    return path.is_relative_to(root) and not {"site-packages", "dist-packages"} & {*path.parts}
