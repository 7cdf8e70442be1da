"""Labelling a run's replies: which ones a person is shown, blind, and what becomes of the answers.

Replies are drawn at random, stratified by the judge's score, from both sides; which side one is of is not shown. Any
number of first answers is a sample in which each reply of a side had the same chance, so people may stop at any time.
A balanced draw takes the judge's rare scores more often; each answer keeps what it was drawn from, and is weighed.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from pydantic import ValidationError

from studio.chatml import Frozen, Messages
from studio.errors import UserError
from studio.evaluate.metrics import pair_digest, reply_digest
from studio.evaluate.report import restated
from studio.evaluate.strata import balanced as balance
from studio.evaluate.strata import sizes, stratum_of
from studio.evaluate.types import SIDES, Evaluation, ProbeResult, Side
from studio.spec import Spec
from studio.store import PairVote, RunLabel, Workspace
from studio.store.records import LabelDraw

TABLE = "labelling"
WANTED = 60
"""Labels to give: ten minutes, and fifty of the tuned side."""
BLOCK = 6
"""Of so many replies one is of the base, at a random place: enough to keep people from knowing what they read."""
Choice = Literal["left", "right", "tie"]


class Session(Frozen):
    """``seed`` decides the order, the sides' places and the ids of a run's items, and is kept with them."""

    seed: int
    begun: datetime


class Item(Frozen):
    """What a person reads: a conversation up to its last request, and one reply, or two to choose from."""

    id: str
    """Tells nothing of the side."""
    messages: Messages
    replies: tuple[str, ...]


class Drawn(NamedTuple):
    """A reply, or a pair, in its turn."""

    row: ProbeResult
    side: Side
    """Of the reply; of a pair the one that is shown left."""

    @property
    def shown(self) -> tuple[Side, Side]:
        return (self.side, "base" if self.side == "tuned" else "tuned")


class Labelling:
    """One person's sitting with one run. What was answered is stored when the method returns; ``done`` of ``wanted``
    counts everybody's answers, so no reply is read twice."""

    def __init__(
        self,
        workspace: Workspace,
        spec: Spec,
        evaluation: Evaluation,
        *,
        pairs: bool = False,
        wanted: int = WANTED,
        by: str = "",
        balanced: bool = False,
    ) -> None:
        """``balanced`` draws replies whose score by the judge is rare more often. Raises UserError where the spec's
        traits are no longer those of the evaluation."""
        if spec.trait_names != evaluation.traits:
            remedy = f"evaluate again: studio evaluate --run {evaluation.run_id}"
            raise UserError("the spec's traits are others than those of the evaluation", remedy=remedy)
        self.traits, self.boundaries, self.pairs, self.by = spec.traits, spec.boundaries, pairs, by
        self._workspace, self._evaluation, self._run = workspace, evaluation, evaluation.run_id
        self._balanced, self._sizes = balanced, {side: sizes(evaluation.counted, side) for side in SIDES}
        new = Session(seed=random.SystemRandom().randrange(2**32), begun=datetime.now(UTC))
        seed = workspace.studio.update(TABLE, self._run, Session, lambda known: known or new).seed
        counted = evaluation.counted
        drawn = draw_pairs(counted, seed) if pairs else draw_replies(counted, seed, balanced)
        self._items = {_id(seed, pairs, one): one for one in drawn}
        self._answered = self._stored()
        self._skipped: list[str] = []
        self.wanted = min(wanted, len(self._items))

    @property
    def done(self) -> int:
        return len(self._answered)

    def next_item(self) -> Item | None:
        """The one to answer now, the same until it is answered or skipped; None where enough, or all, is done."""
        if self.done >= self.wanted:
            return None
        return next(iter(self.items(1)), None)

    def items(self, most: int) -> Iterator[Item]:
        """Up to ``most`` of those that nobody answered, in their order; those that were skipped come last."""
        open_ones = [one for one in self._items if one not in self._answered]
        ordered = [one for one in open_ones if one not in self._skipped] + [o for o in self._skipped if o in open_ones]
        for name in ordered[:most]:
            drawn = self._items[name]
            sides = drawn.shown if self.pairs else (drawn.side,)
            replies = tuple(drawn.row.of(side).reply for side in sides)
            yield Item(id=name, messages=drawn.row.probe.messages, replies=replies)

    def answer(self, item_id: str, labels: Mapping[str, int], boundary: str | None = None) -> None:
        """Label one reply. Raises UserError where the item, a trait, a score or the boundary is unknown."""
        row, side = self._known(item_id)
        if boundary is not None and boundary not in {one.id for one in self.boundaries}:
            raise UserError(f"no such boundary: {boundary}", remedy=", ".join(one.id for one in self.boundaries))
        if unknown := next((name for name in labels if name not in self._evaluation.traits), None):
            raise UserError(f"no such trait: {unknown}", remedy=", ".join(self._evaluation.traits))
        if not labels and boundary is None:
            raise UserError("expected the score of a trait, or a boundary", where=item_id)
        stratum = stratum_of(row.of(side).judgement)
        draw = LabelDraw(stratum=stratum, size=self._sizes[side][stratum], balanced=self._balanced)
        given = {"labels": dict(labels), "boundary": boundary, "draw": draw, "by": self.by, "at": datetime.now(UTC)}
        of = {"run_id": self._run, "probe_id": row.probe.id, "side": side, "digest": reply_digest(row, side)}
        try:
            label = RunLabel.model_validate(of | given)
        except ValidationError:
            raise UserError("expected 0, 1 or 2 for each trait", where=item_id) from None
        self._workspace.labels.add(label)
        self._answered.add(item_id)

    def prefer(self, item_id: str, choice: Choice) -> None:
        """Vote on one pair. Raises UserError where the item is unknown."""
        drawn = self._known(item_id)
        left, right = drawn.shown
        self._workspace.labels.vote(
            PairVote(
                run_id=self._run,
                probe_id=drawn.row.probe.id,
                digest=pair_digest(drawn.row),
                winner={"left": left, "right": right, "tie": "tie"}[choice],
                by=self.by,
                at=datetime.now(UTC),
            )
        )
        self._answered.add(item_id)

    def skip(self, item_id: str) -> None:
        """Leave one for the end of this sitting."""
        self._skipped = [one for one in self._skipped if one != item_id] + [item_id]

    def undo(self) -> bool:
        """Take back this person's newest answer, which comes next again; whether there was one."""
        store = self._workspace.labels
        undone = store.undo_vote(self._run, self.by) if self.pairs else store.undo(self._run, self.by)
        before, self._answered = self._answered, self._stored()
        self._skipped = [one for one in self._skipped if one not in before - self._answered]
        return undone is not None

    def finish(self) -> Evaluation:
        """The evaluation by all answers that there are now, kept."""
        return restated(self._workspace, self._evaluation)

    def _known(self, item_id: str) -> Drawn:
        if item_id not in self._items:
            raise UserError(f"no such item: {item_id}", remedy="it is of another run, or another sitting's export")
        return self._items[item_id]

    def _stored(self) -> set[str]:
        store = self._workspace.labels
        if self.pairs:
            votes = {vote.digest for vote in store.votes_of_run(self._run)}
            return {name for name, one in self._items.items() if pair_digest(one.row) in votes}
        labels = {(label.digest, label.side) for label in store.of_run(self._run)}
        return {name for name, one in self._items.items() if (reply_digest(one.row, one.side), one.side) in labels}


def _id(seed: int, pairs: bool, one: Drawn) -> str:
    named = f"{seed}|{'pair' if pairs else one.side}|{one.row.probe.id}"
    return hashlib.sha256(named.encode()).hexdigest()[:12]


def draw_replies(results: Sequence[ProbeResult], seed: int, balanced: bool = False) -> list[Drawn]:
    """Every reply of both sides: five of the tuned side to one of the base, until one is used up."""
    draw = random.Random(seed)
    scored: dict[Side, list[tuple[float, Drawn]]] = {"tuned": [], "base": []}
    for row in results:
        for side, drawn in scored.items():
            if row.of(side).error is None:
                drawn.append((row.of(side).judgement.total or 0.0, Drawn(row, side)))
    tuned, base = ((_balanced if balanced else _stratified)(drawn, draw) for drawn in scored.values())
    found: list[Drawn] = []
    while tuned and base:
        block = [*tuned[: BLOCK - 1], base[0]]
        draw.shuffle(block)
        found += block
        del tuned[: BLOCK - 1], base[0]
    return [*found, *tuned, *base]


def draw_pairs(results: Sequence[ProbeResult], seed: int) -> list[Drawn]:
    """Every pair, stratified by how far the judge's scores are apart."""
    draw = random.Random(seed)
    found = []
    for row in results:
        if row.base_error is None and row.tuned_error is None:
            apart = (row.tuned_judgement.total or 0.0) - (row.base_judgement.total or 0.0)
            found.append((apart, Drawn(row, draw.choice(SIDES))))
    return _stratified(found, draw)


def _balanced(scored: Sequence[tuple[float, Drawn]], draw: random.Random) -> list[Drawn]:
    """Rare strata more often; within one as :func:`_stratified`."""
    strata: dict[int, list[tuple[float, Drawn]]] = {}
    for score, one in scored:
        strata.setdefault(stratum_of(one.row.of(one.side).judgement), []).append((score, one))
    return balance({name: _stratified(some, draw) for name, some in strata.items()}, draw)


def _stratified(scored: Sequence[tuple[float, Drawn]], draw: random.Random) -> list[Drawn]:
    """In an order of which any beginning is spread over the scores, and takes each with the same chance.

    The places of the van der Corput sequence (the binary digits of each number, mirrored at the point: 0, 1/2, 1/4,
    3/4, 1/8, ...) in the list by score, turned by a random part of the whole.
    """
    ranked = sorted(((score, draw.random(), one) for score, one in scored), key=lambda entry: entry[:2])
    turn, size, places = draw.random(), len(ranked), dict[int, None]()
    number = 0
    while len(places) < size:
        mirrored = int(f"{number:b}"[::-1], 2) / 2 ** number.bit_length()
        places.setdefault(int(size * ((mirrored + turn) % 1.0)))
        number += 1
    return [ranked[place][2] for place in places]
