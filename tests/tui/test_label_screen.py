"""Labelling a run's replies: blind, one key a trait, durable, and what it decides."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.errors import UserError
from studio.evaluate import evaluation_of
from studio.evaluate.labelling import Labelling
from studio.spec import LoadedSpec, load
from studio.spec.model import Trait
from studio.store import Workspace
from studio.tui import StudioApp
from studio.tui.screens.evaluate.label import DEFAULT_S, anchors, pace, progress_told
from studio.tui.text import counted
from tests.tui.making import press, shows, text_of, until, window, write_spec
from tests.tui.outcomes import keep_run, keep_trial, told

RUN = "run-made"


def opened_with_trial(folder: Path, said: str = "") -> tuple[StudioApp, Workspace, LoadedSpec]:
    loaded = load(write_spec(folder))
    workspace = Workspace.open(folder / "ws", loaded.spec.slug)
    keep_trial(workspace, loaded.spec, keep_run(workspace), said=said)
    return window(loaded.path, folder / "ws"), workspace, loaded


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_a_key_a_trait_labels_a_reply_and_it_is_stored_before_it_is_called_saved(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    app, workspace, _ = opened_with_trial(tmp_path)
    async with app.run_test(size=size) as pilot:
        await press(pilot, ["6"], "l, or set a judge")
        await press(pilot, ["l"], "0 of 60, about 10 minutes left")
        await shows(pilot, "user  How deep is berth", "> calm", "Stays level", "Alarmed", "2 yes")
        await press(pilot, ["2"], "> exact")
        assert workspace.labels.of_run(RUN) == []
        await press(pilot, ["1"], "1 of 60")
        await shows(pilot, "saved", "> calm")
        (label,) = workspace.labels.of_run(RUN)
        assert label.labels == {"calm": 2, "exact": 1} and label.boundary is None


async def test_nothing_on_the_screen_tells_the_side_and_its_score(tmp_path: Path) -> None:
    app, _, _ = opened_with_trial(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["6"], "UNDECIDED")
        await press(pilot, ["l"], "0 of 60")
        above = text_of(app).split("base or tuned is not told")
        assert not [word for word in ("tuned", "of 10", "wins") if word in above[1]]


async def test_a_boundary_is_said_by_its_number_and_undone(tmp_path: Path) -> None:
    app, workspace, _ = opened_with_trial(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["6"], "UNDECIDED")
        await press(pilot, ["l"], "0 of 60")
        await press(pilot, ["b"], "1  no_blame: Blames the crew")
        await press(pilot, ["1"], "violates no_blame: Blames the crew")
        await pilot.press("u")
        await until(pilot, lambda: "violates" not in text_of(app))
        await press(pilot, ["b", "1"], "violates no_blame")
        await press(pilot, ["0", "0"], "1 of 60")
        assert workspace.labels.of_run(RUN)[0].boundary == "no_blame"


async def test_undo_takes_the_last_score_then_the_last_answer(tmp_path: Path) -> None:
    app, workspace, _ = opened_with_trial(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["6"], "UNDECIDED")
        await press(pilot, ["l"], "0 of 60")
        await press(pilot, ["u"], "nothing to undo")
        await press(pilot, ["2", "2"], "1 of 60")
        await press(pilot, ["1"], "> exact")
        await press(pilot, ["u"], "> calm")
        assert len(workspace.labels.of_run(RUN)) == 1
        await press(pilot, ["u"], "undone: label it again")
        await shows(pilot, "0 of 60")
        assert workspace.labels.of_run(RUN) == []


async def test_what_is_skipped_comes_last(tmp_path: Path) -> None:
    app, _, _ = opened_with_trial(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["6"], "UNDECIDED")
        await press(pilot, ["l"], "0 of 60")
        before = text_of(app).splitlines()[1]
        await press(pilot, ["s"], "skipped")
        assert text_of(app).splitlines()[1] != before


async def test_leaving_restates_the_gates_and_shows_it_at_once(tmp_path: Path) -> None:
    app, workspace, _ = opened_with_trial(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["6"], "a stand-in")
        await shows(pilot, "learned judge, agreement .34 with people; trial on SmolLM2-135M", "for some/model")
        await press(pilot, ["l"], "0 of 60")
        await press(pilot, ["2", "2", "2", "2"], "2 of 60")
        await press(pilot, ["escape"], "decided by")
        kept = evaluation_of(workspace, RUN)
        assert kept is not None and kept.tuned.labels + kept.base.labels == 2
        assert f"decided by {counted(kept.tuned.labels, 'label')} of this run" in text_of(app)


async def test_sixty_labels_decide_the_gates_that_the_judge_may_not(tmp_path: Path) -> None:
    app, workspace, loaded = opened_with_trial(tmp_path)
    evaluation = evaluation_of(workspace, RUN)
    assert evaluation is not None
    sitting = Labelling(workspace, loaded.spec, evaluation)
    while sitting.done < 59 and (item := sitting.next_item()):
        sitting.answer(item.id, {"calm": 2, "exact": 2} if item.replies[0] != "Okay." else {"calm": 0, "exact": 0})
    async with app.run_test(size=(160, 45)) as pilot:
        await press(pilot, ["6"], "decided by")  # counted though nobody has restated it
        await press(pilot, ["l"], "59 of 60")
        await press(pilot, ["2", "2"], "decided by 50 labels of this run")  # leaves at the end
        await until(pilot, lambda: "UNDECIDED" not in row(app, " calm") and "PASS" in row(app, " calm"))
        assert "PASS" in row(app, " overall")
        while "> tuned  10.0=" not in text_of(app):  # which replies were drawn is left to chance
            await press(pilot, ["j"], "tuned  10.0=")
        await shows(pilot, "label  calm 2, exact 2")
        await press(pilot, ["l"], "60 of 80")  # more may be labelled


async def test_pairs_are_compared_with_a_key_each(tmp_path: Path) -> None:
    app, workspace, _ = opened_with_trial(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["6"], "UNDECIDED")
        await press(pilot, ["l"], "0 of 60")
        await press(pilot, ["p"], "0 of 60 pairs")
        await shows(pilot, "left", "right", "Okay.", "has four metres", "h left")
        better = "h" if text_of(app).index("Ahoy.") < text_of(app).index("Okay.") else "l"
        await press(pilot, [better], "1 of 60 pairs")
        await press(pilot, ["t"], "2 of 60 pairs")
        assert [vote.winner for vote in workspace.labels.votes_of_run(RUN)] == ["tuned", "tie"]
        await press(pilot, ["u"], "1 of 60 pairs")
        await press(pilot, ["p"], "0 of 60, about")
        await press(pilot, ["escape"], "1 pair compared by people")


async def test_a_label_that_could_not_be_written_is_not_called_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, workspace, _ = opened_with_trial(tmp_path)

    def full(self: Labelling, *_: object) -> None:
        raise UserError("cannot save: no space left on device", remedy="free some space")

    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["6"], "UNDECIDED")
        await press(pilot, ["l"], "0 of 60")
        with monkeypatch.context() as patched:
            patched.setattr(Labelling, "answer", full)
            await press(pilot, ["2", "1"], "not saved: press the key again")
            assert "no space left" in told(app)
        await press(pilot, ["0"], "1 of 60")
        assert workspace.labels.of_run(RUN)[0].labels == {"calm": 2, "exact": 0}


async def test_a_long_reply_is_scrolled_and_markup_in_it_is_text(tmp_path: Path) -> None:
    said = "[b]bold[/b] " + "and so on " * 300
    app, _, _ = opened_with_trial(tmp_path, said)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["6"], "UNDECIDED")
        await press(pilot, ["l"], "[b]bold[/b]")
        before = text_of(app)
        await pilot.press("ctrl+d")
        await until(pilot, lambda: text_of(app) != before)
        assert "> calm" in text_of(app)


async def test_it_is_found_by_its_name_and_without_an_evaluation_says_what_to_do(tmp_path: Path) -> None:
    loaded = load(write_spec(tmp_path))
    workspace = Workspace.open(tmp_path / "ws", loaded.spec.slug)
    keep_run(workspace)
    app = window(loaded.path, tmp_path / "ws")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["6"], "not evaluated yet")
        await press(pilot, ["colon", *"label repl"], "Label replies of this run")
        await pilot.press("enter")
        await until(pilot, lambda: "no replies to label yet: s evaluates" in told(app))


async def test_another_set_of_traits_is_refused_with_a_remedy(tmp_path: Path) -> None:
    app, _, loaded = opened_with_trial(tmp_path)
    text = loaded.path.read_text().replace("name: exact", "name: precise")
    loaded.path.write_text(text)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["6"], "UNDECIDED")
        await pilot.press("l")
        await until(pilot, lambda: "traits are others" in told(app) and "evaluate again" in told(app))
        await shows(pilot, "l label")


def test_the_time_left_follows_the_persons_own_pace() -> None:
    assert pace([0.0, 3.0]) == DEFAULT_S
    assert pace([0.0, 20.0, 40.0, 60.0, 400.0, 420.0, 440.0]) == 20.0
    assert progress_told(12, 60, False, 10) == "12 of 60, about 8 minutes left"
    assert progress_told(59, 60, True, 10) == "59 of 60 pairs, about 1 minute left"


def test_a_trait_without_anchors_is_told_by_what_it_is_and_is_not() -> None:
    trait = Trait.model_validate({"name": "calm", "is": "Stays level", "is_not": "Alarmed"})
    assert [(mark, str(told)) for mark, told in anchors(trait)] == [("2", "Stays level"), ("0", "Alarmed")]


def row(app: StudioApp, name: str) -> str:
    return next(line for line in text_of(app).splitlines() if line.startswith(name))
