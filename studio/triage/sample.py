"""A random tenth of the examples for a person to look at: what the judge is worth is seen there.

The sample is frozen: what was drawn stays drawn. When examples were added, as many of them are drawn as keep the
fraction. Who is drawn depends on the seed and the id alone, neither on the verdict nor on the order of arrival.
"""

from __future__ import annotations

import hashlib
import math

from studio.chatml import Frozen
from studio.store import Filter, Workspace

TABLE = "settings"
FRACTION = 0.1


class Sample(Frozen):
    """``seq`` is the last example that had arrived when it was last drawn from."""

    ids: tuple[str, ...] = ()
    seq: int = 0


def sample_ids(workspace: Workspace, fraction: float = FRACTION, seed: int = 0) -> tuple[str, ...]:
    """The sample, drawn now where it was not yet, and drawn on where examples were added. Writes studio.json then."""
    drawn = _frozen(workspace, fraction, seed)
    if workspace.examples.newest() <= drawn.seq:
        return drawn.ids
    newcomers = workspace.examples.ids(after=drawn.seq)

    def draw_on(before: Sample | None) -> Sample:
        sample = before or Sample()
        new = [(seq, name) for seq, name in newcomers if seq > sample.seq]
        if not new:
            return sample  # somebody else has drawn meanwhile
        last = max(seq for seq, _ in new)
        wanted = max(0, math.ceil(fraction * last) - len(sample.ids))
        chosen = sorted((name for _, name in new), key=lambda name: _rank(seed, name))[:wanted]
        return Sample(ids=(*sample.ids, *chosen), seq=last)

    return workspace.studio.update(TABLE, _key(fraction, seed), Sample, draw_on).ids


def sample_progress(workspace: Workspace, fraction: float = FRACTION, seed: int = 0) -> tuple[int, int]:
    """How many of the sample a person has decided on, and how many it has; (0, 0) before it was drawn. Only reads."""
    ids = _frozen(workspace, fraction, seed).ids
    return (workspace.examples.count(Filter(ids=ids, decided=True)) if ids else 0), len(ids)


def _frozen(workspace: Workspace, fraction: float, seed: int) -> Sample:
    return workspace.studio.get(TABLE, _key(fraction, seed), Sample) or Sample()


def _key(fraction: float, seed: int) -> str:
    return f"sample-{fraction:g}-{seed}"


def _rank(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()
