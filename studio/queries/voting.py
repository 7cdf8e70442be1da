"""The vote on realism: people say, blind, which of two queries on one topic a real customer would type.

One of each pair was written by a person, the other by the topic and the document alone; sides are shuffled, the same
way in every sitting. A vote is kept as soon as it is given.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from studio.chatml import Frozen, Unicode
from studio.inference import Record
from studio.queries.rates import Rate, by_group, wilson
from studio.queries.stored import queries_of
from studio.queries.types import Arm, Query
from studio.store import Documents

VOTE = "query vote"
Side = Literal["1", "2", "tie"]


class QueryVote(Record):
    """``id`` is that of the pair: both queries' ids."""

    people_id: str
    naive_id: str
    topic: Unicode
    winner: Arm | Literal["tie"]
    by: Unicode = ""
    at: datetime


class Pair(Frozen):
    """Two queries on ``topic`` as they are shown: the first is 1."""

    id: str
    topic: str
    queries: tuple[Query, Query]


class Realism(Frozen):
    """``wins``: of the people's arm, ties count half."""

    wins: Rate
    ties: int
    topics: tuple[Rate, ...]


class Voting:
    """One sitting. ``n`` pairs are wanted in all, with those that were voted on before."""

    def __init__(self, documents: Documents, *, n: int = 50, seed: int = 0, by: str = "") -> None:
        self._documents, self._by = documents, by
        self._pairs = pairs(queries_of(documents, "people", seed), queries_of(documents, "naive", seed))
        there = votes_of(documents)
        self._voted = {one.id for one in there}
        self._given: list[str] = []
        self._skipped: set[str] = set()
        self.wanted = min(n, len(self._pairs))

    @property
    def done(self) -> int:
        return sum(pair.id in self._voted for pair in self._pairs)

    def next_pair(self) -> Pair | None:
        """None where enough is voted on, or none is left."""
        if self.done >= self.wanted:
            return None
        left = (one for one in self._pairs if one.id not in self._voted and one.id not in self._skipped)
        return next(left, None)

    def vote(self, pair: Pair, side: Side) -> None:
        """Kept when it returns."""
        winner: Arm | Literal["tie"] = "tie" if side == "tie" else pair.queries[int(side) - 1].arm
        ids = {query.arm: query.id for query in pair.queries}
        told = QueryVote(
            id=pair.id,
            people_id=ids["people"],
            naive_id=ids["naive"],
            topic=pair.topic,
            winner=winner,
            by=self._by,
            at=datetime.now(UTC),
        )
        self._documents.put(VOTE, pair.id, told)
        self._voted.add(pair.id)
        self._given.append(pair.id)

    def skip(self, pair: Pair) -> None:
        """Not shown again in this sitting."""
        self._skipped.add(pair.id)

    def undo(self) -> bool:
        """Take back the last vote of this sitting; False where there is none."""
        if not self._given:
            return False
        id = self._given.pop()
        self._documents.remove(VOTE, id)
        self._voted.discard(id)
        return True


def pairs(people: Sequence[Query], naive: Sequence[Query]) -> list[Pair]:
    """A query of each arm on the same topic, each query once, topics in turn. Which pair comes when, and which side is
    1, depends on the ids alone."""
    by_topic: dict[str, list[Pair]] = {}
    others: defaultdict[str, list[Query]] = defaultdict(list)
    for one in sorted(naive, key=lambda query: _rank(query.id)):
        others[one.topic].append(one)
    for one in sorted(people, key=lambda query: _rank(query.id)):
        if others[one.topic]:
            other = others[one.topic].pop(0)
            id = f"{one.id} {other.id}"
            both = (one, other) if _rank(id)[0] % 2 else (other, one)
            by_topic.setdefault(one.topic, []).append(Pair(id=id, topic=one.topic, queries=both))
    found: list[Pair] = []
    for turn in range(max(map(len, by_topic.values()), default=0)):
        found += [several[turn] for several in by_topic.values() if turn < len(several)]
    return found


def votes_of(documents: Documents) -> list[QueryVote]:
    return documents.readable(VOTE, QueryVote)


def realism(votes: Sequence[QueryVote]) -> Realism:
    """How often the people's query won."""
    wins, ties = sum(one.winner == "people" for one in votes), sum(one.winner == "tie" for one in votes)
    decided = ((one.topic, one.winner == "people") for one in votes if one.winner != "tie")
    return Realism(wins=wilson(wins + ties / 2, len(votes)), ties=ties, topics=by_group(decided))


def _rank(id: str) -> bytes:
    return hashlib.sha256(id.encode()).digest()
