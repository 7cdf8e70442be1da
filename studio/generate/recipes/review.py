"""A person's review of a sample: whether what a recipe made is valid, and the share of all that can be expected to be.

What recipes make are no examples of the persona: it counts towards no target and goes into no training file. So they
are reviewed here, over documents, and not in triage.
"""

from __future__ import annotations

import hashlib
import math
from datetime import UTC, datetime
from typing import Literal

from studio.chatml import Frozen, Unicode
from studio.generate.recipes.made import RecipeMade, RecipeRun, made_by
from studio.proportion import wilson
from studio.store import Documents

SHARE, LEAST = 0.05, 5
"""The part of what was made that is put before a person, and the least number."""
ValidityVote = Literal["valid", "invalid"]
REASONS = {"w": "wrong", "u": "unclear", "p": "not this person's", "t": "trivial", "o": ""}
"""Why something is not valid, by the key that says so; empty for any other."""


class Verdict(Frozen):
    """What a person says of one that was made."""

    id: str
    verdict: ValidityVote
    reason: Unicode = ""
    by: Unicode = ""
    at: datetime


class Validity(Frozen):
    """``share`` of ``reviewed`` were valid, with Wilson's 95 % interval; None where nothing was reviewed."""

    reviewed: int
    valid: int
    wanted: int
    """The size of the sample."""
    share: float | None = None
    low: float | None = None
    high: float | None = None


class Review:
    """The sample of a run, and what was said of it. It is drawn by the hashes of ids; what was reviewed once stays in
    it while more is made."""

    def __init__(self, documents: Documents, run: RecipeRun, *, share: float = SHARE, least: int = LEAST) -> None:
        self._documents, self._kind = documents, f"{run.kind} review"
        self._made = {one.id: one for one in made_by(documents, run)}
        said = documents.readable(self._kind, Verdict)
        self._said = {one.id: one for one in said if one.id in self._made}
        self.wanted = min(len(self._made), max(least, math.ceil(share * len(self._made))))
        drawn = sorted(self._made, key=lambda id: hashlib.sha256(f"review {id}".encode()).digest())
        more = max(0, self.wanted - len(self._said))
        self._left = [id for id in drawn if id not in self._said][:more]
        self._skipped: set[str] = set()
        self._order: list[str] = []
        """What was said in this sitting, so that it can be taken back."""

    @property
    def done(self) -> int:
        return len(self._said)

    def has(self, id: str) -> bool:
        """Whether the run has made it."""
        return id in self._made

    def next(self) -> RecipeMade | None:
        """The next one to look at; None where the sample is done, or what is left of it was skipped."""
        id = next((id for id in self._left if id not in self._said and id not in self._skipped), None)
        return None if id is None else self._made[id]

    def say(self, id: str, verdict: ValidityVote, *, reason: str = "", by: str = "") -> None:
        """Keep a verdict, in the place of an earlier one."""
        said = Verdict(id=id, verdict=verdict, reason=reason, by=by, at=datetime.now(UTC))
        self._documents.put(self._kind, id, said)
        self._said[id] = said
        self._order.append(id)

    def skip(self, id: str) -> None:
        """Leave one out of this sitting."""
        self._skipped.add(id)

    def undo(self) -> bool:
        """Take back the verdict before, of this sitting; whether there was one."""
        if not self._order:
            return False
        id = self._order.pop()
        self._documents.remove(self._kind, id)
        del self._said[id]
        self._left = [id, *(one for one in self._left if one != id)]
        return True

    @property
    def validity(self) -> Validity:
        valid, n = sum(one.verdict == "valid" for one in self._said.values()), len(self._said)
        if not n:
            return Validity(reviewed=0, valid=0, wanted=self.wanted)
        low, high = wilson(valid, n)
        return Validity(reviewed=n, valid=valid, wanted=self.wanted, share=valid / n, low=low, high=high)
