"""The checks: one file, one rule. ``CHECKS`` is the only list of them."""

from __future__ import annotations

from types import ModuleType

CHECKS: tuple[ModuleType, ...] = ()
