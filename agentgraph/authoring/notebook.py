"""What notebooks show of our objects: a drawing.

Drawing stands above authoring, so these methods look it up by name when a notebook asks, as the
package itself does with its lazy names (docs/decisions/0023-drawings.md).
"""

from __future__ import annotations

from importlib import import_module
from typing import cast

__all__ = ["ShownInNotebooks"]

_DRAWING = "agentgraph.extensions.notebook"


class ShownInNotebooks:
    """An object that a notebook shows as a drawing."""

    def _repr_svg_(self) -> str | None:
        """The drawing as SVG; ``None`` without Graphviz, or if the workflow cannot be drawn."""
        return cast("str | None", import_module(_DRAWING).svg_of(self))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """The drawing in the formats of notebooks, by MIME type."""
        return cast("dict[str, str]", import_module(_DRAWING).bundle_of(self))
