"""Known biases of judges, measured on what one has judged: a liking for length, for a place, for one's own family.

A judge that pays for words has marks that rise with them (Spearman's correlation); one that prefers a place changes its
verdict with the order (Zheng et al., 2023, arXiv 2306.05685); one of the author's family likes what its kind writes
(Panickssery et al., 2024, arXiv 2404.13076).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from studio.chatml import Frozen
from studio.judge.types import Comparison

LEAST = 10
"""Replies, or pairs, under which nothing is said."""
MUCH = 0.5
"""Correlation with length from which it is pointed out."""
SAME = "Both replies are the same."
_AGREEING = {("first", "second"), ("second", "first"), ("tie", "tie")}
FAMILIES: dict[str, str] = {
    "OpenAI": r"gpt|chatgpt|o[134](?:-|$)|davinci",
    "Claude": r"claude",
    "Llama": r"(?:code)?llama|vicuna|tulu|nemotron",
    "Qwen": r"qwen|qwq",
    "Mistral": r"mistral|mixtral|ministral|magistral|codestral|zephyr",
    "Gemini and Gemma": r"gemini|gemma",
    "DeepSeek": r"deepseek",
    "Phi": r"phi(?:-?\d|-)",
    "Command": r"command-|c4ai|aya-",
    "SmolLM": r"smollm",
    "Granite": r"granite",
    "Yi": r"yi-",
    "GLM": r"(?:chat)?glm",
    "OLMo": r"olmo",
    "Falcon": r"falcon",
    "Grok": r"grok",
    "Kimi": r"kimi|moonshot",
}
"""What a word in the names of a family's models begins with, after a maker's folder."""


class OrderConsistency(Frozen):
    """Pairs compared in both orders: how many got the same verdict twice, and where the others' sympathy lay."""

    n: int
    consistent: int
    first: int
    """Of the others: the first place was preferred both times."""
    second: int

    @property
    def share(self) -> float:
        return self.consistent / self.n if self.n else 1.0


def order_consistency(compared: Sequence[Comparison | None]) -> OrderConsistency | None:
    """Of a model's comparisons that came; None where there are none. Equal replies were shown to nobody."""
    orders = [one.orders for one in compared if one is not None and one.error is None and one.rationale != SAME]
    if not orders:
        return None
    return OrderConsistency(
        n=len(orders),
        consistent=sum(one in _AGREEING for one in orders),
        first=sum(one == ("first", "first") for one in orders),
        second=sum(one == ("second", "second") for one in orders),
    )


def length_correlation(values: Sequence[tuple[int, float]]) -> float | None:
    """Spearman's rank correlation of (words, total); None under :data:`LEAST` replies, or where either never varies."""
    if len(values) < LEAST:
        return None
    words, totals = (_ranks(one) for one in zip(*values, strict=True))
    middle = (len(values) - 1) / 2
    both = sum((left - middle) * (right - middle) for left, right in zip(words, totals, strict=True))
    spreads = [sum((rank - middle) ** 2 for rank in ranks) for ranks in (words, totals)]
    return both / (spreads[0] * spreads[1]) ** 0.5 if all(spreads) else None


def _ranks(values: Sequence[float]) -> list[float]:
    """From 0; equal values share the mean of theirs."""
    order = sorted(range(len(values)), key=lambda place: values[place])
    found, at = [0.0] * len(values), 0
    for _, some in groupby(order, key=lambda place: values[place]):
        places = list(some)
        for place in places:
            found[place] = at + (len(places) - 1) / 2
        at += len(places)
    return found


def family(model: str) -> str | None:
    """The family of a model by its name, as ``Llama`` for ``meta-llama/Llama-3.3-70B``; None where it is not known."""
    name = model.rpartition("/")[2].lower()
    starts = [name[word.start() :] for word in re.finditer(r"[a-z0-9]+", name)]  # hermes-3-llama-3.1-8b is a Llama
    return next(
        (known for known, pattern in FAMILIES.items() if any(re.match(pattern, one) for one in starts)),
        None,
    )


def same_family(author: str, judge: str) -> str | None:
    """The family that both are of; None where they are of different ones, or of one that is not known."""
    found = family(author)
    return found if found is not None and found == family(judge) else None


def family_warning(author: str, judge: str) -> str:
    """What is to be said where one of the judges (``a + b`` of a panel) is of the author's family; else empty."""
    for one in judge.split(" + "):
        if (known := same_family(author, one)) is not None:
            return (
                f"judge {one} and author {author} are of one family ({known}): judges like what their own kind writes"
            )
    return ""
