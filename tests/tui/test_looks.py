"""How screens look, as text, at two sizes. After a wanted change: STUDIO_LOOKS=new pytest tests/tui/test_looks.py"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from studio.spec import load
from studio.store import Workspace
from studio.tui.conversation import Conversation, Exchange
from studio.tui.memory import ScreenState
from tests.tui.making import SPEC, opened, shows, text_of, until
from tests.tui.outcomes import POCKET_SPEC, keep_evaluation, keep_package, keep_run

GOLDEN = Path(__file__).parent / "golden"
SIZES = [(100, 30), (160, 45)]
LOOKS = {
    "spec": (["j"], ["Stays level", "spec✓"]),
    "bank": (["2"], ["ferry mate", "never built", "1 person"]),
    "generate": (["3"], ["accepted  16 of 12", "Question 019", "not started"]),
    "triage": (["4"], ["16 accepted", "rules judge"]),
    "triage-why": (["4", "j", "w"], ["why it is here", "Ida"]),
    "triage-reject": (["4", "r"], ["Reject it because", "something else"]),
    "train": (["5"], ["0.412 8/9 gates", "run-made, step 120", "s starts it"]),
    "evaluate": (["6"], ["8 PASS", "How deep is berth 0"]),
    "chat": (["7"], ["How deep is berth two?", "which? h l t x"]),
    "package": (["8"], ["pack-made", "verified"]),
    "help": (["2", "question_mark"], ["esc closes this", "Find people by a word"]),
}


@pytest.mark.parametrize("size", SIZES, ids=["100x30", "160x45"])
@pytest.mark.parametrize("name", LOOKS)
async def test_it_looks_as_it_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, size: tuple[int, int]
) -> None:
    keys, words = LOOKS[name]
    monkeypatch.chdir(tmp_path)  # so that the paths on the screen are the same everywhere
    app = opened(Path(), 20, text=POCKET_SPEC if name == "train" else SPEC)
    keep_outcomes()
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


def keep_outcomes() -> None:
    """A run, its evaluation and package, and a conversation with it."""
    loaded = load(Path("harbour.yaml"))
    workspace = Workspace.open(Path("ws"), loaded.spec.slug)
    run = keep_run(workspace)
    keep_package(workspace, keep_evaluation(workspace, loaded.spec, run), "pack-made")
    exchange = Exchange(user="How deep is berth two?", base="Okay.", tuned="Ahoy. Berth two has four metres.")
    talked = Conversation(id="talk", run_id=run.plan.run_id, exchanges=(exchange,))
    workspace.studio.put("screen", "chat", ScreenState(stage="chat", values={"conversation": talked.model_dump_json()}))
    workspace.close()
