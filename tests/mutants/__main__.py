"""A sample of faults, and whether the tests see them: ``make mutants``.

Each room gets the same share of the sample. A mutant lives in a copy of the working tree, so that
nothing here is ever changed; the tests of its room run against the copy, the fast files first, and
stop at the first failure. A mutant that ends in a failed test or runs far longer than the tests do
without a fault is killed; any other one survives, and a person decides whether a test is missing or
whether no test can see it (``equivalent.toml``, with the reason).

Results stand in ``.cache/mutants/results.jsonl``. A second run goes on where the first one ended,
and tests a mutant again if the text of its module changed or if it survived.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tests.mutants.operators import Mutant, mutants_of

REPOSITORY = Path(__file__).resolve().parents[2]
CACHE = REPOSITORY / ".cache" / "mutants"
EQUIVALENT = Path(__file__).with_name("equivalent.toml")
EXTRA_SECONDS = 60


class Room(NamedTuple):
    """A folder of code and the tests that answer for it, the fast ones first."""

    source: str
    tests: tuple[str, ...]


ROOMS = {
    "runtime": Room(
        "agentgraph/runtime",
        (
            "tests/runtime/test_step.py",
            "tests/runtime/test_phases.py",
            "tests/runtime/test_migrate.py",
            "tests/runtime/test_one_lane.py",
            "tests/runtime",
        ),
    ),
    "record": Room(
        "agentgraph/record",
        (
            "tests/record",
            "tests/api/test_runs.py",
            "tests/api/test_results.py",
            "tests/api/test_tools_guardrails.py",
            "tests/api/test_handoffs_in_runs.py",
            "tests/api/test_authority.py",
            "tests/api/test_custom_data.py",
            "tests/stored",
            "tests/replay/test_resumed_inside.py",
            "tests/replay/test_usage_of_outcomes.py",
            "tests/api/test_tools_flow.py",
            "tests/api/test_run_state.py",
            "tests/api/test_streaming.py",
            "tests/api/test_guardrails_in_runs.py",
            "tests/api/test_sessions_in_runs.py",
            "tests/api/test_conversation.py",
            "tests/api/test_input_lists.py",
            "tests/api/test_outputs_withheld.py",
            "tests/api/test_approval.py",
            "tests/replay/test_purity.py",
            "tests/replay/test_cut_anywhere.py",
        ),
    ),
    "frontend": Room("agentgraph/frontend", ("tests/frontend", "tests/compiler")),
    "checks": Room(
        "compiler/agentgraph_compiler/checks",
        ("tests/compiler/test_rules.py", "tests/compiler/test_rule_pages.py", "tests/compiler"),
    ),
    "memory": Room(
        "agentgraph/memory",
        (
            "tests/memory/transcripts",
            "tests/memory/runs",
            "tests/memory/sqlite",
            "tests/memory/test_sqlite_session.py",
            "tests/memory/test_session_settings.py",
            "tests/memory/test_openai_conversations_session.py",
            "tests/api/test_compaction_sessions.py",
            "tests/memory/test_stored_sessions.py",
            "tests/memory/test_session_loops.py",
            "tests/memory/test_runs_tried_again.py",
            "tests/memory/test_runs_on_a_file.py",
            "tests/memory/test_runs_at_once.py",
            "tests/memory/test_session_contract.py",
        ),
    ),
}


class Chosen(NamedTuple):
    """A mutant of the sample, with its module and a key that stays while the module does."""

    room: str
    path: str
    mutant: Mutant
    key: str
    line: str

    def __str__(self) -> str:
        before = self.line if len(self.line) <= 70 else f"{self.line[:70]}…"
        after = self.mutant.after if len(self.mutant.after) <= 50 else f"{self.mutant.after[:50]}…"
        return f"{self.path}:{self.mutant.line} {self.mutant.rule}: {before}  ->  {after}"


class Copy:
    """A copy of the working tree in which mutants live, one after the other."""

    def __init__(self, number: int) -> None:
        self.root = CACHE / f"tree-{number}"
        shutil.rmtree(self.root, ignore_errors=True)
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=REPOSITORY,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for name in filter(None, listed.split("\0")):
            source, target = REPOSITORY / name, self.root / name
            if source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
        self._now = time.time_ns()

    def write(self, path: str, source: bytes) -> None:
        """Write a module. Its time is new each time, so that no cache takes it for another one."""
        file = self.root / path
        file.write_bytes(source)
        self._now += 2_000_000_000
        os.utime(file, ns=(self._now, self._now))

    def run(self, tests: tuple[str, ...], seconds: float) -> str:
        """Run tests: ``passed``, ``failed`` or ``too long``."""
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(self.root), str(self.root / "compiler"))),
            "HYPOTHESIS_PROFILE": "ci",
        }
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
        with open(self.root / "output.txt", "w") as output:
            process = subprocess.Popen(
                [*command, *tests],
                cwd=self.root,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                status = process.wait(seconds)
            except subprocess.TimeoutExpired:
                return "too long"
            finally:
                _end(process)
        return "passed" if status == 0 else "failed"

    def last_failure(self) -> str:
        """The first test that failed in the last run."""
        text = (self.root / "output.txt").read_text(errors="replace")
        lines = [line for line in text.splitlines() if line.startswith(("FAILED", "ERROR"))]
        return lines[0].split(" - ")[0] if lines else "no test began"


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the tests and every server that they started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def sample(room: str, count: int, seed: int, root: Path = REPOSITORY) -> list[Chosen]:
    """The share of a room: the mutants with the lowest digests.

    The digest of a mutant reads its line and nothing around it, so most of the sample stays when
    the code around it changes.
    """
    ranked: dict[str, Chosen] = {}
    for file in sorted((root / ROOMS[room].source).rglob("*.py")):
        source = file.read_bytes()
        path = file.relative_to(root).as_posix()
        lines = source.decode().splitlines()
        for mutant in mutants_of(source):
            line = lines[mutant.line - 1].strip()
            rank = _digest(seed, path, line, mutant.rule, mutant.after)
            key = _digest(source, mutant)
            ranked.setdefault(rank, Chosen(room, path, mutant, key, line))
    return [ranked[rank] for rank in sorted(ranked)[:count]]


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def equivalents() -> list[Mapping[str, str]]:
    """The mutants that no test can see: path, line of code, replacement and the reason."""
    results: list[Mapping[str, str]] = tomllib.loads(EQUIVALENT.read_text()).get("mutant", [])
    return results


def is_equivalent(chosen: Chosen) -> bool:
    """Whether a person found that the mutant behaves as the source does."""
    return any(
        (one["path"], one["line"], one["after"]) == (chosen.path, chosen.line, chosen.mutant.after)
        for one in equivalents()
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("rooms", nargs="*", default=list(ROOMS), metavar="ROOM")
    parser.add_argument("--count", type=int, default=80, help="the size of the sample")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--least", type=float, default=95.0, help="killed, in percent")
    parser.add_argument("--copy", type=int, default=0, help="number of the copy of the tree")
    options = parser.parse_args()
    CACHE.mkdir(parents=True, exist_ok=True)
    results = CACHE / "results.jsonl"
    done = _known(results)
    copy = Copy(options.copy)
    outcomes: list[tuple[Chosen, str]] = []
    for room in options.rooms:
        limit = 0.0
        chosen = sample(room, options.count // len(ROOMS), options.seed, copy.root)
        for number, one in enumerate(chosen, 1):
            verdict = "equivalent" if is_equivalent(one) else done.get(one.key, "")
            if not verdict or verdict == "survived":
                limit = limit or _limit(copy, room)
                verdict = _try(copy, one, limit)
                with open(results, "a") as file:
                    file.write(json.dumps({"key": one.key, "verdict": verdict}) + "\n")
            outcomes.append((one, verdict))
            print(f"{room} {number}/{len(chosen)} {verdict}: {one}", flush=True)
    return _report(outcomes, options.least)


def _known(results: Path) -> dict[str, str]:
    if not results.exists():
        return {}
    rows = map(json.loads, results.read_text().splitlines())
    return {row["key"]: row["verdict"] for row in rows}


def _limit(copy: Copy, room: str) -> float:
    """The seconds after which a mutant counts as killed. The tests must pass without a fault."""
    begin = time.monotonic()
    if (verdict := copy.run(ROOMS[room].tests, 3600)) != "passed":
        sys.exit(f"the tests of {room} do not pass without a fault: {copy.last_failure()}")
    seconds = time.monotonic() - begin
    print(f"{room}: the tests {verdict} in {seconds:.0f} seconds without a fault", flush=True)
    return 3 * seconds + EXTRA_SECONDS


def _try(copy: Copy, chosen: Chosen, limit: float) -> str:
    source = (copy.root / chosen.path).read_bytes()
    copy.write(chosen.path, chosen.mutant.apply(source))
    try:
        verdict = copy.run(ROOMS[chosen.room].tests, limit)
    finally:
        copy.write(chosen.path, source)
    if verdict == "failed":
        return f"killed by {copy.last_failure()}"
    return "survived" if verdict == "passed" else "killed: too long"


def _report(outcomes: list[tuple[Chosen, str]], least: float) -> int:
    counted = [(one, verdict) for one, verdict in outcomes if verdict != "equivalent"]
    survivors = [one for one, verdict in counted if verdict == "survived"]
    killed = len(counted) - len(survivors)
    percent = 100 * killed / len(counted) if counted else 100.0
    left_out = len(outcomes) - len(counted)
    print(f"\n{killed} of {len(counted)} killed: {percent:.1f} % ({left_out} equivalent)")
    for one in survivors:
        print(f"survived: {one}")
    return 0 if percent >= least else 1


if __name__ == "__main__":
    sys.exit(main())
