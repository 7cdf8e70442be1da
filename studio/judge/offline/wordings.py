"""The ways to say a sentence of an example: what stands only in replies, exchanged for other phrases of its kind."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from studio.judge.offline.framing import Framed
from studio.judge.offline.slots import Slots

_NEGATORS = frozenset("not never no none nothing nobody neither nor cannot without hardly".split())


class Wordings:
    """Knows the kinds of slots that no request gives: any phrase of such a kind may stand for any other."""

    def __init__(self, slots: Slots, kinds: Collection[str]) -> None:
        self._slots, self._kinds = slots, frozenset(kinds)
        self._phrases = {f"<{kind}>": [tuple(phrase.split(" ")) for phrase in slots.phrases(kind)] for kind in kinds}
        self._denying = {kind for kind, phrases in self._phrases.items() if all(map(_negated, phrases))}

    def by_kind(self, framed: Framed) -> Framed:
        """The sentence with ``<kind>`` in the place of each phrase: the same for all its wordings."""
        out: list[str] = []
        at = 0
        for hit in self._slots.find(framed):
            if hit.kind in self._kinds:
                out += [*framed[at : hit.start], f"<{hit.kind}>"]
                at = hit.end
        return (*out, *framed[at:])

    def forms(self, framed: Framed) -> tuple[Framed, ...]:
        """The sentence as it is, and by kind."""
        return tuple(dict.fromkeys((framed, self.by_kind(framed))))

    def of(self, framed: Framed) -> tuple[Framed, ...]:
        """The sentence by kind, as it is, and with each phrase of the spec once: several places change together."""
        whole = self.by_kind(framed)
        most = max((len(self._phrases[token]) for token in whole if token in self._phrases), default=0)
        return tuple(dict.fromkeys((whole, framed, *(self._filled(whole, number) for number in range(most)))))

    def denies(self, sentences: Iterable[Framed]) -> bool:
        """Whether a sentence denies something; a phrase that may be exchanged only if all of its kind do."""
        tokens = {token for sentence in sentences for token in self.by_kind(sentence)}
        return _negated(tokens) or not tokens.isdisjoint(self._denying)

    def _filled(self, whole: Framed, number: int) -> Framed:
        """``number`` chooses the phrases; two places of the same kind get different ones."""
        out: list[str] = []
        for token in whole:
            phrases = self._phrases.get(token)
            out += phrases[number % len(phrases)] if phrases else (token,)
            number += bool(phrases)
        return tuple(out)


def _negated(words: Iterable[str]) -> bool:
    return any(word in _NEGATORS or word.endswith("n't") for word in words)
