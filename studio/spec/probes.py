"""Held-out scenario items as probes: the user's message, and the words that a good reply carries over."""

from __future__ import annotations

import re

from studio.spec.models import Spec
from studio.text.normalize import folded

_KEPT = re.compile(r"\[([^\[\]]*)\]")


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
