"""A model operates a browser: clicks, types and scrolls in headless Chromium through Playwright.

    pip install 'agentgraph-workflows[browser]'
    python examples/computer_use.py https://example.org "What is this page about?"

The browser is the system's Chromium if there is one, else the one of `playwright install chromium`.
The model acts in that browser, so the program shows you the provider's safety checks, and you
decide.
"""

from __future__ import annotations

import asyncio
import base64
import shutil
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from agentgraph import Agent, AsyncComputer, ComputerTool, ModelSettings, RunConfig, Runner
from agentgraph.tool import ComputerToolSafetyCheckData

if TYPE_CHECKING:
    from playwright.async_api import Page

    from agentgraph import Button, Environment, Model

WIDTH, HEIGHT = 1024, 768

# The API's names of keys that have other names in Playwright.
KEYS = {
    "alt": "Alt",
    "arrowdown": "ArrowDown",
    "arrowleft": "ArrowLeft",
    "arrowright": "ArrowRight",
    "arrowup": "ArrowUp",
    "backspace": "Backspace",
    "cmd": "Meta",
    "ctrl": "Control",
    "delete": "Delete",
    "end": "End",
    "enter": "Enter",
    "esc": "Escape",
    "home": "Home",
    "pagedown": "PageDown",
    "pageup": "PageUp",
    "shift": "Shift",
    "space": " ",
    "tab": "Tab",
}

# Chromium connects only to the page's server. Without its sandbox it also runs as root, as in CI.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Browser(AsyncComputer):
    """One page of a headless Chromium, as a computer that a model operates."""

    def __init__(self) -> None:
        self._page: Page | None = None

    async def __aenter__(self) -> Self:
        from playwright.async_api import async_playwright

        self._playwright = await async_playwright().start()
        try:
            self._chromium = await self._playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=FLAGS
            )
            self._page = await self._chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        except BaseException:
            await self._playwright.stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._page = None
        await self._chromium.close()
        await self._playwright.stop()

    @property
    def page(self) -> Page:
        """The page; only inside `async with`."""
        if self._page is None:
            raise RuntimeError("The browser is not open; use it inside 'async with browser:'.")
        return self._page

    @property
    def environment(self) -> Environment:
        return "browser"

    @property
    def dimensions(self) -> tuple[int, int]:
        return WIDTH, HEIGHT

    async def screenshot(self) -> str:
        return base64.b64encode(await self.page.screenshot()).decode()

    async def click(
        self, x: int, y: int, button: Button, keys: Sequence[str] | None = None
    ) -> None:
        if button == "back":
            await self.page.go_back()
        elif button == "forward":
            await self.page.go_forward()
        else:
            await self._hold(keys)
            await self.page.mouse.click(x, y, button="middle" if button == "wheel" else button)
            await self._release(keys)

    async def double_click(self, x: int, y: int) -> None:
        await self.page.mouse.dblclick(x, y)

    async def scroll(self, x: int, y: int, scroll_x: int, scroll_y: int) -> None:
        await self.page.mouse.move(x, y)
        await self.page.mouse.wheel(scroll_x, scroll_y)

    async def type(self, text: str) -> None:
        await self.page.keyboard.type(text)

    async def wait(self) -> None:
        await self.page.wait_for_timeout(1_000)

    async def move(self, x: int, y: int) -> None:
        await self.page.mouse.move(x, y)

    async def keypress(self, keys: list[str]) -> None:
        await self._hold(keys)
        await self._release(keys)

    async def drag(self, path: list[tuple[int, int]]) -> None:
        first, *others = path
        await self.page.mouse.move(*first)
        await self.page.mouse.down()
        for point in others:
            await self.page.mouse.move(*point)
        await self.page.mouse.up()

    async def _hold(self, keys: Sequence[str] | None) -> None:
        for key in keys or ():
            await self.page.keyboard.down(KEYS.get(key.lower(), key))

    async def _release(self, keys: Sequence[str] | None) -> None:
        for key in reversed(keys or ()):
            await self.page.keyboard.up(KEYS.get(key.lower(), key))


async def ask_the_user(data: ComputerToolSafetyCheckData) -> bool:
    """Show the provider's safety check and let the person at the terminal decide."""
    question = f"{data.safety_check.message or data.safety_check.code} Go on? [y/N] "
    return (await asyncio.to_thread(input, question)).strip().lower() == "y"


browser = Browser()
agent = Agent(
    name="Browser User",
    instructions="Use the browser to do what you are asked. Say briefly what you found.",
    tools=[ComputerTool(browser, on_safety_check=ask_the_user)],
    model_settings=ModelSettings(truncation="auto"),
)


async def use(url: str, task: str, *, model: Model | str | None = None) -> str:
    """Open a page and let the model do a task there.

    Args:
        url: The page to begin with.
        task: What to do.
        model: The model; None means the default one.

    Returns:
        The model's final answer.
    """
    async with browser:
        await browser.page.goto(url)
        result = await Runner.run(agent, task, run_config=RunConfig(model=model))
        return str(result.final_output)


def main() -> None:
    """Do the task of the command line; without one, print how to name it."""
    if len(sys.argv) != 3:
        print((__doc__ or "").partition("\n\nThe browser")[0])
        return
    print(asyncio.run(use(sys.argv[1], sys.argv[2])))


if __name__ == "__main__":
    main()
