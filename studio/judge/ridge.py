"""Ridge regression of labels on the features of replies: several targets, each with a penalty of its own that grouped
cross-validation chose. Fitted by scikit-learn in the dual form: there are fewer replies than features.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from studio.chatml import Messages, last_reply, last_request
from studio.embed import DIMENSIONS, Embedder
from studio.files import write_atomic
from studio.judge.labels import Label
from studio.judge.types import Estimate, Source
from studio.spec import Spec
from studio.text.sentences import sentences
from studio.text.words import words_of

Array = NDArray[Any]


class Block(NamedTuple):
    """Columns that weigh together: each scaled to unit variance, or n-gram counts, scaled by how rare they are."""

    width: int
    ngrams: bool = False


FEWEST = 20
"""Labels of a trait below which nothing is learned of it."""
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
FOLDS = 5
MOST_SPREAD = 3.0
PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""To choose from; each block of features has a total variance of 1, n-grams one of NGRAMS_WEIGHT."""
NGRAMS_WEIGHT = 6.0
_ANY, _BOUNDARY = "any boundary", "boundary "
_WE = frozenset({"we", "we're", "we'll", "we've", "let's", "us", "our"})


@dataclass(frozen=True)
class Ridge:
    """Fitted weights: prediction = (x - centre) / scale @ weights + offset, one column a target.

    ``spread``: how much further from their mean the labels lay than predictions out of fold did, 1 to 3. A regression
    shrinks towards the mean the less it knows; rounded as they are, its predictions would hardly ever be a 0 or a 2.
    """

    targets: Array
    centre: Array
    scale: Array
    weights: Array
    offset: Array
    spread: Array

    def estimates(self, given: Array) -> list[Estimate]:
        """What it expects of (n, d) features."""
        values = ((given - self.centre) / self.scale) @ self.weights + self.offset
        apart = self.offset + self.spread * (values - self.offset)
        by_name = [
            [dict(zip(self.targets.tolist(), row, strict=True)) for row in one.tolist()] for one in (values, apart)
        ]
        return list(map(_estimate, *by_name))

    def keep(self, path: Path) -> None:
        """For the next process. Where it cannot be written, that one fits it again."""
        raw = io.BytesIO()
        np.savez(raw, **asdict(self))
        with suppress(OSError):
            write_atomic(path, raw.getvalue())

    @classmethod
    def kept(cls, path: Path) -> Ridge | None:
        """The one in ``path``; None where there is none that can be read. No code in a file is ever run."""
        try:
            with np.load(path, allow_pickle=False) as found:
                return cls(**{name: found[name] for name in cls.__dataclass_fields__})
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None


def _estimate(predicted: dict[str, float], apart: dict[str, float]) -> Estimate:
    """From predictions, and the same as far from their mean as the labels lay, to be rounded."""
    traits = {name: value for name, value in predicted.items() if not name.startswith((_ANY, _BOUNDARY))}
    crossed = {name: value for name, value in predicted.items() if name.startswith(_BOUNDARY)}
    violation = min(1.0, max(0.0, predicted.get(_ANY, 0.0)))
    likeliest = max(crossed, key=lambda name: crossed[name], default="").removeprefix(_BOUNDARY)
    return Estimate(
        traits={name: min(2.0, max(0.0, value)) for name, value in traits.items()},
        scores={name: min(2, max(0, math.floor(apart[name] + 0.5))) for name in traits},
        violation=violation,
        boundary=likeliest if likeliest and violation >= LIKELY else None,
    )


def features(embedder: Embedder, conversations: Sequence[Messages], source: Source) -> Array:
    """(n, 5 * 384 + 6): vectors of the user's last message, the reply, its first and last sentence and the maximum over
    its sentences; then words (log), sentences, question and exclamation marks, whether it ends in a question, "we".

    Of an author also (n, 2 * 4096): hashed n-grams of the reply, one or two words or marks, and three to five letters.
    """
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
    reply = last_reply(messages)
    parts = sentences(reply)[:MOST_SENTENCES] or [reply]
    vectors = embedder.embed([last_request(messages), reply, parts[0], parts[-1], *parts])
    words = words_of(reply)
    marks = [np.log1p(len(words)), len(parts), reply.count("?"), reply.count("!"), reply.rstrip().endswith("?")]
    return np.concatenate([*vectors[:4], vectors[4:].max(axis=0), [*marks, sum(word in _WE for word in words)]])


def learn(given: Array, blocks: Sequence[Block], labels: Sequence[Label], spec: Spec) -> Ridge:
    """A regression of the labels on (n, d) features in these blocks, which weigh the same whatever their width.

    Replies to one message are never on both sides of a fold.
    """
    wanted = _targets(labels, spec)
    ends = np.cumsum([block.width for block in blocks])[:-1]
    parts = zip(blocks, np.split(given, ends, axis=1), strict=True)
    centre, scale = given.mean(axis=0), np.concatenate([_scale(block, columns) for block, columns in parts])
    rows = (given - centre) / scale
    kernel = rows @ rows.T
    weights, offset, spread = np.zeros((given.shape[1], len(wanted))), np.zeros(len(wanted)), np.ones(len(wanted))
    for place, values in enumerate(wanted.values()):
        known = np.flatnonzero(~np.isnan(values))
        own, goal = kernel[np.ix_(known, known)], values[known]
        penalty, guesses = _chosen(own, goal, [labels[int(row)].group for row in known])
        weights[:, place] = rows[known].T @ _dual(own, goal, penalty)
        offset[place] = goal.mean()
        spread[place] = np.clip(goal.std() / max(guesses.std(), 1e-6), 1, MOST_SPREAD)
    return Ridge(np.array(list(wanted), dtype=str), centre, scale, weights, offset, spread)


def out_of_fold(given: Array, blocks: Sequence[Block], labels: Sequence[Label], spec: Spec) -> list[Estimate]:
    """Cross-validation: five folds, replies to one message in one fold, the penalties chosen within the others."""
    found = [Estimate(traits={}, scores={}, violation=0.0, boundary=None)] * len(labels)
    for train, test in folds([label.group for label in labels]):
        ridge = learn(given[train], blocks, [labels[row] for row in train], spec)
        for row, estimate in zip(test, ridge.estimates(given[test]), strict=True):
            found[row] = estimate
    return found


def _targets(labels: Sequence[Label], spec: Spec) -> dict[str, Array]:
    """Target -> n values, NaN where a label has none: trait scores, whether any boundary is crossed, and whether each
    one is."""
    wanted: dict[str, Array] = {}
    for name in spec.trait_names:
        scores = np.array([label.labels.get(name, np.nan) for label in labels], float)
        known = scores[~np.isnan(scores)].tolist()
        if len(known) >= FEWEST and len(set(known)) > 1:
            wanted[name] = scores
    anything = np.array([label.boundary is not None for label in labels], float)
    if FEWEST_VIOLATIONS <= anything.sum() < len(labels):
        for boundary in spec.boundaries:
            crossed = np.array([label.boundary == boundary.id for label in labels], float)
            if crossed.any():
                wanted[_BOUNDARY + boundary.id] = crossed
        wanted[_ANY] = anything
    return wanted


def _scale(block: Block, columns: Array) -> Array:
    if not block.ngrams:
        return np.asarray(np.maximum(columns.std(axis=0), 1e-6) * np.sqrt(block.width))
    rarity = np.log((1 + len(columns)) / (1 + (columns > 0).sum(axis=0))) + 1  # inverse document frequency
    total = max((columns.var(axis=0) * rarity**2).sum(), 1e-6)
    return np.asarray(np.sqrt(total / NGRAMS_WEIGHT) / rarity)


def folds(groups: Sequence[str]) -> Iterator[tuple[Array, Array]]:
    """Rows to train on and rows to test on, five times or as often as there are groups; none of one group alone."""
    from sklearn.model_selection import GroupKFold

    number = min(FOLDS, len(set(groups)))
    if number >= 2:
        yield from GroupKFold(number).split(groups, groups=groups)


def _chosen(kernel: Array, goal: Array, groups: Sequence[str]) -> tuple[float, Array]:
    """The penalty with the least squared error out of fold, and its predictions there."""
    guesses = np.full((len(PENALTIES), len(goal)), goal.mean())
    for train, test in folds(groups):
        for place, penalty in enumerate(PENALTIES):
            dual = _dual(kernel[np.ix_(train, train)], goal[train], penalty)
            guesses[place, test] = kernel[np.ix_(test, train)] @ dual + goal[train].mean()
    best = int(((guesses - goal) ** 2).mean(axis=1).argmin())
    return PENALTIES[best], guesses[best]


def _dual(kernel: Array, goal: Array, penalty: float) -> Array:
    from sklearn.kernel_ridge import KernelRidge

    return np.asarray(KernelRidge(alpha=penalty, kernel="precomputed").fit(kernel, goal - goal.mean()).dual_coef_)
