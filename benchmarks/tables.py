"""Tables that compare the figures of several sides."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from sides import Figure

__all__ = ["Rounds", "as_json", "in_words", "markdown", "ratio", "table"]

Rounds = dict[str, list[Figure]]
"""The figures of one side, by row: one for each round."""


def table(
    titles: Sequence[str],
    results: Sequence[Rounds],
    missing: Sequence[str] = (),
    targets: Mapping[str, str] | None = None,
    title: str = "one unit of work (the models cost nothing)",
    *,
    beside_wall: bool = False,
) -> Table:
    """Make a table: a row for each figure of the first side, with the ratios of the other sides.

    Args:
        titles: The names of the sides, ours first.
        results: The figures of each side.
        missing: The names of sides that are not installed.
        targets: The target of our figure, by row.
        title: The title of the table.
        beside_wall: Whether to add the wall times of the other sides: for work that waits for a
            disk.
    """
    grid = Table(title=title, box=SIMPLE_HEAD)
    grid.add_column("", no_wrap=True)
    for heading in (f"{titles[0]}: CPU", "wall", "target"):
        grid.add_column(heading, justify="right", no_wrap=True)
    for heading in [*titles[1:], *missing]:
        grid.add_column(heading, justify="right", no_wrap=True)
    ours, *others = results
    for name, figures in ours.items():
        wall = "" if figures[0].size else _time(_median([figure.wall for figure in figures]))
        row = [name, in_words(figures), wall, (targets or {}).get(name, "")]
        beside = [_beside(figures, other.get(name), beside_wall) for other in others]
        grid.add_row(*row, *beside, *["not installed" for _ in missing])
    grid.caption = "others: CPU, and how many times ours; median of the rounds, ratio in a round"
    if beside_wall:
        grid.caption += "; then wall time in the same way"
    return grid


def markdown(titles: Sequence[str], results: Sequence[Rounds]) -> str:
    """Return the README's table: our processor time, and the others' as multiples of ours.

    Args:
        titles: The names of the sides, ours first.
        results: The figures of each side.
    """
    ours, *others = results
    lines = ["| what | here | " + " | ".join(titles[1:]) + " |", "|---" * (len(titles) + 1) + "|"]
    for name, figures in ours.items():
        cells = [_times(ratio(figures, other[name])) if name in other else "–" for other in others]
        lines.append(f"| {name} | {in_words(figures)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def in_words(figures: Sequence[Figure]) -> str:
    """Return the median of the processor times, or of the sizes, as text."""
    if figures[0].size:
        return f"{_median([figure.size for figure in figures]) / 1024:,.1f} KiB"
    return _time(_median([figure.cpu for figure in figures]))


def ratio(ours: Sequence[Figure], theirs: Sequence[Figure]) -> float:
    """Return the ratio of theirs to ours: the median of the ratios of each round."""
    pairs = zip(ours, theirs, strict=True)
    return _median([(b.size or b.cpu) / (a.size or a.cpu) for a, b in pairs])


def as_json(titles: Sequence[str], results: Sequence[Rounds]) -> dict[str, object]:
    """Return all figures as plain values: seconds and bytes, by side and row."""
    return {
        title: {
            name: [
                {"bytes": one.size} if one.size else {"cpu": one.cpu, "wall": one.wall}
                for one in figures
            ]
            for name, figures in rounds.items()
        }
        for title, rounds in zip(titles, results, strict=True)
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
    # The noise of two costs may be larger than their difference; then there is no ratio.
    if ratio <= 0:
        return "noise"
    return f"{ratio:,.{0 if ratio >= 9.95 else 1}f} ×"


def _time(seconds: float) -> str:
    if abs(seconds) < 1e-3:
        return f"{seconds * 1e6:,.1f} µs"
    return f"{seconds * 1e3:,.2f} ms"


def _median(values: Sequence[float]) -> float:
    return statistics.median(values)
