"""The picture of the window in the README, taken of a real workspace: python -m tests.tui.picture WORKSPACE"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

from tests.tui.making import shows, until, window

SPEC = Path("specs/taskmaster.yaml")
PICTURE = Path("studio/tui/window.svg")
SIZE = (120, 34)


async def take(root: Path) -> None:
    """The evaluation, with its weakest probe."""
    os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    app = window(SPEC, root)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.session and app.marks)
        await pilot.press("6")
        await shows(pilot, "PASS", "of 10")
        svg = app.export_screenshot(title="studio specs/taskmaster.yaml")
    # The viewer's own monospaced font will do: nothing is fetched to look at a picture.
    PICTURE.write_text(re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(take(Path(sys.argv[1])))
