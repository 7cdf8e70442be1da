"""The scenario matrix at work: coverage targets of what is trained on, probes of what is held out."""

from __future__ import annotations

import re

from studio.spec.model import Spec
from studio.text.normalize import folded

WEIGHTS = {"high": 3, "medium": 2, "low": 1}
_KEPT = re.compile(r"\[([^\[\]]*)\]")


def targets(spec: Spec) -> dict[str, int]:
    """Accepted examples wanted of each category that is trained on, in the order of the file.

    Each has its own target. If these sum to less than ``success.examples`` the rest is spread by priority
    (high 3, medium 2, low 1) with the largest remainder; equal remainders go to the category listed first.
    """
    open_categories = {name: category for name, category in spec.scenarios.items() if not category.holdout}
    wanted = {name: category.target for name, category in open_categories.items()}
    rest = spec.success.examples - sum(wanted.values())
    if rest <= 0:
        return wanted
    weights = {name: WEIGHTS[category.priority] for name, category in open_categories.items()}
    total = sum(weights.values())
    for name, weight in weights.items():
        wanted[name] += rest * weight // total
    left = spec.success.examples - sum(wanted.values())
    for name in sorted(weights, key=lambda name: -(rest * weights[name] % total))[:left]:
        wanted[name] += 1
    return wanted


def probe_text(item: str) -> tuple[str, tuple[str, ...]]:
    """``Remind me to [text Lucy] [at 8 am]`` -> (``Remind me to text Lucy at 8 am``, (``text Lucy``, ``at 8 am``))."""
    kept = tuple(" ".join(part.split()) for part in _KEPT.findall(item))
    return _KEPT.sub(r"\1", item).strip(), tuple(part for part in kept if part)


def held_out_texts(spec: Spec) -> tuple[str, ...]:
    """Every probe's message: what no training data may say."""
    return tuple(probe_text(item)[0] for row in spec.scenarios.values() if row.holdout for item in row.items)


def bare(text: str) -> str:
    """``text`` for comparing what two messages say: its words in lower case, without marks around them."""
    return " ".join(re.findall(r"[^\W_]+(?:'[^\W_]+)*", folded(text).casefold()))


def unbalanced(item: str) -> bool:
    """True where a square bracket has no partner, or one stands inside another."""
    rest = _KEPT.sub("", item)
    return "[" in rest or "]" in rest
