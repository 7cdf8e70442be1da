"""Relations (Persona Hub's persona-to-persona): people close to those who are there, hop by hop, up to six.

Code draws the relation, the gap in age and the job; the model writes the person. Breadth first: every parent has one
child before any has two, and never two of the same kind. Each hop is compared with the roots and with the first hop,
and where diversity falls it stops.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Literal

from ruamel.yaml import YAML

from studio.bank.answer import PersonAnswer, given, not_like
from studio.bank.components import components
from studio.bank.compose import compose
from studio.bank.diversity import WORDS, band, divergence, measures
from studio.bank.journal import Attempt
from studio.bank.person import OLDEST, YOUNGEST, Person, person_id, person_text
from studio.bank.pipeline import Plan
from studio.bank.quality import Removal
from studio.bank.types import HopFinished
from studio.chatml import Frozen
from studio.embed import Embedder
from studio.spec.describe import block, joined
from studio.store.records import Method

MOST_HOPS = 6
MEASURED = 100
"""People of a hop that its diversity is measured by, at most."""
FALLEN = 0.8
"""A hop whose Vendi score is below so much of the first hop's is the last one."""
_CARDS, _NEAR = 1000, 12
_SEEDS = 2_000_000_000
_TRIES = 2
"""Attempts at one child: the second one is shown its twin."""
_WITHOUT_WORK = ("retired", "student", "unemployed", "out of work", "full-time parent", "full-time carer", "homemaker")
_DRAWS, _LAST = 20, 68


class Kind(Frozen):
    kind: str
    says: str
    gaps: tuple[int, ...]
    spread: int
    job: Literal["any", "same"] | tuple[str, ...]
    needs: Literal["", "work"] | tuple[str, ...] = ""
    bars: tuple[str, ...] = ()

    def fits(self, parent: Person) -> bool:
        job = _job(parent).lower()
        if self.needs == "":
            return True
        if not job or any(word in job for word in (*_WITHOUT_WORK, *self.bars)):
            return False
        return self.needs == "work" or any(word in job for word in self.needs)


class RelationsPlan(Plan):
    """``hops`` hops from ``roots``, at most ``budget`` people each."""

    method: Method = "relations"
    schema = PersonAnswer

    def __init__(self, roots: Sequence[Person], hops: int, budget: int, seed: int, embedder: Embedder) -> None:
        self.wanted = hops * budget
        self.note = ""
        self.told: list[HopFinished] = []
        self._seed, self._hops, self._budget, self._embedder = seed, hops, budget, embedder
        self._of: defaultdict[int, list[Person]] = defaultdict(list, {0: list(roots)})
        self._known = {person.id: person for person in roots}
        self._used: set[tuple[str, str, int]] = set()
        self._under_way: Counter[int] = Counter()
        self._again: deque[Attempt] = deque()
        self._hop = 1
        self._slots = self._children(1)

    def next(self) -> Attempt | None:
        while self._hop <= self._hops:
            if self._again:
                again = self._again.popleft()
                self._count(again)
                return again
            if len(self._of[self._hop]) + self._under_way[self._hop] < self._budget:
                slot = next(self._slots, None)
                if slot is not None:
                    attempt = self._attempt(*slot, hop=self._hop)
                    self._count(attempt)
                    return attempt
            if self._under_way[self._hop]:
                return None
            if not self._goes_on():
                return None
        return None

    def began(self, attempt: Attempt) -> None:
        self._count(attempt)

    def settled(self, attempt: Attempt, person: Person | None, removal: Removal | None) -> None:
        hop = attempt.drawn.hop
        self._under_way[hop] -= 1
        if person is not None:
            self._of[hop].append(person)
            self._known[person.id] = person
        parent = self._known.get(attempt.drawn.parents[0])
        tries = attempt.tries + 1
        if removal is None or parent is None or tries >= _TRIES:
            return
        if (parent.id, attempt.drawn.relation, tries) not in self._used:
            kind = next(kind for kind in kinds() if kind.kind == attempt.drawn.relation)
            self._again.append(self._attempt(parent, kind, hop=hop, tries=tries, twin=self._known.get(removal.twin)))

    def end(self) -> None:
        if self._hop <= self._hops and len(self._of[self._hop]) >= self._budget:
            self._goes_on()

    # --- whom to ask for

    def _count(self, attempt: Attempt) -> None:
        self._used.add((attempt.drawn.parents[0], attempt.drawn.relation, attempt.tries))
        self._under_way[attempt.drawn.hop] += 1

    def _children(self, hop: int) -> Iterator[tuple[Person, Kind]]:
        """Parent and kind, one child a parent in each round."""
        parents = list(self._of[hop - 1])
        own = {
            parent.id: random.Random(f"{self._seed} {parent.id}").sample(fitting, len(fitting))
            for parent in parents
            if (fitting := [kind for kind in kinds() if kind.fits(parent)])
        }
        for place in range(len(kinds())):
            for parent in parents:
                of = own.get(parent.id, [])
                if place < len(of) and (parent.id, of[place].kind, 0) not in self._used:
                    yield parent, of[place]

    def _attempt(self, parent: Person, kind: Kind, *, hop: int, tries: int = 0, twin: Person | None = None) -> Attempt:
        id = person_id("relations", str(self._seed), parent.id, kind.kind, str(tries))
        age, job = draw(parent, kind, random.Random(id), cards(self._seed))
        drawn = Person(
            id=id,
            source="bank",
            method="relations",
            age=age,
            profession=job,
            seed=self._seed,
            parents=(parent.id,),
            root=parent.root or parent.id,
            relation=kind.kind,
            hop=hop,
        )
        prompt = joined(
            [
                f"Somebody who is there already:\n{block('person', person_text(parent))}",
                f"Write another person, who {kind.says}. Write them for themselves: their own life, worries and way of "
                "typing. The other one may come up in the background at most once, by what they are and not by name.",
                given(drawn),
                not_like([twin] if twin is not None else []),
            ]
        )
        return Attempt(
            drawn=drawn, prompt=prompt, slot=f"{parent.id} {kind.kind}", tries=tries, references=(parent.id,)
        )

    # --- from hop to hop

    def _goes_on(self) -> bool:
        """Tell of the hop that is done; whether there is another one."""
        found = self._compared(self._hop)
        if found is None:
            self.note = f"hop {self._hop} has nobody: no relation is left, or nobody was taken"
            self._hop = self._hops + 1
            return False
        self.told.append(found)
        if self._hop > 1 and found.vendi < FALLEN * found.first_vendi:
            self.note = (
                f"stopped after hop {self._hop}: its Vendi score fell to {found.vendi:.1f}, "
                f"from {found.first_vendi:.1f} of the first hop ({found.n} people each)"
            )
            self._hop = self._hops + 1
            return False
        self._hop += 1
        self._slots = self._children(self._hop)
        return True

    def _compared(self, hop: int) -> HopFinished | None:
        people, roots = self._of[hop], self._of[0]
        if not people:
            return None
        n = min(MEASURED, len(people), len(self._of[1]))
        own, first = (measures(of, self._embedder, n, WORDS) for of in (people, self._of[1]))
        ages = [[band(one.age) for one in of if one.age is not None] for of in (roots, people)]
        jobs = [[_job(one) for one in of if _job(one)] for of in (roots, people)]
        return HopFinished(
            hop=hop,
            people=len(people),
            n=n,
            vendi=own.vendi,
            nearest_distance=own.nearest_distance,
            first_vendi=first.vendi,
            age_divergence=divergence(*ages),
            job_divergence=divergence(*jobs),
        )


def draw(parent: Person, kind: Kind, rng: random.Random, pool: Sequence[Person]) -> tuple[int, str]:
    """Age and job of a child: the gap by the law of the relation, the job from somebody composed of about that age."""
    same = kind.job == "same"
    youngest, oldest = _ages(_job(parent)) if same else (YOUNGEST, OLDEST)
    base = parent.age if parent.age is not None else rng.randint(25, 60)
    drawn = (round(rng.gauss(base + rng.choice(kind.gaps), kind.spread)) for _ in range(_DRAWS))
    age = next((age for age in drawn if youngest <= age <= oldest), min(oldest, max(youngest, base)))
    if same:
        return age, _job(parent)
    wanted = kind.job if isinstance(kind.job, tuple) else ("",)
    fitting = [card for card in pool if any(word in _job(card).lower() for word in wanted)] or list(pool)
    near = sorted(fitting, key=lambda card: (abs((card.age or age) - age), card.id))[:_NEAR]
    card = rng.choice(near)
    return (card.age if card.age is not None else age), _job(card)


def _ages(job: str) -> tuple[int, int]:
    """The ages at which people are in a job; of one that the components do not know, those of working life."""
    known = {work.job: (work.youngest, min(work.oldest, _LAST)) for work in components().professions}
    return known.get(job.lower(), (YOUNGEST, _LAST))


@cache
def cards(seed: int) -> tuple[Person, ...]:
    """People composed by code, whose jobs fit their ages."""
    return tuple(compose(_SEEDS + seed, number) for number in range(_CARDS))


@cache
def kinds() -> tuple[Kind, ...]:
    text = (files("studio.bank.components") / "relations.yaml").read_text(encoding="utf-8")
    return tuple(Kind.model_validate(one) for one in YAML(typ="safe").load(text))


def _job(person: Person) -> str:
    return person.profession or person.role
