"""Keys that a person gave other actions: no action is left without one, and what cannot be is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.spec import load
from studio.store import Workspace
from studio.tui.keys import ACTIONS
from studio.tui.keys.remap import usable
from studio.tui.live.state import KeyMap
from tests.tui.making import opened, press, shows, text_of, until, write_spec
from tests.tui.outcomes import told


def test_the_keys_as_they_are_clash_nowhere() -> None:
    assert usable({action.id: action.keys for action in ACTIONS})[1] == []


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        ({"triage.why": "y,1"}, {}),  # copying has y, the spec 1
        ({"triage.why": "z"}, {"triage.why": "z"}),
        ({"triage.why": "a"}, {}),
        ({"triage.why": "a,?,z"}, {"triage.why": "z"}),
        ({"triage.why": "j"}, {}),  # the list's, which sees the key first
        ({"list.down": "a"}, {}),
        ({"triage.why": "a", "triage.accept": "w"}, {"triage.why": "a", "triage.accept": "w"}),
        ({"triage.accept": "w", "triage.why": "r"}, {}),  # why stays on w, so accept cannot have it
        ({"triage.accept": "z", "triage.why": "z"}, {"triage.accept": "z"}),
        ({"spec.reload": "a"}, {"spec.reload": "a"}),  # another place
        ({"edit.save": "ctrl+q"}, {}),
        ({"nonsense.x": "y"}, {}),
        ({"triage.why": ""}, {}),
        ({"triage.why": "nokey"}, {}),
        ({"triage.why": "f5,ctrl+t,z,semicolon"}, {"triage.why": "f5,ctrl+t,z,semicolon"}),
    ],
)
def test_a_key_that_is_taken_stays_where_it_is(wanted: dict[str, str], kept: dict[str, str]) -> None:
    found, problems = usable(wanted)
    assert found == kept
    assert bool(problems) == (wanted != kept)


async def test_a_remapped_key_stays_in_its_place_in_the_footer(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path / "ws", load(write_spec(tmp_path)).spec.slug)
    workspace.studio.put("settings", "keys", KeyMap(keys={"triage.accept": "z"}))
    workspace.close()
    app = opened(tmp_path, 3)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.session)
        await press(pilot, ["4"], "z accept  r reject")


async def test_a_clash_is_told_and_both_actions_keep_a_key(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path / "ws", load(write_spec(tmp_path)).spec.slug)
    workspace.studio.put("settings", "keys", KeyMap(keys={"triage.why": "a"}))
    workspace.close()
    app = opened(tmp_path, 3)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: "keys: triage.why: a is that of triage.accept" in told(app))
        await press(pilot, ["4"], "Question 000")
        await shows(pilot, "a accept", "w why")
        await press(pilot, ["a"], "saved: accepted")
        await press(pilot, ["w"], "why it is here")
        assert "2 of 3" in text_of(app)
