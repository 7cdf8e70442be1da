"""The parts of a study: pairs without all pairs, ranks and intervals, box plots that fit."""

from __future__ import annotations

import hashlib
import math
import random
import tracemalloc
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from studio.bank.person import person_text
from studio.bank.study import LEGEND, Study, box_lines, read_prompt, svg
from studio.bank.study.measure import compare, jaccard, spearman, spreads, trends
from studio.bank.study.pairs import HALF_WIDTH, PairFinder, shortage
from studio.bank.study.prompts import messages
from studio.bank.study.record import Alike, Pair
from studio.errors import UserError
from tests.bank.making import WordVectors, person
from tests.bank.studying import bank


def found(finder: PairFinder) -> PairFinder:
    while not finder.done:
        finder.step()
    return finder


class Counting(WordVectors):
    def __init__(self) -> None:
        self.texts = 0

    def embed(self, texts: Sequence[str]) -> Any:
        self.texts += len(texts)
        return super().embed(texts)


class Blobs:
    """Vectors by the hash of a text, in no time: any two are far apart."""

    version = "blobs"

    def embed(self, texts: Sequence[str]) -> Any:
        seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") for text in texts]
        rows = np.stack([np.random.default_rng(seed).standard_normal(384, np.float32) for seed in seeds])
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_each_bin_holds_pairs_as_alike_as_it_says_and_nobody_twice() -> None:
    people = bank(12, (0.4, 0.6, 0.8, 0.9))
    texts = {one.id: person_text(one) for one in people}
    finder = found(PairFinder(people, WordVectors(), (0.4, 0.6, 0.8, 0.9), 8, 0, 5000))
    assert [(one.centre, one.used) for one in finder.bins] == [(0.4, 8), (0.6, 8), (0.8, 8), (0.9, 8)]
    for pair in finder.pairs:
        one, other = WordVectors().embed([texts[pair.first], texts[pair.second]])
        assert pair.similarity == pytest.approx(float(one @ other), abs=1e-4)
        assert abs(pair.similarity - pair.bin) <= HALF_WIDTH + 1e-4
    for centre in (0.4, 0.6, 0.8, 0.9):
        uses = Counter(id for pair in finder.pairs if pair.bin == centre for id in (pair.first, pair.second))
        assert set(uses.values()) == {1}
    again = found(PairFinder(people[::-1], WordVectors(), (0.4, 0.6, 0.8, 0.9), 8, 0, 5000))
    assert again.pairs == finder.pairs and shortage(finder, 8) == ""


def test_close_pairs_far_apart_in_a_bank_are_found_by_their_nearest_neighbours() -> None:
    people = [person(number) for number in range(600)] + bank(6, (0.8, 0.9))
    finder = found(PairFinder(people, WordVectors(), (0.8, 0.9), 6, 3, 5000))
    assert [(one.centre, one.used) for one in finder.bins][1] == (0.9, 6)
    assert all(pair.first.split("-")[:2] == pair.second.split("-")[:2] for pair in finder.pairs if pair.bin == 0.9)


def test_no_more_people_are_embedded_than_it_takes_or_than_the_sample() -> None:
    embedder, people = Counting(), [*bank(100), *(person(number) for number in range(2000))]
    finder = found(PairFinder(people, embedder, (0.4,), 3, 0, 5000))
    assert embedder.texts == finder.compared == 256 or finder.compared <= 1024
    embedder = Counting()
    finder = found(PairFinder(people, embedder, (0.95,), 3, 0, 700))
    assert embedder.texts == finder.compared == 700
    assert "0 of 3 pairs at 0.95" in shortage(finder, 3) and "--sample" in shortage(finder, 3)


def test_ten_thousand_people_take_no_matrix_of_their_pairs() -> None:
    people = [person(0).model_copy(update={"id": f"m{number}", "age": number}) for number in range(10_000)]
    tracemalloc.start()
    finder = found(PairFinder(people, Blobs(), (0.9,), 5, 0, 10_000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert finder.compared == 10_000 and peak < 150e6  # all pairs: 400 MB


def test_whoever_says_the_same_as_another_is_one_with_them() -> None:
    twin = person(1).model_copy(update={"id": "again"})
    finder = found(PairFinder([person(1), twin], WordVectors(), (0.95,), 3, 0, 100))
    assert finder.compared == 1 and finder.pairs == ()


def test_ranks_are_those_of_spearman_with_ties_and_an_interval_around_them() -> None:
    rng = random.Random(0)
    x = [rng.choice((0.4, 0.6, 0.8)) for _ in range(90)]
    y = [value + rng.gauss(0, 0.2) for value in x]
    rho, low, high = spearman(x, y)
    assert rho is not None and low is not None and high is not None
    assert rho == pytest.approx(pytest.importorskip("scipy.stats").spearmanr(x, y).statistic, abs=1e-9)
    assert low < rho < high and 0.1 < high - low < 0.5
    assert spearman(x, [1.0] * 90) == (None, None, None) and spearman([1, 2], [1, 2]) == (None, None, None)
    assert spearman([1, 2, 3, 4], [4, 3, 2, 1])[0] == pytest.approx(-1.0)


def test_an_interval_of_a_mean_covers_what_it_says() -> None:
    pairs = [Pair(first=f"a{n}", second=f"b{n}", similarity=0.4, bin=0.4) for n in range(30)]
    hits = 0
    for seed in range(60):
        rng = random.Random(seed)
        alike = [
            {"pair": n, "task": "t", "model": "m", "cosine": min(1.0, max(0.0, rng.gauss(0.5, 0.15))), "words": 0.0}
            for n in range(30)
        ]
        (spread, _) = spreads(pairs, [_alike(one) for one in alike], [("t", "m")])
        hits += spread.low <= 0.5 <= spread.high
        assert spread.least <= spread.lower_quartile <= spread.median <= spread.upper_quartile <= spread.most
    assert hits >= 52  # 95 % of 60 is 57


def _alike(one: dict[str, Any]) -> Alike:
    return Alike.model_validate(one)


def test_words_are_sets_and_equal_outputs_are_wholly_alike() -> None:
    assert jaccard("One two three", "three two, ONE!") == 1.0 and jaccard("", "") == 1.0
    assert jaccard("one two", "two three") == pytest.approx(1 / 3)
    pairs = [Pair(first="a", second="b", similarity=0.4, bin=0.4), Pair(first="a", second="c", similarity=0.6, bin=0.6)]
    outputs = {("t", "m", "a"): "same words", ("t", "m", "b"): "same words"}
    (alike,) = compare(pairs, outputs, [("t", "m")], WordVectors())
    assert (alike.pair, alike.cosine, alike.words) == (0, 1.0, 1.0)  # c has no output


HOSTILE = "<script>alert(1)</script>\x1b[31m"


def study(values: Sequence[float]) -> Study:
    pairs = tuple(
        Pair(first=f"a{n}", second=f"b{n}", similarity=(0.4, 0.6, 0.8)[n % 3], bin=(0.4, 0.6, 0.8)[n % 3])
        for n in range(len(values))
    )
    alike = tuple(
        _alike({"pair": n, "task": "free", "model": HOSTILE, "cosine": value, "words": value / 2})
        for n, value in enumerate(values)
    )
    runs = [("free", HOSTILE)]
    return Study(
        id="s",
        at=datetime.now(UTC),
        seed=0,
        compared=9,
        tasks={"free": "x"},
        models=(HOSTILE,),
        bins=(),
        pairs=pairs,
        alike=alike,
        spreads=spreads(pairs, alike, runs),
        trends=trends(pairs, alike, runs),
    )


@pytest.mark.parametrize("values", [[1.0] * 9, [-0.2, 0.0, 0.5] * 5, [n / 30 for n in range(30)], [0.5, 0.5, 0.5]])
def test_a_box_plot_fits_eighty_columns_and_its_marks_lie_where_the_quartiles_are(values: list[float]) -> None:
    whole = study(values)
    cosines = [one for one in whole.spreads if one.measure == "cosine"]
    lines = box_lines(cosines)
    assert len(lines) == 1 + len(cosines) and max(map(len, lines)) <= 78 and len(LEGEND) <= 78
    assert all(line.isascii() for line in lines)
    for one, line in zip(cosines, lines[1:], strict=True):
        assert line.index(":") == pytest.approx(8 + max(0.0, one.median) * 51, abs=1)
        assert f"{one.mean:.2f}" in line and f"({one.n} pairs)" in line


def test_the_picture_is_well_formed_and_holds_nothing_of_a_hostile_name() -> None:
    drawn = svg(study([n / 30 for n in range(30)]))
    tree = ElementTree.fromstring(drawn)
    kinds = {element.tag.rpartition("}")[2] for element in tree.iter()}
    assert kinds == {"svg", "rect", "text", "line", "circle"} and "\x1b" not in drawn
    boxes = [one for one in tree.iter() if one.tag.endswith("rect") and one.get("stroke")]
    assert len(boxes) == 3
    assert all(math.isfinite(float(one.get("width", "nan"))) for one in boxes)


def test_a_prompt_of_ones_own_has_the_person_where_it_says_or_before_it(tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Write a letter of {person}, in one line.")
    name, prompt = read_prompt(file)
    (message,) = messages(prompt, person(1))
    assert name == "letter" and person(1).background in message.content and "{person}" not in message.content
    assert messages("A letter.", person(1))[0].content.endswith("A letter.")
    for text in ("", "  \n"):
        file.write_text(text)
        with pytest.raises(UserError, match="empty"):
            read_prompt(file)
    with pytest.raises(UserError, match="cannot be read"):
        read_prompt(tmp_path / "none.txt")
