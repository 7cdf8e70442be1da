"""The disk cache of embeddings: each text once, and never another answer than without it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from studio.embed import DiskCachedEmbedder, MiniLM


class Counted(MiniLM):
    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str]) -> Any:
        self.asked += texts
        return super().embed(texts)


TEXTS = ["a nurse in Leeds", "a baker in Porto", "a nurse in Leeds"]


def test_a_text_is_embedded_once_over_processes_and_its_vector_stays_the_same(tmp_path: Path) -> None:
    model = Counted()
    path = tmp_path / "cache" / "embeddings.db"
    first = DiskCachedEmbedder(model, path).embed(TEXTS)
    again = DiskCachedEmbedder(model, path).embed(TEXTS)
    assert model.asked == TEXTS[:2]
    assert (first == again).all() and (first[0] == first[2]).all()
    plain = MiniLM().embed(TEXTS)
    assert np.allclose((first * plain).sum(axis=1), 1.0, atol=1e-4)
    assert np.abs(first @ first.T - plain @ plain.T).max() < 1e-3
    assert np.allclose(np.linalg.norm(first, axis=1), 1.0, atol=1e-6)


def test_a_cache_that_is_damaged_or_cannot_be_written_changes_no_answer(tmp_path: Path) -> None:
    expected = DiskCachedEmbedder(MiniLM(), tmp_path / "good.db").embed(TEXTS)
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(b"no database" * 100)
    assert (DiskCachedEmbedder(MiniLM(), damaged).embed(TEXTS) == expected).all()
    (tmp_path / "file").write_text("")
    assert (DiskCachedEmbedder(MiniLM(), tmp_path / "file" / "below.db").embed(TEXTS) == expected).all()
    assert DiskCachedEmbedder(MiniLM(), tmp_path / "good.db").embed([]).shape == (0, 384)
