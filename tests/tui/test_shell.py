"""The shell: stages by number, help and palette from the one registry, other keys, and what holds the frame."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from studio.errors import UserError
from studio.spec import load
from studio.store import Workspace
from studio.triage.checklist import ALL_CHECKS
from studio.tui.keys import ACTIONS, BY_ID, bindings, name_of
from studio.tui.live.session import measure_apart
from studio.tui.live.state import KeyMap, Memory, Value
from studio.tui.stages import ENTRIES
from tests.small_persona import copy_to
from tests.tui.making import SPEC, opened, painted_in, press, shows, text_of, until, window, write_spec

EATEN = {"ctrl+h", "ctrl+i", "ctrl+m", "ctrl+a", "ctrl+b", "ctrl+z", "shift+enter"}
MEASURE = measure_apart
"""As it is, before it is taken away from the tests (conftest)."""
ALONE = ("edit", "reply", "label", "review", "made", "sitting", "chat", "write")
"""Scopes in whose place there is no list."""


def test_ids_are_unique_and_scoped() -> None:
    assert max(Counter(action.id for action in ACTIONS).values()) == 1
    assert all(action.help and action.label and action.scope for action in ACTIONS)


def test_every_help_fits_into_the_palette_at_80_columns() -> None:
    assert [action.help for action in ACTIONS if len(action.help) > 57] == []


def test_the_review_has_a_key_for_each_line_of_the_checklist() -> None:
    keys = [(action.keys, action.label) for action in ACTIONS if (action.run or "").startswith("fail(")]
    assert keys == [(check.key, check.slug) for check in ALL_CHECKS]


def test_no_key_is_one_that_a_terminal_eats() -> None:
    keys = {key for action in ACTIONS for key in action.keys.split(",")}
    assert not keys & EATEN
    assert not [key for key in keys if key.startswith("alt+")]


def test_no_key_means_two_things_in_one_place() -> None:
    together = {"list", "page", "detail", "studio"}
    for scope in {action.scope for action in ACTIONS} - together:
        keys = Counter(
            key
            for action in ACTIONS
            if action.scope in ({scope} if scope in ALONE else {scope, "list", "detail", "studio"})
            for key in action.keys.split(",")
        )
        assert [key for key, count in keys.items() if count > 1] == [], scope


def test_a_class_gets_the_bindings_of_its_scope() -> None:
    ids = {binding.id for binding in bindings("triage") if not isinstance(binding, tuple)}
    assert ids == {action.id for action in ACTIONS if action.scope == "triage"}


def test_keys_are_named_as_people_write_them() -> None:
    assert [name_of(key) for key in ("question_mark", "ctrl+d", "j")] == ["?", "^d", "j"]


async def test_numbers_go_to_the_stages(tmp_path: Path) -> None:
    app = opened(tmp_path, 5)
    async with app.run_test(size=(160, 45)) as pilot:
        await until(pilot, lambda: app.session)
        for entry in ENTRIES:
            await pilot.press(entry.key)
            await until(pilot, lambda: app.current_mode == entry.stage, entry.stage)  # noqa: B023
            await shows(pilot, f"{entry.key} {entry.stage}")


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_the_frame_fits(tmp_path: Path, size: tuple[int, int]) -> None:
    app = opened(tmp_path, 5)
    async with app.run_test(size=size) as pilot:
        await press(pilot, ["4"], "Question 000")
        lines = text_of(app).splitlines()
        assert all(f"{entry.key} {entry.stage}" in lines[0] for entry in ENTRIES)
        assert "no author · no judge · some/model · CPU" in lines[-2]
        assert any("Harbour" in line for line in (lines[0], lines[-2]))
        assert "a accept" in lines[-1] and "? help" in lines[-1]


async def test_the_learned_judge_is_measured_apart_and_its_agreement_is_on_the_status_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.tui.live.session.measure_apart", MEASURE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    app = window(copy_to(tmp_path), tmp_path / "ws")
    async with app.run_test(size=(160, 45)) as pilot:
        await until(pilot, lambda: app.environment.agreement is not None, "the agreement")
        number = f"{app.environment.agreement:.2f}".replace("0.", ".", 1)
        await shows(
            pilot, f"recorded author · learned judge (agreement {number}) · meta-llama/Llama-3.1-8B-Instruct · CPU"
        )
        await pilot.resize_terminal(80, 24)
        await shows(pilot, f"recorded · learned {number} · Llama-3.1-8B-Instruct · CPU")


async def test_a_name_of_wide_characters_is_shown_whole(tmp_path: Path) -> None:
    app = opened(tmp_path, 1, text=SPEC.replace("name: Harbour", "name: 港の番人さん"))
    async with app.run_test(size=(160, 45)) as pilot:
        await shows(pilot, "港の番人さん")
        assert text_of(app).splitlines()[0].endswith("港の番人さん")


async def test_help_lists_what_the_keys_do_here(tmp_path: Path) -> None:
    async with opened(tmp_path, 3).run_test(size=(100, 45)) as pilot:
        await press(pilot, ["4"], "Question 000")
        await press(pilot, ["question_mark"], BY_ID["triage.reject"].help)
        await shows(pilot, "Harbour: ", "kept in")
        assert BY_ID["spec.edit"].help not in text_of(pilot.app)
        assert BY_ID["list.choose"].help not in text_of(pilot.app), "a row of triage is open already"
        await press(pilot, ["G"], "a person decided; a person edited")
        await shows(pilot, "quality gates are not passed")
        await pilot.press("escape")
        await until(pilot, lambda: len(pilot.app.screen_stack) == 1)


async def test_the_palette_runs_what_was_typed(tmp_path: Path) -> None:
    async with opened(tmp_path, 3).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "Question 000")
        await press(pilot, ["colon"], "what to do")
        await pilot.press(*"accept the ex", "enter")
        await shows(pilot, "saved: accepted")


async def test_keys_can_be_remapped(tmp_path: Path) -> None:
    path = write_spec(tmp_path)
    workspace = Workspace.open(tmp_path / "ws", load(path).spec.slug)
    workspace.studio.put("settings", "keys", KeyMap(keys={"triage.why": "z"}))
    workspace.close()
    app = opened(tmp_path, 3)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.session)
        await press(pilot, ["4"], "z why")
        await press(pilot, ["z"], "why it is here")


async def test_a_damaged_memory_does_not_keep_the_window_shut(tmp_path: Path) -> None:
    app = opened(tmp_path, 3)
    folder = tmp_path / "ws" / "harbour"
    (folder / "studio.json").write_text('{"screen": {"1": {"id": "triage", "value": {"nonsense": 1}}}}')
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await shows(pilot, "studio.json")
        await press(pilot, ["4"], "Question 000")


async def test_a_workspace_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    (tmp_path / "ws").write_text("a file where the folder ought to be")
    async with window(write_spec(tmp_path), tmp_path / "ws").run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "The workspace cannot be opened.")


async def test_a_mistake_is_told_with_its_remedy(tmp_path: Path) -> None:
    app = opened(tmp_path)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await until(pilot, lambda: app.session)
        app.tell(UserError("the [b]mast[/b] broke", remedy="mend it"))
        await shows(pilot, "the [b]mast[/b] broke (mend it)")


async def test_ctrl_c_tells_the_key_that_quits_and_nothing_is_told_twice_at_once(tmp_path: Path) -> None:
    app = opened(tmp_path)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await until(pilot, lambda: app.session)
        await press(pilot, ["ctrl+c", "ctrl+c"], "ctrl+q quits")
        assert text_of(app).count("ctrl+q quits") == 1 and "[b]" not in text_of(app)


async def test_that_a_place_cannot_be_remembered_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Memory, stage: str, values: dict[str, Value]) -> None:
        raise UserError(f"the place in {stage} cannot be kept: no space left")

    monkeypatch.setattr(Memory, "keep", full)
    app = opened(tmp_path, 10)
    told: list[str] = []
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4", "j"], "2 of 10")
        monkeypatch.setattr(app, "notify", lambda message, **_: told.append(message))
        await press(pilot, ["1"], "overview")
        await until(pilot, lambda: told)
        await press(pilot, ["4", "j"], "3 of 10")
        await press(pilot, ["1"], "overview")
    assert told == ["the place in triage cannot be kept: no space left"]


async def test_idle_paints_nothing(tmp_path: Path) -> None:
    app = opened(tmp_path, 50)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "1 of 50")
        await until(pilot, lambda: app.marks)
        await pilot.pause(1.0)
        assert await painted_in(pilot, 2.0) == 0


@pytest.mark.parametrize("key", ["question_mark", "colon", "r", "f", "slash", "e"])
async def test_the_window_can_be_closed_from_any_dialog(tmp_path: Path, key: str) -> None:
    app = opened(tmp_path, 3)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "Question 000")
        await pilot.press(key)
        await until(pilot, lambda: len(app.screen_stack) == 2)
        await pilot.press("ctrl+q")
        await until(pilot, lambda: not app.is_running)


async def test_closing_the_window_asks_once_before_it_drops_a_reply(tmp_path: Path) -> None:
    app = opened(tmp_path, 3)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "Question 000")
        await press(pilot, ["e"], "The reply as it ought to be")
        await press(pilot, ["z", "ctrl+q", "ctrl+q"], "Quit without saving the reply?")
        await press(pilot, ["n"], "as she goes.z")
        assert len(app.screen_stack) == 2
        await pilot.press("ctrl+q", "y")
        await until(pilot, lambda: not app.is_running)
