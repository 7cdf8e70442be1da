"""Diversity of a bank: who is in it, by share, and how far its people lie apart, at a fixed number and length.

distinct-n (Li et al., 2016), compression ratio (Shaib et al., 2024), self-repetition (Salkar et al., 2022), mean and
nearest-neighbour distance of embeddings, Vendi score (Friedman and Dieng, 2023). All of them shift with the number of
texts and their length: of each bank the same number is drawn and each text is cut after the same number of words.
"""

from __future__ import annotations

import gzip
import math
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median
from typing import TYPE_CHECKING

from studio.bank.person import Person
from studio.bank.quality import essence
from studio.chatml import Frozen
from studio.embed import Embedder

if TYPE_CHECKING:
    from studio.embed.model import Vectors

SAMPLE, WORDS = 800, 24
"""People drawn and words kept of each, where nothing else is asked for."""
BANDS = ((19, 24), (25, 34), (35, 44), (45, 54), (55, 64), (65, 75))
"""Ages as the US Current Population Survey groups them, cut at the ages of the bank."""
NAMED = 12
"""So many of the most frequent values are named; the others are one row."""
_REPEATED = 4
"""Words of an n-gram that counts as repeated."""


class Share(Frozen):
    value: str
    count: int
    share: float


class Shares(Frozen):
    """One attribute over a bank: its most frequent values, and how evenly all are spread.

    ``evenness`` is the entropy over that of equal shares, 0..1; ``missing`` are people who lack it.
    """

    attribute: str
    values: tuple[Share, ...]
    different: int
    evenness: float
    missing: int


class Measures(Frozen):
    """Figures of ``n`` texts cut after ``words`` words. Distances are 1 - cosine, 0..2; higher is more diverse but for
    ``compression`` and ``self_repetition``."""

    n: int
    words: int
    mean_words: float
    """After the cut: two banks compare where these are close."""
    distinct_1: float
    distinct_2: float
    distinct_3: float
    compression: float
    """Bytes over gzipped bytes."""
    self_repetition: float
    """Mean over texts of ln(1 + uses of its 4-grams in other texts)."""
    mean_distance: float
    nearest_distance: float
    vendi: float
    """The effective number of different people among the ``n``."""


class Diversity(Frozen):
    people: int
    shares: tuple[Shares, ...]
    measures: Measures


def diversity(people: Sequence[Person], embedder: Embedder, n: int = SAMPLE, words: int = WORDS) -> Diversity:
    """Of one bank. Raises ValueError where it is empty."""
    return Diversity(people=len(people), shares=shares(people), measures=measures(people, embedder, n, words))


def compare(
    people: Sequence[Person], others: Sequence[Person], embedder: Embedder, n: int = SAMPLE, words: int = WORDS
) -> tuple[Diversity, Diversity]:
    """Of two banks, at the number and the length that both have: the smaller of each."""
    n = min(n, len(people), len(others))
    words = min(words, _median_words(people), _median_words(others))
    return diversity(people, embedder, n, words), diversity(others, embedder, n, words)


def measures(people: Sequence[Person], embedder: Embedder, n: int = SAMPLE, words: int = WORDS) -> Measures:
    """Of what makes somebody another person, as :func:`text_measures`."""
    return text_measures([essence(person) for person in people], embedder, n, words)


def text_measures(texts: Sequence[str], embedder: Embedder, n: int = SAMPLE, words: int = WORDS) -> Measures:
    """Of ``n`` texts, drawn by what they say so that the same ones give the same figures in any order. Raises
    ValueError where there is none."""
    texts = sorted(" ".join(text.split()[:words]) for text in texts)
    if not texts:
        raise ValueError("nothing to measure")
    if len(texts) > n:
        texts = random.Random(f"diversity {n}").sample(texts, n)
    split = [text.casefold().split() for text in texts]
    vectors = embedder.embed(texts)
    raw = "\n".join(texts).encode("utf-8", "replace")
    return Measures(
        n=len(texts),
        words=words,
        mean_words=sum(map(len, split)) / len(split),
        distinct_1=distinct(split, 1),
        distinct_2=distinct(split, 2),
        distinct_3=distinct(split, 3),
        compression=len(raw) / len(gzip.compress(raw, mtime=0)),
        self_repetition=self_repetition(split),
        mean_distance=mean_distance(vectors),
        nearest_distance=nearest_distance(vectors),
        vendi=vendi(vectors),
    )


def distinct(texts: Iterable[Sequence[str]], size: int) -> float:
    """Different n-grams of ``size`` words over all of them; 0 where there is none."""
    counts = Counter(gram for words in texts for gram in _grams(words, size))
    return len(counts) / total if (total := counts.total()) else 0.0


def self_repetition(texts: Sequence[Sequence[str]]) -> float:
    """Mean over texts of ln(1 + uses of its 4-grams in other texts)."""
    own = [Counter(_grams(words, _REPEATED)) for words in texts]
    everywhere: Counter[tuple[str, ...]] = Counter()
    for grams in own:
        everywhere.update(grams)
    return sum(math.log1p(sum(everywhere[gram] - grams[gram] for gram in grams)) for grams in own) / len(own)


def mean_distance(vectors: Vectors) -> float:
    """Mean of 1 - cosine over all pairs, from the sum of the vectors; 0 for one alone."""
    n = len(vectors)
    whole = vectors.sum(axis=0, dtype=float)
    return 1 - (float(whole @ whole) - n) / (n * (n - 1)) if n > 1 else 0.0


def nearest_distance(vectors: Vectors) -> float:
    """Mean of 1 - cosine to the nearest other; 0 for one alone."""
    n, block = len(vectors), 1024
    if n < 2:
        return 0.0
    found = 0.0
    for start in range(0, n, block):
        products = vectors[start : start + block] @ vectors.T
        for row in range(len(products)):
            products[row, start + row] = -1.0
        found += float((1 - products.max(axis=1)).sum())
    return max(0.0, found / n)  # rounding takes equal texts below 0


def vendi(vectors: Vectors) -> float:
    """exp of the entropy of the eigenvalues of the cosine kernel over n, by those of EᵀE / n, which are the same."""
    import numpy as np

    values = np.linalg.eigvalsh((vectors.T @ vectors).astype(float) / len(vectors))
    values = values[values > 1e-12]
    values /= values.sum()
    return float(np.exp(-(values * np.log(values)).sum()))


def shares(people: Sequence[Person]) -> tuple[Shares, ...]:
    """By age, profession, place and trait; a person counts once for each trait."""
    return (
        shares_of("age", [[band(person.age)] if person.age is not None else [] for person in people], ordered=True),
        shares_of("profession", [[one] if (one := person.profession or person.role) else [] for person in people]),
        shares_of("place", [[person.place] if person.place else [] for person in people]),
        shares_of("trait", [person.traits for person in people]),
    )


def band(age: int) -> str:
    """The age group that somebody is in: ``25-34``."""
    for low, high in BANDS:
        if age <= high:
            return f"{low}-{high}" if age >= low else f"under {low}"
    return f"over {BANDS[-1][1]}"


def shares_of(attribute: str, values: Sequence[Sequence[str]], *, ordered: bool = False) -> Shares:
    """One attribute of several people or texts, each with its values; most frequent first, or by value."""
    counts = Counter(value.strip().casefold() for own in values for value in own if value.strip())
    total = counts.total()
    named = sorted(counts.items(), key=lambda one: one[0] if ordered else (-one[1], one[0]))
    entropy = -sum(count / total * math.log(count / total) for count in counts.values())
    return Shares(
        attribute=attribute,
        values=tuple(Share(value=value, count=count, share=count / total) for value, count in named[:NAMED]),
        different=len(counts),
        evenness=entropy / math.log(len(counts)) if len(counts) > 1 else 0.0,
        missing=sum(not any(value.strip() for value in own) for own in values),
    )


def divergence(first: Sequence[str], second: Sequence[str]) -> float:
    """Jensen-Shannon divergence of two samples of values, in bits, 0..1; 0 where either is empty."""
    left, right = Counter(first), Counter(second)
    if not left or not right:
        return 0.0
    found = 0.0
    for value in left | right:
        p, q = left[value] / left.total(), right[value] / right.total()
        middle = (p + q) / 2
        found += sum(one / 2 * math.log2(one / middle) for one in (p, q) if one)
    return max(0.0, found)


def _grams(words: Sequence[str], size: int) -> Iterable[tuple[str, ...]]:
    return zip(*(words[start:] for start in range(size)), strict=False)


def _median_words(people: Sequence[Person]) -> int:
    return int(median(len(essence(person).split()) for person in people))
