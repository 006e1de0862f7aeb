"""Record what the published SDK does in every scenario; run it with a Python that has
``openai-agents``.

usage: python record_scenarios.py agents > goldens/published_sdk.json
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from scenarios import SCENARIOS, observe, package


async def _one(sdk: Any, make: Any, *, streamed: bool) -> dict[str, Any]:
    try:
        async with asyncio.timeout(10):
            return await observe(sdk, make, streamed=streamed)
    except TimeoutError:
        return {"raised": "it hangs"}


async def _record(name: str) -> dict[str, Any]:
    sdk = package(name)
    return {
        key: {
            "plain": await _one(sdk, make, streamed=False),
            "streamed": await _one(sdk, make, streamed=True),
        }
        for key, make in SCENARIOS.items()
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(_record(sys.argv[1])), indent=1, sort_keys=True) + "\n")
