"""How screens look, as text, at three sizes. After a wanted change: STUDIO_LOOKS=new pytest tests/tui/test_looks.py"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from studio.evaluate.labelling import TABLE, Session
from studio.spec import load
from studio.store import Workspace
from studio.tui.screens.chat.conversation import Exchange
from tests.tiny_model import write_tiny_base
from tests.tui.making import SPEC, opened, shows, text_of, until
from tests.tui.outcomes import NOON, keep_evaluation, keep_package, keep_run, keep_talk, keep_trial, trainable

GOLDEN = Path(__file__).parent / "golden"
SIZES = ["80x24", "100x30", "160x45"]
LOOKS = {
    "spec": (["j"], ["Stays level", "spec✓"]),
    "bank": (["2"], ["ferry mate", "1 person  1 composed", "20 examples: t"]),
    "generate": (["3"], ["accepted  12 of 12, +4", "Question 019", "not started"]),
    "triage": (["4"], ["16 accepted", "learned judge"]),
    "triage-why": (["4", "j", "w"], ["why it is here", "Ida"]),
    "triage-reject": (["4", "r"], ["Reject it because", "something else"]),
    "train": (["5"], ["0.412 8/9 gates", "run-made, step 120", "s starts it", "2.857"]),
    "evaluate": (["6"], ["8 PASS", "How deep is berth 0"]),
    "label": (["6", "l"], ["0 of 60", "> calm"]),
    "chat": (["7"], ["How deep is berth two?", "which? h l t x"]),
    "package": (["8"], ["pack-made", "verified"]),
    "help": (["2", "question_mark"], ["esc closes this", "Find people by words"]),
}
"""Keys, and words that are there once all is."""
DIALOGS = {
    "spec-editor": (["e"], ["schema: 2", "valid  as saved"]),
    "spec-unsaved": (["e", "x", "escape"], ["go on editing", "(^n goes there)"]),
    "bank-methods": (["2", "s"], ["how should people come to be?", "needs no model"]),
    "bank-form": (["2", "s", "enter"], ["is how many composed people", "enter start"]),
    "bank-filter": (["2", "f"], ["show only", "in the bank (1)"]),
    "bank-import": (["2", "i"], ["Import people from a file", "read it"]),
    "generate-scenarios": (["3", "b"], ["Scenarios", "Ask for wind"]),
    "triage-filter": (["4", "f"], ["show only", "rejected for score (4)"]),
    "triage-review": (["4", "i", "2"], ["0 of 16 reviewed", "page 1 of 2"]),
    "triage-sort": (["4", "o"], ["where the judge is least sure first"]),
    "triage-edit": (["4", "e"], ["user  Question 000", "save"]),
    "train-recipe": (["5", "e"], ["The recipe", "leave as it was"]),
    "train-run": (["5", "enter"], ["Run run-made", "8 PASS"]),
    "evaluate-probe": (["6", "enter"], ["Probe probe-000", "of the pair: warmer"]),
    "evaluate-trial": (["6"], ["5 UNDECIDED", "l, or set a judge"]),
    "label-pairs": (["6", "l", "p"], ["0 of 60 pairs", "h left"]),
    "generate-authors": (["3", "w"], ["Who could write", "triage import"]),
    "evaluate-report": (["6", "r"], ["Evaluation run-made-made", "overall"]),
    "palette": (["4", "colon"], ["what to do", "Accept the example"]),
    "quit": (["e", "x", "ctrl+q"], ["Quit without saving the spec?", "(^n goes there)"]),
}
"""The same of what lies over a screen, at the least size and a large one."""
TRIALS = ("evaluate-trial", "label", "label-pairs")
CASES = [
    *((name, size) for name in LOOKS for size in SIZES),
    *((name, size) for name in DIALOGS for size in (SIZES[0], SIZES[-1])),
]


@pytest.mark.parametrize(("name", "size"), CASES)
async def test_it_looks_as_it_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, size: str) -> None:
    keys, words = {**LOOKS, **DIALOGS}[name]
    width, height = map(int, size.split("x"))
    monkeypatch.chdir(tmp_path)  # so that the paths on the screen are the same everywhere
    app = opened(Path(), 20, text=trainable(write_tiny_base(Path("tiny"))) if name.startswith("train") else SPEC)
    keep_outcomes(trial=name in TRIALS)
    async with app.run_test(size=(width, height)) as pilot:
        await until(pilot, lambda: app.session and app.marks)
        await pilot.press(*keys)
        frame = () if name.startswith(("label", "triage-review")) else ("1 spec",)  # also behind a dialog
        await shows(pilot, *frame, *words)
        look = await settled(pilot)
    path = GOLDEN / f"{name}-{size}.txt"
    if os.environ.get("STUDIO_LOOKS") == "new":
        path.parent.mkdir(exist_ok=True)
        path.write_text(look, encoding="utf-8")
    assert look == path.read_text(encoding="utf-8")


async def settled(pilot: Pilot[Any]) -> str:
    """What is on the screen once it has not changed for a tenth of a second."""
    look = ""
    while look != (look := f"{text_of(pilot.app)}\n"):
        await pilot.pause(0.1)
    return look


def keep_outcomes(*, trial: bool) -> None:
    """A run, its evaluation and package, a conversation with it, and an order in which its replies are labelled."""
    loaded = load(Path("harbour.yaml"))
    workspace = Workspace.open(Path("ws"), loaded.spec.slug)
    run = keep_run(workspace)
    keep_package(workspace, (keep_trial if trial else keep_evaluation)(workspace, loaded.spec, run), "pack-made")
    workspace.studio.put(TABLE, run.plan.run_id, Session(seed=7, begun=NOON))
    pair = Exchange(user="How deep is berth two?", base="Okay.", tuned="Ahoy. Berth two has four metres.")
    keep_talk(workspace, run, pair)
    workspace.close()
