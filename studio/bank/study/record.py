"""What a study found: pairs of people by how alike they are, how alike a model's outputs for them are, and by bin."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from studio.chatml import Frozen, Unicode
from studio.inference import Record

KIND = "study"
"""Under which studies are kept; the outputs of one under ``study`` and its id."""
Measure = Literal["cosine", "words"]
"""Cosine of sentence embeddings; Jaccard similarity of the sets of words."""
MEASURES: tuple[Measure, ...] = ("cosine", "words")


class Pair(Frozen):
    """Two people by their ids, and the cosine of what a model is told of them. ``bin`` is the centre of theirs."""

    first: str
    second: str
    similarity: float
    bin: float


class Bin(Frozen):
    """Pairs with a similarity of ``centre`` +- .05: ``seen`` on the way, and ``used``, in which nobody comes twice."""

    centre: float
    seen: int
    used: int


class Output(Record):
    """What a model wrote for one person at temperature 0."""

    task: str
    model: str
    person: str
    text: Unicode

    @property
    def title(self) -> str:
        return f"{self.task}, {self.model}: {' '.join(self.text.split())[:80]}"


class Alike(Frozen):
    """How alike the two outputs of a pair are, by task and model."""

    pair: int
    """Its place in :attr:`Study.pairs`."""
    task: str
    model: str
    cosine: float
    words: float


class Spread(Frozen):
    """Output similarity of the pairs of one bin: mean with its 95 % bootstrap interval over pairs, and quartiles."""

    task: str
    model: str
    measure: Measure
    bin: float
    n: int
    mean: float
    low: float
    high: float
    least: float
    lower_quartile: float
    median: float
    upper_quartile: float
    most: float


class Trend(Frozen):
    """Spearman's rank correlation of persona and output similarity over all pairs, with a 95 % bootstrap interval.

    None where all outputs, or all people, are as alike as each other: there is nothing to correlate.
    """

    task: str
    model: str
    measure: Measure
    n: int
    rho: float | None
    low: float | None = None
    high: float | None = None

    @property
    def told(self) -> str:
        """What it means, in words."""
        if self.rho is None:
            return "all outputs are equally alike: changing the person changes nothing"
        if self.low is not None and self.low > 0:
            return "the closer two people, the closer their outputs"
        if self.high is not None and self.high < 0:
            return "the closer two people, the further apart their outputs"
        return f"no trend that {self.n} pairs could show"


class Study(Record):
    """A whole study. ``tasks`` are the prompts by name, ``compared`` the people who were embedded to find pairs."""

    at: datetime
    seed: int
    compared: int
    tasks: dict[str, str]
    models: tuple[str, ...]
    bins: tuple[Bin, ...]
    pairs: tuple[Pair, ...]
    alike: tuple[Alike, ...]
    spreads: tuple[Spread, ...]
    trends: tuple[Trend, ...]
    note: str = ""

    @property
    def page(self) -> dict[str, str]:
        from studio.bank.study.chart import LEGEND, report

        used = ", ".join(f"{one.used} at {one.centre:g} (of {one.seen} seen)" for one in self.bins)
        prompts = {f"Prompt {name}": text for name, text in self.tasks.items()}
        pairs = f"{used}; {self.compared} people compared"
        note = {"Note": self.note} if self.note else {}
        return {"Pairs": pairs, **note, **report(self), "Box plots": f"{LEGEND}; of cosines", **prompts}

    @property
    def title(self) -> str:
        found = ", ".join(
            f"{one.task} {one.model} {'none' if one.rho is None else f'{one.rho:.2f}'}"
            for one in self.trends
            if one.measure == "cosine"
        )
        return f"{self.at:%Y-%m-%d %H:%M} {len(self.pairs)} pairs, Spearman: {found}"
