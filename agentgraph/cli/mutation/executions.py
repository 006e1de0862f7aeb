"""Seeing a file executed as a module, under whatever name and by whichever loader."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from importlib.machinery import SourceFileLoader
from os.path import basename, realpath
from types import ModuleType
from typing import Final

__all__ = ["after_each_execution"]

_METHOD: Final = "exec_module"


@contextlib.contextmanager
def after_each_execution(file: str, act: Callable[[ModuleType], None]) -> Iterator[None]:
    """Until the end of the context, act on the module of a file each time it has been executed.

    This holds for imports, for `spec_from_file_location` and for files whose assertions pytest
    rewrites, because it is the loaders that act.

    Args:
        file: The file, without symbolic links.
        act: Takes the module.
    """
    for module in [*sys.modules.values()]:
        if _is_of(module, file):
            act(module)
    with contextlib.ExitStack() as stack:
        for loader in {SourceFileLoader, *_loaders_among_finders()}:
            stack.enter_context(_with_action(loader, file, act))
        yield


def _loaders_among_finders() -> Iterator[type]:
    """The classes of finders that load modules themselves, as that of pytest does."""
    for finder in sys.meta_path:
        if not isinstance(finder, type) and hasattr(finder, _METHOD):
            yield type(finder)


@contextlib.contextmanager
def _with_action(loader: type, file: str, act: Callable[[ModuleType], None]) -> Iterator[None]:
    execute: Callable[[object, ModuleType], None] = getattr(loader, _METHOD)
    is_inherited = _METHOD not in vars(loader)

    def exec_module(self: object, module: ModuleType) -> None:
        execute(self, module)
        if _is_of(module, file):
            act(module)

    setattr(loader, _METHOD, exec_module)
    try:
        yield
    finally:
        if is_inherited:
            delattr(loader, _METHOD)
        else:
            setattr(loader, _METHOD, execute)


def _is_of(module: object, file: str) -> bool:
    path = getattr(getattr(module, "__spec__", None), "origin", None)
    if not isinstance(path, str) or basename(path) != basename(file):
        return False
    return realpath(path) == file
