"""Goldens: texts in tests/compiler/goldens that a person reviews.

`UPDATE_GOLDENS=1 pytest tests/compiler` writes them anew; the difference then shows in the review.
"""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).parent / "goldens"


def assert_golden(text: str, path: Path | str) -> None:
    """Compare a text with the one that was reviewed.

    Args:
        text: What is made now.
        path: The file: its name in the folder of goldens, or a whole path.
    """
    file = FOLDER / path
    if os.environ.get("UPDATE_GOLDENS"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    reviewed = file.read_text(encoding="utf-8") if file.exists() else ""
    assert text == reviewed, f"{file.name} differs; look at it and run with UPDATE_GOLDENS=1"
