"""Figures of several sides, side by side."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from sides import Figure

__all__ = ["Rounds", "as_json", "in_words", "markdown", "ratio", "table"]

Rounds = dict[str, list[Figure]]
"""The figures of one side: by row, one a round."""


def table(
    titles: Sequence[str],
    found: Sequence[Rounds],
    missing: Sequence[str] = (),
    targets: Mapping[str, str] | None = None,
    title: str = "one unit of work (the models cost nothing)",
    *,
    beside_wall: bool = False,
) -> Table:
    """A row for each figure of the first side, with the ratio of each other side to it.

    Args:
        titles: The sides, ours first.
        found: What was measured of each.
        missing: Sides that are not installed.
        targets: What is asked of our figure.
        title: What stands above.
        beside_wall: Whether the wall time of the others is given, too: where a disk is waited for.
    """
    drawn = Table(title=title, box=SIMPLE_HEAD)
    drawn.add_column("", no_wrap=True)
    for heading in (f"{titles[0]}: CPU", "wall", "target"):
        drawn.add_column(heading, justify="right", no_wrap=True)
    for heading in [*titles[1:], *missing]:
        drawn.add_column(heading, justify="right", no_wrap=True)
    ours, *others = found
    for name, figures in ours.items():
        wall = "" if figures[0].size else _time(_median([figure.wall for figure in figures]))
        row = [name, in_words(figures), wall, (targets or {}).get(name, "")]
        beside = [_beside(figures, other.get(name), beside_wall) for other in others]
        drawn.add_row(*row, *beside, *["not installed" for _ in missing])
    drawn.caption = "others: CPU, and how many times ours; median of the rounds, ratio in a round"
    if beside_wall:
        drawn.caption += "; then wall time in the same way"
    return drawn


def markdown(titles: Sequence[str], found: Sequence[Rounds]) -> str:
    """The rows as the README has them: our processor time, and how many times that the others take.

    Args:
        titles: The sides, ours first.
        found: What was measured of each.
    """
    ours, *others = found
    lines = ["| what | here | " + " | ".join(titles[1:]) + " |", "|---" * (len(titles) + 1) + "|"]
    for name, figures in ours.items():
        cells = [_times(ratio(figures, other[name])) if name in other else "–" for other in others]
        lines.append(f"| {name} | {in_words(figures)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def in_words(figures: Sequence[Figure]) -> str:
    """The median of processor times, or of sizes."""
    if figures[0].size:
        return f"{_median([figure.size for figure in figures]) / 1024:,.1f} KiB"
    return _time(_median([figure.cpu for figure in figures]))


def ratio(ours: Sequence[Figure], theirs: Sequence[Figure]) -> float:
    """How many times ours theirs is: the median of the ratios inside a round."""
    pairs = zip(ours, theirs, strict=True)
    return _median([(b.size or b.cpu) / (a.size or a.cpu) for a, b in pairs])


def as_json(titles: Sequence[str], found: Sequence[Rounds]) -> dict[str, object]:
    """Everything that was measured, as plain values: seconds and bytes, by side and row."""
    return {
        title: {
            name: [
                {"bytes": one.size} if one.size else {"cpu": one.cpu, "wall": one.wall}
                for one in figures
            ]
            for name, figures in rounds.items()
        }
        for title, rounds in zip(titles, found, strict=True)
    }


def _beside(ours: Sequence[Figure], theirs: Sequence[Figure] | None, with_wall: bool) -> str:
    if theirs is None:
        return "–"
    times = ratio(ours, theirs)
    text = f"{in_words(theirs)} {_times(times):>7}"
    if with_wall:
        walls = [figure.wall for figure in theirs]
        pairs = zip(ours, theirs, strict=True)
        wall_ratio = _median([b.wall / a.wall for a, b in pairs])
        text += f"   {_time(_median(walls))} {wall_ratio:.1f}×"
    return text


def _times(ratio: float) -> str:
    # A difference of two costs may drown in the noise of both; then it has no ratio.
    if ratio <= 0:
        return "noise"
    return f"{ratio:,.{0 if ratio >= 9.95 else 1}f} ×"


def _time(seconds: float) -> str:
    if abs(seconds) < 1e-3:
        return f"{seconds * 1e6:,.1f} µs"
    return f"{seconds * 1e3:,.2f} ms"


def _median(values: Sequence[float]) -> float:
    return statistics.median(values)
