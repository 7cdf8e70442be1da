"""Labelling from the shell: one key a trait, or a file filled in by a script."""

from __future__ import annotations

import json
import os
import pty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from studio.cli.judge import label
from studio.cli.label_sitting import sit
from studio.cli.terminal_keys import terminal_keys
from studio.errors import UserError
from studio.evaluate import evaluation_of, restate, save
from studio.evaluate.labelling import Labelling
from studio.judge.types import JudgeInfo
from studio.spec import load
from studio.store import Workspace
from studio.train.run import write_run
from tests.evaluate.making import evaluation, judgement, result
from tests.package.making import run_of, write_adapter

SPEC = """schema: 2
name: Harbour
purpose: Answers on channel twelve.
traits: [{name: t0, is: Stays level, anchors: {2: Steady}}, {name: t1, is: Warm}]
boundaries: [{id: rude, never: Rude}, {id: lost, never: Loses a boat}]
scenarios: {calls: {target: 2, items: [A boat calls]}, probes: {holdout: true, items: ["Berth?"]}}
"""


class Harbour:
    def __init__(self, root: Path) -> None:
        self.spec, self.root = root / "harbour.yaml", root / "ws"
        self.spec.write_text(SPEC)
        self.loaded = load(self.spec)
        self.workspace = Workspace.open(self.root, "harbour")
        run = self.workspace.runs_dir / "run-1"
        write_run(run, run_of(write_adapter(run / "adapter")))
        rows = tuple(
            result(f"p{i}", judgement(0, 0), judgement(1, 1)).model_copy(
                update={"base": f"base \x1b]0;title\x07 {i}", "tuned": f"tuned {i}"}
            )
            for i in range(60)
        )
        nobody = JudgeInfo(name="unscored", kind="nobody")
        save(self.workspace, restate(evaluation(rows, judge=nobody)))

    def sitting(self, *, pairs: bool = False, wanted: int = 60) -> Labelling:
        found = evaluation_of(self.workspace, "run-1")
        assert found is not None
        return Labelling(self.workspace, self.loaded.spec, found, pairs=pairs, wanted=wanted)

    def run(self, *arguments: str) -> int | None:
        """``studio judge label`` with these options."""
        app = typer.Typer()
        app.command("label")(label)
        app.callback()(lambda: None)
        everything = ["label", str(self.spec), "--workspace", str(self.root), *arguments]
        status: int | None = app(everything, standalone_mode=False)
        return status


@pytest.fixture
def harbour(tmp_path: Path) -> Iterator[Harbour]:
    made = Harbour(tmp_path)
    yield made
    made.workspace.close()


def press(harbour: Harbour, keys: str, *, pairs: bool = False, wanted: int = 60) -> str:
    told: list[str] = []
    sit(harbour.sitting(pairs=pairs, wanted=wanted), iter(keys), told.append)
    return "\n".join(told)


def test_a_key_a_trait_labels_reply_after_reply_until_enough_are(harbour: Harbour) -> None:
    told = press(harbour, "21" * 5 + "0" * 9, wanted=5)
    labels = harbour.workspace.labels.of_run("run-1")
    assert [one.labels for one in labels] == [{"t0": 2, "t1": 1}] * 5
    assert "--- 5 of 5 ---" in told and "t0: 2 Steady" in told and "t1: Warm" in told


def test_what_is_shown_tells_nothing_of_the_side(harbour: Harbour) -> None:
    told = press(harbour, "22" * 3 + "q")
    assert "[reply]" in told and told.count("---") == 8
    without_replies = "\n".join(line for line in told.splitlines() if not line.startswith("[reply]"))
    assert "base" not in without_replies and "tuned" not in without_replies


def test_a_boundary_a_wrong_key_an_undone_mark_and_help_leave_the_right_label(harbour: Harbour) -> None:
    told = press(harbour, "x?0u2bb1" + "bz11" + "q")
    first, second = harbour.workspace.labels.of_run("run-1")
    assert (first.labels, first.boundary) == ({"t0": 2, "t1": 1}, "lost")
    assert (second.labels, second.boundary) == ({"t0": 1, "t1": 1}, None)
    assert "crosses lost" in told and "crosses none" in told and "a  rude: Rude" in told


def test_undo_takes_the_answer_before_and_quitting_keeps_the_rest(harbour: Harbour) -> None:
    told = press(harbour, "2211u00q")
    assert [one.labels["t0"] for one in harbour.workspace.labels.of_run("run-1")] == [2, 0]
    assert "took back the answer before" in told
    assert "nothing to undo" in press(harbour, "uuuq")


def test_a_skipped_reply_is_not_labelled_and_half_an_answer_is_none(harbour: Harbour) -> None:
    press(harbour, "s2")
    assert harbour.workspace.labels.of_run("run-1") == []


def test_pairs_are_chosen_by_left_right_and_tie(harbour: Harbour) -> None:
    told = press(harbour, "hxlstuhq", pairs=True)
    assert "[left]" in told and "[right]" in told
    assert len(harbour.workspace.labels.votes_of_run("run-1")) == 3


def test_an_export_filled_in_by_a_script_decides_the_gates(
    harbour: Harbour, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "items.jsonl"
    harbour.run("--export", str(path))
    items = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(items) == 60 and set(items[0]) == {"id", "messages", "reply", "labels", "boundary"}
    assert items[0]["labels"] == {"t0": None, "t1": None}
    path.write_text("".join(json.dumps(filled(one)) + "\n" for one in items))
    capsys.readouterr()
    harbour.run("--import", str(path), "--by", "ada", "--json")
    told = json.loads(capsys.readouterr().out)
    assert (told["done"], told["wanted"]) == (60, 60)
    statuses = {gate["name"]: gate["status"] for gate in told["gates"]}
    assert statuses["overall"] == statuses["trait:t0"] == "PASS"
    assert {one.by for one in harbour.workspace.labels.of_run("run-1")} == {"ada"}
    kept = evaluation_of(harbour.workspace, "run-1")
    assert kept is not None and kept.tuned.labels == 50 and kept.tuned.source == "people"


def filled(item: dict[str, Any]) -> dict[str, Any]:
    score = 2 if item["reply"].startswith("tuned") else 0
    return item | {"labels": {"t0": score, "t1": score}}


def test_pairs_go_through_a_file_too_and_what_nobody_filled_in_is_left(harbour: Harbour, tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    harbour.run("--pairs", "--n", "4", "--export", str(path))
    first, second, *rest = [json.loads(line) for line in path.read_text().splitlines()]
    lines = [first | {"winner": "left"}, second | {"winner": "tie"}, *rest]
    path.write_text("".join(json.dumps(one) + "\n" for one in lines))
    harbour.run("--pairs", "--import", str(path))
    winners = [vote.winner for vote in harbour.workspace.labels.votes_of_run("run-1")]
    assert winners == [first["left"].split()[0], "tie"] and len(rest) == 2


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"labels": {"t0": 1}}', '{"id": "unknown", "labels": {"t0": 1}}', '{"id": 1, "labels": 2}']
)
def test_a_line_that_is_no_answer_is_named(harbour: Harbour, tmp_path: Path, line: str) -> None:
    path = tmp_path / "items.jsonl"
    path.write_text(f"\n{line}\n")
    with pytest.raises(UserError) as raised:
        harbour.run("--import", str(path))
    assert str(raised.value.where) == f"{path}:2"


def test_an_export_never_replaces_a_file_that_may_hold_answers(harbour: Harbour, tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    path.write_text("answers")
    with pytest.raises(UserError, match="is there already"):
        harbour.run("--export", str(path))
    assert path.read_text() == "answers"


def test_without_a_terminal_it_says_how_a_script_does_it(harbour: Harbour) -> None:
    with pytest.raises(UserError, match="wants a terminal"):
        harbour.run()


def test_keys_come_from_a_real_terminal_without_enter_and_arrows_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    import termios

    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "r") as stdin, os.fdopen(os.dup(theirs), "w") as stdout:
        monkeypatch.setattr("sys.stdin", stdin)
        monkeypatch.setattr("sys.stdout", stdout)
        before = termios.tcgetattr(theirs)
        with terminal_keys() as keys:
            os.write(ours, b"2\x1b[A")
            assert next(keys) == "2"
            os.write(ours, b"Q")
            assert next(keys) == "q"
        assert termios.tcgetattr(theirs) == before
    os.close(ours)
