"""Quality of people: a heuristic filter with reasons that are counted, and the two-stage search for twins.

Nothing is removed without a word: each removal keeps its reason, what gave it away, and the twin where there is one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from studio.bank.leftovers import language_of, leftover, refusal
from studio.bank.person import Person, faults
from studio.chatml import Frozen
from studio.dedup import ALIKE, STRICT, Twin, TwoStage
from studio.embed import Embedder
from studio.text.words import words_of

Reason = Literal[
    "limits", "length", "language", "refusal", "template", "name", "opening", "reference", "words", "meaning"
]
"""``limits``: outside those of a whole person. ``reference``: too like those it was told not to be like. ``words`` and
``meaning``: the two stages of de-duplication."""

LEAST_WORDS = 8
"""Words of all that is said of somebody, below which they are nobody in particular."""
NAME_SHARE, NAME_FREE = 0.01, 3
"""So large a part of a bank may bear one whole name, and so many in a small one; of first names five times that."""
OPENING_SHARE, OPENING_FREE = 0.04, 8
"""The same for the first three words of a background."""
LIKE_REFERENCE = 0.8
"""Words or meaning shared with somebody whom the prompt showed as "not like these"."""

_NAMES = frozenset({"john doe", "jane doe", "unknown", "anonymous", "name", "persona", "none", "null", "user"})


class Removal(Frozen):
    """Somebody who was not taken: why, and ``detail``, what gave them away; the ``twin`` and how alike it is."""

    id: str
    reason: Reason
    detail: str = ""
    twin: str = ""
    similarity: float | None = None
    text: str = ""
    """What was removed, so that it can be looked at."""


def essence(person: Person) -> str:
    """What makes somebody another person than the next: what twins are found by.

    Name and age are left out, and work and place where a background is told: who differs in them alone, as in what code
    draws for a model that repeats itself, is one person twice.
    """
    told = (person.background,) if person.background.strip() else (person.profession or person.role, person.place)
    said = [*told, *person.traits, person.chatting_style, person.topic, person.query]
    return ". ".join(part.strip().rstrip(".") for part in said if part.strip()) or person.name


class Filter:
    """The heuristics. Those that count (names, openings) see whoever was added before.

    ``language`` is a BCP 47 tag that all are to be in, or None for any; ``whole`` removes who lacks something, too.
    """

    def __init__(self, language: str | None = None, *, whole: bool = True) -> None:
        self._language = _tag(language)
        self._whole = whole
        self._names: Counter[str] = Counter()
        self._first_names: Counter[str] = Counter()
        self._openings: Counter[str] = Counter()
        self._count = 0

    def problem(self, person: Person) -> Removal | None:
        """The first thing that speaks against somebody, cheapest first."""
        text = essence(person)
        for reason, detail in self._problems(person, text):
            return Removal(id=person.id, reason=reason, detail=detail, text=text)
        return None

    def add(self, person: Person) -> None:
        """Count somebody who was taken."""
        self._count += 1
        if name := _name(person.name):
            self._names[name] += 1
            self._first_names[name.split()[0]] += 1
        if start := opening(person):
            self._openings[start] += 1

    def _problems(self, person: Person, text: str) -> Iterator[tuple[Reason, str]]:
        if self._whole and (wrong := faults(person)):
            yield "limits", wrong[0]
        if (found := len(words_of(text))) < LEAST_WORDS:
            yield "length", f"{found} words"
        spoken = language_of(text)
        languages = (spoken, _tag(person.language), self._language if spoken is None else None)
        if declined := refusal(
            ". ".join((person.name, person.background, *person.traits, person.chatting_style)), *languages
        ):
            yield "refusal", declined
        if (left := leftover(f"{person.name}. {text}", *languages)) or _name(person.name) in _NAMES:
            yield "template", left or person.name
        if self._language and spoken not in (None, self._language):
            yield "language", str(spoken)
        yield from self._repeated(person)

    def _repeated(self, person: Person) -> Iterator[tuple[Reason, str]]:
        name, start = _name(person.name), opening(person)
        if name:
            first = name.split()[0]
            if self._names[name] >= self._free(NAME_FREE, NAME_SHARE):
                yield "name", person.name
            elif self._first_names[first] >= self._free(5 * NAME_FREE, 5 * NAME_SHARE):
                yield "name", first
        if start and self._openings[start] >= self._free(OPENING_FREE, OPENING_SHARE):
            yield "opening", start

    def _free(self, free: int, share: float) -> float:
        return max(free, share * self._count)


class Intake:
    """Takes people one after the other, or says why not: the filter, their references, and everybody taken before.

    Not for use by several threads at once; embedding somebody takes some 10 ms of a core.
    """

    def __init__(
        self,
        embedder: Embedder | None,
        *,
        strict: bool = False,
        language: str | None = None,
        whole: bool = True,
        heuristics: bool = True,
        there: Sequence[Person] = (),
    ) -> None:
        """``there`` are kept whatever they are like, and looked at as twins. Without ``heuristics`` twins alone go, and
        without ``embedder`` those in words alone."""
        self.reasons: Counter[str] = Counter()
        self._embedder = embedder
        self._filter = Filter(language, whole=whole)
        self._heuristics = heuristics
        self._twins = TwoStage(embedder, STRICT if strict else ALIKE)
        for person in there:
            self._filter.add(person)
        self._twins.add([(person.id, essence(person)) for person in there])

    def take(self, person: Person, references: Sequence[Person] = ()) -> Removal | None:
        """None where somebody is taken. ``references`` are whom their prompt showed as "not like these"."""
        return next(self.sift([person], references))

    def sift(self, people: Sequence[Person], references: Sequence[Person] = ()) -> Iterator[Removal | None]:
        """As :meth:`take`, for many in their order; what needs no twin is looked at first, all at once."""
        clean: list[tuple[str, str]] = []
        problems: list[Removal | None] = []
        for person in people:
            problem = self._filter.problem(person) if self._heuristics else None
            problem = problem or self._like_reference(person, references)
            problems.append(problem)
            if problem is None:
                self._filter.add(person)
                clean.append((person.id, essence(person)))
        twins = self._twins.sift(clean)
        for person, problem in zip(people, problems, strict=True):
            removal = problem if problem is not None else _twin(person, next(twins))
            if removal is not None:
                self.reasons[removal.reason] += 1
            yield removal

    def _like_reference(self, person: Person, references: Sequence[Person]) -> Removal | None:
        if not references:
            return None
        own, others = essence(person), [essence(one) for one in references]
        said = frozenset(words_of(own))
        vectors = self._embedder.embed([own, *others]) if self._embedder is not None else None
        for place, other in enumerate(references):
            shown = frozenset(words_of(others[place]))
            alike = len(said & shown) / max(1, len(said | shown))
            if vectors is not None:
                alike = max(alike, float(vectors[0] @ vectors[place + 1]))
            if alike >= LIKE_REFERENCE:
                return Removal(id=person.id, reason="reference", twin=other.id, similarity=alike, text=own)
        return None


def opening(person: Person) -> str:
    """The first three words of a background, with the person's own name and numbers as one mark each."""
    own = set(_name(person.name).split())
    words = ["_" if word in own else "#" if word.isdigit() else word for word in words_of(person.background)[:3]]
    return " ".join(words) if len(words) == 3 else ""


def counted(removals: Iterable[Removal]) -> dict[str, int]:
    """How many went for which reason, most first."""
    return dict(Counter(removal.reason for removal in removals).most_common())


def _tag(language: str | None) -> str | None:
    """The language of a BCP 47 tag, without a region."""
    return language.partition("-")[0].lower() or None if language else None


def _name(name: str) -> str:
    return " ".join(words_of(name))


def _twin(person: Person, twin: Twin | None) -> Removal | None:
    if twin is None:
        return None
    return Removal(
        id=person.id, reason=twin.stage, twin=twin.id, similarity=round(twin.similarity, 4), text=essence(person)
    )
