"""Drawing from the vocabulary: tasks, names, topics, dates. An open word list makes the model learn to copy."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from studio.train.pocket import words

OPEN_TASK_SHARE = 0.35
CHORE_SHARE = 0.18
NAMED_SHARE = 0.12
CONTACT_SHARE = 0.08


@dataclass(frozen=True)
class OpenWords:
    """Words that the grammar does not know: lower-case ones and names. Both may be empty."""

    plain: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def read_words(path: Path) -> OpenWords:
    """A list with one word a line, thinned to some thousands. Debian's wamerican-small made the model that ships."""
    found = sorted({line.strip() for line in path.read_text(encoding="utf-8").splitlines()})
    fit = [word for word in found if word.isalpha() and 3 <= len(word) <= 9]
    return OpenWords(
        plain=tuple([word for word in fit if word.islower()][::6]),
        names=tuple([word for word in fit if word.istitle()][::4]),
    )


class Lexicon:
    """Draws words and short phrases with one generator."""

    def __init__(self, rng: random.Random, extra: OpenWords) -> None:
        self.rng, self._extra = rng, extra

    def any(self, options: Sequence[str]) -> str:
        return self.rng.choice(options)

    def happens(self, share: float) -> bool:
        return self.rng.random() < share

    def task(self) -> str:
        """Something to do, beginning with its verb: ``review the marketing report for Anna``."""
        if self._extra.plain and self.happens(OPEN_TASK_SHARE):
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
        return self.any(self._extra.names) if self._extra.names and self.happens(0.5) else self.any(words.NAMES)

    def topic(self) -> str:
        """``the budget``, or ``the`` with open words."""
        return f"the {self._open_words()}" if self._extra.plain and self.happens(0.4) else self.any(words.TOPICS)

    def word(self) -> str:
        """A word that the model is not expected to know anything about."""
        return self.any(self._extra.plain or ("weather", "music", "history", "painting"))

    def place(self) -> str:
        return self.any(self._extra.names or ("Paris", "Rome", "Oslo", "Lima"))

    def when(self) -> str:
        """A date, a time of day, or both."""
        day = self.any(("tomorrow", "today", "on Monday", "on Friday"))
        return self.any((self.any(words.DATES), f"at {self.any(words.TIMES)}", f"{day} at {self.any(words.TIMES)}"))

    def _open_words(self) -> str:
        return " ".join(self.rng.sample(self._extra.plain, self.rng.choice((1, 1, 2))))

    def _open_task(self) -> str:
        thing, verb = self._open_words(), self.any(words.VERBS)
        return self.any(
            (
                f"{verb} {self.any(('the', 'the', 'my', 'our', 'a'))} {thing}",
                f"{verb} the {thing} {self.any(words.NOUNS)}",
                f"{verb} {thing}",
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
