"""The rules of improving, with stages that answer at once: when it stops, what it keeps, where it goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from studio.build import Session, improve
from studio.build.improve_diagnosis import diagnose, scenarios_for
from studio.build.improve_record import Improvement, improvements
from studio.build.session import StageError
from studio.chatml import assistant, user
from studio.dataset import Export
from studio.errors import UserError
from studio.evaluate import Evaluation
from studio.evaluate.probes import dealt
from studio.evaluate.report import restate, save
from studio.evaluate.types import ProbeResult
from studio.generate.focus import FocusParams
from studio.generate.plan import open_scenarios
from studio.inference import ItemsFinished
from studio.judge.types import JudgeInfo
from studio.llm import ModelSettings
from studio.spec import load
from studio.store import Example, Judgement, Workspace
from studio.store.cross import Marks
from studio.store.records import TraitScore
from studio.train.types import Recipe, Run, TrainPlan
from tests.evaluate.making import TIE, result
from tests.small_persona import copy_to

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TRAITS = ("specific", "kind", "practical")
JUDGE = JudgeInfo(name="critic", agreement=dict.fromkeys(TRAITS, 0.8), pass_agreement=0.9)
PROBES = 90


def judged(practical: int) -> Judgement:
    marks: dict[str, Any] = {"specific": 2, "kind": 2, "practical": practical}
    traits = {name: TraitScore(score=mark) for name, mark in marks.items()}
    total = 10 * sum(marks.values()) / 6
    return Judgement(judge="critic", spec_hash="s", verdict="passed", traits=traits, total=total, at=NOON)


def rows(strong: int) -> tuple[ProbeResult, ...]:
    """Ninety probes, of which every part's first ``strong`` of thirty show the planted trait."""
    made = [result(f"probe {n} about zinnia{n}", judged(0), judged(0), TIE) for n in range(PROBES)]
    probes, seen = dealt([one.probe for one in made]), dict.fromkeys(("diagnose", "tune", "locked"), 0)
    found = []
    for one, probe in zip(made, probes, strict=True):
        assert probe.part is not None
        shows, seen[probe.part] = seen[probe.part] < strong, seen[probe.part] + 1
        found.append(one.model_copy(update={"probe": probe, "tuned_judgement": judged(2 if shows else 0)}))
    return tuple(found)


class World:
    """A spec with accepted examples, and stages in the place of the real ones. ``strong``: by run, of thirty."""

    def __init__(self, folder: Path) -> None:
        self.loaded = load(copy_to(folder))
        self.workspace = Workspace.open(folder / "ws", self.loaded.spec.slug)
        settings = ModelSettings(endpoint="http://127.0.0.1:9/v1", model="fake")
        self.session = Session(self.loaded, self.workspace, folder / "ws", settings)
        self.strong = {"run-0": 3}
        self.asked: list[FocusParams] = []
        self.looks: list[str] = []
        self.fails: list[Exception] = []
        self.accepts = True
        self.success: dict[str, Any] = {}
        for n in range(10):
            self.accept(f"old{n}", 0)

    def accept(self, name: str, practical: int) -> None:
        example = Example(
            id=name,
            spec_hash=self.loaded.hash,
            category="care",
            scenario="Repotting",
            person_id="p",
            messages=(user(name), assistant(f"reply {name}")),
            author="a",
            created=NOON,
        )
        self.workspace.examples.add_example(
            example, judged(practical).model_copy(update={"spec_hash": self.loaded.hash})
        )

    def run_of(self, name: str) -> Run:
        plan = TrainPlan(
            run_id=name,
            base_model="some/base",
            base_path="some/base",
            recipe=Recipe(),
            spec_hash=self.loaded.hash,
            data_path="d",
            data_hash="d",
            examples=1,
            steps=1,
            fingerprint=name,
            created=NOON,
        )
        return Run(plan=plan)

    async def items(self, tell: Any, session: Session, stage: str, entry: str, params: FocusParams) -> ItemsFinished:
        if self.fails:
            raise self.fails.pop()
        self.asked.append(params)
        done = params.count if self.accepts else 0
        for n in range(done):
            self.accept(f"{params.name} {n}", 2)
        counts = {"done": done, "removed": 0 if self.accepts else 9, "reasons": {} if self.accepts else {"score": 9}}
        about = {"task": "t", "wanted": params.count, "known": 0, "errors": 0, "calls": 0, "cost_usd": 0, "seconds": 0}
        return ItemsFinished.model_validate({**about, **counts, "complete": self.accepts, "note": ""})

    async def triage(self, tell: Any, session: Session) -> Export:
        return Export(path=Path("x"), count=1, hash="h")

    async def train(self, tell: Any, session: Session, export: Export) -> Run:
        if self.fails:
            raise self.fails.pop()
        assert session.base == "some/base" and session.recipe["rank"] == 16, "the recipe of the run before"
        return self.run_of(f"run-{len(self.asked)}")

    async def evaluate(self, tell: Any, session: Session, run: Run, locked: bool = True) -> Evaluation:
        if self.fails:
            raise self.fails.pop()
        self.looks += [run.plan.run_id] if locked else []
        found = [one for one in rows(self.strong[run.plan.run_id]) if locked or one.probe.part != "locked"]
        success = self.loaded.spec.success.model_copy(update={"win_rate": 0.2, "violations": 0.2, **self.success})
        evaluation = Evaluation(
            id="",
            run_id=run.plan.run_id,
            spec_name="Wren",
            spec_hash=self.loaded.hash,
            base_model="some/base",
            judge=JUDGE,
            traits=TRAITS,
            success=success.model_copy(update={"train_loss": None, "adapter_mb": None, "latency_s": None}),
            trial=False,
            max_tokens=96,
            results=tuple(found),
            train_loss=None,
            adapter_mb=None,
            examples=200,
            created=NOON,
            seconds=1,
            fingerprint=run.plan.run_id,
            scope="all" if locked else "open",
            looks=1 if locked else 0,
        )
        evaluation = restate(evaluation)
        save(self.workspace, evaluation)
        return evaluation

    async def improve(self, **options: Any) -> Improvement:
        asked = improve.ImproveOptions(**{"examples": 8, "auto": True, "run_id": "run-0", **options})
        return await improve.improve(lambda _: None, self.session, asked)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    found = World(tmp_path)
    monkeypatch.setattr(improve, "items_stage", found.items)
    monkeypatch.setattr(improve, "triage_stage", found.triage)
    monkeypatch.setattr(improve, "train_stage", found.train)
    monkeypatch.setattr(improve, "evaluate_stage", found.evaluate)
    monkeypatch.setattr(improve, "find_run", lambda workspace, name: found.run_of(name))
    with closing(found.workspace):
        yield found


async def test_it_finds_the_trait_and_ends_once_the_gates_pass_and_opens_the_locked_probes_then(world: World) -> None:
    world.strong |= {"run-1": 16, "run-2": 30}
    end = await world.improve(rounds=5)
    assert [one.target.trait for one in end.rounds] == ["practical", "practical"]
    assert end.ended == "all gates pass on the open probes" and end.passed
    assert world.looks == ["run-2", "run-0"], "once each, at the end"
    assert {one.name for one in end.locked} >= {"trait:practical", "overall"} and end.locked[1].delta.n == PROBES // 3
    assert all(one.improved for one in end.rounds) and end.rounds[0].about is not None
    assert end.rounds[0].about.delta.low > 0 and end.rounds[0].about.delta.n == PROBES // 3
    assert "practical +0.87" in end.rounds[0].line and "95 %" in end.rounds[0].line
    assert [one.count for one in world.asked] == [8, 8]
    assert improvements(world.workspace) == [end]


async def test_half_of_the_union_is_what_was_there(world: World) -> None:
    world.strong["run-1"] = 3
    await world.improve(examples=40, rounds=1)
    assert world.asked[0].count == 10, "as many as were accepted"


async def test_two_rounds_whose_interval_includes_0_end_it_and_the_locked_probes_stay_shut(world: World) -> None:
    world.strong |= {"run-1": 4, "run-2": 3}
    end = await world.improve(rounds=9)
    assert len(end.rounds) == 2 and end.ended.startswith("nothing improves: practical +0.07")
    assert "includes 0 in 2 rounds" in end.ended and world.looks == [] and end.verdict == "" and not end.passed


async def test_an_author_whose_examples_all_fail_ends_it(world: World) -> None:
    world.accepts = False
    end = await world.improve()
    assert end.ended == "the author wrote nothing that shows practical (rejected: score 9)" and len(end.rounds) == 1


async def test_rounds_and_money_are_budgets(world: World) -> None:
    world.strong["run-1"] = 10
    end = await world.improve(rounds=1)
    assert end.ended == "1 round was asked for (--rounds)"
    settings = world.session.settings.model_copy(update={"max_cost_usd": 0.0})
    world.session = replace(world.session, settings=settings)
    again = await world.improve()
    assert again.ended == "the budget of $0.00 is spent (--max-cost)" and again.id == "improve-2"


async def test_without_auto_it_waits_for_a_person_and_the_same_command_goes_on(world: World) -> None:
    world.strong["run-1"] = 30
    waiting = await world.improve(auto=False)
    assert waiting.waits and waiting.rounds[0].step == "awaiting" and "wait for your review" in waiting.rounds[0].line
    end = await world.improve(auto=False)
    assert end.id == waiting.id and end.ended and len(end.rounds) == 1 and len(world.asked) == 1


@pytest.mark.parametrize("after", ["diagnosed", "written", "trained"])
async def test_failed_in_any_step_it_goes_on_there(world: World, after: str) -> None:
    world.strong["run-1"] = 30

    def fail(state: Improvement) -> None:
        if state.rounds and state.rounds[-1].step == after and not failed:
            failed.append(True)
            world.fails.append(StageError("killed"))

    failed: list[bool] = []
    asked = improve.ImproveOptions(examples=8, auto=True, run_id="run-0")
    with pytest.raises(StageError, match="killed"):
        await improve.improve(lambda _: None, world.session, asked, fail)
    end = await world.improve()
    assert end.ended and len(end.rounds) == 1 and len(world.asked) == 1 and len(improvements(world.workspace)) == 1


async def test_what_no_example_would_help_is_said(world: World) -> None:
    world.strong["run-0"], world.success = 30, {"overall": 9.99, "examples": 400}
    end = await world.improve()
    assert end.ended.startswith("no examples would help with what is left:") and not end.rounds
    assert "studio generate makes the examples that are missing" in end.ended


async def test_a_trait_that_got_worse_is_told_beside_the_one_that_was_meant(world: World) -> None:
    world.strong["run-1"] = 30
    end = await world.improve(rounds=1)
    assert "also overall" in end.rounds[0].line
    assert {one.name for one in end.rounds[0].deltas} >= {"trait:kind", "trait:specific", "overall", "violations"}


async def test_the_diagnosis_reads_one_part_and_none_of_its_words_leave_it(world: World) -> None:
    evaluation = await world.evaluate(None, world.session, world.run_of("run-0"), locked=False)
    marks = {
        ("care", "Repotting"): {"practical": Marks(8, 0, 2)},
        ("light", "Leaves are scorched"): {"practical": Marks(0, 0, 5)},
    }
    finding = diagnose(world.loaded, evaluation, marks)[0]
    assert finding.trait == "practical" and finding.pattern.startswith("in 27 of 30 replies it is missing")
    kinds = [one.kind for one in finding.causes]
    assert "few_examples" in kinds and "contradictory" in kinds and "judge" not in kinds
    assert (
        "7 of 15 accepted examples show it wholly" in finding.line and "8 of 15 do not show it at all" in finding.line
    )
    assert scenarios_for(finding, marks, open_scenarios(world.loaded.spec))[-1] == ("light", "Leaves are scorched")
    others = [one.probe.scenario for one in evaluation.results]
    assert not [one for one in others if one in finding.model_dump_json()]
    unsure = evaluation.model_copy(update={"judge": JUDGE.model_copy(update={"agreement": {}})})
    assert any(one.kind == "judge" for one in diagnose(world.loaded, restate(unsure), marks)[0].causes)


async def test_without_a_model_it_says_what_to_do(world: World) -> None:
    world.session = replace(world.session, settings=ModelSettings())
    with pytest.raises(UserError, match="nothing left to play back") as told:
        await world.improve()
    assert told.value.remedy and "--endpoint" in told.value.remedy
