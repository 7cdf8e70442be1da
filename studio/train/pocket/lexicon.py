"""Drawing from the vocabulary: tasks, names, topics, dates; and words that are in no vocabulary."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from studio.train.pocket import words
from studio.train.pocket.inventing import invented_word

OPEN_SHARE = 0.5
"""Of tasks, names and topics that hold words which the grammar does not know."""
LISTED_SHARE = 0.6
"""Of those words that come from the word list, where there is one; the others are invented."""
CHORE_SHARE = 0.18
NAMED_SHARE = 0.12
CONTACT_SHARE = 0.08


@dataclass(frozen=True)
class WordList:
    """Words of a language: lower-case ones and names. Both may be empty."""

    plain: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def read_words(path: Path) -> WordList:
    """A list with one word a line, such as Debian's wamerican-small, thinned to some thousands."""
    found = sorted({line.strip() for line in path.read_text(encoding="utf-8").splitlines()})
    fit = [word for word in found if word.isalpha() and 3 <= len(word) <= 10]
    return WordList(
        plain=tuple([word for word in fit if word.islower()][::3]),
        names=tuple([word for word in fit if word.istitle()][::3]),
    )


class Lexicon:
    """Draws words and short phrases with one generator."""

    def __init__(self, rng: random.Random, listed: WordList) -> None:
        self.rng, self._listed = rng, listed

    def any(self, options: Sequence[str]) -> str:
        return self.rng.choice(options)

    def happens(self, share: float) -> bool:
        return self.rng.random() < share

    def task(self) -> str:
        """Something to do, beginning with its verb: ``review the marketing report for Anna``."""
        if self.happens(OPEN_SHARE):
            return self._open_task()
        kind = self.rng.random()
        if kind < CHORE_SHARE:
            return self.any(words.CHORES)
        if kind < CHORE_SHARE + NAMED_SHARE:
            return self._task_with_name()
        if kind < CHORE_SHARE + NAMED_SHARE + CONTACT_SHARE:
            about = f" about {self.topic()}" if self.happens(0.5) else ""
            return f"{self.any(words.CONTACTS)} {self.name()}{about}"
        return f"{self.any(words.VERBS)} {self._object()}"

    def name(self) -> str:
        return self.place() if self.happens(OPEN_SHARE) else self.any(words.NAMES)

    def topic(self) -> str:
        """``the budget``, or ``the`` with open words."""
        return f"the {self._phrase()}" if self.happens(OPEN_SHARE) else self.any(words.TOPICS)

    def off_topic(self) -> str:
        return self._phrase() if self.happens(OPEN_SHARE) else self.any(words.OFF_TOPIC)

    def word(self) -> str:
        """A word that the model is not expected to know anything about."""
        if self._listed.plain and self.happens(LISTED_SHARE):
            return self.any(self._listed.plain)
        return invented_word(self.rng)

    def place(self) -> str:
        """A name that is not among the grammar's own."""
        if self._listed.names and self.happens(LISTED_SHARE):
            return self.any(self._listed.names)
        return invented_word(self.rng).capitalize()

    def date(self) -> str:
        """``tomorrow``, ``next Friday``, ``the 21st``, ``June 1st``."""
        kind = self.rng.random()
        if kind < 0.7:
            return self.any(words.DATES)
        day = _ordinal(self.rng.randint(1, 31))
        return f"the {day}" if kind < 0.8 else f"{self.any(words.MONTHS)} {day}"

    def when(self) -> str:
        """A date, a time of day, or both."""
        day = self.any(("tomorrow", "today", "on Monday", "on Friday"))
        return self.any((self.date(), f"at {self.any(words.TIMES)}", f"{day} at {self.any(words.TIMES)}"))

    def _phrase(self) -> str:
        """One to three open words."""
        return " ".join(self.word() for _ in range(self.rng.choice((1, 1, 1, 2, 2, 3))))

    def _open_task(self) -> str:
        """Some of its words, its verb among them, may be words that the grammar does not know."""
        verb = self.word() if self.happens(0.3) else self.any(words.VERBS)
        article, thing = self.any(("the", "the", "my", "our", "a", "some")), self._phrase()
        return self.any(
            (
                f"{verb} {article} {thing}",
                f"{verb} the {thing} {self.any(words.NOUNS)}",
                f"{verb} the {self.any(words.ADJECTIVES)} {thing}",
                f"{verb} {thing}",
                f"{verb} {article} {thing} for {self.name()}",
                f"{verb} {self.rng.randint(2, 99)} {thing}",
                f"{self.any(words.PURCHASES)} {self.any(words.PURCHASED)} {thing}",
            )
        )

    def _task_with_name(self) -> str:
        verb = self.any(words.VERBS)
        link = "with" if verb in words.VERBS_WITH_SOMEBODY else "for"
        return f"{verb} {self._object()} {link} {self.name()}"

    def _object(self) -> str:
        """``the annual report``, ``a budget memo``, ``my slides``."""
        article, noun = self.any(("the", "the", "the", "my", "a", "our")), self.any(words.NOUNS)
        adjective = self.any(words.ADJECTIVES)
        if not self.happens(0.72):
            return f"{'the' if article == 'a' else article} {noun}"
        if article == "a" and adjective[0] in "aeiou":
            article = "an"
        return f"{article} {adjective} {noun}"


def _ordinal(day: int) -> str:
    """``1`` -> ``1st``."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{'th' if day in (11, 12, 13) else ending}"
