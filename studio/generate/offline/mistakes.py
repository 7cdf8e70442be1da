"""The honest mistakes of an author, so that whoever judges has work to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from studio.chatml import Message, Messages
from studio.generate.offline.slots import Template
from studio.generate.offline.text import capital, joined, sentences, small
from studio.judge.rules import LengthBounds
from studio.spec.models import Spec

MISTAKE_RATE = 0.1
"""The share of conversations that the offline author spoils, on purpose and by the brief's seed."""

_GENERIC = (
    "I'd be happy to help you with that.",
    "As an AI assistant, I can do that for you.",
    "Thank you for reaching out.",
    "I hope this helps.",
)


@dataclass(frozen=True)
class Attempt:
    """A good conversation about to be spoiled: where it came from, and its turns."""

    template: Template
    turns: Messages
    scenario: str


class Mistakes:
    """Each mistake turns an attempt into spoiled turns, or None where it does not apply."""

    def __init__(self, spec: Spec, examples: Sequence[Template]) -> None:
        self._spec, self._examples = spec, examples
        self._longest = LengthBounds.of(spec).most

    def make(self, attempt: Attempt, random: Random) -> Messages:
        """``attempt`` with one mistake, by chance one of those that apply."""
        kinds = [*self.kinds().values()]
        for kind in random.sample(kinds, len(kinds)):
            spoiled = kind(attempt, random)
            if spoiled is not None and spoiled != attempt.turns:
                return spoiled
        return attempt.turns

    def kinds(self) -> dict[str, Callable[[Attempt, Random], Messages | None]]:
        """Every mistake by its name."""
        return {
            "avoided_phrase": self._avoided_phrase,
            "generic_opener": self._generic_opener,
            "doubled_punctuation": self._doubled_punctuation,
            "flat": self._flat,
            "task_lost": self._task_lost,
            "lecture": self._lecture,
            "near_duplicate": self._near_duplicate,
        }

    def _avoided_phrase(self, attempt: Attempt, random: Random) -> Messages | None:
        if not self._spec.vocabulary.avoid:
            return None
        phrase = random.choice(self._spec.vocabulary.avoid)
        parts = sentences(_reply(attempt))
        if phrase.casefold().startswith("you ") and self._english():
            return _with_reply(attempt, joined([*parts[:-1], f"{capital(phrase)} do this now."]))
        return _with_reply(attempt, joined([*parts[:-1], f"{capital(phrase)}, {small(parts[-1])}"]))

    def _generic_opener(self, attempt: Attempt, random: Random) -> Messages | None:
        if not self._english():
            return None
        parts = sentences(_reply(attempt))
        return _with_reply(attempt, joined([random.choice(_GENERIC), *(parts[1:] or parts)]))

    def _doubled_punctuation(self, attempt: Attempt, random: Random) -> Messages | None:
        reply = _reply(attempt)
        return _with_reply(attempt, f"{reply}!" if reply[-1:] == "!" else f"{reply.rstrip('.?。')}!!")

    def _flat(self, attempt: Attempt, random: Random) -> Messages | None:
        """Only the sentences between opening and closing."""
        parts = sentences(_reply(attempt))
        return _with_reply(attempt, joined(parts[1:-1])) if len(parts) > 2 else None

    def _task_lost(self, attempt: Attempt, random: Random) -> Messages | None:
        """Opening and closing without what stood between them, where the user named something to be taken up."""
        parts = sentences(_reply(attempt))
        if len(parts) < 3 or not attempt.template.carried():
            return None
        return _with_reply(attempt, joined([parts[0], parts[-1]]))

    def _lecture(self, attempt: Attempt, random: Random) -> Messages | None:
        """The reply with what other replies say heaped upon it, until it is longer than any judge allows."""
        parts = sentences(_reply(attempt))
        said = [text for example in self._examples for text in sentences(example.turns[-1].content)]
        heap: list[str] = []
        for text in random.sample(said, len(said)):
            if len(joined([*parts, *heap])) > self._longest:
                break
            if text not in parts and text not in heap:
                heap.append(text)
        return _with_reply(attempt, joined([*parts[:-1], *heap, parts[-1]])) if heap else None

    def _near_duplicate(self, attempt: Attempt, random: Random) -> Messages | None:
        """What the spec itself says to this, word for word: the same for everybody, so soon for the second time."""
        return next((one.turns for one in self._examples if one.scenario == attempt.scenario), attempt.template.turns)

    def _english(self) -> bool:
        return self._spec.language.casefold().split("-")[0] == "en"


def _reply(attempt: Attempt) -> str:
    return attempt.turns[-1].content


def _with_reply(attempt: Attempt, reply: str) -> Messages:
    return (*attempt.turns[:-1], Message(role="assistant", content=reply))
