"""The spec's own answers, and how like them a reply is: the same sentences, with the same things in the same holes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from studio.judge.offline.alike import Alike
from studio.judge.offline.framing import Framed
from studio.judge.offline.nearness import Bag, Nearness
from studio.judge.offline.slots import in_order
from studio.judge.offline.wordings import Wordings

NEAR = 0.5
"""Similarity of requests below which the spec shows nothing of what to answer."""
CLOSE_TO_BEST = 0.55
"""Share of the best similarity from which another request is as near."""
LIKE = 0.7
"""Likeness from which two sentences say the same."""
ANOTHERS, GAP = 0.5, 0.1
"""A sentence answers another kind of request if it is this like such an answer, and by this more than the expected."""
SAME_WORDS = 0.8
"""Share of common words from which a sentence that is not like another has its words in disorder."""
LEAST_PART = 3
"""Words from which a part of a sentence says something."""
UNANIMOUS = 3
"""Examples near a request from which it is known how such a reply begins, if all begin alike."""

Worded = tuple[Framed, ...]
"""All wordings of one sentence, the one by kind first."""


@dataclass(frozen=True)
class Exchange:
    """An example's request and the framed sentences of its reply, each in all wordings that the spec gives it."""

    scenario: str
    asks: bool
    """Whether the request is a question."""
    requests: tuple[Bag, ...]
    sentences: tuple[Worded, ...]
    body: tuple[Worded, ...]
    """Those that answer: neither stock phrases nor what opens and closes."""

    @property
    def opening(self) -> Worded:
        return self.sentences[0] if self.sentences else ()


@dataclass(frozen=True)
class Expected:
    """What the examples show of answering one request."""

    known: bool
    """Whether any example's request is like it. Where none is, every answer of the spec is expected."""
    exchanges: tuple[Exchange, ...]
    around: tuple[Exchange, ...]
    """Those and others of which the request is like it."""


@dataclass(frozen=True)
class Likeness:
    """0..1: 1 where each sentence of the body is one of the expected, and none of theirs is missing."""

    value: float
    anothers: bool = False
    """A sentence of the body is the answer to another kind of request."""
    contradicts: bool = False
    """The body denies something, and no sentence of the expected answers does; or all of them do, and it does not."""


class Answers:
    """What the spec's examples answer, by what they are asked."""

    def __init__(self, exchanges: Sequence[Exchange], wordings: Wordings) -> None:
        self._exchanges, self._wordings = exchanges, wordings
        self._nearness = Nearness([one.requests for one in exchanges])
        self._alike = Alike([frozenset().union(*_worded(one.sentences)) for one in exchanges])
        self._told = _worded(wordings for one in exchanges for wordings in one.sentences)
        self._bodies = _worded(wordings for one in exchanges for wordings in one.body)
        self._openings = _worded(one.opening for one in exchanges)
        self._closings = _worded(one.sentences[-1] for one in exchanges if one.sentences)
        self._opened: dict[Framed, list[Exchange]] = defaultdict(list)
        for one in exchanges:
            if len(one.sentences) > 1:
                self._opened[one.opening[0]].append(one)

    def __bool__(self) -> bool:
        return bool(self._exchanges)

    def expected(self, request: Bag, scenario: str = "") -> Expected:
        """By the examples of ``scenario``; where there are none, by those whose request is about as near as any."""
        near = self._nearness.of(request)
        best = max(near, default=0.0)
        found = [one for one, value in zip(self._exchanges, near, strict=True) if value >= CLOSE_TO_BEST * best]
        shown = [one for one in self._exchanges if scenario and one.scenario == scenario]
        if shown or best >= NEAR:
            return Expected(True, tuple(shown or found), (*shown, *found))
        return Expected(False, tuple(self._exchanges), ())

    def vocabulary(self, expected: Expected) -> frozenset[str]:
        """The words of the expected answers and of what they answer."""
        sentences = _worded(wordings for one in expected.around for wordings in one.sentences)
        return frozenset().union(*sentences, *(bag for one in expected.around for bag in one.requests))

    def likeness(self, sentences: Collection[Framed], body: Collection[Framed], expected: Expected) -> Likeness:
        """How like the expected answers a reply is, of whose sentences ``body`` are those that answer."""
        theirs = _worded(wordings for one in expected.exchanges for wordings in one.body)
        mine = {sentence: 1.0 if _part_of(sentence, theirs) else self._best(sentence, theirs) for sentence in body}
        said = min(mine.values(), default=0.0)
        said_in_all = [form for sentence in sentences for form in self._wordings.forms(sentence)]
        whole = max((self._whole(one, said_in_all) for one in expected.exchanges), default=0.0)
        anothers = expected.known and any(
            value < LIKE and self._best(sentence, self._bodies) >= max(ANOTHERS, value + GAP)
            for sentence, value in mine.items()
        )
        denies = self._wordings.denies
        they_deny = {denies([worded[0]]) for one in expected.exchanges for worded in one.body}
        contradicts = (they_deny == {False} and denies(body)) or (they_deny == {True} and not denies(sentences))
        return Likeness(min(said, whole), anothers, contradicts=expected.known and contradicts)

    def bare(self, sentences: Collection[Framed], expected: Expected) -> bool:
        """Whether a reply is the answer alone, where all the expected say something before and after theirs."""
        theirs = _worded(wordings for one in expected.exchanges for wordings in one.body)
        around = all(len(one.body) + 2 <= len(one.sentences) for one in expected.exchanges)
        return around and all(_part_of(one, theirs) or self._best(one, theirs) >= LIKE for one in sentences)

    def _whole(self, one: Exchange, sentences: Collection[Framed]) -> float:
        """How much of an example's answer a reply has: that of the sentence that it has least of."""
        return min(
            (max(self._alike.best(wording, sentences) for wording in wordings) for wordings in one.body), default=1.0
        )

    def scrambled(self, sentence: Framed) -> bool:
        """Whether a sentence has the words of one of the spec's, but not in their order."""
        if self._wordings.by_kind(sentence) in self._told:
            return False
        same = [other for other in self._told if self._alike.same_words(sentence, other) >= SAME_WORDS]
        return bool(same) and self._best(sentence, same) < LIKE

    def opens_elsewhere(self, opening: Framed, asks: bool, expected: Expected) -> bool:
        """Whether the examples open so, but not for such a request.

        That is told by examples near it that all open with other words, and by what the words are used for: praise
        for a deed never answers a question, though chance alone would have it that some does.
        """
        users = self._opened.get(self._wordings.by_kind(opening), ())
        if not users or any(one in expected.around for one in users):
            return False
        near = [frozenset(one.opening) for one in expected.around if len(one.sentences) > 1]
        if len(near) >= UNANIMOUS and len(set(near)) == 1:
            return True
        alike = sum(one.asks == asks for one in self._exchanges) / len(self._exchanges)
        return len(users) * alike >= 1 and not any(one.asks == asks for one in users)

    def manner(self, sentences: Sequence[Framed], body: Collection[Framed]) -> float:
        """0..1: how much a reply opens, answers and closes as the examples do, whatever they were asked."""
        if not sentences or not self._exchanges:
            return 0.0
        found = [self._best(sentences[0], self._openings), self._best(sentences[-1], self._closings)]
        if body:
            found.append(sum(self._best(sentence, self._bodies) for sentence in body) / len(body))
        return sum(found) / len(found)

    def _best(self, sentence: Framed, others: Collection[Framed]) -> float:
        return max(self._alike.best(form, others) for form in self._wordings.forms(sentence))


def _part_of(sentence: Framed, others: Iterable[Framed]) -> bool:
    """Whether a sentence is the whole or a part of one of the others: what one says in two, two may say."""
    return len(sentence) >= LEAST_PART and any(in_order(sentence, other) for other in others)


def _worded(sentences: Iterable[Worded]) -> frozenset[Framed]:
    return frozenset(wording for wordings in sentences for wording in wordings)
