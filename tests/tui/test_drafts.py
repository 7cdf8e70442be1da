"""What was written of a reply and is not saved: it outlives a failed write, a broken heading and the window."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.chatml import Messages
from studio.errors import UserError
from studio.spec import load
from studio.store import Workspace
from studio.triage import Triage
from studio.tui.screens.triage.decisions import Drafts
from tests.tui.making import opened, press, shows, text_of, until, window
from tests.tui.outcomes import told

DRAFT = "as you wrote it before"


def reply_of(folder: Path, example_id: str = "ex00000") -> str:
    slug = load(folder / "harbour.yaml").spec.slug
    row = Workspace.open(folder / "ws", slug).examples.row(example_id)
    assert row is not None
    return row.messages[-1].content


def test_drafts_come_back_as_they_were_and_nonsense_is_none() -> None:
    drafts, again = Drafts(), Drafts()
    drafts.keep("reply", "a", "Ahoy\u2028 “é”")
    drafts.keep("whole", "a", "=== user ===")
    drafts.keep("reply", "b", "x")
    drafts.drop("b")
    again.read(drafts.as_text())
    assert (again.get("reply", "a"), again.get("whole", "a")) == ("Ahoy\u2028 “é”", "=== user ===")
    assert again.get("reply", "b") is None
    for nonsense in ("", "[1]", "{", "null"):
        Drafts().read(nonsense)
    assert Drafts().as_text() == ""


async def test_what_could_not_be_written_is_there_again_and_gone_once_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Triage.edit

    def full(self: Triage, example_id: str, messages: Messages) -> None:
        raise UserError("cannot save: no space left on device")

    async with opened(tmp_path, 3).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "3 accepted")
        monkeypatch.setattr(Triage, "edit", full)
        await press(pilot, ["e"], "The reply as it ought to be")
        await press(pilot, [*"Aye", "ctrl+o"], "not saved")
        monkeypatch.setattr(Triage, "edit", written)
        await press(pilot, ["g", "e"], DRAFT)
        await shows(pilot, "goes.Aye")
        await press(pilot, ["ctrl+o"], "saved: edited")
        assert reply_of(tmp_path).endswith("goes.Aye")
        await press(pilot, ["g", "e"], "The reply as it ought to be")
        assert DRAFT not in text_of(pilot.app)


async def test_what_was_being_written_outlives_a_window_that_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.tui.screens.stage.KEEP_S", 0.1)
    app = opened(tmp_path, 3)
    file = tmp_path / "ws" / "harbour" / "studio.json"
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "3 accepted")
        await press(pilot, ["e"], "The reply as it ought to be")
        await pilot.press(*"Aye")
        await until(pilot, lambda: "goes.Aye" in file.read_text(), "the draft on the disk")
        as_killed = file.read_text()
    file.write_text(as_killed)
    async with window(tmp_path / "harbour.yaml", tmp_path / "ws").run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "3 accepted")
        await press(pilot, ["e"], DRAFT)
        await press(pilot, ["escape"], "What you wrote is dropped")
        await press(pilot, ["y"], "learned judge")
        await press(pilot, ["e"], "The reply as it ought to be")
        assert DRAFT not in text_of(pilot.app)
    assert reply_of(tmp_path).endswith("goes.")


async def test_a_conversation_that_lost_its_headings_is_edited_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    written = ["user: hello\nassistant: Aye", "=== user ===\nhello\n\n=== assistant ===\nAye\n"]

    def edited(app: object, text: str, suffix: str) -> str:
        seen.append(text)
        return written[len(seen) - 1]

    monkeypatch.setattr("studio.tui.screens.triage.writing.edit_text", edited)
    app = opened(tmp_path, 3)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "3 accepted")
        await pilot.press("E")
        await until(pilot, lambda: "E opens what you wrote again" in told(app))
        await press(pilot, ["E"], "saved: edited")
    assert seen[0].startswith("=== user ===") and seen[1].strip() == written[0]
    assert reply_of(tmp_path) == "Aye"
