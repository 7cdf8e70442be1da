"""Probes in three parts, the record of looks at them, and what a verdict rests on."""

from __future__ import annotations

import random
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from studio.chatml import user
from studio.evaluate import diagnosable, looks, restate, save
from studio.evaluate.gate_text import scope_text
from studio.evaluate.gates import out_of_reach, reach_text
from studio.evaluate.intervals import alpha_at, mean
from studio.evaluate.looks import Look, looked, next_look, price_of, seen_by
from studio.evaluate.probes import dealt, part_sizes, probes
from studio.evaluate.types import Evaluation, Probe, Scope
from studio.spec import load
from studio.store import Workspace
from tests.evaluate.making import evaluation, judgement, result
from tests.package.making import Made

SIZES = {"tasks": 24, "coaching": 14, "edges": 11, "boundary": 11}
TASKMASTER = Path(__file__).parents[2] / "specs" / "taskmaster.yaml"


def made(sizes: dict[str, int]) -> list[Probe]:
    names = [(category, f"{category}-{number}") for category, count in sizes.items() for number in range(count)]
    return [Probe(id=name, category=category, scenario=name, messages=(user(name),)) for category, name in names]


def rows(sizes: dict[str, int], locked: int = 2, open_: int = 2) -> tuple[Any, ...]:
    """Results with these trait scores of the locked probes, and of the others."""
    return tuple(
        result(one.id, judgement(0, 0), judgement(*[locked if one.part == "locked" else open_] * 2)).model_copy(
            update={"probe": one}
        )
        for one in dealt(made(sizes))
    )


def told(scope: Scope, number: int = 0, locked: int = 2, open_: int = 2, **parts: Any) -> Evaluation:
    return restate(evaluation(rows(SIZES, locked, open_), scope=scope, looks=number, **parts))


def test_parts_are_alike_in_every_category_and_as_a_whole_and_the_same_each_time() -> None:
    found = dealt(made(SIZES))
    assert part_sizes(found) == {"diagnose": 20, "tune": 20, "locked": 20}
    for category in SIZES:
        sizes = part_sizes(one for one in found if one.category == category).values()
        assert max(sizes) - min(sizes) <= 1
    assert found == dealt(list(found)) and [one.id for one in found] == [one.id for one in made(SIZES)]
    shuffled = made(SIZES)
    random.Random(1).shuffle(shuffled)
    assert {one.id: one.part for one in dealt(sorted(shuffled, key=lambda one: list(SIZES).index(one.category)))} == {
        one.id: one.part for one in found
    }


@pytest.mark.parametrize(("count", "sizes"), [(0, (0, 0, 0)), (1, (1, 0, 0)), (2, (1, 0, 1)), (3, (1, 1, 1))])
def test_few_probes_leave_parts_empty_and_there_is_always_one_to_ask(count: int, sizes: tuple[int, ...]) -> None:
    assert tuple(part_sizes(dealt(made({"few": count}))).values()) == sizes


def test_the_bundled_persona_has_twenty_probes_in_each_part() -> None:
    assert part_sizes(probes(load(TASKMASTER))) == {"diagnose": 20, "tune": 20, "locked": 20}


def test_a_diagnosis_sees_its_own_third_alone_also_of_an_evaluation_from_before_there_were_parts() -> None:
    new = evaluation(rows(SIZES))
    older = [row.model_copy(update={"probe": row.probe.model_copy(update={"part": None})}) for row in rows(SIZES)]
    old = evaluation(tuple(older))
    assert {row.probe.part for row in diagnosable(new)} == {"diagnose"} and len(diagnosable(new)) == 20
    assert [row.probe.id for row in diagnosable(old)] == [row.probe.id for row in diagnosable(new)]


def test_the_gates_of_a_second_run_rest_on_the_locked_probes_alone_with_a_wider_interval() -> None:
    """Open probes that are perfect, as those that were trained for, lift nothing."""
    found = told("locked", 2, locked=0, open_=2)
    assert found.tuned.overall is not None and found.tuned.overall.value == 0 and found.tuned.overall.n == 20
    assert found.tuned.overall.level == 0.975
    assert {gate.name: gate.status for gate in found.gates}["overall"] == "FAIL"
    assert scope_text(found) == (
        "verdict on the 20 locked probes, looked at 2 times: 97.5 % intervals; the 40 others are known from earlier "
        "runs and decide nothing"
    )
    wide, narrow = (told("locked", number).tuned.overall for number in (3, 1))
    assert wide is not None and narrow is not None and wide.low < narrow.low


def test_open_probes_alone_approve_nothing_however_good(tmp_path: Path) -> None:
    found = told("open", examples=200)
    assert found.tuned.overall is not None and found.tuned.overall.n == 40
    assert not found.passed and found.verdict.startswith("provisional: ")
    assert "no verdict; --locked opens" in scope_text(found)
    assert found.id.endswith("-open") and found.id != told("all", 1).id


def test_what_so_few_probes_can_never_pass_is_said() -> None:
    found = told("locked", 2)
    assert out_of_reach(found) == {"violations": 72}
    assert reach_text(found) == (
        "too few: even perfect replies to 20 locked probes could not pass violations (takes 72); a third of the "
        "probes is locked"
    )
    perfect = {gate.name: gate for gate in found.gates}
    assert perfect["violations"].note.startswith("about 52 more locked probes (a third of all)")
    assert perfect["overall"].status == "PASS", "it is within reach"
    assert "overall" in out_of_reach(told("locked", 3)) and reach_text(told("all", 1)) == ""


def test_an_evaluation_from_before_looks_were_counted_is_read_as_it_was() -> None:
    old = evaluation(rows(SIZES)).model_dump(mode="json", exclude={"scope", "looks"})
    for row in old["results"]:
        del row["probe"]["part"]
    found = restate(Evaluation.model_validate(old))
    assert (found.scope, found.looks, len(found.counted), found.is_verdict) == ("all", 0, 60, True)
    assert scope_text(found) == "verdict on all 60 probes"


class TestLooks:
    @pytest.fixture
    def workspace(self, tmp_path: Path) -> Any:
        opened = Workspace.open(tmp_path, "harbour")
        yield opened
        opened.close()

    def look(self, workspace: Workspace, run: str, mark: str = "", *, locked: bool = True) -> Look:
        return looked(workspace, dealt(made(SIZES)), run, mark or f"of {run}", locked=locked)

    def test_a_first_verdict_rests_on_all_probes_and_later_ones_on_the_locked(self, workspace: Workspace) -> None:
        seen = [self.look(workspace, run) for run in ("one", "two", "three")]
        assert [(one.scope, one.number) for one in seen] == [("all", 1), ("locked", 2), ("locked", 3)]
        assert len(looks(workspace)) == 3

    def test_an_evaluation_that_goes_on_is_the_same_look(self, workspace: Workspace) -> None:
        first = self.look(workspace, "one")
        self.look(workspace, "two")
        assert self.look(workspace, "one") == first == self.look(workspace, "one", locked=False)

    def test_open_probes_cost_nothing_but_are_known_afterwards(self, workspace: Workspace) -> None:
        opened = [self.look(workspace, run, locked=False) for run in ("one", "two")]
        assert {(one.scope, one.number, len(one.probes)) for one in opened} == {("open", 0, 40)}
        verdict = self.look(workspace, "two")
        assert (verdict.scope, verdict.number, len(verdict.probes)) == ("locked", 1, 60)
        assert len(looks(workspace)) == 2, "the open look became the verdict"

    def test_the_same_run_by_another_judge_looks_again(self, workspace: Workspace) -> None:
        self.look(workspace, "one")
        again = self.look(workspace, "one", "by another judge")
        assert (again.scope, again.number) == ("all", 2)

    def test_a_probe_that_was_seen_open_stays_open_though_another_list_deals_it_otherwise(
        self, workspace: Workspace
    ) -> None:
        before = self.look(workspace, "one", locked=False)
        more = dealt(made({**SIZES, "tasks": 25}))
        dealt_locked = {one.id for one in more if one.part == "locked"}
        assert dealt_locked & set(before.probes)
        found = looked(workspace, more, "two", "m", locked=True)
        assert set(found.locked) == dealt_locked - set(before.probes) and (found.scope, found.number) == ("locked", 1)
        asked = seen_by(found, more)
        assert {one.id for one in asked if one.part == "locked"} == set(found.locked) and len(asked) == 61

    def test_evaluations_from_before_count(self, tmp_path: Path) -> None:
        made_run = Made(tmp_path)
        found = dealt([row.probe for row in made_run.evaluation.results])
        assert looked(made_run.workspace, found, "run-2", "new", locked=True).number == 2
        assert [one.run_id for one in looks(made_run.workspace)] == ["run-1", "run-2"]
        save(made_run.workspace, made_run.evaluation)
        assert len(looks(made_run.workspace)) == 2
        made_run.workspace.close()


def test_all_looks_together_pass_a_model_that_stands_at_the_gate_in_at_most_five_per_cent() -> None:
    """Five runs of one quality, 60 locked probes that all share; a prompt's level is common to the runs. 2,000 draws;
    without paying it is more than 5 %."""
    draw, target, times = random.Random(7), 1.5, 2000
    paid = free = first = 0
    for _ in range(times):
        levels = [draw.random() < 0.5 for _ in range(60)]
        found: list[list[float]] = []
        for _ in range(5):
            chances = [(0.05, 0.1, 0.85) if good else (0.25, 0.3, 0.45) for good in levels]
            found.append([float(draw.choices((0, 1, 2), one)[0]) for one in chances])
        lows = [mean(values, (0, 2), alpha_at(look)) for look, values in enumerate(found, 1)]
        plain = [mean(values, (0, 2)) for values in found]
        paid += any(one is not None and one.low >= target for one in lows)
        free += any(one is not None and one.low >= target for one in plain)
        first += lows[0] is not None and lows[0].low >= target
    assert first / times <= 0.035 and paid / times <= 0.05 < free / times


def test_what_a_verdict_would_rest_on_and_cost_is_known_before_it_is_opened(tmp_path: Path) -> None:
    several = [
        Probe(id=f"p{n}", category="unseen", scenario="", messages=(user(f"How deep is berth {n}?"),)) for n in range(6)
    ]
    asked = dealt(several)
    with closing(Workspace.open(tmp_path, "harbour")) as workspace:
        first = price_of(next_look(workspace, asked, "run-1", "one"))
        assert first.startswith("It rests on all 6 probes: no other run was evaluated on any of them")
        assert looks(workspace) == (), "nothing was opened by asking"
        looked(workspace, asked, "run-1", "one", locked=True)
        second = price_of(next_look(workspace, asked, "run-2", "two"))
        assert second.startswith("It rests on the 2 locked probes alone, looked at 2 times then: 97.5 % intervals")
