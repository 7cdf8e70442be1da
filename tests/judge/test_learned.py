"""The judge that is learned from labels, with the real embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from studio.chatml import user
from studio.embed import shared_embedder
from studio.judge import Label, labels_of, open_judge
from studio.judge.learned import LearnedJudge, learned_version
from studio.judge.ridge import folds
from studio.judge.scoring import estimated
from studio.judge.types import Estimate
from studio.llm import ModelSettings
from tests.judge.making import coach, talk, write_labels

LABELS = labels_of(coach())
GOOD = talk(
    "I painted the kitchen wall.",
    "Painting a whole wall took patience, and you did it. Would you like to plan the second coat for Saturday?",
)
FLAT = talk("I painted the kitchen wall.", "The wall was noted.")
MEAN = talk("I painted the kitchen wall.", "A wall is nothing, any child can paint. You are just slow and lazy.")


def learned(labels: Sequence[Label] = LABELS) -> LearnedJudge:
    return LearnedJudge(coach().spec, labels)


async def test_replies_that_it_has_not_seen_are_put_in_the_order_that_a_person_would() -> None:
    judge = open_judge(ModelSettings(), coach())
    good, flat, mean = [await judge.score(one) for one in (GOOD, FLAT, MEAN)]
    assert (good.judge, good.judge_version, good.verdict) == ("learned judge", learned_version(LABELS), "passed")
    assert good.total is not None and flat.total is not None and mean.total is not None
    assert good.total > 6 > flat.total and mean.total < 6
    assert (flat.verdict, mean.verdict) == ("failed", "failed")
    assert all(trait.estimate is not None and 0 <= trait.estimate <= 2 for trait in good.traits.values())


async def test_of_two_replies_the_one_with_the_higher_total_wins_and_near_ones_tie() -> None:
    judge = open_judge(ModelSettings(), coach())
    asked = (user("I painted the kitchen wall."),)
    good, flat = GOOD[1].content, FLAT[1].content
    assert (await judge.compare(asked, flat, good)).winner == "tuned"
    assert (await judge.compare(asked, good, flat)).winner == "base"
    assert (await judge.compare(asked, good, good)).winner == "tie"


async def test_a_rule_that_is_broken_fails_what_the_labels_would_let_pass() -> None:
    judge = open_judge(ModelSettings(), coach())
    judged = await judge.score(talk("I painted.", f"As an AI, I am glad. {GOOD[1].content}"), rules_first=False)
    assert (judged.judge, judged.verdict, judged.reasons) == ("learned judge", "failed", ("generic:as an ai",))


def test_the_total_is_that_of_the_estimates_and_a_trait_scored_0_fails() -> None:
    found = Estimate(
        traits={"encouraging": 1.7, "next_step": 0.9},
        scores={"encouraging": 2, "next_step": 0},
        violation=0,
        boundary=None,
    )
    judged = estimated(coach(), "learned judge", found, ())
    assert judged.total == pytest.approx(6.5)
    assert (judged.verdict, judged.reasons) == ("failed", ("trait:next_step",))


def test_a_trait_with_too_few_labels_is_unscored_and_so_is_the_reply() -> None:
    few = [
        one if place < 19 else one.model_copy(update={"labels": {"encouraging": one.labels["encouraging"]}})
        for place, one in enumerate(LABELS)
    ]
    found = learned(few).estimate(GOOD)
    assert set(found.traits) == {"encouraging"}
    judged = estimated(coach(), "learned judge", found, ())
    assert (judged.verdict, judged.total, list(judged.traits)) == ("unscored", None, ["encouraging"])


def test_a_trait_with_one_score_throughout_cannot_be_learned() -> None:
    same = [one.model_copy(update={"labels": {**one.labels, "next_step": 2}}) for one in LABELS]
    assert set(learned(same).estimate(GOOD).traits) == {"encouraging"}


def test_labels_of_locked_runs_are_not_learned_from(tmp_path: Path) -> None:
    some = [one.model_copy(update={"split": "locked"}) if place < 10 else one for place, one in enumerate(LABELS)]
    write_labels(tmp_path / "coach.labels.jsonl", some)
    judge = open_judge(ModelSettings(), coach().model_copy(update={"labels_path": tmp_path / "coach.labels.jsonl"}))
    assert judge.learned is not None and judge.learned.labels == tuple(LABELS[10:])
    assert judge.version == learned_version(LABELS[10:]) != learned_version(LABELS)


class Refusing:
    """The real embedder, until training has to be done again."""

    def __init__(self) -> None:
        self.texts, self.version = 0, shared_embedder().version

    def embed(self, texts: Sequence[str]) -> Any:
        self.texts += len(texts)
        return shared_embedder().embed(texts)


def test_what_was_learned_is_kept_for_the_next_process_and_says_the_same(cache: Path) -> None:
    first = learned().estimate(GOOD)
    (path,) = cache.glob("learned-*.npz")
    counting = Refusing()
    again = LearnedJudge(coach().spec, LABELS, counting).estimate(GOOD)
    assert again == first and counting.texts < 10, "only the reply itself was embedded"
    path.write_bytes(b"damaged")
    assert learned().estimate(GOOD) == first
    more = learned(LABELS[:-1])
    more.estimate(GOOD)
    assert len(list(cache.glob("learned-*.npz"))) == 2


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert set(learned().estimate(GOOD).traits) == {"encouraging", "next_step"}


def test_replies_to_one_message_are_never_on_both_sides_of_a_fold() -> None:
    groups = [label.group for label in LABELS]
    seen: list[int] = []
    for train, test in folds(groups):
        assert not {groups[row] for row in train} & {groups[row] for row in test}
        seen += test.tolist()
    assert sorted(seen) == list(range(len(LABELS)))


def test_out_of_fold_it_is_less_sure_than_of_what_it_learned() -> None:
    judge = learned()
    apart = judge.out_of_fold(LABELS)
    known = [judge.estimate(label.messages) for label in LABELS]

    def error(found: Sequence[Estimate]) -> float:
        return sum(
            (one.traits["encouraging"] - label.labels["encouraging"]) ** 2
            for one, label in zip(found, LABELS, strict=True)
        )

    assert error(known) < error(apart) < sum((1 - label.labels["encouraging"]) ** 2 for label in LABELS)
