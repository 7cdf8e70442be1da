"""Examples like one example: the nearest neighbours of its sentence embedding, by cosine similarity.

A conversation is embedded as it stands, once: vectors are kept in the user's cache, and here for the next search.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from studio.chatml import digest
from studio.embed import DIMENSIONS, Embedder, disk_embedder
from studio.errors import UserError
from studio.store import ExampleStore

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

BATCH = 256
LEAST = 0.5
"""Cosine similarity below which nothing is taken to be like another."""


class Like(NamedTuple):
    """An example and how alike it is, -1..1."""

    example_id: str
    similarity: float


class SimilarExamples:
    """One workspace's. Not for several threads at once."""

    def __init__(self, store: ExampleStore, embedder: Embedder | None = None) -> None:
        self._store, self._embedder = store, embedder
        self._places: dict[str, int] = {}
        self._digests: list[str] = []
        self._vectors: NDArray[float32] | None = None
        self._stamp: int | None = None

    def like(
        self,
        example_id: str,
        least: float = LEAST,
        most: int = 500,
        told: Callable[[int, int], object] = lambda done, total: None,
    ) -> list[Like]:
        """Those at least ``least`` alike, the most alike first, without the one itself; ``most`` at most.

        ``told`` hears how many of how many texts are embedded: 10 ms of a core for each that is new, 30 us for each
        that is in the cache. Raises UserError where there is no such example, or no model to embed with.
        """
        import numpy as np

        self._renew(told)
        if example_id not in self._places or self._vectors is None:
            raise UserError(f"no example {example_id}", remedy="studio triage list shows the ids")
        mine = self._places[example_id]
        cosines = self._vectors @ self._vectors[mine]
        names = list(self._places)
        cosines[mine] = -2.0
        order = np.argsort(-cosines, kind="stable")[:most]
        return [Like(names[place], float(cosines[place])) for place in order if cosines[place] >= least]

    def _renew(self, told: Callable[[int, int], object]) -> None:
        """Embed what is new or was edited since the last search."""
        import numpy as np

        stamp = self._store.data_version()
        if stamp == self._stamp:
            return
        new: list[tuple[int, str]] = []
        for name, messages in self._store.conversations():
            mark = digest(messages)
            place = self._places.setdefault(name, len(self._digests))
            if place < len(self._digests) and self._digests[place] == mark:
                continue
            if place == len(self._digests):
                self._digests.append(mark)
            self._digests[place] = mark
            new.append((place, "\n".join(one.content for one in messages if one.role != "system")))
        if new:
            grown = np.zeros((len(self._digests), DIMENSIONS), np.float32)
            if self._vectors is not None:
                grown[: len(self._vectors)] = self._vectors
            embedder = self._embedder or disk_embedder()
            for start in range(0, len(new), BATCH):
                part = new[start : start + BATCH]
                grown[[place for place, _ in part]] = embedder.embed([text for _, text in part])
                told(start + len(part), len(new))
            self._vectors = grown
        self._stamp = stamp
