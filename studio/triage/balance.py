"""Whether what is accepted is spread over the categories as the spec wants it."""

from __future__ import annotations

from studio.chatml import Frozen
from studio.spec import LoadedSpec, targets
from studio.store import CategoryCount, Workspace


class CategoryBalance(Frozen):
    """A category against its target. Shares are of all that is accepted, and of all targets, 0..1."""

    category: str
    target: int
    """0 for a category that the spec does not train on."""
    accepted: int
    rejected: int
    pending: int
    share: float
    wanted_share: float

    @property
    def missing(self) -> int:
        return max(0, self.target - self.accepted)


def balance(loaded: LoadedSpec, workspace: Workspace) -> tuple[CategoryBalance, ...]:
    """Of this spec's examples, in the order of the spec; categories that it no longer trains on come last."""
    wanted = targets(loaded.spec)
    counts = {count.category: count for count in workspace.examples.counts(loaded.hash)}
    names = [*wanted, *(name for name in counts if name not in wanted)]
    accepted = sum(count.accepted for count in counts.values())
    total = sum(wanted.values())
    return tuple(
        _against(counts.get(name) or _none(name), wanted.get(name, 0), accepted=accepted, total=total) for name in names
    )


def _none(category: str) -> CategoryCount:
    return CategoryCount(category=category, accepted=0, rejected=0, pending=0)


def _against(count: CategoryCount, target: int, *, accepted: int, total: int) -> CategoryBalance:
    return CategoryBalance(
        category=count.category,
        target=target,
        accepted=count.accepted,
        rejected=count.rejected,
        pending=count.pending,
        share=count.accepted / accepted if accepted else 0.0,
        wanted_share=target / total if total else 0.0,
    )
