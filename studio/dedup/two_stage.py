"""Two-stage de-duplication (Ge et al., 2024, Persona Hub): MinHash over words, then embeddings.

First the words: MinHash LSH over 128 permutations proposes, exact Jaccard similarity decides. Then the meaning: exact
cosine search over sentence embeddings. Of two that are alike the one that came first stays, and is the other's twin.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from studio.dedup.near import NearDuplicates
from studio.embed import Embedder, Nearest

Stage = Literal["words", "meaning"]
ALIKE, STRICT = 0.9, 0.5
"""The similarity from which two are taken for one, in both stages; ``STRICT`` is for few, very different people."""
BATCH = 1024


@dataclass(frozen=True)
class Twin:
    """Who was there before, and how alike: Jaccard similarity of their words, or cosine of their meaning."""

    id: str
    stage: Stage
    similarity: float


class TwoStage:
    """An index that answers which of its texts a new one repeats, in words or in meaning.

    Deterministic: the same texts in the same order give the same answers. Not for use by several threads at once.
    """

    def __init__(self, embedder: Embedder | None, threshold: float = ALIKE) -> None:
        """``threshold``: one of :data:`studio.dedup.minhash.BANDS`. Without ``embedder`` words alone are compared."""
        self.threshold = threshold
        self._embedder = embedder
        self._words = NearDuplicates(threshold)
        self._meanings = Nearest()
        self._ids: list[str] = []

    def __len__(self) -> int:
        return len(self._ids)

    def take(self, id: str, text: str) -> Twin | None:
        """The twin of a new text among those taken before; one without a twin is taken."""
        return next(self.sift([(id, text)]))

    def sift(self, texts: Sequence[tuple[str, str]]) -> Iterator[Twin | None]:
        """As :meth:`take` for pairs of id and text, in their order, :data:`BATCH` at a time."""
        start = 0
        while start < len(texts):
            twins = self._batch(texts[start : start + BATCH])
            start += len(twins)
            yield from twins

    def add(self, texts: Sequence[tuple[str, str]]) -> None:
        """Take pairs of id and text without asking whether they are alike."""
        if not texts:
            return
        signed = self._words.signatures([text for _, text in texts])
        for (id, _), signature in zip(texts, signed, strict=True):
            self._words.add_signature(id, signature)
        if self._embedder is not None:
            self._meanings.add(self._embedder.embed([text for _, text in texts]))
        self._ids += [id for id, _ in texts]

    def _batch(self, texts: Sequence[tuple[str, str]]) -> list[Twin | None]:
        """What becomes of the first ``texts``: of all, but for those from the first one on whose twin in words went
        itself for its meaning; they are to be asked again."""
        twins: list[Twin | None] = []
        signed = self._words.signatures([text for _, text in texts])
        for (id, _), signature in zip(texts, signed, strict=True):
            found = self._words.nearest_to(signature)
            twin = Twin(found[0], "words", found[1]) if found and found[1] >= self.threshold else None
            twins.append(twin)
            if twin is None:
                self._words.add_signature(id, signature)
        left = [number for number, twin in enumerate(twins) if twin is None]
        if self._embedder is None:
            self._ids += [texts[number][0] for number in left]
            return twins
        vectors = self._embedder.embed([texts[number][1] for number in left])
        before, cosines = self._meanings.of(vectors)
        among = vectors @ vectors.T
        kept: list[int] = []
        """Places in ``left`` of those without a twin."""
        gone: set[str] = set()
        for place, number in enumerate(left):
            best, whose = float(cosines[place]), self._ids[before[place]] if before[place] >= 0 else ""
            if kept and float(among[place, kept].max()) > best:
                nearest = kept[int(among[place, kept].argmax())]
                best, whose = float(among[place, nearest]), texts[left[nearest]][0]
            if whose and best >= self.threshold:
                twins[number] = Twin(whose, "meaning", min(1.0, best))
                gone.add(texts[number][0])
                self._words.remove(texts[number][0])
            else:
                kept.append(place)
        orphans = (n for n, twin in enumerate(twins) if twin and twin.stage == "words" and twin.id in gone)
        end = next(orphans, len(texts))
        for id, _ in (texts[left[place]] for place in kept if left[place] >= end):
            self._words.remove(id)
        kept = [place for place in kept if left[place] < end]
        self._meanings.add(vectors[kept])
        self._ids += [texts[left[place]][0] for place in kept]
        return twins[:end]
