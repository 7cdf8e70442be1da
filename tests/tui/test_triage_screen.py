"""Triage: moving, deciding, taking back, filtering, and what is on the disk afterwards."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studio.errors import UserError
from studio.llm import ModelSettings
from studio.spec import load
from studio.store import Filter, Workspace
from studio.triage import REASONS, Triage
from studio.triage.similar import Like
from studio.tui import StudioApp
from studio.tui.screens.triage.screen import TriageScreen
from studio.tui.widgets.row_list import RowList
from tests.llm.fake_server import FakeServer
from tests.tui.making import opened, press, shows, text_of, until, window
from tests.tui.outcomes import told


def rows_of(app: StudioApp) -> RowList:
    assert isinstance(app.screen, TriageScreen)
    return app.screen.rows


def store_of(folder: Path) -> Workspace:
    return Workspace.open(folder / "ws", load(folder / "harbour.yaml").spec.slug)


async def test_the_list_and_the_detail_move_together(tmp_path: Path) -> None:
    async with opened(tmp_path, 200).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "Question 000")
        await press(pilot, ["j", "j"], "weather: Ask for wind")
        await press(pilot, ["G"], "Question 199, how deep is it?")
        await press(pilot, ["g"], "1 of 200")


async def test_a_decision_is_saved_before_it_is_called_so(tmp_path: Path) -> None:
    async with opened(tmp_path, 10).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "8 accepted 2 rejected")
        await press(pilot, ["r"], "Reject it because")
        first = next(line for line in text_of(pilot.app).splitlines() if "Reject it because" in line)
        assert first
        await pilot.press("escape")
        await press(pilot, ["j", "j", "j", "j", "a"], "saved: accepted")
        row = store_of(tmp_path).examples.row("ex00004")
        assert row is not None and row.status == "accepted" and row.decision is not None
        await shows(pilot, "9 accepted 1 rejected", "6 of 10")


async def test_reject_takes_its_reason_with_one_key(tmp_path: Path) -> None:
    key, (slug, label) = next(iter(REASONS.items()))
    async with opened(tmp_path, 10).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "8 accepted 2 rejected")
        await press(pilot, ["r"], label)
        await press(pilot, [key], f"saved: rejected: {slug}")
        await shows(pilot, "7 accepted 3 rejected")
    row = store_of(tmp_path).examples.row("ex00000")
    assert row is not None and row.decision is not None and row.decision.reason == slug


async def test_undo_and_redo_survive_a_restart(tmp_path: Path) -> None:
    app = opened(tmp_path, 10)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4", "j", "j", "j", "j"], "5 of 10")
        await press(pilot, ["a"], "9 accepted 1 rejected")
        await pilot.press("ctrl+q")
    again = window(tmp_path / "harbour.yaml", tmp_path / "ws")
    async with again.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "6 of 10")
        await press(pilot, ["u"], "undone: accept")
        await shows(pilot, "8 accepted 2 rejected", "5 of 10")
        await press(pilot, ["U"], "9 accepted 1 rejected")


async def test_an_edit_shows_both_versions_and_accepts(tmp_path: Path) -> None:
    async with opened(tmp_path, 10).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "Question 000")
        await press(pilot, ["e"], "The reply as it ought to be")
        await pilot.press("end", *"Fair winds.")
        await press(pilot, ["ctrl+o"], "saved: edited")
        await pilot.press("g")
        await shows(pilot, "she goes.Fair winds.", "as edited", "before the edit")
        await shows(pilot, "unscored")  # the text that was judged before is another one
    row = store_of(tmp_path).examples.row("ex00000")
    assert row is not None and row.messages[-1].content.endswith("Fair winds.")


async def test_an_edit_that_is_left_changes_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path, 3).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "Question 000")
        await press(pilot, ["e"], "The reply as it ought to be")
        await press(pilot, ["x", "escape"], "Leave the reply as it was?")
        await pilot.press("y")
        await until(pilot, lambda: len(pilot.app.screen_stack) == 1)
    assert store_of(tmp_path).examples.decisions("ex00000") == []


async def test_marked_examples_are_decided_together(tmp_path: Path) -> None:
    async with opened(tmp_path, 20).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "16 accepted 4 rejected")
        await press(pilot, ["space", "j", "space", "r"], "Reject the 2 marked because")
        await press(pilot, ["o"], "14 accepted 6 rejected")
        await shows(pilot, "saved: 2 rejected")
        await press(pilot, ["u"], "undone: reject of 2")
        await shows(pilot, "16 accepted 4 rejected")
        await press(pilot, ["U"], "14 accepted 6 rejected")


async def test_a_filter_keeps_the_place_while_examples_leave_it(tmp_path: Path) -> None:
    app = opened(tmp_path, 20)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "16 accepted 4 rejected")
        await press(pilot, ["f"], "rejected for score (4)")
        await shows(pilot, "accepted (16)", "rejected (4)", "category weather (6)", "type narrows it")
        await press(pilot, [*"rejected", "enter"], "rejected 1 of 4")
        await press(pilot, ["a"], "rejected 1 of 3")
        await until(pilot, lambda: (row := rows_of(app).current) and row.example.id == "ex00009")
        await press(pilot, ["escape"], "all 10 of 20")


async def test_search_goes_round(tmp_path: Path) -> None:
    app = opened(tmp_path, 300)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "Question 000")
        await press(pilot, ["slash"], "Go to examples")
        await pilot.press(*"Question 25", "enter")
        await shows(pilot, "251 of 300", '"Question 25" 1 of 10')
        await press(pilot, ["n"], "252 of 300")
        await shows(pilot, '"Question 25" 2 of 10')
        await press(pilot, ["N", "N"], "260 of 300")


async def test_why_tells_where_an_example_comes_from(tmp_path: Path) -> None:
    async with opened(tmp_path, 3).run_test(size=(100, 45)) as pilot:
        await press(pilot, ["4"], "Question 000")
        await press(pilot, ["j", "w"], "why it is here")
        await shows(pilot, "Ida", "ferry mate", "recorded author", "0.40 alike", "Write one", "Answer 000")
        await press(pilot, ["escape"], "learned judge")


async def test_a_sample_is_reviewed_with_a_checklist_on_two_pages_and_ends_with_a_verdict(tmp_path: Path) -> None:
    async with opened(tmp_path, 40).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "32 accepted")
        await press(pilot, ["i"], "0 of 20 reviewed, of 32 accepted")
        await shows(pilot, "page 1 of 2", "1 authentic", "5 violation")
        await press(pilot, ["2"], "✗ no phrase that any assistant")
        await press(pilot, ["enter"], "page 2 of 2")
        await shows(pilot, "6 bias", "also fails: generic")
        await press(pilot, ["7", "enter"], "1 of 20 reviewed, of 32 accepted  saved")
        await press(pilot, ["s"], "skipped")
        await press(pilot, ["escape"], "review 1/20")
    assert store_of(tmp_path).examples.count(Filter(flagged=True)) == 1
    again = window(tmp_path / "harbour.yaml", tmp_path / "ws")
    async with again.run_test(size=(160, 45)) as pilot:
        await press(pilot, ["4", "i"], "1 of 20 reviewed")
        await press(pilot, ["u"], "0 of 20 reviewed, of 32 accepted  undone")
        await press(pilot, ["1", "enter", "enter"], "1 of 20 reviewed")
        await press(pilot, ["enter", "enter"] * 19, "estimated error rate")
        await shows(pilot, "20 reviewed", "m looks at them now", "agrees on passing in 95 %")
        await press(pilot, ["m"], "20 of 27 reviewed")
        await shows(pilot, "page 1 of 2")


async def test_a_whole_filter_a_range_and_what_is_alike_are_marked_and_decided_as_one_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [Like("ex00003", 0.97), Like("ex00009", 0.91), Like("ex00001", 0.52)]
    monkeypatch.setattr("studio.triage.similar.SimilarExamples.like", lambda self, name, told: found)
    async with opened(tmp_path, 600).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "480 accepted 120 rejected")
        await press(pilot, ["f", *"rejected (", "enter"], "rejected 1 of 120")
        await press(pilot, ["m"], "120 marked")
        await press(pilot, ["a"], "600 accepted 0 rejected")
        await press(pilot, ["u"], "480 accepted 120 rejected")
        await press(pilot, ["escape", "g", "j", "v"], "a range: v marks it")
        await press(pilot, ["j", "j", "v"], "3 marked")
        await press(pilot, ["r", "t"], "477 accepted 123 rejected")
        await press(pilot, ["u"], "480 accepted 120 rejected")
        await press(pilot, ["g", "l"], "2 with this one, at least 0.97 alike")
        await press(pilot, ["j"], "3 with this one, at least 0.91 alike")
        await press(pilot, ["enter"], "3 marked")
        await press(pilot, ["escape"], "all 1 of 600")


async def test_filters_combine_and_are_taken_away_and_the_order_is_told(tmp_path: Path) -> None:
    app = opened(tmp_path, 30)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "24 accepted 6 rejected")
        await press(pilot, ["f", *"weather", "enter"], "weather 1 of 10")
        await press(pilot, ["f"], "accepted (8)")
        await shows(pilot, "✓ weather: take it away", "rejected (2)")
        await press(pilot, [*"calm scored 0", "enter"], "weather calm 0 1 of 2")
        await press(pilot, ["o"], "where the judge is least sure first")
        await press(pilot, ["n"], "weather calm 0, the newest first 1 of 2")
        await shows(pilot, ">  ✗       2.5  Question 029")
        await press(pilot, ["f", *"calm 0: take", "enter"], "weather, the newest first")
        await press(pilot, ["escape"], "all, the newest first 1 of 30")
        await pilot.press("ctrl+q")
    again = window(tmp_path / "harbour.yaml", tmp_path / "ws")
    async with again.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["4"], "all, the newest first")
        await press(pilot, ["escape"], "all 30 of 30")


async def test_an_edit_is_judged_at_once_and_shown_by_words_on_two_sides(tmp_path: Path) -> None:
    async with opened(tmp_path, 3).run_test(size=(160, 45)) as pilot:
        await press(pilot, ["4"], "Question 000")
        await press(pilot, ["e"], "The reply as it ought to be")
        await pilot.press(*" no idea")
        await press(pilot, ["ctrl+o"], "saved: edited; rules: failed")
        await press(pilot, ["g"], "banned no idea")
        await shows(pilot, "as edited", " │ before the edit")
    row = store_of(tmp_path).examples.row("ex00000")
    assert row is not None and row.judged and row.status == "accepted", "the person's word stands"


async def test_an_example_is_written_by_hand_and_stood_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = [("user: ", "user: When is the tide at its height?"), ("assistant: ", "assistant: Ahoy. At nine, noon.")]

    def edited(studio: object, page: str, suffix: str = "") -> str:
        return page.replace(*words.pop(0))

    monkeypatch.setattr("studio.tui.live.by_hand.edit_text", edited)
    app = opened(tmp_path, 10)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4", "j", "j"], "3 of 10")
        await pilot.press("b")
        await until(pilot, lambda: "b opens what you wrote again" in told(app))
        await press(pilot, ["b"], "11 of 11")
    (row,) = store_of(tmp_path).examples.rows(Filter(origin="hand"))
    assert row.messages[-1].content == "Ahoy. At nine, noon." and row.status == "pending"


async def test_another_reply_comes_beside_the_old_one(tmp_path: Path) -> None:
    def answer(body: dict[str, Any]) -> dict[str, Any]:
        if "anew" in body["messages"][-1]["content"]:
            return {"reply": "Ahoy. Seven fathoms, steady as she goes."}
        mark = {"rationale": "r", "quote": "", "score": 2}
        marks = {"steps": {"greet": True}, "traits": {"calm": mark, "exact": mark}}
        return {"shows_scenario": True, "violations": [], "preferred": [], **marks}

    app = opened(tmp_path, 10)
    async with FakeServer(answer) as server, app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4", "j"], "2 of 10")
        await pilot.press("R")
        await until(pilot, lambda: "no model is there to write another" in told(app))
        assert app.session is not None
        asked = ModelSettings(endpoint=server.url, model="fake", judge_model="fake")
        app.session = replace(app.session, settings=asked)
        await press(pilot, ["R"], "another reply to the same user's turn")
        await press(pilot, ["r"], "What ought to be other?")
        await press(pilot, [*"deeper", "enter"], "written beside it: passed, 10.0 of 10")
        await shows(pilot, "11 of 11", "Seven fathoms")
        assert "deeper" in server.requests[0]["messages"][-1]["content"]


async def test_export_says_how_many_and_where(tmp_path: Path) -> None:
    app = opened(tmp_path, 10)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await press(pilot, ["4"], "8 accepted")
        await pilot.press("x")
        folder = store_of(tmp_path).exports_dir
        await until(pilot, lambda: list(folder.glob("*.jsonl")), "an export")
        await shows(pilot, "8 examples in")
    (path,) = folder.glob("*.jsonl")
    assert [set(json.loads(line)) for line in path.read_text().splitlines()] == [{"messages"}] * 8


async def test_what_another_process_adds_appears(tmp_path: Path) -> None:
    from tests.tui.making import made

    app = opened(tmp_path, 3)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "1 of 3")
        other = store_of(tmp_path)
        other.examples.add_example(*made(3, load(tmp_path / "harbour.yaml")))
        await shows(pilot, "1 of 4", "4 accepted")
        assert other.examples.count(Filter()) == 4


async def test_the_cursor_and_the_filter_are_remembered(tmp_path: Path) -> None:
    app = opened(tmp_path, 20)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "16 accepted")
        await press(pilot, ["f", *"reje", "enter"], "rejected 1 of 4")
        await press(pilot, ["j", "j"], "rejected 3 of 4")
        await pilot.press("ctrl+q")
    again = window(tmp_path / "harbour.yaml", tmp_path / "ws")
    async with again.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "rejected 3 of 4")


async def test_words_that_are_no_filter_are_looked_for_in_the_text(tmp_path: Path) -> None:
    async with opened(tmp_path, 10).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "8 accepted")
        await press(pilot, ["f"], "show only")
        await press(pilot, [*"Question 003"], 'with the words "Question 003"')
        await press(pilot, ["enter"], '"Question 003" 1 of 1')


async def test_a_decision_that_could_not_be_written_is_not_called_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Triage, example_ids: list[str]) -> None:
        raise UserError("cannot save: no space left on device", remedy="free some space")

    async with opened(tmp_path, 10).run_test(size=(100, 30), notifications=True) as pilot:
        await press(pilot, ["4"], "8 accepted 2 rejected")
        await press(pilot, ["j", "j", "j", "j"], "5 of 10")
        monkeypatch.setattr(Triage, "accept_all", full)
        await press(pilot, ["a"], "not saved")
        await shows(pilot, "free some space", "✗       2.5  Question 004", "8 accepted 2 rejected")


async def test_marks_do_not_outlive_the_list_they_were_made_in(tmp_path: Path) -> None:
    async with opened(tmp_path, 20).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "16 accepted 4 rejected")
        await press(pilot, ["space", "space"], "2 marked")
        await press(pilot, ["f", *"reje", "enter"], "rejected 1 of 4")
        assert "marked" not in text_of(pilot.app)
        await press(pilot, ["a"], "17 accepted 3 rejected")
    row = store_of(tmp_path).examples.row("ex00004")
    assert row is not None and row.decision is not None and row.decision.action == "accept"


async def test_an_edit_leaves_the_marks_of_others(tmp_path: Path) -> None:
    async with opened(tmp_path, 10).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "8 accepted 2 rejected")
        await press(pilot, ["space", "space", "e"], "The reply as it ought to be")
        await press(pilot, ["x", "ctrl+o"], "saved: edited")
        await shows(pilot, "2 marked")


async def test_a_reason_is_for_the_example_it_was_asked_about(tmp_path: Path) -> None:
    app = opened(tmp_path, 20)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "16 accepted 4 rejected")
        await press(pilot, ["f", *"reje", "enter"], "rejected 1 of 4")
        await press(pilot, ["r"], "Reject it because")
        Triage(store_of(tmp_path)).accept("ex00004")  # by somebody else, meanwhile
        await until(pilot, lambda: app.screen_stack[0].rows.count == 3)  # type: ignore[attr-defined]
        await press(pilot, ["t"], "saved: rejected: tone")
    store = store_of(tmp_path).examples
    assert [one.action for one in store.decisions("ex00004")] == ["accept", "reject"]
    assert store.decisions("ex00009") == []


async def test_the_place_in_the_list_outlives_another_session_of_the_same_workspace(tmp_path: Path) -> None:
    async with opened(tmp_path, 20).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4", *"jjj"], "4 of 20")
        await press(pilot, ["1", "R", "4"], "4 of 20")
        await pilot.pause(0.3)
        await shows(pilot, "4 of 20")


async def test_an_undo_that_could_not_be_written_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Triage) -> None:
        raise UserError("cannot save: no space left on device", remedy="free some space")

    async with opened(tmp_path, 10).run_test(size=(100, 30), notifications=True) as pilot:
        await press(pilot, ["4"], "8 accepted 2 rejected")
        monkeypatch.setattr(Triage, "undo", full)
        await press(pilot, ["u"], "not saved")


async def test_a_search_within_a_filter_by_words_finds_what_has_both(tmp_path: Path) -> None:
    async with opened(tmp_path, 40).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "32 accepted")
        await press(pilot, ["f", *"Question 01", "enter"], '"Question 01" 1 of 10')
        await pilot.press("slash", *"017", "enter")
        await shows(pilot, '"Question 01" 8 of 10')
