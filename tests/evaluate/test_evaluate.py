"""A whole evaluation, with models that answer from a table and the real rules judge."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from studio.chatml import last_request
from studio.errors import UserError
from studio.evaluate import MIN_SAMPLES, Evaluation, Evaluator, probes
from studio.evaluate.cache import ResultCache
from studio.evaluate.evaluate import MOST_IN_A_ROW, fingerprint
from studio.evaluate.types import EvaluateFinished, EvaluateStarted, ProbeScored
from studio.judge import Judge, open_judge, rules_judge
from studio.judge.types import JudgeBrief
from studio.llm import ChatModel, Completion, Kind, ModelError, ModelSettings, Reply, Request, Structured
from studio.spec import LoadedSpec, load
from studio.train.types import Recipe, Run, TrainFinished, TrainPlan
from tests.llm.function_model import FunctionModel

SPEC = Path(__file__).parents[2] / "specs" / "taskmaster.yaml"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Echo(FunctionModel):
    """Says the request back inside a fixed frame, and counts the probes that it was asked.

    ``fails`` names what goes wrong with the call of a number.
    """

    def __init__(self, name: str, frame: str, fails: Callable[[int], Kind | None] = lambda _: None) -> None:
        super().__init__(name, lambda request: pytest.fail("only whole replies are asked for"))
        self.frame, self.asked, self._fails = frame, 0, fails
        self.purposes: list[str] = []

    async def complete(self, request: Request) -> Completion:
        self.asked += request.purpose == "probe"
        self.purposes.append(request.purpose)
        if kind := self._fails(len(self.purposes)):
            raise ModelError(kind, "nothing beside thoughts")
        return Completion(text=self.frame.format(last_request(request.messages).rstrip(".?")), model=self.name)


@pytest.fixture(scope="module")
def loaded() -> LoadedSpec:
    return load(SPEC)


def trained(loaded: LoadedSpec) -> Run:
    plan = TrainPlan(
        run_id="r1",
        base_model="pocket",
        base_path="unused",
        recipe=Recipe(),
        spec_hash=loaded.hash,
        data_path="unused",
        data_hash="d",
        examples=200,
        steps=75,
        fingerprint="f",
        created=NOW,
    )
    finished = TrainFinished(run_id="r1", steps=75, loss=0.3, seconds=60, adapter_path="unused", adapter_mb=1.5)
    return Run(plan=plan, finished=finished)


class Flaky(FunctionModel):
    """The rules judge, which fails at the calls whose numbers ``fails`` names; ``briefs`` are all that it was asked."""

    def __init__(self, fails: Callable[[int], bool] = lambda _: False) -> None:
        super().__init__("rules judge", lambda request: pytest.fail("the rules judge answers"))
        self._judge, self._fails, self._calls = rules_judge(), fails, 0
        self.briefs: list[object] = []

    async def structured(self, request: Request, schema: type[Reply]) -> Structured[Reply]:
        self._calls += 1
        self.briefs.append(request.brief)
        if self._fails(self._calls):
            raise ModelError("server", "overloaded")
        return await self._judge.structured(request, schema)


def evaluator(
    loaded: LoadedSpec,
    folder: Path,
    judge: ChatModel | None = None,
    fails: Callable[[int], Kind | None] = lambda _: None,
) -> tuple[Evaluator, Echo, Echo]:
    """``fails`` is of the base side."""
    base = Echo("base", "Done: {}.", fails)
    tuned = Echo("tuned", "Great choice! I noted: {}. Shall we take the next step together?")
    own = Judge(judge, loaded) if judge else open_judge(ModelSettings(), loaded)
    return Evaluator(loaded, trained(loaded), own, base, tuned, ResultCache(folder, "f" * 64)), base, tuned


async def evaluated(one: Evaluator) -> Evaluation:
    async for _event in one.events(lambda: False):
        pass
    assert one.evaluation is not None
    return one.evaluation


async def test_every_probe_is_asked_of_both_sides_and_the_warmer_side_wins(loaded: LoadedSpec, tmp_path: Path) -> None:
    one, base, tuned = evaluator(loaded, tmp_path)
    events = [event async for event in one.events(lambda: False)]
    count = len(probes(loaded))
    assert isinstance(events[0], EvaluateStarted)
    assert isinstance(events[-1], EvaluateFinished)
    assert sum(isinstance(event, ProbeScored) for event in events) == count == base.asked == tuned.asked
    assert one.evaluation is not None
    assert one.evaluation.tuned.overall is not None and one.evaluation.base.overall is not None
    assert one.evaluation.tuned.overall.value > one.evaluation.base.overall.value
    assert one.evaluation.win_rate is not None and one.evaluation.win_rate.value > 0.5
    assert one.evaluation.tuned.latency_s is not None
    assert {gate.name: gate.status for gate in one.evaluation.gates}["examples"] == "PASS"


async def test_as_many_replies_as_a_gate_needs_are_timed_alone_after_a_warm_up_and_no_others(
    loaded: LoadedSpec, tmp_path: Path
) -> None:
    first, *sides = evaluator(loaded, tmp_path)
    scored: list[ProbeScored] = []
    async for event in first.events(lambda: len(scored) >= 5):
        if isinstance(event, ProbeScored):
            scored.append(event)
    second, *_ = evaluator(loaded, tmp_path)
    async for _event in second.events(lambda: False):
        pass
    assert all(side.purposes == ["warm-up", *["probe"] * 5] for side in sides)
    assert second.evaluation is not None and second.evaluation.tuned.timed == MIN_SAMPLES
    results = second.evaluation.results
    assert sum(one.base_s is not None and one.tuned_s is not None for one in results) == MIN_SAMPLES
    assert sum(one.base_s is None and one.tuned_s is None for one in results) == len(results) - MIN_SAMPLES


async def test_one_that_was_stopped_goes_on_and_asks_nothing_twice(loaded: LoadedSpec, tmp_path: Path) -> None:
    first, base, _ = evaluator(loaded, tmp_path)
    scored: list[ProbeScored] = []
    async for event in first.events(lambda: len(scored) >= 5):
        if isinstance(event, ProbeScored):
            scored.append(event)
    assert first.evaluation is None
    assert len(scored) == base.asked == 5
    second, base, _ = evaluator(loaded, tmp_path)
    async for _event in second.events(lambda: False):
        pass
    assert base.asked == len(probes(loaded)) - 5
    assert second.evaluation is not None
    assert len(second.evaluation.results) == len(probes(loaded))


def test_probes_come_from_held_out_categories_alone_with_their_marks_taken_off(loaded: LoadedSpec) -> None:
    found = probes(loaded)
    assert {probe.category for probe in found} == {
        name for name, category in loaded.spec.scenarios.items() if category.holdout
    }
    assert all("[" not in last_request(probe.messages) for probe in found)
    reminder = next(probe for probe in found if "text Lucy" in last_request(probe.messages))
    assert reminder.keep == ("text Lucy", "8 am")
    assert len({probe.id for probe in found}) == len(found)


async def test_what_a_judge_could_not_judge_is_judged_later_from_the_replies_that_were_made(
    loaded: LoadedSpec, tmp_path: Path
) -> None:
    first, *_ = evaluator(loaded, tmp_path, Flaky(lambda call: call % 7 == 0))
    flawed = await evaluated(first)
    assert not flawed.whole and flawed.tuned.errors > 0
    judge = Flaky()
    second, *sides = evaluator(loaded, tmp_path, judge)
    mended = await evaluated(second)
    assert mended.whole and mended.tuned.errors == mended.base.errors == 0
    assert [side.asked for side in sides] == [0, 0]
    assert 0 < len(judge.briefs) < 4 * len(probes(loaded)), "what was judged is not judged again"
    assert mended.tuned.timed == MIN_SAMPLES, "times are kept"
    assert mended.id != flawed.id, "a package of the one is none of the other"


async def test_a_reply_that_fails_is_an_error_of_its_probe_and_is_asked_for_again_later(
    loaded: LoadedSpec, tmp_path: Path
) -> None:
    first, *_ = evaluator(loaded, tmp_path, fails=lambda call: "malformed" if call % 7 == 1 else None)
    flawed = await evaluated(first)
    failed = [one for one in flawed.results if one.base_error]
    assert len(failed) == flawed.base.errors == len(probes(loaded)) // 7 and flawed.tuned.errors == 0
    assert all("nothing beside thoughts" in one.errors[0] and one.base_kept is None for one in failed)
    assert flawed.tuned.overall and flawed.tuned.overall.n == len(probes(loaded)), "the other side is judged"
    second, base, tuned = evaluator(loaded, tmp_path)
    assert (await evaluated(second)).whole
    assert (base.asked, tuned.asked) == (len(failed), 0)


async def test_an_evaluation_ends_where_its_worker_is_gone(loaded: LoadedSpec, tmp_path: Path) -> None:
    one, base, _ = evaluator(loaded, tmp_path, fails=lambda call: "connection" if call > 3 else None)
    with pytest.raises(ModelError):
        await evaluated(one)
    assert len(base.purposes) == 4
    again, base, _ = evaluator(loaded, tmp_path)
    assert (await evaluated(again)).whole and base.asked == len(probes(loaded)) - 2


async def test_a_judge_that_is_down_ends_the_evaluation_and_leaves_what_was_said(
    loaded: LoadedSpec, tmp_path: Path
) -> None:
    down = Flaky(lambda _: True)
    one, base, _ = evaluator(loaded, tmp_path, down)
    with pytest.raises(UserError, match="calls in a row failed, the last with: overloaded"):
        await evaluated(one)
    assert len(down.briefs) <= 2 * MOST_IN_A_ROW
    asked = base.asked
    again, base, _ = evaluator(loaded, tmp_path)
    assert (await evaluated(again)).whole
    assert base.asked == len(probes(loaded)) - asked


async def test_a_judge_is_not_told_which_words_a_reply_ought_to_keep(loaded: LoadedSpec, tmp_path: Path) -> None:
    judge = Flaky()
    one, *_ = evaluator(loaded, tmp_path, judge)
    await evaluated(one)
    scenarios = [brief.scenario for brief in judge.briefs if isinstance(brief, JudgeBrief)]
    assert len(scenarios) == 2 * len(probes(loaded))
    assert not any("[" in scenario for scenario in scenarios)


def test_another_version_of_the_rules_judge_makes_another_evaluation(
    loaded: LoadedSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    def marks() -> tuple[str, str]:
        return fingerprint(loaded, trained(loaded), "rules judge"), fingerprint(loaded, trained(loaded), "a model")

    rules, model = marks()
    monkeypatch.setattr("studio.judge.judge.VERSION", "before")
    assert marks()[0] != rules and marks()[1] == model
