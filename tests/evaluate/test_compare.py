"""Two runs compared: what is paired with what, what is not to be had, and how it is told."""

from __future__ import annotations

import random
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.chatml import user
from studio.evaluate import restate, save
from studio.evaluate.compare import RunComparison, Which, compare_runs
from studio.evaluate.compare_text import comparison_lines
from studio.evaluate.curves import Curve, curves_svg, in_columns, plain_chart
from studio.evaluate.probes import dealt
from studio.evaluate.types import Evaluation, Probe, ProbeResult
from studio.judge.types import JudgeInfo
from studio.store import Workspace
from studio.train import Run, find_run, name_run
from studio.train.run import write_run
from tests.evaluate.making import BASE_WINS, GOOD, TUNED_WINS, evaluation, judgement, result
from tests.package.making import run_of, write_adapter


def probes(count: int = 60) -> tuple[Probe, ...]:
    names = [f"probe {number}" for number in range(count)]
    return dealt([Probe(id=one, category="talk", scenario=f"says {one}", messages=(user(one),)) for one in names])


def rows(better: float, seed: int, of: tuple[Probe, ...] = probes(), **parts: Any) -> tuple[ProbeResult, ...]:
    """Marks that follow how hard a probe is, which runs share, and ``better``, the chance of one more."""
    draw, made = random.Random(seed), []
    for probe in of:
        hard = random.Random(probe.id).choice((0, 1))
        marks = [min(2, hard + (draw.random() < better)) for _ in range(2)]
        verdict: Any = "passed" if sum(marks) > 2 else "failed"
        winner = TUNED_WINS if sum(marks) > 1 else BASE_WINS
        row = result(probe.id, judgement(0, 0), judgement(*marks, verdict=verdict), winner, **parts)
        made.append(row.model_copy(update={"probe": probe}))
    return tuple(made)


class Two:
    """A workspace with the runs ``run-a`` and ``run-b``."""

    def __init__(self, root: Path) -> None:
        self.workspace = Workspace.open(root, "harbour")
        self.runs = [self._run(name, rank, loss) for name, rank, loss in (("run-a", 16, 3.0), ("run-b", 32, 2.0))]

    def _run(self, name: str, rank: int, loss: float) -> Run:
        folder = self.workspace.runs_dir / name
        run = run_of(write_adapter(folder / "adapter"))
        recipe = run.plan.recipe.model_copy(update={"rank": rank})
        write_run(
            folder, run.model_copy(update={"plan": run.plan.model_copy(update={"run_id": name, "recipe": recipe})})
        )
        lines = [
            f'{{"step": {at}, "loss": {loss - at / 100}, "learning_rate": 1, "epoch": 1, "seconds": 1}}\n'
            for at in range(1, 101)
        ]
        (folder / "metrics.jsonl").write_text("".join(lines))
        return find_run(self.workspace, name)

    def evaluated(self, name: str, of: tuple[ProbeResult, ...], **parts: Any) -> Evaluation:
        found = restate(evaluation(of, run_id=name, fingerprint=name, **parts))
        save(self.workspace, found)
        return found

    def compared(self, which: Which = "open") -> RunComparison:
        return compare_runs(self.workspace, self.runs[0], self.runs[1], which)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    made = Two(tmp_path)
    yield made
    made.workspace.close()


def metric(found: RunComparison, name: str) -> Any:
    return next(one for one in found.metrics if one.name == name)


def test_a_better_run_is_better_by_an_interval_that_excludes_0_on_the_open_probes_alone(two: Two) -> None:
    two.evaluated("run-a", rows(0.1, 1))
    two.evaluated("run-b", rows(0.9, 2))
    found = two.compared()
    assert found.paired == 40 and found.which == "open"
    overall = metric(found, "overall")
    assert overall.delta.low > 0 and overall.delta.n == 40 and overall.delta.method == "bootstrap"
    assert overall.delta.value == pytest.approx(overall.second - overall.first)
    assert {one.name for one in found.metrics} == {"overall", "trait:t0", "trait:t1", "violations", "win_rate", "cut"}
    assert metric(found, "violations").delta.low < 0 < metric(found, "violations").delta.high, "none is not never"


def test_pairing_by_probe_is_tighter_than_two_runs_by_themselves(two: Two) -> None:
    one, other = two.evaluated("run-a", rows(0.4, 1)), two.evaluated("run-b", rows(0.6, 2))
    assert one.tuned.overall and other.tuned.overall
    apart = metric(two.compared(), "overall").delta
    alone = sum((side.overall.high - side.overall.low) ** 2 for side in (one.tuned, other.tuned) if side.overall)
    assert (apart.high - apart.low) * (40 / 60) ** 0.5 < alone**0.5


def test_locked_probes_confirm_pay_for_looks_and_are_not_named(two: Two) -> None:
    two.evaluated("run-a", rows(0.1, 1), scope="all", looks=1)
    two.evaluated("run-b", rows(0.9, 2), scope="locked", looks=2)
    found = two.compared("locked")
    assert found.paired == 20 and metric(found, "overall").delta.level == 0.975
    assert found.changed and not any(one.scenario for one in found.changed)
    assert all(one.scenario for one in two.compared().changed)
    assert two.compared("tune").paired == 20


def test_probes_that_changed_side_are_told_with_both_ends(two: Two) -> None:
    before, after = rows(1.0, 1), list(rows(1.0, 1))
    at = next(index for index, row in enumerate(after) if row.probe.part == "tune")
    lost = {"comparison": BASE_WINS, "tuned_judgement": judgement(0, 0, verdict="failed")}
    after[at] = after[at].model_copy(update=lost)
    two.evaluated("run-a", before)
    two.evaluated("run-b", tuple(after))
    found = two.compared()
    assert {(one.before, one.after) for one in found.changed} >= {("won", "lost")}
    assert {one.probe_id for one in found.changed} == {after[at].probe.id}


def test_another_judge_leaves_only_what_no_judge_said(two: Two) -> None:
    two.evaluated("run-a", rows(0.1, 1, kept=(True, False)))
    two.evaluated("run-b", rows(0.9, 2, kept=(True, True)), judge=JudgeInfo(name="other"))
    found = two.compared()
    assert [one.name for one in found.metrics] == ["kept", "cut"] and found.changed == ()
    assert any("no paired difference of scores or wins" in told and "comparable:" in told for told in found.warnings)
    assert metric(found, "kept").delta.low > 0


def test_other_probes_are_paired_where_both_have_them_and_else_not_at_all(two: Two) -> None:
    some = probes(60)
    two.evaluated("run-a", rows(0.1, 1, some[:50]))
    two.evaluated("run-b", rows(0.9, 2, some[10:]))
    found = two.compared()
    assert 0 < found.paired < 40 and any("the probes differ" in told for told in found.warnings)
    strangers = tuple(one.model_copy(update={"id": f"x{one.id}"}) for one in some)
    two.evaluated("run-b", rows(0.9, 2, strangers))
    found = two.compared()
    assert (found.paired, found.metrics, found.changed) == (0, (), ())
    assert any("no probe is in both" in told and "comparable:" in told for told in found.warnings)


def test_a_run_without_an_evaluation_is_compared_by_what_it_has(two: Two) -> None:
    two.evaluated("run-a", rows(0.1, 1))
    found = two.compared()
    assert found.warnings == ("run-b: not evaluated (studio evaluate --run run-b); loss and settings are comparable",)
    assert found.gates[0].before is not None and found.gates[0].after is None
    assert ("rank", "16", "32") in {(one.name, one.before, one.after) for one in found.settings}
    assert "training loss" in comparison_lines(found)


def test_settings_are_those_that_differ_alone(two: Two) -> None:
    two.evaluated("run-a", rows(0.1, 1))
    two.evaluated("run-b", rows(0.1, 1), spec_hash="z" * 64, max_tokens=64)
    found = two.compared()
    assert [one.name for one in found.settings] == ["rank", "max_tokens", "evaluated_by_spec"]
    assert any("two versions of the spec" in told for told in found.warnings)


def test_evaluations_from_before_there_were_parts_are_compared_as_if_they_had_them(two: Two) -> None:
    for name, better in (("run-a", 0.1), ("run-b", 0.9)):
        old = [row.model_copy(update={"probe": row.probe.model_copy(update={"part": None})}) for row in rows(better, 1)]
        two.evaluated(name, tuple(old))
    assert two.compared().paired == 40 and two.compared("locked").paired == 20


def test_it_is_told_in_eighty_columns_and_nothing_in_it_acts_on_a_terminal(two: Two) -> None:
    evil = tuple(one.model_copy(update={"scenario": f"\x1b]0;pwned\x07 {'long ' * 40}"}) for one in probes())
    two.evaluated("run-a", rows(0.1, 1, evil))
    two.evaluated("run-b", rows(0.9, 2, evil), judge=GOOD.model_copy(update={"version": ""}))
    name_run(two.workspace, two.runs[1], "after")
    lines = comparison_lines(two.compared())
    assert lines[:2] == ["a  run-a", "b  run-b (after)"]
    assert max(map(len, lines)) <= 80 and not any(one < " " for one in "".join(lines))
    assert any(line.startswith("overall") and line.endswith("*") for line in lines)
    assert RunComparison.model_validate_json(two.compared().model_dump_json()) == two.compared()


def test_curves_of_different_lengths_share_their_axes() -> None:
    short, long = Curve(steps=(1, 2), losses=(4.0, 3.0)), Curve(steps=tuple(range(1, 101)), losses=(2.0,) * 100)
    lines = plain_chart((short, long), 60, 6)
    assert len(lines) == 8 and max(map(len, lines)) <= 60
    assert lines[0].strip().startswith("3.500 |a") and set(lines[5].split("|")[1]) == {"b"}
    assert lines[-1].split() == ["1", "step", "100"]
    assert in_columns(short, 4, 4) == [4.0, 3.0, None, None]
    same = plain_chart((long, long), 60, 6)
    assert any("*" in line for line in same) and not any("a" in line for line in same)
    assert plain_chart((Curve(), Curve()), 60) == []


def test_the_picture_is_well_formed_whatever_the_names_hold() -> None:
    curve = Curve(steps=(1, 2, 3), losses=(3.0, 2.5, 2.0))
    names = ("<script>alert(1)</script>", "b\x1b[31m & 'c'")
    for both in ((curve, curve), (curve, Curve()), (Curve(), Curve())):
        root = ElementTree.fromstring(curves_svg(both, names))
        assert {one.tag.rpartition("}")[2] for one in root.iter()} <= {"svg", "rect", "line", "text", "polyline"}
        assert len(root.findall("{http://www.w3.org/2000/svg}polyline")) == sum(bool(one.steps) for one in both)
