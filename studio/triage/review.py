"""Sample review: a person looks at a stratified sample of what will be trained on, checklist in hand; how many errors
the whole has is estimated from it (:mod:`studio.triage.error_rate`).

A sample is drawn by category from what is accepted, and frozen: what it says is of the dataset as it was then, also
where its failures were rejected since. Each review is on the disk before the next example is shown. One that failed
flags its example (:attr:`studio.store.Filter.flagged`). A review is a label: whether a reply passes, next to what the
judge said of it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

from studio.chatml import Frozen, digest
from studio.errors import UserError
from studio.judge.agreement import PassAgreement, Rated, pass_agreement
from studio.spec import LoadedSpec
from studio.store import Filter, Row, Workspace
from studio.store.records import REVIEWS, Review
from studio.triage.checklist import SLUGS
from studio.triage.error_rate import LIMIT, ErrorRate, Stratum, allocate, error_rate, sample_size

SAMPLES, SAMPLE = "samples", "review"


class Part(Frozen):
    """A category's accepted examples, in the order in which they are drawn; the first ``drawn`` are the sample's."""

    category: str
    ids: tuple[str, ...]
    drawn: int


class Sample(Frozen):
    """``number`` counts the draws of a workspace, and seeds the order: each draw is a new one."""

    number: int = 0
    spec_hash: str = ""
    parts: tuple[Part, ...] = ()
    at: datetime

    @property
    def size(self) -> int:
        """Examples that it was drawn from."""
        return sum(len(part.ids) for part in self.parts)

    @property
    def ids(self) -> tuple[str, ...]:
        """Of the sample, so ordered that every beginning of it has categories in their proportion."""
        placed = [
            ((rank + 0.5) / part.drawn, id_) for part in self.parts for rank, id_ in enumerate(part.ids[: part.drawn])
        ]
        return tuple(id_ for _, id_ in sorted(placed))


class ReviewStatus(Frozen):
    """Where a review stands. ``rate`` is None until each category was looked at."""

    done: int
    wanted: int
    size: int
    failed: dict[str, int]
    """By check, of those looked at, as often as it failed."""
    rate: ErrorRate | None
    agreement: PassAgreement | None
    """Of the judge's verdicts with the reviews. Only what was accepted is reviewed: it tells how far the judge's passes
    can be trusted, and nothing of what it rejects. None where the judge gave no verdict on any."""
    changed: int
    """Examples accepted since the draw, or no longer accepted though they did not fail: it is not of these."""

    @property
    def text(self) -> str:
        """The verdict in words, with what to do."""
        if not self.size:
            return "nothing is accepted yet: there is nothing to review"
        if self.done < self.wanted or self.rate is None:
            return f"{self.done} of {self.wanted} reviewed"
        told = f"estimated error rate {self.rate.text} of {self.size}, {self.done} reviewed: "
        limit = f"{100 * self.rate.limit:g} %"
        if self.rate.verdict == "good":
            return f"{told}good enough, at most {limit}"
        if self.rate.verdict == "bad":
            return f"{told}not good enough, more than {limit}"
        return f"{told}undecided at {limit}; look at {self.rate.more} more"


class SampleReview:
    """One workspace's review. Every answer is durable when its method returns; not for several threads at once."""

    def __init__(
        self, workspace: Workspace, loaded: LoadedSpec, *, by: str = "", limit: float = LIMIT, anew: bool = False
    ) -> None:
        """Goes on with the sample that was drawn; draws one where there is none of this spec, or with ``anew``. Where
        the workspace cannot be written the draw is only remembered."""
        self._workspace, self._loaded, self._by, self._limit = workspace, loaded, by, limit
        self._skipped: list[str] = []
        self._drift: tuple[int, frozenset[str]] | None = None
        """How many were accepted since the draw, and which are no longer."""
        there = workspace.documents.get(SAMPLES, SAMPLE, Sample)
        if there is None or anew or there.spec_hash != loaded.hash or not there.size:
            there = self._draw(there)
        self._sample = there
        self._reviews = {one.example_id: one for one in workspace.documents.readable(REVIEWS, Review)}
        self._digests = self._read_digests()

    @property
    def sample(self) -> Sample:
        return self._sample

    @property
    def wanted(self) -> int:
        return sum(part.drawn for part in self._sample.parts)

    @property
    def done(self) -> int:
        return sum(self._review_of(id_) is not None for id_ in self._sample.ids)

    def next_item(self) -> Row | None:
        """The first without a review; what was skipped comes last. None where all are reviewed."""
        left = [id_ for id_ in self._sample.ids if self._review_of(id_) is None]
        left.sort(key=lambda id_: self._skipped.index(id_) if id_ in self._skipped else -1)
        return self._workspace.examples.row(left[0]) if left else None

    def answer(self, row: Row, failed: Iterable[str] = ()) -> Review:
        """Keep a review of ``row`` as it stands: the slugs of the checks that it fails; it passes where there are none.

        Raises UserError where one is no check, or the example is not of the sample.
        """
        chosen = [slug for slug in SLUGS if slug in (asked := set(failed))]
        if unknown := next((slug for slug in asked if slug not in SLUGS), None):
            raise UserError(f"no such check: {unknown}", remedy=f"one of {', '.join(SLUGS)}")
        id_ = row.example.id
        if id_ not in self._sample.ids:
            raise UserError(f"{id_} is not in the sample", remedy="studio triage review --list shows what is")
        judged = row.judgement if row.judged else None
        verdict = judged.verdict if judged and judged.verdict in ("passed", "failed") else None
        review = Review(
            example_id=id_,
            digest=digest(row.messages),
            failed=tuple(chosen),
            judge=judged.judge if judged and verdict else "",
            judge_passed=None if verdict is None else verdict == "passed",
            by=self._by,
            at=datetime.now(UTC),
        )
        self._keep(review)
        self._digests[id_] = review.digest
        return review

    def skip(self, row: Row) -> None:
        """Leave it for the end."""
        if row.example.id in self._skipped:
            self._skipped.remove(row.example.id)
        self._skipped.append(row.example.id)

    def undo(self) -> Row | None:
        """Take back the newest review of the sample; its example, None where there is none."""
        given = [one for id_ in self._sample.ids if (one := self._review_of(id_)) is not None]
        if not given:
            return None
        newest = max(given, key=lambda one: one.at)
        self._workspace.documents.remove(REVIEWS, newest.example_id)
        del self._reviews[newest.example_id]
        self._workspace.examples.refresh([newest.example_id])
        return self._workspace.examples.row(newest.example_id)

    def look_at_more(self, count: int) -> None:
        """Draw so many more from what the sample was drawn from."""
        drawn = allocate([len(part.ids) for part in self._sample.parts], min(self.wanted + count, self._sample.size))
        parts = [
            part.model_copy(update={"drawn": max(part.drawn, wanted)})
            for part, wanted in zip(self._sample.parts, drawn, strict=True)
        ]
        self._sample = self._sample.model_copy(update={"parts": tuple(parts)})
        self._workspace.documents.put(SAMPLES, SAMPLE, self._sample)
        self._digests = self._read_digests()

    def rows(self) -> list[tuple[Row, Review | None]]:
        """The sample in its order, each with its review."""
        rows = self._workspace.examples.rows_of(self._sample.ids)
        return [(row, self._review_of(id_)) for id_, row in rows.items() if row is not None]

    def status(self) -> ReviewStatus:
        given = {id_: one for id_ in self._sample.ids if (one := self._review_of(id_)) is not None}
        strata = [
            Stratum(len(part.ids), len(seen), sum(bool(one.failed) for one in seen))
            for part in self._sample.parts
            for seen in [[given[id_] for id_ in part.ids[: part.drawn] if id_ in given]]
        ]
        both = [
            Rated(int(not one.failed), int(one.judge_passed), one.example_id)
            for one in given.values()
            if one.judge_passed is not None
        ]
        counts = Counter(slug for one in given.values() for slug in one.failed)
        return ReviewStatus(
            done=len(given),
            wanted=self.wanted,
            size=self._sample.size,
            failed={slug: counts[slug] for slug in SLUGS if counts[slug]},
            rate=error_rate(strata, self._limit),
            agreement=pass_agreement(both) if both else None,
            changed=self._changed(given, again=len(given) >= self.wanted),
        )

    def _changed(self, given: dict[str, Review], *, again: bool) -> int:
        """Looked at when the review is opened, and ``again`` once it is done: 100 ms at 10,000 examples."""
        if self._drift is None or again:
            drawn_from = {id_ for part in self._sample.parts for id_ in part.ids}
            now = {id_ for ids in self._accepted().values() for id_ in ids}
            self._drift = len(now - drawn_from), frozenset(drawn_from - now)
        came, went = self._drift
        return came + len(went - {id_ for id_, one in given.items() if one.failed})

    def _accepted(self) -> dict[str, list[str]]:
        """Ids of what will be trained on, by category."""
        store, found = self._workspace.examples, dict[str, list[str]]()
        for count in store.counts(self._loaded.hash):
            wanted = Filter(status="accepted", category=count.category, spec_hash=self._loaded.hash)
            if ids := store.list_ids(wanted):
                found[count.category] = ids
        return found

    def _draw(self, before: Sample | None) -> Sample:
        number = before.number + 1 if before else 0
        accepted = self._accepted()

        def place(id_: str) -> bytes:
            return hashlib.sha256(f"{number}:{id_}".encode()).digest()

        drawn = allocate([len(ids) for ids in accepted.values()], sample_size(sum(map(len, accepted.values()))))
        parts = [
            Part(category=category, ids=tuple(sorted(ids, key=place)), drawn=count)
            for (category, ids), count in zip(accepted.items(), drawn, strict=True)
        ]
        sample = Sample(number=number, spec_hash=self._loaded.hash, parts=tuple(parts), at=datetime.now(UTC))
        if sample.size and not self._workspace.read_only:
            self._workspace.documents.put(SAMPLES, SAMPLE, sample)
        return sample

    def _read_digests(self) -> dict[str, str]:
        found = self._workspace.examples.conversations(Filter(ids=self._sample.ids)) if self._sample.parts else ()
        return {id_: digest(messages) for id_, messages in found}

    def _review_of(self, id_: str) -> Review | None:
        """Of the text as it stands; or of one that failed since the draw, whatever was made of it: it was wrong."""
        one = self._reviews.get(id_)
        if one is None or one.digest == self._digests.get(id_):
            return one
        return one if one.failed and one.at >= self._sample.at else None

    def _keep(self, review: Review) -> None:
        self._workspace.documents.put(REVIEWS, review.example_id, review)
        self._reviews[review.example_id] = review
        self._workspace.examples.refresh([review.example_id])


def review_progress(workspace: Workspace) -> tuple[int, int]:
    """How many of the sample were reviewed, and how many it has; (0, 0) before it was drawn. Only reads."""
    sample = workspace.documents.get(SAMPLES, SAMPLE, Sample)
    if sample is None:
        return 0, 0
    reviewed = set(workspace.documents.ids(REVIEWS))
    return len(reviewed.intersection(sample.ids)), len(sample.ids)
