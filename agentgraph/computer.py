"""A computer that a model may look at and operate.

Rule: one method for one action of the Responses API's computer tool, with the API's argument names.
Coordinates are pixels from the top left corner of the screenshot.
"""

from __future__ import annotations

import abc
from typing import Literal

__all__ = ["AsyncComputer", "Button", "Computer", "Environment"]

Environment = Literal["mac", "windows", "ubuntu", "browser"]
"""What kind of screen the model operates."""

Button = Literal["left", "right", "wheel", "back", "forward"]
"""A button of the mouse."""


class Computer(abc.ABC):
    """A computer that is operated by blocking calls; they run in a thread."""

    @property
    def environment(self) -> Environment | None:
        """What the model is told about the computer; needed by the preview form of the tool."""
        return None

    @property
    def dimensions(self) -> tuple[int, int] | None:
        """Width and height of the screen, in pixels; needed by the preview form of the tool."""
        return None

    @abc.abstractmethod
    def screenshot(self) -> str:
        """Take a picture of the screen, as a PNG in base64."""

    @abc.abstractmethod
    def click(self, x: int, y: int, button: Button) -> None:
        """Press and release a button of the mouse."""

    @abc.abstractmethod
    def double_click(self, x: int, y: int) -> None:
        """Click twice with the left button."""

    @abc.abstractmethod
    def scroll(self, x: int, y: int, scroll_x: int, scroll_y: int) -> None:
        """Turn the wheel with the pointer at a place; the distances are in pixels."""

    @abc.abstractmethod
    def type(self, text: str) -> None:
        """Type a text."""

    @abc.abstractmethod
    def wait(self) -> None:
        """Let the computer finish what it does."""

    @abc.abstractmethod
    def move(self, x: int, y: int) -> None:
        """Move the pointer."""

    @abc.abstractmethod
    def keypress(self, keys: list[str]) -> None:
        """Press keys together and release them."""

    @abc.abstractmethod
    def drag(self, path: list[tuple[int, int]]) -> None:
        """Drag with the left button from the first point through all others."""


class AsyncComputer(abc.ABC):
    """A computer that is operated from the event loop; the actions are those of `Computer`."""

    @property
    def environment(self) -> Environment | None:
        """What the model is told about the computer; needed by the preview form of the tool."""
        return None

    @property
    def dimensions(self) -> tuple[int, int] | None:
        """Width and height of the screen, in pixels; needed by the preview form of the tool."""
        return None

    @abc.abstractmethod
    async def screenshot(self) -> str:
        """Take a picture of the screen, as a PNG in base64."""

    @abc.abstractmethod
    async def click(self, x: int, y: int, button: Button) -> None:
        """Press and release a button of the mouse."""

    @abc.abstractmethod
    async def double_click(self, x: int, y: int) -> None:
        """Click twice with the left button."""

    @abc.abstractmethod
    async def scroll(self, x: int, y: int, scroll_x: int, scroll_y: int) -> None:
        """Turn the wheel with the pointer at a place; the distances are in pixels."""

    @abc.abstractmethod
    async def type(self, text: str) -> None:
        """Type a text."""

    @abc.abstractmethod
    async def wait(self) -> None:
        """Let the computer finish what it does."""

    @abc.abstractmethod
    async def move(self, x: int, y: int) -> None:
        """Move the pointer."""

    @abc.abstractmethod
    async def keypress(self, keys: list[str]) -> None:
        """Press keys together and release them."""

    @abc.abstractmethod
    async def drag(self, path: list[tuple[int, int]]) -> None:
        """Drag with the left button from the first point through all others."""
