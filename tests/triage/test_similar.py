"""Examples like one example, with an embedder whose vectors are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pytest

from studio.embed import DIMENSIONS
from studio.errors import UserError
from studio.store import Workspace
from studio.triage import Triage
from studio.triage.similar import SimilarExamples
from tests.store.making import decision, example, judgement

if TYPE_CHECKING:
    from studio.embed.model import Vectors


class ByLetters:
    """A text's vector is its letter counts, so that the same words are alike."""

    version = "letters"

    def __init__(self) -> None:
        self.asked = 0

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.asked += len(texts)
        rows = np.zeros((len(texts), DIMENSIONS), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for letter in text:
                row[ord(letter) % DIMENSIONS] += 1
            row /= np.linalg.norm(row)
        return rows


def filled(workspace: Workspace) -> None:
    for name, reply in (("a", "xxxx yyyy"), ("b", "xxxx yyyy zz"), ("c", "qqqqqqqqqqqqqqqqqqqqqqq")):
        workspace.examples.add_example(example(name, said="w", reply=reply), judgement())


def test_the_most_alike_come_first_with_their_similarity_down_to_a_bound(workspace: Workspace) -> None:
    filled(workspace)
    similar = SimilarExamples(workspace.examples, ByLetters())
    found = similar.like("a", least=-1)
    assert [one.example_id for one in found] == ["b", "c"] and 1 > found[0].similarity > 0.8 > found[1].similarity
    assert [one.example_id for one in similar.like("a", least=0.8)] == ["b"]
    with pytest.raises(UserError, match="no example"):
        similar.like("nobody")


def test_only_what_is_new_or_edited_is_embedded_again(workspace: Workspace) -> None:
    filled(workspace)
    embedder, told = ByLetters(), list[tuple[int, int]]()
    similar = SimilarExamples(workspace.examples, embedder)
    similar.like("a", told=lambda done, total: told.append((done, total)))
    assert embedder.asked == 3 and told == [(3, 3)]
    similar.like("b")
    assert embedder.asked == 3
    workspace.examples.decide(decision("c", "edit", reply="xxxx yyyy"))
    found = similar.like("a")
    assert embedder.asked == 4 and "c" in {one.example_id for one in found}
    assert Triage(workspace).undo()
