"""A judge learned from labels: ridge regression on sentence embeddings of message and reply, n-grams and a few counts.

It sees a manner, not sense: it orders what a person reads next, and stands in where nobody has judged. What it is worth
is measured on replies that it has not seen (``agreement.py``) and shown beside its scores. The regression itself, with
numpy and scikit-learn, is loaded at the first reply (``ridge.py``).
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from studio.chatml import Messages, digest
from studio.embed import Embedder, shared_embedder
from studio.files import cache_folder
from studio.judge.labels import Label, labels_hash
from studio.judge.types import Estimate, Source
from studio.spec import Spec

if TYPE_CHECKING:
    from studio.judge.ridge import Ridge

FEATURES = "3"
"""Changes with whatever makes another judge of the same labels: the features, the regression, its penalties."""
FEWEST_OF_SOURCE = 60
"""Labels of a source below which all labels are learned from together."""


class LearnedJudge:
    """Estimates trait scores and violations, by one regression for what authors write and one for what runs say.

    Learned together each of them is worse: authors' replies are flawed otherwise than a small model's. Trained at the
    first reply, then kept in the user's cache. Any number of threads may ask.
    """

    def __init__(self, spec: Spec, labels: Sequence[Label], embedder: Embedder | None = None) -> None:
        """``labels`` are all that it may learn from: none of a locked run."""
        self.spec, self.labels = spec, tuple(labels)
        self.version = learned_version(self.labels)
        self._embedder = embedder or shared_embedder()
        self._lock = threading.Lock()
        self._ridges: dict[Source, Ridge] = {}

    @property
    def trained_on(self) -> frozenset[str]:
        """Digests of the conversations that it was trained on."""
        return frozenset(digest(label.messages) for label in self.labels)

    def estimate(self, messages: Messages, source: Source = "author") -> Estimate:
        """What is expected of the last reply. Raises UserError where the embedding model cannot be had."""
        from studio.judge.ridge import features

        return self._trained(source).estimates(features(self._embedder, [messages], source))[0]

    def out_of_fold(self, labels: Sequence[Label]) -> list[Estimate]:
        """What judges like this one expect of each of ``labels`` when they learned from the others of them."""
        from studio.judge.ridge import BLOCKS, features, out_of_fold

        found: dict[int, Estimate] = {}
        for source, places in _parts(labels).items():
            part = [labels[place] for place in places]
            given = features(self._embedder, [label.messages for label in part], source)
            found |= zip(places, out_of_fold(given, BLOCKS[source], part, self.spec), strict=True)
        return [found[place] for place in range(len(labels))]

    def _trained(self, source: Source) -> Ridge:
        from studio.judge.ridge import BLOCKS, Ridge, features, learn

        with self._lock:
            if source not in self._ridges:
                made_of = [*map(str, self.spec.traits), *map(str, self.spec.boundaries)]
                told = "\x1f".join([source, self.version, self._embedder.version, *made_of])
                path = cache_folder() / "judges" / f"learned-{hashlib.sha256(told.encode()).hexdigest()[:16]}.npz"
                ridge = Ridge.kept(path)
                if ridge is None:
                    labels = [self.labels[place] for place in _parts(self.labels, source)[source]]
                    given = features(self._embedder, [label.messages for label in labels], source)
                    ridge = learn(given, BLOCKS[source], labels, self.spec)
                    ridge.keep(path)
                self._ridges[source] = ridge
            return self._ridges[source]


def _parts(labels: Sequence[Label], *asked: Source) -> dict[Source, list[int]]:
    """Places of the labels to learn from for each source that is ``asked`` for, or there: all of them where one has
    too few."""
    found: dict[Source, list[int]] = {source: [] for source in asked}
    for place, label in enumerate(labels):
        found.setdefault(label.source, []).append(place)
    enough = all(len(places) >= FEWEST_OF_SOURCE for places in found.values())
    together = list(range(len(labels)))
    return found if enough else dict.fromkeys(found, together)


def learned_version(labels: Sequence[Label]) -> str:
    """What tells a judge learned from these labels from any other; empty where there are none."""
    return f"{FEATURES}-{labels_hash(labels)}" if labels else ""
