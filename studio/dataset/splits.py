"""Splits: which conversations a run is trained on, and which its validation loss is measured on.

What says nearly the same stands on one side, and so does all that one person says. The validation side is drawn
scenario by scenario: about its share of each, and never all of one.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from studio.chatml import Messages
from studio.dedup import NearDuplicates
from studio.dedup.near import shingles
from studio.embed import Embedder

Side = Literal["train", "validation"]
ALIKE_WORDS = 0.8
"""Jaccard similarity of two conversations' words from which they stand on one side."""
ALIKE_MEANING = 0.9
"""Cosine of their embeddings."""
_SAID = 4
"""Words from which two conversations that begin with the same request are of one kind: anybody says "thanks"."""
_BLOCK = 512


@dataclass(frozen=True)
class Piece:
    """What of an example decides its side. ``person_id`` is empty where nobody in particular speaks."""

    id: str
    scenario: str
    person_id: str
    messages: Messages


class _Groups:
    """Disjoint sets (union-find) of numbers below ``size``."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def root(self, one: int) -> int:
        while self._parent[one] != one:
            self._parent[one] = self._parent[self._parent[one]]
            one = self._parent[one]
        return one

    def join(self, one: int, other: int) -> None:
        first, second = sorted((self.root(one), self.root(other)))
        self._parent[second] = first

    def all(self) -> list[list[int]]:
        found: defaultdict[int, list[int]] = defaultdict(list)
        for one in range(len(self._parent)):
            found[self.root(one)].append(one)
        return list(found.values())


def grouped(pieces: Sequence[Piece], share: float, embedder: Embedder | None = None) -> list[list[int]]:
    """The numbers of ``pieces`` that have to stand on one side, together.

    Those are near-duplicates in words and, with ``embedder``, in meaning; what answers the same request; and what one
    person says. Of somebody who says more than half of ``share``, a validation side's part of all, only what belongs
    to one scenario is kept together: else there would be no validation side at all.
    """
    groups = _Groups(len(pieces))
    said = Counter(piece.person_id for piece in pieces if piece.person_id)
    most = max(1.0, share / 2 * len(pieces))
    first: dict[tuple[str, ...], int] = {}
    index = NearDuplicates(ALIKE_WORDS)
    for number, piece in enumerate(pieces):
        keys: list[tuple[str, ...]] = []
        if piece.person_id:
            whole = said[piece.person_id] <= most
            keys.append(("person", piece.person_id) if whole else ("person", piece.person_id, piece.scenario))
        request = "\n".join(turn.content for turn in piece.messages[:-1] if turn.role != "system")
        if len(words := shingles(request)) >= _SAID:
            keys.append(("request", *sorted(words)))
        for key in keys:
            groups.join(number, first.setdefault(key, number))
        signature = index.signature(_text(piece))
        for twin in index.neighbours(signature):
            groups.join(number, int(twin))
        index.add_signature(str(number), signature)
    if embedder is not None and pieces:
        _join_meanings(groups, pieces, embedder)
    return groups.all()


def _join_meanings(groups: _Groups, pieces: Sequence[Piece], embedder: Embedder) -> None:
    import numpy as np

    vectors = embedder.embed([_text(piece) for piece in pieces])
    for start in range(0, len(vectors), _BLOCK):
        alike = vectors[start : start + _BLOCK] @ vectors[: start + _BLOCK].T >= ALIKE_MEANING
        for row, other in zip(*np.nonzero(alike), strict=True):
            if other < start + row:
                groups.join(start + int(row), int(other))


def validation_of(
    pieces: Sequence[Piece],
    share: float,
    *,
    before: Mapping[str, Side] | None = None,
    seed: int = 0,
    embedder: Embedder | None = None,
) -> frozenset[str]:
    """Ids of the validation side: ``share`` of ``pieces``, 0 to 0.5, and about so much of each scenario.

    What was on a side ``before`` stays there: new examples come to the side of what they are like or, where they are
    like nothing, to whichever needs them. Only what has become alike across the sides goes to the train side. Who is
    drawn depends on the seed and the ids alone. Fewer than asked for are drawn where the groups leave no other choice.
    """
    if not share or len(pieces) < 2:
        return frozenset()
    known = before or {}
    sizes = Counter(piece.scenario for piece in pieces)
    drawn: Counter[str] = Counter()
    found: list[str] = []
    left: list[list[int]] = []
    wanted = max(1, round(share * len(pieces)))

    def take(group: Sequence[int]) -> None:
        drawn.update(pieces[number].scenario for number in group)
        found.extend(pieces[number].id for number in group)

    for group in grouped(pieces, share, embedder):
        sides = {known[pieces[number].id] for number in group if pieces[number].id in known}
        if sides == {"validation"}:
            take(group)
        elif not sides:
            left.append(group)
    left.sort(key=lambda group: _rank(min(pieces[number].id for number in group), seed))
    for evenly in (True, False):
        for group in left:
            parts = Counter(pieces[number].scenario for number in group)
            fits = len(found) + len(group) <= wanted and all(drawn[one] + n < sizes[one] for one, n in parts.items())
            needed = sum(min(n, max(0.0, share * sizes[one] - drawn[one])) for one, n in parts.items())
            if fits and (needed >= len(group) / 2 or not evenly):
                take(group)
        taken = set(found)
        left = [group for group in left if pieces[group[0]].id not in taken]
    return frozenset(found)


def _rank(name: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()


def _text(piece: Piece) -> str:
    return "\n".join(turn.content for turn in piece.messages if turn.role != "system")
