"""The picture of the window in the README, taken of a real workspace: python -m tests.tui.picture WORKSPACE

From the repository's root, where WORKSPACE is what `studio build specs/taskmaster.yaml` filled.
"""

from __future__ import annotations

import asyncio
import html
import os
import re
import sys
from pathlib import Path

from studio.train import SMOLLM2
from studio.tui.widgets.virtual_list import VirtualList
from tests.tui.making import shows, until, window

SPEC = Path("specs/taskmaster.yaml")
PICTURE = Path("studio/tui/window.svg")
SIZE = (120, 34)
CELL = 12.2
"""Width of a character, in the picture's units."""
_TEXT = re.compile(r'<text (class="[^"]+") x="([^"]+)" (y="[^"]+") textLength="[^"]+" ([^>]+)>(.*?)</text>')
_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


async def take(root: Path) -> None:
    """The evaluation, with the probe that tuned did best on."""
    os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    app = window(SPEC, root, base=SMOLLM2)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.session and app.marks)
        await pilot.press("6")
        await shows(pilot, "probes", "of 10")
        probes = app.screen.query_one("#probes", VirtualList)
        await pilot.press("G")
        await until(pilot, lambda: probes.cursor == probes.count - 1)
        await pilot.pause(0.5)
        svg = app.export_screenshot(title="studio specs/taskmaster.yaml")
    # The viewer's own monospaced font will do: nothing is fetched to look at a picture.
    PICTURE.write_text(_TEXT.sub(_by_words, _FONT.sub("", svg)), encoding="utf-8")


def _by_words(run: re.Match[str]) -> str:
    """A run of text as one element a word: where a word stands is then left to no viewer's idea of white space."""
    style, left, top, clip, content = run.groups()
    text = html.unescape(content)
    return "".join(
        f'<text {style} x="{float(left) + CELL * word.start():g}" {top} textLength="{CELL * len(word[0]):g}" {clip}>'
        f"{html.escape(word[0])}</text>"
        for word in re.finditer(r"[^\s\xa0]+", text)
    )


if __name__ == "__main__":
    asyncio.run(take(Path(sys.argv[1])))
