"""Composing people from weighted components, without a model: coherent, and the same ones for the same seed and index.

Work is drawn by US employment and age from the work's own distribution; family follows age; then come a context and a
pastime that fit all of it. What is said of somebody follows from one life, so that no two things can contradict.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import blake2b
from itertools import accumulate
from random import Random
from typing import Literal, TypeVar

from studio.bank.components import BANDS, Clause, Components, Place, Shape, Work, components, wordings
from studio.bank.naming import name_of, username_of
from studio.bank.person import BACKGROUND, STYLE, Person, person_id

STANDINGS = (("working", 0.86), ("retired", 0.07), ("student", 0.035), ("jobless", 0.02), ("home", 0.015))
"""Shares of what people do by day, our judgement; among the retired and students only where the age is theirs."""
ABROAD = 0.09
"""How many live elsewhere than where they grew up."""
_PARTNERS = (
    (24, (0.18, 0.05, 0.0, 0.0)),
    (34, (0.22, 0.38, 0.05, 0.003)),
    (44, (0.12, 0.55, 0.13, 0.01)),
    (54, (0.08, 0.58, 0.18, 0.02)),
    (64, (0.05, 0.58, 0.18, 0.07)),
    (75, (0.04, 0.54, 0.15, 0.18)),
)
"""Up to an age: unmarried partner, married, divorced, widowed; the rest is single. Our judgement."""
_PARENTS = {"single": 0.15, "unmarried": 0.4, "married": 0.8, "divorced": 0.72, "widowed": 0.8}
"""How many have children, once they are 35; fewer before."""
_PRONOUNS = {"women": ("her", "her"), "men": ("his", "him"), "": ("their", "them")}
_LASTING = {"alcohol", "flour"}
"""Tags of work that are true of somebody who no longer does it."""
_TRIES = 60
_OPTIONS = re.compile(r"\[([^]]+)\]")
"""``[one|other]`` in a clause: one of them is said."""
_JOINED = re.compile(r"\{(\w)\} and \{(\w)\}")
Item = TypeVar("Item")
Kind = Literal["contexts", "pastimes"]


@dataclass(frozen=True)
class Life:
    """Somebody before they are put into words: everything that must fit together."""

    age: int
    sex: str
    """``women``, ``men`` or empty: whose names and pronouns they have."""
    standing: str
    work: Work
    """What they do, or did."""
    does: str
    """What the work looks like; of others than workers and students, what became of it."""
    words: frozenset[str]
    """All that is true of them, in the words of contexts.csv."""
    roots: Place
    home: Place
    city: str
    years: int
    """In this work, so far or in all."""
    context: Clause
    pastime: Clause
    local: Clause | None
    """What goes with the place; None where nothing does."""
    traits: tuple[str, ...]

    @property
    def job(self) -> str:
        if self.standing == "retired":
            return f"retired {self.work.job}"
        if self.standing == "jobless":
            return f"{self.work.job} out of work"
        if self.standing == "home":
            return "full-time parent" if "parent at home" in self.words else "full-time carer"
        return self.work.job


def compose(seed: int, index: int) -> Person:
    """The person with this number. Depends on ``seed``, ``index`` and the shipped lists alone."""
    rng = Random(f"compose {seed} {index}")
    life = draw(rng)
    first, last = name_of(rng, life.roots, life.sex, life.age)
    told = _background(rng, life, first)
    name, city = f"{first} {last}", f"{life.city}, {life.home.place}"
    style = _style(rng, life)
    return Person(
        id=person_id("bank", "compose", name, str(life.age), city, told, style, *life.traits),
        source="bank",
        name=name,
        username=username_of(rng, first, last) if rng.random() < 0.6 else None,
        age=life.age,
        traits=life.traits,
        background=told,
        chatting_style=style,
        profession=life.job,
        place=city,
        language=life.roots.language,
        method="compose",
        seed=seed,
    )


def people(n: int, seed: int = 0) -> Iterator[Person]:
    """``n`` people of whom no two have the same background; a longer run begins with the shorter one.

    Raises :class:`ValueError` where the lists hold no more: a thousand in a row were there already.
    """
    seen: set[bytes] = set()
    index = missed = 0
    while len(seen) < n:
        person = compose(seed, index)
        index += 1
        key = blake2b(person.background.encode(), digest_size=8).digest()
        if key in seen:
            missed += 1
            if missed >= 1000:
                raise ValueError(f"the components make no more than {len(seen)} different people")
            continue
        seen.add(key)
        missed = 0
        yield person


def draw(rng: Random) -> Life:
    """A life in which age, work, family, place, context and pastime fit each other."""
    parts = components()
    standing = _weighted(rng, STANDINGS, lambda one: one[1])[0]
    work, age = _work(rng, parts, standing)
    sex = _weighted(rng, (("women", 0.49), ("men", 0.49), ("", 0.02)), lambda one: one[1])[0]
    family = _family(rng, age)
    if standing == "home":
        young = bool(family & {"baby", "small", "school"})
        if age < 25 and not young:
            standing = "working"
        elif young:
            family |= {"parent at home"}
    roots, home = _roots(rng, parts)
    words = family | (work.tags if standing in ("working", "student") else work.tags & _LASTING) | {standing}
    if roots.place != home.place:
        words |= {"abroad"} if roots.language == home.language else {"abroad", "tongue"}
    if standing == "working" and work.youngest <= 19:
        words |= {"entry"}
    years = _years(rng, work, age, standing)
    does = _weighted(rng, work.does, lambda one: wordings(one) ** 0.5)
    if standing in ("working", "student"):
        if does.startswith("*"):
            does, words = does[1:], words | {"night"}
    else:
        kind = standing if standing != "home" else f"home {'parent' if 'parent at home' in words else 'carer'}"
        does = (
            _weighted(rng, parts.nonworking[kind], lambda one: wordings(one) ** 0.5)
            .replace("{a_job}", _article(work.job))
            .replace("{years}", str(years))
        )
    context = _fitting(rng, "contexts", age, words)
    words |= context.adds
    pastime = _fitting(rng, "pastimes", age, words)
    traits = _traits(rng, parts.traits)
    city = rng.choice(home.cities)
    known = [one for one in parts.locals[home.place] if one.fits(age, words)]
    local = rng.choice(known) if known else None
    return Life(age, sex, standing, work, does, words, roots, home, city, years, context, pastime, local, traits)


def _fitting(rng: Random, kind: Kind, age: int, words: frozenset[str]) -> Clause:
    """One of those that fit, by their weights."""
    found, sums = _that_fit(kind, age, words & _asked_of(kind))
    return found[bisect(sums, rng.random() * sums[-1])]


@cache
def _asked_of(kind: Kind) -> frozenset[str]:
    """Words of a life that decide which of them fit."""
    return frozenset().union(*(one.needs | one.bars for one in getattr(components(), kind)))


@lru_cache(16384)
def _that_fit(kind: Kind, age: int, words: frozenset[str]) -> tuple[list[Clause], list[float]]:
    """Those that fit, and the sums of their weights."""
    found = [one for one in getattr(components(), kind) if one.fits(age, words)]
    return found, list(accumulate(one.weight for one in found))


def _work(rng: Random, parts: Components, standing: str) -> tuple[Work, int]:
    """Work by how many do it, and an age at which it is done."""
    if standing == "student":
        study = _weighted(rng, parts.studies, lambda one: one.weight)
        return study, _age(rng, study)
    if standing == "retired":
        work = _weighted(rng, parts.professions, lambda one: one.weight * sum(one.ages[5:]) / sum(one.ages))
        return work, max(rng.randint(60, 75), rng.randint(60, 75))
    work = _weighted(rng, parts.professions, lambda one: one.weight)
    age = _age(rng, work)
    if standing in ("jobless", "home"):
        age = min(age, 64)
    return work, age


def _age(rng: Random, work: Work) -> int:
    first, last, _ = _weighted(rng, list(zip(BANDS, work.ages, strict=True)), lambda one: one[1])[0]
    first, last = max(first, work.youngest), min(last, work.oldest)
    if first >= 65:  # employment falls with every year
        return min(rng.randint(first, last), rng.randint(first, last))
    return rng.randint(first, last)


def _years(rng: Random, work: Work, age: int, standing: str) -> int:
    """Years in the work: none before it can be begun, and for the retired a working life of it."""
    begun = max(work.youngest, 18)
    if standing == "retired":
        left = rng.randint(56, min(age, 67))
        return max(10, left - rng.randint(begun, begun + 12))
    return rng.randint(0, max(0, min(age - begun, 40)))


def _family(rng: Random, age: int) -> frozenset[str]:
    chances = next(found for limit, found in _PARTNERS if age <= limit)
    partner = _weighted(
        rng,
        list(zip(("unmarried", "married", "divorced", "widowed", "single"), (*chances, 1 - sum(chances)), strict=True)),
        lambda one: one[1],
    )[0]
    words = {partner, "partner" if partner in ("unmarried", "married") else "alone"}
    chance = _PARENTS[partner] * min(1.0, max(0.1, (age - 19) / 16))
    if age < 21 or rng.random() >= chance:
        return frozenset(words | {"childless"})
    birth = int(rng.triangular(20, min(age, 42), min(age, 28)))
    children = [age - birth]
    for _ in range(_weighted(rng, ((0, 0.4), (1, 0.4), (2, 0.2)), lambda one: one[1])[0]):
        birth += rng.randint(2, 4)
        if birth <= min(age, 44):
            children.append(age - birth)
    words.add("parent")
    for old in children:
        words.add(
            "baby" if old < 2 else "small" if old < 6 else "school" if old < 13 else "teen" if old < 18 else "grown"
        )
    if children[0] >= 26 and rng.random() < (children[0] - 24) / 14:
        words.add("grandparent")
    return frozenset(words)


def _roots(rng: Random, parts: Components) -> tuple[Place, Place]:
    """Where somebody grew up, which gives the name and the language, and where they live."""
    roots = _weighted(rng, parts.places, lambda one: one.weight)
    return roots, _weighted(rng, parts.places, lambda one: one.weight) if rng.random() < ABROAD else roots


def _traits(rng: Random, against: dict[str, frozenset[str]]) -> tuple[str, ...]:
    wanted = _weighted(rng, ((3, 0.35), (4, 0.4), (5, 0.25)), lambda one: one[1])[0]
    found: list[str] = []
    names = tuple(against)
    while len(found) < wanted:
        trait = rng.choice(names)
        if trait not in found and not against[trait].intersection(found):
            found.append(trait)
    return tuple(found)


def _style(rng: Random, life: Life) -> str:
    """One or two quirks, of different axes."""
    traits, foreign = frozenset(life.traits), "tongue" in life.words
    fitting = [
        one
        for one in components().quirks
        if one.youngest <= life.age <= one.oldest and not one.bars & traits and (foreign or "tongue" not in one.axes)
    ]
    first = rng.choice(fitting)
    if rng.random() < 0.25:
        return first.says
    others = [one for one in fitting if not one.axes & first.axes and len(first.says) + len(one.says) + 2 <= STYLE]
    return f"{first.says}, {rng.choice(others).says}"


def _background(rng: Random, life: Life, first: str) -> str:
    """The life in one or two sentences."""
    their, them = _PRONOUNS[life.sex]
    slots = {"w": life.does, "c": life.context.says, "p": life.pastime.says}
    slots["l"] = life.local.says if life.local is not None else "lives here"
    for name, text in slots.items():
        chosen = _OPTIONS.sub(lambda found: rng.choice(found[1].split("|")), text)
        slots[name] = chosen.replace("{their}", their).replace("{them}", them)
    slots |= {name.upper(): text[0].upper() + text[1:] for name, text in slots.items()}
    a_job = _article(life.job)
    slots |= {"name": first, "job": life.job, "a_job": a_job, "A_job": a_job[0].upper() + a_job[1:], "them": them}
    slots |= {"city": life.city, "age": str(life.age), "years": str(life.years)}
    for _ in range(_TRIES):
        shape = _shape(rng)
        said = _JOINED.sub(lambda found: _joined(found, slots), shape.said)
        if shape_fits(shape, life) and len(told := said.format_map(slots)) <= BACKGROUND:
            return told
    return f"{slots['W']}. {slots['C']}."


def _shape(rng: Random) -> Shape:
    shapes, sums = _shapes()
    return shapes[bisect(sums, rng.random() * sums[-1])]


@cache
def _shapes() -> tuple[tuple[Shape, ...], list[float]]:
    """All of them, and the sums of their weights."""
    shapes = components().shapes
    return shapes, list(accumulate(one.weight for one in shapes))


def _joined(found: re.Match[str], slots: dict[str, str]) -> str:
    """Two clauses and their ``and``, with a comma where one of them has an ``and`` of its own."""
    comma = "," if any(" and " in slots[name] for name in found.groups()) else ""
    return f"{{{found[1]}}}{comma} and {{{found[2]}}}"


def shape_fits(shape: Shape, life: Life) -> bool:
    """Whether a sentence says nothing of ``life`` that is not so."""
    if shape.fits == "working" and life.standing != "working":
        return False
    if shape.fits == "settled" and life.words & {"newcomer", "abroad"}:
        return False
    if "{l}" in shape.said.lower() and life.local is None:
        return False
    if "{years}" in shape.said and (life.years < 2 or "changer" in life.words):
        return False
    said_twice = life.standing in ("retired", "jobless", "home") and "{w}" in shape.said.lower()
    return not (said_twice and "job}" in shape.said)


def _article(noun: str) -> str:
    vowel = noun[0].lower() in "aeiou" and not noun.startswith("uni")
    return f"{'an' if vowel or noun.startswith('HR') else 'a'} {noun}"


def _weighted(rng: Random, items: Sequence[Item], weight: Callable[[Item], float]) -> Item:
    sums = list(accumulate(map(weight, items)))
    return items[bisect(sums, rng.random() * sums[-1])]
