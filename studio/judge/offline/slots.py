"""The spec's exchangeable phrases found in text, and which kinds of them a reply carries over from the request."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from studio.judge.offline.text import words_of
from studio.letters import folded

CARRIED_SHARE = 0.5
"""A kind is carried over if the reply repeats its phrase in at least this share of the examples that hold one."""


@dataclass(frozen=True)
class Found:
    """A phrase in a sequence of words: ``words[start:end]``."""

    start: int
    end: int
    kind: str
    words: tuple[str, ...]


class Slots:
    """Finds slot phrases in sequences of lower-case words, the longest at each place."""

    def __init__(self, slots: Mapping[str, Sequence[str]]) -> None:
        self._by_first: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
        for kind, phrases in slots.items():
            for phrase in phrases:
                if words := words_of(folded(phrase)):
                    self._by_first[words[0]].append((words, kind))
        for entries in self._by_first.values():
            entries.sort(key=lambda entry: -len(entry[0]))

    def phrases(self, kind: str) -> list[str]:
        """The phrases of a kind, longest first, as words with a space between."""
        entries = [words for entries in self._by_first.values() for words, other in entries if other == kind]
        return [" ".join(words) for words in sorted(entries, key=lambda words: (-len(words), words))]

    def words_of(self, kinds: frozenset[str]) -> frozenset[str]:
        """The words of all phrases of these kinds."""
        return frozenset(word for words, kind in self._entries() if kind in kinds for word in words)

    def words_besides(self, kinds: frozenset[str]) -> frozenset[str]:
        """The words of all phrases of other kinds."""
        return frozenset(word for words, kind in self._entries() if kind not in kinds for word in words)

    def _entries(self) -> Iterator[tuple[tuple[str, ...], str]]:
        return (entry for entries in self._by_first.values() for entry in entries)

    def find(self, words: tuple[str, ...]) -> Iterator[Found]:
        at = 0
        while at < len(words):
            if found := self.at(words, at):
                yield found
                at = found.end
            else:
                at += 1

    def at(self, words: tuple[str, ...], at: int) -> Found | None:
        """The longest phrase that begins at ``words[at]``."""
        for phrase, kind in self._by_first.get(words[at], ()):
            if words[at : at + len(phrase)] == phrase:
                return Found(at, at + len(phrase), kind, phrase)
        return None


def carried_kinds(slots: Slots, pairs: Sequence[tuple[tuple[str, ...], tuple[str, ...]]]) -> frozenset[str]:
    """The kinds that replies take up from requests: tasks and dates, but not what somebody feels."""
    seen, kept = Counter[str](), Counter[str]()
    for request, reply in pairs:
        there = {found.words for found in slots.find(reply)}
        for found in slots.find(request):
            seen[found.kind] += 1
            kept[found.kind] += found.words in there
    return frozenset(kind for kind in seen if kept[kind] >= CARRIED_SHARE * seen[kind])


def reply_kinds(slots: Slots, pairs: Sequence[tuple[tuple[str, ...], tuple[str, ...]]]) -> frozenset[str]:
    """The kinds that stand in replies, and that no request names: ways to say it, not what it is about."""
    asked = {found.kind for request, _ in pairs for found in slots.find(request)}
    return frozenset(found.kind for _, reply in pairs for found in slots.find(reply)) - asked


def in_order(words: tuple[str, ...], text: tuple[str, ...]) -> bool:
    """Whether ``words`` stand in ``text`` one after another."""
    size = len(words)
    return any(text[at : at + size] == words for at in range(len(text) - size + 1))
