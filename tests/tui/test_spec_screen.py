"""The spec's screen: reading, editing in place, and a spec that cannot be used."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest
from textual.widgets import TextArea

from studio.store import Workspace
from studio.tui.live.state import draft_path, keep_draft
from studio.tui.screens.spec.pages import PAGES
from studio.tui.screens.spec.screen import NAMES
from studio.tui.widgets.layout import hang, hang_text, hanging
from tests.tui.making import PERSON, SPEC, opened, press, shows, text_of, until, window, write_spec
from tests.tui.outcomes import told


def test_every_part_of_the_list_has_a_page() -> None:
    assert tuple(PAGES) == NAMES


async def test_the_cursor_shows_the_part_it_stands_on(tmp_path: Path) -> None:
    async with opened(tmp_path).run_test(size=(100, 30)) as pilot:
        await shows(pilot, "Harbour", "Tells sailors")
        await press(pilot, ["j"], "Stays level")
        await press(pilot, ["p"], "You are Harbour")
        await press(pilot, ["G"], "You judge one reply")


async def test_what_is_typed_is_checked_and_saved_whole(tmp_path: Path) -> None:
    app = opened(tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "Tells sailors")
        await press(pilot, ["e"], "valid")
        area = app.screen.query_one(TextArea)
        area.text = SPEC.replace("name: Harbour", "nome: Harbour")
        await shows(pilot, "(^n goes there)", "nome", "changed, not saved")
        area.text = SPEC.replace("Stays level", "Stays very level")
        await shows(pilot, "valid")
        await press(pilot, ["ctrl+o"], "as saved")
        assert "Stays very level" in (tmp_path / "harbour.yaml").read_text()
        await pilot.press("escape")
        await press(pilot, ["j"], "Stays very level")


async def test_leaving_the_editor_asks_before_it_drops_anything(tmp_path: Path) -> None:
    app = opened(tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "Tells sailors")
        await press(pilot, ["e"], "valid")
        await press(pilot, ["x", "escape"], "drop the changes")
        await press(pilot, ["escape"], "changed, not saved")
        await press(pilot, ["ctrl+q"], "Quit without saving the spec?")
        await press(pilot, ["n"], "changed, not saved")
        await press(pilot, ["escape"], "drop the changes")
        await press(pilot, ["d"], "overview")
        assert (tmp_path / "harbour.yaml").read_text() == SPEC


async def test_what_was_typed_outlives_a_window_that_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.tui.screens.spec.editor.DRAFT_S", 0.1)
    typed = SPEC.replace("Stays level", "Stays very level")
    draft = draft_path(tmp_path / "ws", tmp_path / "harbour.yaml")
    app = opened(tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "Tells sailors")
        await press(pilot, ["e"], "valid")
        app.screen.query_one(TextArea).text = typed
        await until(pilot, lambda: draft.exists() and draft.read_text() == typed)
    again = window(tmp_path / "harbour.yaml", tmp_path / "ws")
    async with again.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "Tells sailors")
        await press(pilot, ["e"], "was not saved.")
        await press(pilot, ["escape"], "overview")
        await press(pilot, ["e"], "go on with the draft")
        await press(pilot, ["y"], "Stays very level")
        await shows(pilot, "changed, not saved")
        await press(pilot, ["ctrl+o"], "as saved")
        assert (tmp_path / "harbour.yaml").read_text() == typed and not draft.exists()


async def test_a_draft_that_was_dropped_does_not_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.tui.screens.spec.editor.DRAFT_S", 0.1)
    draft = draft_path(tmp_path / "ws", tmp_path / "harbour.yaml")
    app = opened(tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "Tells sailors")
        await press(pilot, ["e"], "valid")
        await pilot.press("x")
        await until(pilot, draft.exists)
        await press(pilot, ["escape"], "drop the changes")
        await pilot.press("d")
        await until(pilot, lambda: not draft.exists())
        keep_draft(tmp_path / "ws", tmp_path / "harbour.yaml", "left by another window")
        os.utime(draft, (1e9, 1e9))
        (tmp_path / "harbour.yaml").write_text(f"{SPEC}# newer\n")
        await press(pilot, ["e"], "The file was changed since.")
        await press(pilot, ["d"], "as saved")
        await until(pilot, lambda: not draft.exists())
        await press(pilot, ["escape"], "overview")
        await press(pilot, ["e"], "as saved")


async def test_keys_typed_ahead_of_the_closing_editor_are_not_typed_into_it(tmp_path: Path) -> None:
    app = opened(tmp_path, 3)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.session)
        await press(pilot, ["e"], "valid")
        for key in ("x", "escape", "d", "4"):
            app.simulate_key(key)
        await shows(pilot, "Question 000")
        await press(pilot, ["1"], "overview")
        assert (tmp_path / "harbour.yaml").read_text() == SPEC
        await pilot.press("ctrl+q")
        await until(pilot, lambda: not app.is_running, "nothing is unsaved")


async def test_a_file_that_somebody_else_changed_is_not_overwritten_unasked(tmp_path: Path) -> None:
    app = opened(tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "Tells sailors")
        await press(pilot, ["e"], "valid")
        theirs = SPEC + "# theirs\n"
        (tmp_path / "harbour.yaml").write_text(theirs)
        await press(pilot, ["enter", "ctrl+o"], "Overwrite it?")
        await pilot.press("n")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        assert (tmp_path / "harbour.yaml").read_text() == theirs


async def test_a_spec_with_mistakes_opens_and_says_what_is_wrong(tmp_path: Path) -> None:
    app = opened(tmp_path, text=SPEC.replace("purpose:", "porpoise:"))
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "cannot be used yet", "porpoise")
        await press(pilot, ["3"], "Press 1 and fix the spec first")
        await pilot.press("1")
        (tmp_path / "harbour.yaml").write_text(SPEC)
        await press(pilot, ["R"], "Tells sailors")
        await press(pilot, ["3"], "Who could write")


async def test_a_spec_that_was_broken_meanwhile_starts_nothing(tmp_path: Path) -> None:
    app = opened(tmp_path, 3)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await until(pilot, lambda: app.marks)
        (tmp_path / "harbour.yaml").write_text(SPEC.replace("purpose:", "porpoise:"))
        await press(pilot, ["R"], "1 spec!")
        await pilot.press("3", "s")
        await until(pilot, lambda: "press 1 and fix it" in told(app))
        Workspace.open(tmp_path / "ws", "harbour").examples.add_person(PERSON)  # the marks are read again
        await pilot.pause(1)
        await shows(pilot, "1 spec!", "not started")


async def test_a_spec_that_is_not_there_is_told(tmp_path: Path) -> None:
    async with window(tmp_path / "none.yaml", tmp_path / "ws").run_test(size=(160, 45)) as pilot:
        await shows(pilot, "cannot be used yet", "no such file")


def test_what_is_wrapped_stands_under_its_text() -> None:
    page = hanging([hang("is      ", "stays level whatever is said to it"), *hang_text("- one thing after another")])
    assert callable(page)
    assert page(26).plain.splitlines() == [
        "is      stays level",
        "        whatever is said",
        "        to it",
        "- one thing after another",
    ]
    assert page(20).plain.splitlines()[-2:] == ["- one thing after", "  another"]


async def test_a_long_line_of_the_file_is_seen_whole_and_counted_once(tmp_path: Path) -> None:
    long = SPEC.replace("Stays level", f"Stays level {'through it all, ' * 8}to the end")
    app = opened(tmp_path, text=long)
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "Tells sailors")
        await press(pilot, ["e"], "valid")
        await shows(pilot, "to the end")
        after = next(row for row in text_of(app).splitlines() if "is_not: Alarmed" in row)
        assert after.split()[0] == str(long.splitlines().index("    is_not: Alarmed") + 1)


async def test_the_part_is_remembered(tmp_path: Path) -> None:
    app = opened(tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.session)
        await press(pilot, ["j", "j"], "no idea")
        await pilot.press("ctrl+q")
    again = window(write_spec(tmp_path), tmp_path / "ws")
    async with again.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "no idea")
        assert "> vocabulary" in text_of(again)


async def test_keys_typed_ahead_of_a_save_meet_what_it_leaves(tmp_path: Path) -> None:
    app = opened(tmp_path, 3)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.session)
        await press(pilot, ["e", "enter"], "changed, not saved")
        for key in ("ctrl+o", "ctrl+o", "escape", "4"):
            app.simulate_key(key)
        await shows(pilot, "Question 000")
        assert (tmp_path / "harbour.yaml").read_text() == f"\n{SPEC}"
        await press(pilot, ["1"], "overview")


async def test_keys_typed_ahead_answer_what_a_save_asks(tmp_path: Path) -> None:
    app = opened(tmp_path, 3)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.session)
        await press(pilot, ["e", "x"], "changed, not saved")
        for key in ("ctrl+o", "y", "escape", "4"):
            app.simulate_key(key)
        await shows(pilot, "Question 000")
        assert (tmp_path / "harbour.yaml").read_text() == f"x{SPEC}"


async def test_a_second_save_waits_for_a_slow_disk_and_asks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.tui.keys.ordered.OrderedKeys.HELD_S", 0.1)
    written = threading.Event()

    def slowly(path: Path, data: str, *, mode: int = 0o644) -> None:
        path.write_text(data)
        written.wait(10)

    monkeypatch.setattr("studio.tui.screens.spec.editor.write_atomic", slowly)
    app = opened(tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "Tells sailors")
        await press(pilot, ["e", "enter"], "changed, not saved")
        await pilot.press("ctrl+o")
        await until(pilot, lambda: (tmp_path / "harbour.yaml").read_text() != SPEC)
        await pilot.press("ctrl+o")
        await pilot.pause(0.3)
        written.set()
        await shows(pilot, "as saved")
        assert len(app.screen_stack) == 1


async def test_saving_keeps_the_links_and_the_mode_of_the_file(tmp_path: Path) -> None:
    app = opened(tmp_path)
    (tmp_path / "real").mkdir()
    real = (tmp_path / "harbour.yaml").rename(tmp_path / "real" / "harbour.yaml")
    real.chmod(0o600)
    (tmp_path / "harbour.yaml").symlink_to(real)
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "Tells sailors")
        await press(pilot, ["e", "enter"], "changed, not saved")
        await press(pilot, ["ctrl+o"], "as saved")
    assert (tmp_path / "harbour.yaml").is_symlink()
    assert real.read_text() == f"\n{SPEC}" and stat.S_IMODE(real.stat().st_mode) == 0o600


async def test_line_ends_of_another_kind_are_no_change(tmp_path: Path) -> None:
    app = opened(tmp_path, text=SPEC.replace("what they ask", "what\u2028they ask"))
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "Tells sailors")
        await press(pilot, ["e"], "as saved")
        await press(pilot, ["escape"], "overview")


async def test_the_page_beside_a_list_is_scrolled_from_the_list(tmp_path: Path) -> None:
    async with opened(tmp_path).run_test(size=(80, 24)) as pilot:
        await shows(pilot, "Tells sailors")
        await press(pilot, ["p", "j", "j"], "You judge one reply")
        await press(pilot, ["J", "J"], "> judge prompt")
        await until(pilot, lambda: "You judge one reply" not in text_of(pilot.app))
        await press(pilot, ["K", "K"], "You judge one reply")
