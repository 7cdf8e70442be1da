"""A whole evaluation, with models that answer from a table and the real judge over a model that scores by a word."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest

from studio.chatml import Messages, assistant, last_request, user
from studio.errors import UserError
from studio.evaluate import Evaluation, fingerprint, restate
from studio.evaluate import ask as asking
from studio.evaluate.ask import IN_FLIGHT, Sides
from studio.evaluate.evaluate import MOST_IN_A_ROW, Evaluator
from studio.evaluate.fingerprint import Cache, is_trial, replies_fingerprint
from studio.evaluate.gate_text import wins_text
from studio.evaluate.looks import Look, looked
from studio.evaluate.probes import probes
from studio.evaluate.types import (
    Asked,
    EvaluateFinished,
    EvaluateStarted,
    ProbeResult,
    ProbeScored,
    RepliesCame,
    Reply,
)
from studio.judge import Judge, Label, agreement
from studio.judge.types import Comparison
from studio.llm import ModelError, Request, Structured
from studio.llm.errors import Kind
from studio.llm.types import ChatModel, Completion
from studio.spec import LoadedSpec, load
from studio.store import Workspace
from studio.train.types import Recipe, Run, TrainFinished, TrainPlan
from tests.llm.function_model import inside

ITEMS = [f"Please note that pot {number} boils" for number in range(40)]
SPEC = f"""schema: 2
name: Kettle
purpose: Answers in the kitchen.
traits: [{{name: calm, is: Stays level}}, {{name: warm, is: Friendly}}]
scenarios:
  cooking: {{target: 2, items: [A pot boils]}}
  probes: {{holdout: true, items: {[*ITEMS, "Remind me of [the soup] at [8 am]"]}}}
deployment: {{base_model: some/model, max_tokens: 64}}
"""
COUNT = len(ITEMS) + 1
CANARIES = 4
NOW = datetime(2026, 1, 1, tzinfo=UTC)
Fails = Callable[[int], Kind | None]


class Model:
    """What the fakes of this file have in common."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def complete(self, request: Request) -> Completion:
        raise AssertionError("only the sides write replies")

    async def structured(self, request: Request, schema: type[Any]) -> Structured[Any]:
        raise AssertionError("only the judge fills a form")

    def stream(self, request: Request) -> Any:
        raise AssertionError("nobody watches")

    async def close(self) -> None:
        return None


class Echo(Model):
    """Says the request back inside a fixed frame; ``fails`` names what goes wrong with the call of a number."""

    def __init__(self, name: str, frame: str, fails: Fails = lambda _: None, finish: Any = "stop") -> None:
        super().__init__(name)
        self.frame, self._fails, self._finish = frame, fails, finish
        self.requests: list[Request] = []
        self.at_once = self.most_at_once = 0

    @property
    def asked(self) -> int:
        return sum(request.purpose == "probe" for request in self.requests)

    async def complete(self, request: Request) -> Completion:
        self.requests.append(request)
        number = len(self.requests)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if kind := self._fails(number):
            raise ModelError(kind, "nothing beside thoughts")
        finish: Literal["stop", "length", "dropped"] = self._finish
        return Completion(text=self.frame.format(last_request(request.messages)), model=self.name, finish=finish)


class Scorer(Model):
    """Gives 2 for replies that say "gladly" and 0 for others, and fails at the calls whose numbers ``fails`` names."""

    def __init__(self, fails: Callable[[int], bool] = lambda _: False, kind: Kind = "server") -> None:
        super().__init__("some judge")
        self._fails, self._kind = fails, kind
        self.requests: list[Request] = []

    async def structured(self, request: Request, schema: type[Any]) -> Structured[Any]:
        self.requests.append(request)
        if self._fails(len(self.requests)):
            raise ModelError(self._kind, "overloaded")
        if request.purpose == "compare":
            value: dict[str, Any] = {
                "rationale": "",
                "winner": "first" if "gladly" in inside(request, "first") else "second",
            }
        else:
            score = 2 if "gladly" in inside(request, "reply") else 0
            mark = {"rationale": "", "quote": "", "score": score}
            value = {"traits": {"calm": mark, "warm": mark}, "violations": [], "shows_scenario": True}
        return Structured(value=schema.model_validate(value), completion=Completion(text="", model=self.name))


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedSpec:
    return write(tmp_path_factory.mktemp("spec"), SPEC)


def write(folder: Path, text: str) -> LoadedSpec:
    path = folder / "kettle.yaml"
    path.write_text(text)
    return load(path)


def trained(loaded: LoadedSpec, adapter: Path | str = "unused", base: str = "some/model") -> Run:
    plan = TrainPlan(
        run_id="r1",
        base_model=base,
        base_path=base,
        recipe=Recipe(),
        spec_hash=loaded.hash,
        data_path="unused",
        data_hash="d",
        examples=200,
        steps=75,
        fingerprint="f",
        created=NOW,
    )
    finished = TrainFinished(run_id="r1", steps=75, loss=0.3, seconds=60, adapter_path=str(adapter), adapter_mb=1.5)
    return Run(plan=plan, finished=finished)


def evaluator(
    loaded: LoadedSpec,
    folder: Path,
    judge: ChatModel | None = None,
    fails: Fails = lambda _: None,
    finish: Any = "stop",
    asked: tuple[Asked, ...] = ("tuned", "base"),
    look: Look | None = None,
) -> tuple[Evaluator, Echo, Echo]:
    """``fails`` is of the base side."""
    base = Echo("base", "Done: {}.", fails)
    tuned = Echo("tuned", "I gladly noted: {} Shall we go on?", finish=finish)
    sides = Sides(loaded.spec, base, tuned, Cache(folder / "replies.jsonl", Reply))
    results = Cache(folder / "results.jsonl", ProbeResult)
    made = Evaluator(loaded, trained(loaded), Judge(judge or Scorer(), loaded), sides, results, look=look, asked=asked)
    return made, base, tuned


async def evaluated(one: Evaluator) -> Evaluation:
    async for _event in one.events(lambda: False):
        pass
    assert one.evaluation is not None
    return one.evaluation


async def test_every_probe_is_asked_of_both_sides_and_the_warmer_side_wins(loaded: LoadedSpec, tmp_path: Path) -> None:
    one, base, tuned = evaluator(loaded, tmp_path)
    events = [event async for event in one.events(lambda: False)]
    assert isinstance(events[0], EvaluateStarted) and isinstance(events[-1], EvaluateFinished)
    assert sum(isinstance(event, ProbeScored) for event in events) == COUNT == base.asked == tuned.asked
    came = [event for event in events if isinstance(event, RepliesCame)]
    assert came[0].done >= 1 and came[0].replies == 2 * COUNT
    assert events.index(came[-1]) < next(i for i, event in enumerate(events) if isinstance(event, ProbeScored))
    found = one.evaluation
    assert found is not None and found.tuned.overall is not None and found.base.overall is not None
    assert (found.tuned.overall.value, found.base.overall.value) == (10, 0)
    assert found.win_rate is not None and found.win_rate.value == 1
    assert found.delta is not None and found.delta.value == 10
    assert found.judge.name == "some judge" and not found.trial
    assert {gate.name: gate.status for gate in found.gates}["examples"] == "PASS"


async def test_replies_may_be_as_long_as_the_spec_says_and_a_cut_is_kept_and_counted(
    loaded: LoadedSpec, tmp_path: Path
) -> None:
    one, _, tuned = evaluator(loaded, tmp_path, finish="length")
    found = await evaluated(one)
    assert {request.sampling.max_tokens for request in tuned.requests if request.purpose == "probe"} == {64}
    assert {row.tuned_finish for row in found.results} == {"length"}
    assert {row.base_finish for row in found.results} == {"stop"}
    assert (found.tuned.cut, found.base.cut, found.max_tokens) == (1.0, 0.0, 64)


async def test_tuned_replies_are_timed_alone_after_a_short_warm_up_and_no_others_are(
    loaded: LoadedSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MOST_TIMED", 5)
    one, _, tuned = evaluator(loaded, tmp_path)
    found = await evaluated(one)
    assert [request.purpose for request in tuned.requests[:6]] == ["warm-up", *["probe"] * 5]
    assert tuned.requests[0].sampling.max_tokens == 8
    assert found.tuned.timed == 5 and found.base.timed == 0


async def test_so_many_are_asked_at_once_that_the_worker_can_choose_its_batches(
    loaded: LoadedSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MOST_TIMED", 0)
    one, _, tuned = evaluator(loaded, tmp_path)
    await evaluated(one)
    assert tuned.most_at_once == len(probes(loaded)) <= IN_FLIGHT


async def test_the_base_is_asked_once_every_tuned_reply_came_so_that_it_holds_up_no_batch_of_those(
    loaded: LoadedSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MOST_TIMED", 0)
    await evaluated(evaluator(loaded, tmp_path)[0])
    sides = [reply.side for reply in Cache(tmp_path / "replies.jsonl", Reply).load()]
    assert sides == ["tuned"] * COUNT + ["base"] * COUNT


async def test_no_more_is_timed_than_there_is_time_for(
    loaded: LoadedSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "TIMED_S", 0.0)
    found = await evaluated(evaluator(loaded, tmp_path)[0])
    assert found.tuned.timed <= 1 and len(found.results) == COUNT


async def test_one_that_was_stopped_goes_on_and_asks_nothing_twice(loaded: LoadedSpec, tmp_path: Path) -> None:
    first, base, tuned = evaluator(loaded, tmp_path)
    events: list[Any] = []
    async for event in first.events(lambda: len(events) >= 6):
        events.append(event)
    assert first.evaluation is None and 0 < tuned.asked < COUNT
    second, base_after, tuned_after = evaluator(loaded, tmp_path)
    found = await evaluated(second)
    assert tuned.asked + tuned_after.asked == base.asked + base_after.asked == COUNT
    assert len(found.results) == COUNT and found.tuned.timed == COUNT


async def test_a_stop_while_replies_are_awaited_ends_it_and_keeps_what_came(
    loaded: LoadedSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MOST_TIMED", 0)
    one, base, tuned = evaluator(loaded, tmp_path)
    answers, waiting = tuned.complete, asyncio.Event()

    async def complete(request: Request) -> Completion:
        if len(tuned.requests) == 10:
            waiting.set()
            await asyncio.Event().wait()
        return await answers(request)

    monkeypatch.setattr(tuned, "complete", complete)
    async for _event in one.events(waiting.is_set):
        pass
    assert one.evaluation is None
    assert len(Cache(tmp_path / "replies.jsonl", Reply).load()) == tuned.asked + base.asked > 0


async def test_locked_probes_are_not_asked_until_they_are_opened_and_then_they_alone_are(
    loaded: LoadedSpec, tmp_path: Path
) -> None:
    workspace = Workspace.open(tmp_path / "ws", "kettle")
    every = probes(loaded)
    shut = [one for one in every if one.part == "locked"]
    first = looked(workspace, every, "r1", "f", locked=False)
    one, _, tuned = evaluator(loaded, tmp_path, look=first)
    found = await evaluated(one)
    assert (found.scope, found.looks, tuned.asked) == ("open", 0, COUNT - len(shut))
    assert not {row.probe.id for row in found.results} & {one.id for one in shut} and not found.passed
    verdict = looked(workspace, every, "r1", "f", locked=True)
    again, base_after, tuned_after = evaluator(loaded, tmp_path, look=verdict)
    found = await evaluated(again)
    assert (found.scope, found.looks, len(found.counted)) == ("all", 1, COUNT)
    assert base_after.asked == tuned_after.asked == len(shut)
    second = looked(workspace, every, "r2", "g", locked=True)
    found = await evaluated(evaluator(loaded, tmp_path, look=second)[0])
    assert (found.scope, found.looks, len(found.counted), len(found.results)) == ("locked", 2, len(shut), COUNT)
    assert found.tuned.overall is not None and found.tuned.overall.n == len(shut)
    workspace.close()


def test_probes_come_from_held_out_categories_alone_with_their_marks_taken_off(loaded: LoadedSpec) -> None:
    found = probes(loaded)
    assert {probe.category for probe in found} == {"probes"} and len(found) == COUNT
    assert last_request(found[-1].messages) == "Remind me of the soup at 8 am"
    assert found[-1].keep == ("the soup", "8 am") and found[0].keep == ()
    assert len({probe.id for probe in found}) == len(found)


async def test_what_a_judge_could_not_judge_is_judged_later_from_the_replies_that_were_made(
    loaded: LoadedSpec, tmp_path: Path
) -> None:
    first, *_ = evaluator(loaded, tmp_path, Scorer(lambda call: call % 7 == 0))
    flawed = await evaluated(first)
    assert not flawed.whole and flawed.tuned.errors > 0
    judge = Scorer()
    second, *sides = evaluator(loaded, tmp_path, judge)
    mended = await evaluated(second)
    assert mended.whole and mended.tuned.errors == mended.base.errors == 0
    assert [side.asked for side in sides] == [0, 0]
    assert 0 < len(judge.requests) < 4 * COUNT, "what was judged is not judged again"
    assert mended.id != flawed.id, "a package of the one is none of the other"


async def test_another_judge_is_given_the_same_replies_and_the_sides_are_not_asked(
    loaded: LoadedSpec, tmp_path: Path
) -> None:
    await evaluated(evaluator(loaded, tmp_path)[0])
    (tmp_path / "results.jsonl").unlink()
    judge = Scorer()
    again, *sides = evaluator(loaded, tmp_path, judge)
    await evaluated(again)
    assert [side.asked for side in sides] == [0, 0] and len(judge.requests) == 4 * COUNT + CANARIES


async def test_a_reply_that_fails_is_an_error_of_its_probe_and_is_asked_for_again_later(
    loaded: LoadedSpec, tmp_path: Path
) -> None:
    first, *_ = evaluator(loaded, tmp_path, fails=lambda call: "malformed" if call % 7 == 1 else None)
    flawed = await evaluated(first)
    failed = [one for one in flawed.results if one.base_error]
    assert len(failed) == flawed.base.errors == 6 and flawed.tuned.errors == 0
    assert all("nothing beside thoughts" in one.errors[0] and one.base_kept is None for one in failed)
    assert flawed.tuned.overall and flawed.tuned.overall.n == COUNT, "the other side is judged"
    second, base, tuned = evaluator(loaded, tmp_path)
    assert (await evaluated(second)).whole
    assert (base.asked, tuned.asked) == (len(failed), 0)


async def test_an_evaluation_ends_where_its_worker_is_gone(loaded: LoadedSpec, tmp_path: Path) -> None:
    one, _, tuned = evaluator(loaded, tmp_path, fails=lambda call: "connection" if call > 3 else None)
    with pytest.raises(ModelError):
        await evaluated(one)
    again, base_after, tuned_after = evaluator(loaded, tmp_path)
    assert (await evaluated(again)).whole
    assert base_after.asked == COUNT - 3 and tuned.asked + tuned_after.asked == COUNT


async def test_a_judge_that_is_down_ends_the_evaluation_and_leaves_what_was_said(
    loaded: LoadedSpec, tmp_path: Path
) -> None:
    down = Scorer(lambda _: True)
    one, base, tuned = evaluator(loaded, tmp_path, down)
    with pytest.raises(UserError, match="calls in a row failed, the last with: overloaded"):
        await evaluated(one)
    assert len(down.requests) < 4 * COUNT and MOST_IN_A_ROW <= 10
    again, base_after, tuned_after = evaluator(loaded, tmp_path)
    assert (await evaluated(again)).whole
    assert base.asked + base_after.asked == tuned.asked + tuned_after.asked == COUNT


async def test_a_budget_that_is_used_up_ends_the_evaluation_at_once(loaded: LoadedSpec, tmp_path: Path) -> None:
    spent = Scorer(lambda call: call > 4, "budget")
    with pytest.raises(ModelError, match="overloaded") as caught:
        await evaluated(evaluator(loaded, tmp_path, spent)[0])
    assert caught.value.fatal


async def test_a_judge_is_not_told_which_words_a_reply_ought_to_keep(loaded: LoadedSpec, tmp_path: Path) -> None:
    judge = Scorer()
    await evaluated(evaluator(loaded, tmp_path, judge)[0])
    asked = [request.messages[-1].content for request in judge.requests if request.purpose == "judge"]
    assert len(asked) == 2 * COUNT + CANARIES and not any("<situation" in one or "[" in one for one in asked)


async def test_where_nobody_judges_replies_are_made_and_nothing_is_guessed(loaded: LoadedSpec, tmp_path: Path) -> None:
    one, *_ = evaluator(loaded, tmp_path)
    one = Evaluator(loaded, trained(loaded), Judge(None, loaded), one._sides, one._cache)
    found = await evaluated(one)
    assert found.whole, "that nobody judges is no failed call"
    assert found.judge.kind == "nobody" and found.win_rate is None and found.tuned.overall is None
    assert found.tuned.n == COUNT and found.tuned.errors == 0 and found.verdict == "undecided"


async def test_what_a_judge_agrees_is_kept_and_decides_who_may_decide(loaded: LoadedSpec, tmp_path: Path) -> None:
    one, *_ = evaluator(loaded, tmp_path)
    judge = Judge(Scorer(), loaded)
    labels = [
        Label.model_validate(
            {
                "messages": [user(f"Item {i}?"), assistant("gladly" if i % 2 else "no")],
                "labels": {"calm": 2 * (i % 2), "warm": 2 * (i % 2) if i > 9 else 1},
            }
        )
        for i in range(40)
    ]
    found = await evaluated(
        Evaluator(loaded, trained(loaded), judge, one._sides, one._cache, await agreement(loaded, judge, labels))
    )
    assert found.judge.agreement["calm"] == 1 and 0.4 < found.judge.agreement["warm"] < 0.95
    statuses = {gate.name: gate.status for gate in found.gates}
    assert statuses["trait:calm"] == statuses["trait:warm"] == statuses["overall"] == statuses["win_rate"] == "PASS"
    strict = found.model_copy(update={"success": found.success.model_copy(update={"agreement": 0.96})})
    assert {gate.name: gate.status for gate in restate(strict).gates}["trait:warm"] == "UNDECIDED"


async def test_a_regression_that_cannot_compare_is_no_failed_call(
    loaded: LoadedSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def compare(self: Judge, messages: Messages, base: str, tuned: str) -> Comparison:
        return Comparison(winner="tie", orders=("tie", "tie"), error="not every trait could be scored")

    monkeypatch.setattr(Judge, "compare", compare)
    monkeypatch.setattr(Judge, "kind", "learned")
    found = await evaluated(evaluator(loaded, tmp_path)[0])
    assert found.whole and found.win_rate is None


@pytest.mark.parametrize("target", [0.6, None])
async def test_the_base_is_asked_with_the_personas_prompt_too_and_that_is_a_gate_where_the_spec_has_one(
    tmp_path: Path, target: float | None
) -> None:
    wanted = write(tmp_path, SPEC + (f"success: {{beats_prompt: {target}}}\n" if target else ""))
    one, base, _ = evaluator(wanted, tmp_path, asked=("tuned", "base", "prompted"))
    found = await evaluated(one)
    prompted = [request for request in base.requests if request.messages[0].role == "system"]
    assert len(prompted) == COUNT == base.asked - COUNT
    assert "Answers in the kitchen" in prompted[0].messages[0].content
    assert found.beats_prompt is not None and found.beats_prompt.value == 1
    assert ("beats_prompt" in {gate.name for gate in found.gates}) == bool(target)
    assert ("beats_prompt" in {one.name for one in found.shown}) != bool(target)


@pytest.mark.parametrize("target", [0.6, None])
async def test_a_base_that_takes_no_prompt_is_told_and_keeps_an_evaluation_open_only_where_it_is_a_gate(
    tmp_path: Path, target: float | None
) -> None:
    wanted = write(tmp_path, SPEC + (f"success: {{beats_prompt: {target}}}\n" if target else ""))
    one, base, _ = evaluator(wanted, tmp_path, asked=("tuned", "base", "prompted"))
    answers = base.complete

    async def complete(request: Request) -> Completion:
        if request.messages[0].role == "system":
            raise ModelError("refused", "the template takes no system message")
        return await answers(request)

    base.complete = complete  # type: ignore[method-assign]
    found = await evaluated(one)
    assert found.whole == (target is None) and found.beats_prompt is None
    assert found.win_rate is not None and found.win_rate.n == COUNT
    assert wins_text(found)[-1].endswith(f"no reply to {COUNT} probes: the template takes no system message")


def adapter(folder: Path, weights: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.safetensors").write_bytes(weights)
    return folder


def test_a_finished_adapter_is_not_taken_for_the_half_trained_one(loaded: LoadedSpec, tmp_path: Path) -> None:
    judge = Judge(Scorer(), loaded)
    half = fingerprint(loaded, trained(loaded, adapter(tmp_path / "a", b"half")), judge)
    whole = fingerprint(loaded, trained(loaded, adapter(tmp_path / "a", b"whole")), judge)
    assert half != whole == fingerprint(loaded, trained(loaded, tmp_path / "a"), judge)


def test_two_bases_another_judge_and_another_version_of_it_are_told_apart(
    loaded: LoadedSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge, other = Judge(Scorer(), loaded), Judge(None, loaded)
    run = trained(loaded)
    marks = {fingerprint(loaded, run, judge), fingerprint(loaded, run, other)}
    marks.add(fingerprint(loaded, trained(loaded, base="other/model"), judge))
    monkeypatch.setattr(Judge, "version", "2")
    marks.add(fingerprint(loaded, run, judge))
    assert len(marks) == 4
    assert replies_fingerprint(loaded, run) != replies_fingerprint(loaded, trained(loaded, base="other/model"))


def test_a_run_on_another_base_than_the_one_to_deploy_is_a_trial(tmp_path: Path) -> None:
    assert is_trial("smollm2", "meta-llama/Llama-3.1-8B-Instruct")
    assert not is_trial("smollm2", "HuggingFaceTB/SmolLM2-135M-Instruct")
    assert not is_trial(str(tmp_path), f"{tmp_path}/../{tmp_path.name}")
    assert is_trial("some/model", "some/model@main"), "a revision is another model"
