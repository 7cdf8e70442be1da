"""Ridge regression with several targets, each with a penalty of its own that grouped cross-validation chose.

Fitted by scikit-learn in the dual form: there are fewer replies than features.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from studio.files import write_atomic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

FOLDS = 5
MOST_SPREAD = 3.0
PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""To choose from; each block of features has a total variance of 1, n-grams one of NGRAMS_WEIGHT."""
NGRAMS_WEIGHT = 6.0


class Block(NamedTuple):
    """Columns that weigh together: each scaled to unit variance, or n-gram counts, scaled by how rare they are."""

    width: int
    ngrams: bool = False


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

    def predict(self, given: Array) -> list[dict[str, float]]:
        """Of (n, d) features: n times target -> prediction."""
        values = ((given - self.centre) / self.scale) @ self.weights + self.offset
        return [dict(zip(self.targets.tolist(), row.tolist(), strict=True)) for row in values]

    def spread_out(self, predicted: Mapping[str, float]) -> dict[str, float]:
        """Predictions of one row as far from their mean as the labels lay, to be rounded."""
        places = zip(self.targets.tolist(), self.offset.tolist(), self.spread.tolist(), strict=True)
        return {name: mean + factor * (predicted[name] - mean) for name, mean, factor in places}

    def keep(self, path: Path) -> None:
        """For the next process. Where it cannot be written, that one fits it again."""
        import numpy as np

        raw = io.BytesIO()
        np.savez(raw, **asdict(self))
        try:
            write_atomic(path, raw.getvalue())
        except OSError:
            return

    @classmethod
    def kept(cls, path: Path) -> Ridge | None:
        """The one in ``path``; None where there is none that can be read. No code in a file is ever run."""
        import numpy as np

        try:
            with np.load(path, allow_pickle=False) as found:
                return cls(**{name: found[name] for name in cls.__dataclass_fields__})
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None


def fit(given: Array, blocks: Sequence[Block], wanted: Mapping[str, Array], groups: Sequence[str]) -> Ridge:
    """``given``: (n, d) features in these blocks, which weigh the same whatever their width. ``wanted``: target -> n
    values, NaN where a row has none. Rows of one group are never on both sides of a fold."""
    import numpy as np

    ends = np.cumsum([block.width for block in blocks])[:-1]
    parts = zip(blocks, np.split(given, ends, axis=1), strict=True)
    centre, scale = given.mean(axis=0), np.concatenate([_scale(block, columns) for block, columns in parts])
    rows = (given - centre) / scale
    kernel = rows @ rows.T
    weights, offset, spread = np.zeros((given.shape[1], len(wanted))), np.zeros(len(wanted)), np.ones(len(wanted))
    for place, values in enumerate(wanted.values()):
        known = np.flatnonzero(~np.isnan(values))
        own, goal = kernel[np.ix_(known, known)], values[known]
        penalty, guesses = _chosen(own, goal, [groups[int(row)] for row in known])
        weights[:, place] = rows[known].T @ _dual(own, goal, penalty)
        offset[place] = goal.mean()
        spread[place] = np.clip(goal.std() / max(guesses.std(), 1e-6), 1, MOST_SPREAD)
    return Ridge(np.array(list(wanted), dtype=str), centre, scale, weights, offset, spread)


def _scale(block: Block, columns: Array) -> Array:
    import numpy as np

    scale: Array
    if block.ngrams:
        rarity = np.log((1 + len(columns)) / (1 + (columns > 0).sum(axis=0))) + 1  # inverse document frequency
        total = max((columns.var(axis=0) * rarity**2).sum(), 1e-6)
        scale = np.sqrt(total / NGRAMS_WEIGHT) / rarity
    else:
        scale = np.maximum(columns.std(axis=0), 1e-6) * np.sqrt(block.width)
    return scale


def folds(groups: Sequence[str]) -> Iterator[tuple[Array, Array]]:
    """Rows to train on and rows to test on, five times or as often as there are groups; none of one group alone."""
    from sklearn.model_selection import GroupKFold

    number = min(FOLDS, len(set(groups)))
    if number >= 2:
        yield from GroupKFold(number).split(groups, groups=groups)


def _chosen(kernel: Array, goal: Array, groups: Sequence[str]) -> tuple[float, Array]:
    """The penalty with the least squared error out of fold, and its predictions there."""
    import numpy as np

    guesses = np.full((len(PENALTIES), len(goal)), goal.mean())
    for train, test in folds(groups):
        for place, penalty in enumerate(PENALTIES):
            dual = _dual(kernel[np.ix_(train, train)], goal[train], penalty)
            guesses[place, test] = kernel[np.ix_(test, train)] @ dual + goal[train].mean()
    best = int(((guesses - goal) ** 2).mean(axis=1).argmin())
    return PENALTIES[best], guesses[best]


def _dual(kernel: Array, goal: Array, penalty: float) -> Array:
    from sklearn.kernel_ridge import KernelRidge

    dual: Array = KernelRidge(alpha=penalty, kernel="precomputed").fit(kernel, goal - goal.mean()).dual_coef_
    return dual
