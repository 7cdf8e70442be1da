"""Held-out scenario items as probes: the user's message, and the words that a good reply carries over."""

from __future__ import annotations

import re

_KEPT = re.compile(r"\[([^\[\]]*)\]")


def probe_text(item: str) -> tuple[str, tuple[str, ...]]:
    """``Remind me to [text Lucy] [at 8 am]`` -> (``Remind me to text Lucy at 8 am``, (``text Lucy``, ``at 8 am``))."""
    kept = tuple(" ".join(part.split()) for part in _KEPT.findall(item))
    return _KEPT.sub(r"\1", item).strip(), tuple(part for part in kept if part)


def unbalanced(item: str) -> bool:
    """True where a square bracket has no partner, or one stands inside another."""
    rest = _KEPT.sub("", item)
    return "[" in rest or "]" in rest
