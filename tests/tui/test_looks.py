"""How screens look, as text, at two sizes. After a wanted change: STUDIO_LOOKS=new pytest tests/tui/test_looks.py"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.tui.making import opened, shows, text_of, until

GOLDEN = Path(__file__).parent / "golden"
SIZES = [(100, 30), (160, 45)]
LOOKS = {
    "spec": (["j"], ["Stays level", "spec✓"]),
    "bank": (["2"], ["ferry mate", "never built", "1 person"]),
    "generate": (["3"], ["accepted  16 of 12", "Question 019", "not started"]),
    "triage": (["4"], ["16 accepted", "rules judge"]),
    "triage-why": (["4", "j", "w"], ["why it is here", "Ida"]),
    "triage-reject": (["4", "r"], ["Reject it because", "something else"]),
    "help": (["2", "question_mark"], ["esc closes this", "Find people by a word"]),
}


@pytest.mark.parametrize("size", SIZES, ids=["100x30", "160x45"])
@pytest.mark.parametrize("name", LOOKS)
async def test_it_looks_as_it_did(tmp_path: Path, name: str, size: tuple[int, int]) -> None:
    keys, words = LOOKS[name]
    app = opened(tmp_path, 20)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.session and app.marks)
        await pilot.press(*keys)
        await shows(pilot, *words)
        await until(pilot, lambda: text_of(app) == text_of(app))
        look = f"{text_of(app)}\n"
    path = GOLDEN / f"{name}-{size[0]}x{size[1]}.txt"
    if os.environ.get("STUDIO_LOOKS") == "new":
        path.parent.mkdir(exist_ok=True)
        path.write_text(look, encoding="utf-8")
    assert look == path.read_text(encoding="utf-8")
