"""Adding up what several calls took."""

from __future__ import annotations

from collections.abc import Iterable

from studio.llm.types import Usage


def total(usages: Iterable[Usage]) -> Usage:
    """The sum. A cost that is unknown makes the whole cost unknown."""
    parts = tuple(usages)
    costs = [part.cost_usd for part in parts if part.cost_usd is not None]
    return Usage(
        prompt_tokens=sum(part.prompt_tokens for part in parts),
        completion_tokens=sum(part.completion_tokens for part in parts),
        cost_usd=sum(costs) if len(costs) == len(parts) else None,
        seconds=sum(part.seconds for part in parts),
    )
