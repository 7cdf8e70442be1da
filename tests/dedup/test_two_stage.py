"""Two-stage de-duplication: words first, then meaning, the one that came first stays."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from studio.dedup import STRICT, Twin, TwoStage
from studio.dedup import two_stage as module
from studio.embed import MiniLM, Nearest

NURSE = "A night nurse in Leeds who studies for a diploma and writes in short, tired sentences after her shift."
NURSE_AGAIN = (
    "A nurse on night shifts in Leeds, studying for a diploma, whose sentences after work are short and tired."
)
BAKER = "A baker from Porto who sells at three markets, sings while kneading and answers every message with a joke."


class Axes:
    """Vectors by a word of the text: ``@0.9`` lies at that cosine from the first axis, ``#3`` on the third."""

    version = "axes"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str]) -> Any:
        self.asked += texts
        rows = np.zeros((len(texts), 384), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.split():
                if word.startswith("@"):
                    row[0], row[1] = float(word[1:]), (1 - float(word[1:]) ** 2) ** 0.5
                if word.startswith("#"):
                    row[int(word[1:])] = 1.0
        return rows


def test_a_rewrite_is_found_by_its_meaning_and_an_edit_by_its_words() -> None:
    index = TwoStage(MiniLM())
    assert index.take("nurse", NURSE) is None
    assert index.take("baker", BAKER) is None
    edit = index.take("edit", NURSE.replace("diploma", "degree"))
    assert edit is not None and (edit.id, edit.stage) == ("nurse", "words") and edit.similarity >= 0.9
    rewrite = index.take("rewrite", NURSE_AGAIN)
    assert rewrite is not None and (rewrite.id, rewrite.stage) == ("nurse", "meaning") and rewrite.similarity >= 0.9
    assert len(index) == 2


def test_strict_takes_for_one_who_are_half_alike() -> None:
    half = [("a", "alpha @1"), ("b", "beta gamma @0.6")]
    assert list(TwoStage(Axes()).sift(half)) == [None, None]
    strict = list(TwoStage(Axes(), STRICT).sift(half))[1]
    assert strict is not None and strict.id == "a" and strict.similarity == pytest.approx(0.6, abs=1e-6)


def test_nobody_whose_words_are_known_is_embedded() -> None:
    axes = Axes()
    index = TwoStage(axes)
    index.take("a", "alpha beta #3")
    index.take("b", "beta alpha #3")
    assert axes.asked == ["alpha beta #3"]


def test_batches_decide_as_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the twin in words of somebody goes itself for its meaning, within one batch."""
    rng = random.Random(4)
    words = [f"w{number}" for number in range(12)]
    texts = []
    for number in range(400):
        said = " ".join(rng.choices(words, k=10))
        texts.append((str(number), f"{said} #{rng.randrange(2, 60)} @{rng.choice([0, 0.3])}"))
    singly = TwoStage(Axes(), 0.5)
    one_by_one = [singly.take(id, text) for id, text in texts]
    assert {twin.stage for twin in one_by_one if twin} == {"words", "meaning"}
    for size in (7, 64, 1024):
        monkeypatch.setattr(module, "BATCH", size)
        found = list(TwoStage(Axes(), 0.5).sift(texts))
        assert [twin and (twin.id, twin.stage) for twin in found] == [
            twin and (twin.id, twin.stage) for twin in one_by_one
        ]
    kept = {id for (id, _), twin in zip(texts, one_by_one, strict=True) if twin is None}
    assert all(twin.id in kept for twin in one_by_one if twin)


def test_the_nearest_is_exact_over_any_number_of_rows() -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(1500, 384)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    index = Nearest()
    assert index.of(rows[:2])[0].tolist() == [-1, -1]
    for start in range(0, 1400, 200):
        index.add(rows[start : start + 200])
    numbers, cosines = index.of(rows)
    expected = rows @ rows[:1400].T
    assert (numbers == expected.argmax(axis=1)).all()
    assert np.allclose(cosines, expected.max(axis=1), atol=1e-6)
    assert len(index) == 1400


def test_without_an_embedder_words_alone_are_compared() -> None:
    said = [
        "Keeps bees near the harbour and sleeps badly since May",
        "Sleeps badly since May, keeps bees near the harbour and",
    ]
    index = TwoStage(None)
    found = list(index.sift([("a", said[0]), ("b", said[1]), ("c", "Paints signs for shops in Porto")]))
    assert found == [None, Twin("a", "words", 1.0), None] and len(index) == 2
    index.add([("d", "Collects railway maps of the north")])
    assert index.take("e", "collects railway maps, of the NORTH") == Twin("d", "words", 1.0)
