"""A judge learned from labels: ridge regression on sentence embeddings of message and reply, n-grams and a few counts.

It sees a manner, not sense: it orders what a person reads next, and stands in where nobody has judged. What it is worth
is measured on replies that it has not seen (``agreement.py``) and shown beside its scores.
"""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from studio.chatml import Messages, digest, last_reply, last_request
from studio.embed import DIMENSIONS, Embedder, shared_embedder
from studio.files import cache_folder
from studio.judge.labels import Label, labels_hash
from studio.judge.ridge import Block, Ridge, fit, folds
from studio.judge.types import Estimate, Source
from studio.spec import Spec
from studio.text.sentences import sentences
from studio.text.words import words_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

FEATURES = "3"
"""Changes with whatever makes another judge of the same labels: the features, the regression, its penalties."""
FEWEST = 20
"""Labels of a trait below which nothing is learned of it."""
FEWEST_OF_SOURCE = 60
"""Labels of a source below which all labels are learned from together."""
FEWEST_VIOLATIONS = 5
"""Violations below which nothing is learned of them."""
LIKELY = 0.5
"""Probability of a violation from which there is one."""
MOST_SENTENCES = 12
COUNTS = 6
NGRAMS = 4096
"""Places that n-grams of words, and of letters, are hashed to."""
BLOCKS: dict[Source, tuple[Block, ...]] = {
    "run": (*[Block(DIMENSIONS)] * 5, Block(COUNTS)),
    "author": (*[Block(DIMENSIONS)] * 5, Block(COUNTS), Block(NGRAMS, ngrams=True), Block(NGRAMS, ngrams=True)),
}
"""Widths of the features. The turns of phrase of one run's model tell little of the next one's: embeddings alone."""
_ANY, _BOUNDARY = "any boundary", "boundary "
_WE = frozenset({"we", "we're", "we'll", "we've", "let's", "us", "our"})


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
        return estimates(self._trained(source), features(self._embedder, [messages], source))[0]

    def out_of_fold(self, labels: Sequence[Label]) -> list[Estimate]:
        """What judges like this one expect of each of ``labels`` when they learned from the others of them."""
        found: dict[int, Estimate] = {}
        for source, places in _parts(labels).items():
            part = [labels[place] for place in places]
            given = features(self._embedder, [label.messages for label in part], source)
            found |= zip(places, out_of_fold(given, BLOCKS[source], part, self.spec), strict=True)
        return [found[place] for place in range(len(labels))]

    def _trained(self, source: Source) -> Ridge:
        with self._lock:
            if source not in self._ridges:
                told = [
                    source,
                    self.version,
                    self._embedder.version,
                    *map(str, self.spec.traits),
                    *map(str, self.spec.boundaries),
                ]
                key = hashlib.sha256("\x1f".join(told).encode()).hexdigest()[:16]
                path = cache_folder() / "judges" / f"learned-{key}.npz"
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


def features(embedder: Embedder, conversations: Sequence[Messages], source: Source) -> Array:
    """(n, 5 * 384 + 6): vectors of the user's last message, the reply, its first and last sentence and the maximum over
    its sentences; then words (log), sentences, question and exclamation marks, whether it ends in a question, "we".

    Of an author also (n, 2 * 4096): hashed n-grams of the reply, one or two words or marks, and three to five letters.
    """
    import numpy as np

    manner = np.stack([_row(embedder, messages) for messages in conversations])
    if source == "run":
        return manner
    from sklearn.feature_extraction.text import HashingVectorizer

    replies = [last_reply(messages) for messages in conversations]
    words = {"ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b|[?!.,;:\"']"}
    hashed = [
        HashingVectorizer(n_features=NGRAMS, alternate_sign=False, **ngrams).transform(replies).toarray()
        for ngrams in (words, {"analyzer": "char_wb", "ngram_range": (3, 5)})
    ]
    return np.hstack([manner, *hashed]).astype(np.float32)


def _row(embedder: Embedder, messages: Messages) -> Array:
    import numpy as np

    reply = last_reply(messages)
    parts = sentences(reply)[:MOST_SENTENCES] or [reply]
    vectors = embedder.embed([last_request(messages), reply, parts[0], parts[-1], *parts])
    words = words_of(reply)
    marks = [np.log1p(len(words)), len(parts), reply.count("?"), reply.count("!"), reply.rstrip().endswith("?")]
    return np.concatenate([*vectors[:4], vectors[4:].max(axis=0), [*marks, sum(word in _WE for word in words)]])


def learn(given: Array, blocks: Sequence[Block], labels: Sequence[Label], spec: Spec) -> Ridge:
    """A regression of the labels on (n, d) features in these blocks."""
    return fit(given, blocks, _targets(labels, spec), [label.group for label in labels])


def out_of_fold(given: Array, blocks: Sequence[Block], labels: Sequence[Label], spec: Spec) -> list[Estimate]:
    """Cross-validation: five folds, replies to one message in one fold, the penalties chosen within the others."""
    found = [Estimate(traits={}, scores={}, violation=0.0, boundary=None)] * len(labels)
    for train, test in folds([label.group for label in labels]):
        ridge = learn(given[train], blocks, [labels[row] for row in train], spec)
        for row, estimate in zip(test, estimates(ridge, given[test]), strict=True):
            found[row] = estimate
    return found


def estimates(ridge: Ridge, given: Array) -> list[Estimate]:
    """What a regression expects of (n, d) features."""
    return [_estimate(ridge, predicted) for predicted in ridge.predict(given)]


def _targets(labels: Sequence[Label], spec: Spec) -> dict[str, Array]:
    """Target -> n values: trait scores, whether any boundary is crossed, and whether each one is."""
    import numpy as np

    scores = {name: np.array([label.labels.get(name, np.nan) for label in labels], float) for name in spec.trait_names}
    wanted = {name: column for name, column in scores.items() if _tells(column)}
    for boundary in spec.boundaries:
        crossed = np.array([label.boundary == boundary.id for label in labels], float)
        if crossed.any():
            wanted[_BOUNDARY + boundary.id] = crossed
    anything = np.array([label.boundary is not None for label in labels], float)
    if FEWEST_VIOLATIONS <= anything.sum() < len(labels):
        return {**wanted, _ANY: anything}
    return {name: column for name, column in wanted.items() if not name.startswith(_BOUNDARY)}


def _tells(column: Array) -> bool:
    import numpy as np

    known = column[~np.isnan(column)]
    return len(known) >= FEWEST and len(set(known.tolist())) > 1


def _estimate(ridge: Ridge, predicted: dict[str, float]) -> Estimate:
    traits = {name: value for name, value in predicted.items() if not name.startswith((_ANY, _BOUNDARY))}
    crossed = {name: value for name, value in predicted.items() if name.startswith(_BOUNDARY)}
    violation = min(1.0, max(0.0, predicted.get(_ANY, 0.0)))
    likeliest = max(crossed, key=lambda name: crossed[name], default="").removeprefix(_BOUNDARY)
    spread = ridge.spread_out(predicted)
    return Estimate(
        traits={name: min(2.0, max(0.0, value)) for name, value in traits.items()},
        scores={name: min(2, max(0, math.floor(spread[name] + 0.5))) for name in traits},
        violation=violation,
        boundary=likeliest if likeliest and violation >= LIKELY else None,
    )
