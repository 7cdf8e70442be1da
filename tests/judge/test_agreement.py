"""How far a judge agrees with people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from pydantic import BaseModel
from sklearn.metrics import cohen_kappa_score

from studio.chatml import last_reply
from studio.errors import UserError
from studio.judge import (
    Judge,
    Label,
    agreement,
    judge_agreement,
    known_agreement,
    labels_of,
    open_judge,
)
from studio.judge.reliability import ac2, accuracy, figure, interval, kappa
from studio.judge.rubric import Answer, TraitMark
from studio.llm import ModelError, ModelSettings, Request
from studio.spec import LoadedSpec
from tests.judge.making import coach, write_labels
from tests.llm.function_model import FunctionModel, inside

LABELS = labels_of(coach())


def answers(asked: list[str] | None = None, wrong: Sequence[str] = (), fails: Sequence[str] = ()) -> Judge:
    """A model that gives what the person gave, but for the replies in ``wrong``, which get zeros."""
    known = {last_reply(label.messages): label for label in LABELS}

    def answer(request: Request) -> BaseModel:
        reply = inside(request, "reply")
        if asked is not None:
            asked.append(reply)
        if reply in fails:
            raise ModelError("timeout", "no answer")
        scores = dict.fromkeys(coach().spec.trait_names, 0) if reply in wrong else known[reply].labels
        return Answer(traits={name: TraitMark(rationale="", quote="", score=score) for name, score in scores.items()})

    return Judge(FunctionModel("the judge", answer), coach())


def random_pairs(seed: int, number: int = 60) -> list[tuple[int, int]]:
    draw = np.random.default_rng(seed)
    first = draw.integers(0, 3, number)
    second = np.where(draw.random(number) < 0.6, first, draw.integers(0, 3, number))
    return [(int(a), int(b)) for a, b in zip(first, second, strict=True)]


@pytest.mark.parametrize("seed", range(5))
def test_kappa_is_scikit_learns(seed: int) -> None:
    pairs = random_pairs(seed)
    first, second = zip(*pairs, strict=True)
    assert figure(kappa, pairs, 3) == pytest.approx(cohen_kappa_score(first, second, weights="quadratic"))


def test_ac2_is_gwets_by_hand() -> None:
    """Weights 1, .75, 0; pi (.35, .35, .3): Pa = (6 + 4 * .75) / 10, Pe = 6 * (.2275 + .2275 + .21) / 6."""
    pairs = [(0, 0), (0, 0), (1, 1), (1, 1), (2, 2), (2, 2), (0, 1), (1, 0), (2, 1), (0, 1)]
    used = np.bincount([one for pair in pairs for one in pair], minlength=3) / 20
    chance = 6 * float((used * (1 - used)).sum()) / 6
    assert figure(ac2, pairs, 3) == pytest.approx((0.9 - chance) / (1 - chance))


def test_of_one_score_throughout_there_is_no_kappa() -> None:
    pairs = [(2, 2)] * 30
    assert figure(kappa, pairs, 3) is None and figure(ac2, pairs, 3) == 1.0
    assert interval(kappa, pairs, [str(number) for number in range(30)], 3) == (None, None)
    assert figure(kappa, [], 3) is None


def test_the_interval_holds_the_figure_and_grows_where_replies_hang_together() -> None:
    pairs = random_pairs(1)
    alone = interval(kappa, pairs, [str(number) for number in range(60)], 3)
    low, high = alone
    whole = figure(kappa, pairs, 3)
    assert low is not None and high is not None and whole is not None and low < whole < high
    doubled = interval(kappa, [*pairs, *pairs], [str(number) for number in range(60)] * 2, 3)
    assert doubled == pytest.approx(alone), "a reply said twice tells nothing new"
    assert interval(kappa, pairs, ["one"] * 60, 3) == (None, None)


def test_accuracy_is_the_share_of_equal_verdicts() -> None:
    assert figure(accuracy, [(0, 0), (1, 1), (1, 0), (0, 0)], 2) == 0.75


async def test_a_model_that_says_what_people_say_agrees_wholly() -> None:
    asked: list[str] = []
    found = await agreement(coach(), answers(asked), LABELS)
    assert (found.judge, found.how, found.n, found.errors, len(asked)) == ("the judge", "unseen", 40, 0, 40)
    assert {name: (one.kappa, one.ac2, one.n) for name, one in found.traits.items()} == {
        "encouraging": (1.0, 1.0, 40),
        "next_step": (1.0, 1.0, 40),
    }
    crossed = sum(label.boundary is not None for label in LABELS)
    assert found.traits["encouraging"].confusion == ((20, 0, 0), (0, 4, 0), (0, 0, 16)) and crossed == 5


async def test_what_a_model_gets_wrong_and_cannot_judge_shows() -> None:
    good = [last_reply(label.messages) for label in LABELS if label.passes(coach().spec)]
    found = await agreement(coach(), answers(wrong=good[:3], fails=good[3:5]), LABELS)
    assert (found.n, found.errors, found.traits["next_step"].n) == (40, 2, 38)
    assert found.passes.confusion[1] == (3, len(good) - 5)
    assert found.pass_agreement == pytest.approx(35 / 38)
    one = found.traits["encouraging"]
    assert one.kappa is not None and one.low is not None and one.low < one.kappa < 1


def with_labels(folder: Path, labels: Sequence[Label]) -> LoadedSpec:
    write_labels(folder / "coach.labels.jsonl", labels)
    return coach().model_copy(update={"labels_path": folder / "coach.labels.jsonl"})


async def test_it_is_measured_on_locked_replies_where_there_are_such(tmp_path: Path) -> None:
    half = [one.model_copy(update={"split": "locked"}) if one.run == "b" else one for one in LABELS]
    found = await agreement(coach(), answers(), half)
    assert (found.how, found.n) == ("locked", 20)
    loaded = with_labels(tmp_path, half)
    judge = open_judge(ModelSettings(), loaded)
    learned = await agreement(loaded, judge, labels_of(loaded))
    assert (learned.how, learned.n, learned.judge) == ("locked", 20, "learned judge")


async def test_a_learned_judge_is_not_asked_about_what_it_learned(tmp_path: Path) -> None:
    loaded = with_labels(tmp_path, LABELS[:30])
    judge = open_judge(ModelSettings(), loaded)
    apart = await agreement(loaded, judge, LABELS)
    assert (apart.how, apart.n) == ("unseen", 10)
    own = await agreement(loaded, judge, LABELS[:30])
    assert (own.how, own.n) == ("cross-validated", 30)
    assert all(one.kappa is not None and one.kappa < 1 for one in own.traits.values())


async def test_beside_it_stands_what_the_length_alone_reaches() -> None:
    long = [
        one.model_copy(update={"labels": dict.fromkeys(one.labels, 2 if len(last_reply(one.messages)) > 70 else 0)})
        for one in LABELS
    ]
    found = await agreement(coach(), answers(), long)
    assert all(value is not None and value > 0.6 for value in found.baseline.traits.values())
    mixed = [
        one.model_copy(update={"labels": dict.fromkeys(one.labels, place // 2 % 3)}) for place, one in enumerate(LABELS)
    ]
    found = await agreement(coach(), answers(), mixed)
    assert all(value is None or value < 0.4 for value in found.baseline.traits.values())


async def test_nobody_cannot_be_measured_nor_can_anybody_without_labels() -> None:
    with pytest.raises(UserError, match="no judge whose agreement"):
        await agreement(coach(), Judge(None, coach()), LABELS)
    with pytest.raises(UserError, match="no labels"):
        await agreement(coach(), answers(), [])
    assert await judge_agreement(coach(), Judge(None, coach())) is None


async def test_it_is_measured_once_for_a_judge_and_its_labels(tmp_path: Path) -> None:
    asked: list[str] = []
    judge = answers(asked)
    loaded = with_labels(tmp_path, LABELS)
    assert known_agreement(loaded, judge) is None
    first = await judge_agreement(loaded, judge)
    assert first is not None and len(asked) == 40
    assert known_agreement(loaded, judge) == first == await judge_agreement(loaded, judge) and len(asked) == 40
    loaded = with_labels(tmp_path, LABELS[:-2])
    assert known_agreement(loaded, judge) is None
    fewer = await judge_agreement(loaded, judge)
    assert fewer is not None and fewer.n == 38


async def test_one_with_errors_is_not_kept(tmp_path: Path) -> None:
    loaded, judge = with_labels(tmp_path, LABELS), answers(fails=[last_reply(LABELS[0].messages)])
    found = await judge_agreement(loaded, judge)
    assert found is not None and found.errors == 1 and known_agreement(loaded, judge) is None
