"""Tables of short cells: in a terminal the last column is cut at the edge, in a pipe nothing is."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

__all__ = ["print_table"]

_GAP = "  "


def print_table(
    console: Console,
    header: Sequence[str],
    rows: Sequence[Sequence[Text]],
    right: Collection[int] = (),
) -> None:
    """Print a table.

    Args:
        console: Where to print.
        header: The name of each column.
        rows: The cells, each of one line.
        right: The columns whose cells end at the same place.
    """
    lines = [[Text(name, "quiet") for name in header], *rows]
    widths = [max(cell_len(cell.plain) for cell in column) for column in zip(*lines, strict=True)]
    for cells in lines:
        line = Text()
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True)):
            space = " " * (width - cell_len(cell.plain))
            line.append_text(Text(space) + cell if place in right else cell + Text(space))
            line.append(_GAP)
        line.rstrip()
        if console.is_terminal:
            line.truncate(console.width, overflow="ellipsis")
            console.print(line, soft_wrap=True)
        else:
            console.file.write(f"{line.plain}\n")  # a tenth of the time, for tables of all runs
