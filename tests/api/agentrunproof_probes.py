"""Run the probes of the public package `agentrunproof` against agentgraph.

usage: python agentrunproof_probes.py FOLDER — the folder holds the package. Prints one JSON object:
what each probe says. The probes import `agents`; here that is `agentgraph`.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.metadata
import json
import sys
from collections.abc import Sequence
from types import ModuleType, SimpleNamespace
from typing import Any

import agentgraph.exceptions
from agentgraph.running import launch

NEWEST = "0.22.0"
"""The newest SDK that the probes know: they choose by it what to expect."""


class _Alias(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes `agents` and its modules names of ours."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] != "agents":
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return importlib.import_module("agentgraph" + spec.name.removeprefix("agents"))

    def exec_module(self, module: ModuleType) -> None:
        """It has run already."""


class _RunIds:
    """Ids of runs that begin anew with each variant of a probe, which compares the digests of
    stored states; ours hold the id of their run."""

    def __init__(self) -> None:
        self.runs = 0

    def urandom(self, count: int) -> bytes:
        self.runs += 1
        return hashlib.sha256(str(self.runs).encode()).digest()[:count]


def prepare(folder: str) -> _RunIds:
    """Let the probes see us as the SDK, under its names."""
    sys.meta_path.insert(0, _Alias())
    sys.path.insert(0, folder)
    version = importlib.metadata.version
    importlib.metadata.version = lambda name: NEWEST if name == "openai-agents" else version(name)
    for value in vars(agentgraph.exceptions).values():
        if isinstance(value, type) and value.__module__ == "agentgraph.exceptions":
            value.__module__ = "agents.exceptions"
    ids = _RunIds()
    launch.os = SimpleNamespace(urandom=ids.urandom)  # type: ignore[attr-defined]
    return ids


async def verdicts(ids: _RunIds) -> dict[str, Any]:
    """What each probe says, by its name."""
    engine = importlib.import_module("agentrunproof.engine")
    run_variant = engine._run_plan_variant

    async def with_new_ids(**options: Any) -> Any:
        ids.runs = 0
        return await run_variant(**options)

    engine._run_plan_variant = with_new_ids
    said: dict[str, Any] = {}
    for name, scenario in importlib.import_module("agentrunproof.builtins").SCENARIOS.items():
        proof = await engine.run_scenario(scenario)
        broken = [one for one in proof.invariant_results if one.status != "PASS"]
        said[name] = [proof.status, [f"{one.name}: {one.reason}" for one in broken]]
    history = importlib.import_module("agentrunproof.history.scenarios")
    for name, scenario in history.SCENARIOS.items():
        said[name] = [(result := await scenario())["overall_status"], result["variants"]]
    return said


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(verdicts(prepare(sys.argv[1]))), default=str))
