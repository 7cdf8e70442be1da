"""Person effect: how much changing the person changes the user's turn, against what the same person varies by.

Turns of one scenario are compared pair by pair: of different people (between), and of the same person with different
seeds (within). The effect size is the intraclass correlation 1 - within / between: the share of the variation that is
the person's, 0 where the person does nothing and 1 where nothing else does (Shrout and Fleiss, 1979; here of half
squared distances, whose expectations are variances). Intervals are percentiles of a bootstrap of scenarios and of the
people in them. Whether it can be told from chance is a permutation test that moves turns among people.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Any

from studio.chatml import Frozen
from studio.embed import Embedder
from studio.text.words import words_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[Any]

MEASURES = ("meaning", "words", "length", "typing")
"""Distances, each half a squared one. meaning: 1 - cosine of embeddings. words: 1 - Jaccard similarity of word sets.
length: of the logarithms of 1 + words. typing: of the shares of capitals and marks, the case of the first letter, a
mark at the end, emoji and line breaks."""
RESAMPLES, PERMUTATIONS = 2000, 1999
ALPHA = 0.05
_NOTHING = 1e-9
COLLAPSED = 2
"""So few acting fields, of more that were tried, are a persona collapse (as in arXiv 2604.24698)."""


@dataclass(frozen=True)
class Turn:
    """What somebody said first. ``draw`` tells repeated draws apart; the same one for different people shares its seed.

    ``unit`` are turns that are compared with each other: a scenario, or a scenario and two people.
    """

    unit: str
    person: str
    draw: int
    text: str


class Measure(Frozen):
    """``between`` and ``within`` are mean distances; ``share`` is 1 - within / between, under 0 by chance only.

    ``low`` and ``high`` are the bootstrap's 95 % interval; None where a single unit leaves nothing to resample.
    """

    name: str
    between: float
    within: float
    share: float
    low: float | None = None
    high: float | None = None


class Change(Frozen):
    """What changing something changes. ``p``: how often turns that are dealt out anew differ as much, over all measures
    at once (max-T)."""

    what: str
    """``person``, or the field that was swapped."""
    units: int
    turns: int
    measures: tuple[Measure, ...]
    p: float
    acts: bool
    """Whether it can be told from chance, at 5 % over all that was tried (Holm, 1979)."""

    @property
    def strongest(self) -> Measure:
        return max(self.measures, key=lambda one: one.share)


class Effect(Frozen):
    """``person`` of whole people; ``fields`` of one field at a time, empty where only stored examples were read."""

    source: str
    scenarios: int
    people: int
    person: Change
    fields: tuple[Change, ...] = ()
    note: str = ""

    @property
    def acting(self) -> tuple[str, ...]:
        return tuple(one.what for one in self.fields if one.acts)

    @property
    def told(self) -> str:
        """The finding in a sentence or two, for a person."""
        if not self.person.acts:
            told = f"the person cannot be told in the text (p {self.person.p:.3f}): whoever asks, it reads alike"
        else:
            top = self.person.strongest
            told = f"changing the person changes the text: {top.share:.0%} of the variation in {top.name} is theirs"
        if not self.fields:
            return told
        acting = ", ".join(self.acting) or "none"
        told += f"; {len(self.acting)} of {len(self.fields)} fields act: {acting}"
        return told + (" (persona collapse: few attributes act)" if len(self.acting) <= COLLAPSED else "")


def change(what: str, turns: Sequence[Turn], embedder: Embedder, seed: int = 0) -> Change | None:
    """What changing the person changes in ``turns``. None where no unit has two people with two draws each.

    ``acts`` is that of a single test; :func:`holm` corrects it for several.
    """
    import numpy as np

    units = [unit for unit in _units(turns, embedder) if unit.whole]
    if not units:
        return None
    draws = np.random.default_rng(seed)
    measures, p = _measured(units, draws), _permuted(units, draws)
    count = sum(len(unit.people) for unit in units)
    return Change(what=what, units=len(units), turns=count, measures=measures, p=p, acts=p <= ALPHA)


def holm(changes: Sequence[Change]) -> tuple[Change, ...]:
    """The same with ``acts`` at 5 % over all of them (Holm's step-down), in their order."""
    acting: set[str] = set()
    for rank, one in enumerate(sorted(changes, key=lambda one: one.p)):
        if one.p > ALPHA / (len(changes) - rank):
            break
        acting.add(one.what)
    return tuple(one.model_copy(update={"acts": one.what in acting}) for one in changes)


class _Unit:
    """Turns that are compared. ``people`` is (n,), ``pairs`` the places of two turns of different draws (pairs, 2), and
    ``distances`` of these (pairs, measures): what a seed gives to everybody counts in neither mean."""

    def __init__(self, turns: Sequence[Turn], vectors: Matrix) -> None:
        import numpy as np

        names = list(dict.fromkeys(turn.person for turn in turns))
        self.people = np.array([names.index(turn.person) for turn in turns])
        self.count = len(names)
        draws = np.array([turn.draw for turn in turns])
        upper = np.triu(draws[:, None] != draws[None, :], 1)
        self.pairs = np.argwhere(upper)
        self.distances = _distances([turn.text for turn in turns], vectors)[:, upper].T
        groups = [np.flatnonzero(draws == draw) for draw in np.unique(draws)]
        paired = all(len(group) == self.count == len({*self.people[group].tolist()}) for group in groups)
        self.groups = groups if paired else [np.arange(len(turns))]
        """Turns among which people may be dealt out anew: those of a draw where everybody has it, else all."""

    @property
    def whole(self) -> bool:
        first, second = self.people[self.pairs].T
        return self.count > 1 and bool((first == second).any())

    def split(self, people: Matrix) -> Matrix:
        """Mean distances between and within people, for each row of ``people`` (rows, n): (rows, measures, 2)."""
        import numpy as np

        same = (people[:, self.pairs[:, 0]] == people[:, self.pairs[:, 1]]).astype(float)
        sides = [which @ self.distances / which.sum(axis=1, keepdims=True) for which in (1 - same, same)]
        return np.stack(sides, axis=-1)

    def dealt(self, rows: int, draws: np.random.Generator) -> Matrix:
        """People dealt out anew among the turns of each group: (rows, n)."""
        import numpy as np

        people = np.tile(self.people, (rows, 1))
        for group in self.groups:
            people[:, group] = draws.permuted(people[:, group], axis=1)
        return people

    def resampled(self, rows: int, draws: np.random.Generator) -> Matrix:
        """As :meth:`split`, of people drawn with replacement. Two of them are not drawn: one alone differs from nobody.
        A draw of one person many times is left out."""
        import numpy as np

        often = np.ones((rows, self.count))
        if self.count > 2:
            often = draws.multinomial(self.count, np.full(self.count, 1 / self.count), size=rows).astype(float)
            often = often[(often > 0).sum(axis=1) > 1]
        first, second = self.people[self.pairs].T
        apart = np.where(first == second, 0.0, often[:, first] * often[:, second])
        inside = np.where(first == second, often[:, first], 0.0)
        sides = [which @ self.distances / which.sum(axis=1, keepdims=True) for which in (apart, inside)]
        return np.stack(sides, axis=-1)


def _units(turns: Sequence[Turn], embedder: Embedder) -> list[_Unit]:
    """Units of people with two turns and more each."""
    by_unit: defaultdict[str, list[Turn]] = defaultdict(list)
    often: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for turn in turns:
        often[turn.unit, turn.person].add(turn.draw)
    kept = [turn for turn in turns if len(often[turn.unit, turn.person]) > 1]
    vectors = embedder.embed([turn.text for turn in kept]) if kept else None
    rows: defaultdict[str, list[int]] = defaultdict(list)
    for row, turn in enumerate(kept):
        by_unit[turn.unit].append(turn)
        rows[turn.unit].append(row)
    return [_Unit(some, vectors[rows[unit]]) for unit, some in by_unit.items()] if vectors is not None else []


def _measured(units: Sequence[_Unit], draws: np.random.Generator) -> tuple[Measure, ...]:
    """Each measure with its interval: scenarios drawn with replacement, and people in each of them."""
    import numpy as np

    means = np.mean([unit.split(unit.people[None])[0] for unit in units], axis=0)
    bounds: Matrix | None = None
    if len(units) > 1 or units[0].count > 2:
        pools = [unit.resampled(RESAMPLES, draws) for unit in units]
        chosen = draws.integers(len(units), size=(RESAMPLES, len(units)))
        picked = [[pools[one][draws.integers(len(pools[one]))] for one in row] for row in chosen]
        between, within = np.moveaxis(np.mean(picked, axis=1), -1, 0)
        shares = np.where(between > _NOTHING, 1 - within / np.maximum(between, _NOTHING), 0.0)
        bounds = np.percentile(shares, [2.5, 97.5], axis=0).T
    found = []
    for place, (name, (between, within)) in enumerate(zip(MEASURES, means.tolist(), strict=True)):
        share = 1 - within / between if between > _NOTHING else 0.0
        low, high = (None, None) if bounds is None else bounds[place].tolist()
        found.append(Measure(name=name, between=between, within=within, share=share, low=low, high=high))
    return tuple(found)


def _permuted(units: Sequence[_Unit], draws: np.random.Generator) -> float:
    """How often people dealt out anew lie as far apart: max over the measures of the standardized gap."""
    import numpy as np

    def gaps(splits: Sequence[Matrix]) -> Matrix:
        return np.asarray(np.mean([split[..., 0] - split[..., 1] for split in splits], axis=0))

    observed = gaps([unit.split(unit.people[None]) for unit in units])[0]
    null = gaps([unit.split(unit.dealt(PERMUTATIONS, draws)) for unit in units])
    mean, sd = null.mean(axis=0), null.std(axis=0)
    moves = sd > _NOTHING
    if not moves.any():
        return 1.0
    highest = ((null - mean)[:, moves] / sd[moves]).max(axis=1)
    top = float(((observed - mean)[moves] / sd[moves]).max())
    return float((1 + (highest >= top - _NOTHING).sum()) / (PERMUTATIONS + 1))


def _distances(texts: Sequence[str], vectors: Matrix) -> Matrix:
    """(measures, n, n) in the order of :data:`MEASURES`."""
    import numpy as np

    sets = [frozenset(words_of(text)) for text in texts]
    jaccard = [[1 - len(one & other) / max(1, len(one | other)) for other in sets] for one in sets]
    lengths = np.array([[log(1 + len(words_of(text)))] for text in texts])
    typing = np.array([_typing(text) for text in texts])
    squared = [((one[:, None] - one[None, :]) ** 2).sum(axis=-1) / 2 for one in (lengths, typing)]
    return np.array([np.clip(1 - vectors @ vectors.T, 0, None), jaccard, *squared])


def _typing(text: str) -> tuple[float, ...]:
    """Features of how a text is typed, each 0..1."""
    letters = [one for one in text if one.isalpha()]
    marks = sum(one in ".,;:!?…-–—()\"'" for one in text)  # noqa: RUF001
    begins = next(iter(letters), "a")
    return (
        sum(one.isupper() for one in letters) / max(1, len(letters)),
        min(1.0, 8 * marks / max(1, len(text))),
        float(begins.isupper()),
        float(text.rstrip()[-1:] in tuple(".!?…")),
        float(any(ord(one) > 0x2600 for one in text)),
        float("\n" in text.strip()),
    )
