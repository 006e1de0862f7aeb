"""A computer whose screen a model sees and that it operates.

Rule: each action of the Responses API's computer tool has one method, with the API's argument
names. Coordinates are pixels from the top left corner of the screenshot.
"""

from __future__ import annotations

import abc
from typing import Literal

__all__ = ["AsyncComputer", "Button", "Computer", "Environment"]

Environment = Literal["mac", "windows", "ubuntu", "browser"]
"""The kind of screen that the model operates."""

Button = Literal["left", "right", "wheel", "back", "forward"]
"""A button of the mouse."""


class Computer(abc.ABC):
    """A computer with blocking methods; the run calls them in a thread."""

    @property
    def environment(self) -> Environment | None:
        """The kind of computer, for the model; the preview form of the tool requires it."""
        return None

    @property
    def dimensions(self) -> tuple[int, int] | None:
        """Width and height of the screen, in pixels; the preview form of the tool requires them."""
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
        """Wait for the computer to finish its current work."""

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
    """A computer with async methods; its actions are those of `Computer`."""

    @property
    def environment(self) -> Environment | None:
        """The kind of computer, for the model; the preview form of the tool requires it."""
        return None

    @property
    def dimensions(self) -> tuple[int, int] | None:
        """Width and height of the screen, in pixels; the preview form of the tool requires them."""
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
        """Wait for the computer to finish its current work."""

    @abc.abstractmethod
    async def move(self, x: int, y: int) -> None:
        """Move the pointer."""

    @abc.abstractmethod
    async def keypress(self, keys: list[str]) -> None:
        """Press keys together and release them."""

    @abc.abstractmethod
    async def drag(self, path: list[tuple[int, int]]) -> None:
        """Drag with the left button from the first point through all others."""
