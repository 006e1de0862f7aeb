"""Hooks of the site: small differences between a repository's Markdown and the site's.

* A fence is named by its language alone: what a test reads behind it is left out.
* A link that leads out of the documents becomes the name of the file.
"""

from __future__ import annotations

import re
from typing import Any

_FENCE = re.compile(r"^(```\w+) .*$", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+[^)#]+)(?:#[^)]*)?\)")


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Return the text of a page as the site reads it."""
    pages = {file.src_uri for file in files}
    folder = page.file.src_uri.rpartition("/")[0]

    def named(match: re.Match[str]) -> str:
        text, target = match.groups()
        steps = f"{folder}/{target}".strip("/").split("/")
        path: list[str] = []
        for step in steps:
            if step == ".." and not path:
                return f"{text} (`{target.replace('../', '')}`)"
            path = path[:-1] if step == ".." else [*path, step]
        return match.group() if "/".join(path) in pages else f"{text} (`{'/'.join(path)}`)"

    return _LINK.sub(named, _FENCE.sub(r"\1", markdown))
