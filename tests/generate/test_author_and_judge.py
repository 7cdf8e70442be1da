"""The offline author before the rules judge: what it writes well is accepted, what it spoils on purpose is not."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from studio.generate.offline import writer as writer_module
from studio.generate.offline.writer import Writer

from studio.bank import people_source
from studio.generate.types import AuthorBrief
from studio.judge import open_judge
from studio.llm import ModelSettings
from studio.spec import LoadedSpec, load
from tests.generate.making import SPECS, brief

SHIPPED = ["taskmaster", "bank-support", "lost-and-found"]
CAUGHT_ELSEWHERE = "near_duplicate"
"""A word for word copy of the spec's own is well said: that it is said twice is for the search for duplicates."""


def briefs(loaded: LoadedSpec, each: int) -> Iterator[tuple[AuthorBrief, Random]]:
    source = people_source(loaded)
    for scenario in (item for one in loaded.spec.scenarios.values() if not one.holdout for item in one.items):
        for seed in range(each):
            random = Random(f"{scenario} {seed}")
            yield brief(loaded, scenario, seed, source.draw(random, "", scenario)), random


@pytest.mark.parametrize("name", SHIPPED)
async def test_nearly_all_that_is_written_without_a_mistake_is_accepted(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(writer_module, "MISTAKE_RATE", 0.0)
    loaded = load(SPECS / f"{name}.yaml")
    judge, author = open_judge(ModelSettings(), loaded), Writer(loaded)
    failed, count = [], 0
    for one, _ in briefs(loaded, 8):
        turns = author.written(one)
        judgement = await judge.score(turns, one.scenario)
        count += 1
        if judgement.verdict != "passed":
            failed.append((one.scenario, turns[-1].content, judgement.reasons))
    assert len(failed) <= 0.03 * count, failed


@pytest.mark.parametrize("name", SHIPPED)
async def test_most_of_what_is_spoiled_on_purpose_is_rejected(name: str) -> None:
    loaded = load(SPECS / f"{name}.yaml")
    judge, author = open_judge(ModelSettings(), loaded), Writer(loaded)
    kinds = {kind: make for kind, make in author._mistakes.kinds().items() if kind != CAUGHT_ELSEWHERE}
    passed, count = [], 0
    for one, random in briefs(loaded, 2):
        attempt = author._draft(one, random)
        for kind, make in kinds.items():
            spoiled = make(attempt, random)
            if spoiled is not None:
                count += 1
                if (await judge.score(spoiled, one.scenario)).verdict == "passed":
                    passed.append((kind, spoiled[-1].content))
    assert len(passed) <= 0.1 * count, passed
