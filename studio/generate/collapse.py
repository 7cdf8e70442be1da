"""Collapse: replies that begin alike, say the same runs of words, or use ever fewer different pairs of words.

Measured on the last replies that came, of one side of the conversation each, against the spec's own vocabulary: a
preferred phrase is meant to come back, and is none. What is worn is told to the author of the next attempts (``do not
begin with``). An attempt that is asked again after a kill is asked the same words: which openings held for it follows
from what is stored (:class:`Worn`).

distinct-n is Li et al. (2016), arXiv 1510.03055: different n-grams of all n-grams.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from studio.chatml import Frozen, Messages
from studio.store import Filter, Workspace
from studio.text.words import words_of

WINDOW = 100
"""Replies that are looked at: an author's habits of now, not of the whole set."""
OPENING, RUN = 3, 4
"""Words of an opening, and of a run."""
LEAST = 20
"""Replies before anything is said."""
WORN_OPENING, WORN_RUN = 0.10, 0.20
"""The share of the window that begins with the same words, or says the same run, from which that is worn."""
LOW_DISTINCT = 0.5
"""Different pairs of words of all in the window, under which it is said: of the bundled recordings 83 to 93 % are."""
MOST_TOLD = 6
"""Openings that an author is told at once; more would be a list to write from."""
EVERY = 10
"""Replies between two looks."""
KIND, KEY = "worn_openings", "all"

Words = tuple[str, ...]


class OpeningsWorn(Frozen):
    """Told when what is worn changes. ``openings`` and ``runs`` are words in lower case, the most frequent first."""

    kind: Literal["openings_worn"] = "openings_worn"
    openings: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    share: float = 0.0
    """Of the window that begins with the first of the openings."""
    distinct_2: float | None = None
    """Different pairs of words of all; None while there are too few replies."""
    window: int = 0

    @property
    def line(self) -> str:
        """One line for a person; empty where nothing is worn."""
        told = []
        if self.openings:
            named = ", ".join(f"“{one}”" for one in self.openings[:3])
            told.append(f"worn openings: {named} ({self.share:.0%} of the last {self.window})")
        if self.runs:
            told.append(f"repeated: “{self.runs[0]}”")
        if self.distinct_2 is not None and self.distinct_2 < LOW_DISTINCT:
            told.append(f"{self.distinct_2:.0%} different word pairs")
        return "; ".join(told)


@dataclass(frozen=True)
class _Reply:
    opening: Words
    runs: frozenset[Words]
    pairs: tuple[Words, ...]


class CollapseMeter:
    """The window and its counts; a reply costs some tens of microseconds. ``prefer`` are the phrases that may come
    back. Not for use by several threads at once."""

    def __init__(self, prefer: Iterable[str]) -> None:
        self._prefer: dict[str, list[Words]] = {}
        """By their first words."""
        for words in filter(None, map(words_of, prefer)):
            self._prefer.setdefault(words[0], []).append(words)
        self._window: deque[_Reply] = deque()
        self._openings: Counter[Words] = Counter()
        self._runs: Counter[Words] = Counter()
        self._pairs: Counter[Words] = Counter()
        self._since = 0
        self.told = OpeningsWorn()

    def fill(self, several: Iterable[Messages]) -> None:
        """Take what was there before, oldest first, and tell nothing."""
        for messages in several:
            self._take(messages)
        self.told = self.read()

    def add(self, messages: Messages) -> OpeningsWorn | None:
        """Take a conversation; what is worn now, where that has changed."""
        self._take(messages)
        self._since += 1
        if self._since < EVERY:
            return None
        self._since, now = 0, self.read()
        before, self.told = self.told, now
        was_low, is_low = (_low(one) for one in (before, now))
        changed = set(now.openings) != set(before.openings) or set(now.runs) != set(before.runs) or was_low != is_low
        return now if changed else None

    def read(self) -> OpeningsWorn:
        """What is worn in the window."""
        n = len(self._window)
        if n < LEAST:
            return OpeningsWorn(window=n)
        openings = [one for one in _worn(self._openings, WORN_OPENING * n) if not self._is_preferred(one[0])]
        openings = openings[:MOST_TOLD]
        runs = _worn(self._runs, WORN_RUN * n)[:MOST_TOLD]
        total = self._pairs.total()
        return OpeningsWorn(
            openings=tuple(" ".join(one) for one, _ in openings),
            runs=tuple(" ".join(one) for one, _ in runs),
            share=openings[0][1] / n if openings else 0.0,
            distinct_2=len(self._pairs) / total if total else None,
            window=n,
        )

    def _take(self, messages: Messages) -> None:
        reply = next((one.content for one in messages if one.role == "assistant"), "")
        words = words_of(reply)
        if not words:
            return
        own = self._own(words)
        runs = frozenset(run for some in own for run in _grams(some, RUN))
        pairs = tuple(pair for some in own for pair in _grams(some, 2))
        found = _Reply(words[:OPENING], runs, pairs)
        self._count(found, 1)
        self._window.append(found)
        if len(self._window) > WINDOW:
            self._count(self._window.popleft(), -1)

    def _count(self, reply: _Reply, step: Literal[1, -1]) -> None:
        for counter, grams in (
            (self._openings, (reply.opening,)),
            (self._runs, reply.runs),
            (self._pairs, reply.pairs),
        ):
            for one in grams:
                counter[one] += step
                if not counter[one]:
                    del counter[one]

    def _own(self, words: Words) -> list[Words]:
        """The stretches of a reply between preferred phrases."""
        stretches, start, at = [], 0, 0
        while at < len(words):
            begin = self._prefer.get(words[at], ())
            phrase = next((one for one in begin if words[at : at + len(one)] == one), None)
            if phrase is None:
                at += 1
                continue
            stretches.append(words[start:at])
            at += len(phrase)
            start = at
        return [one for one in (*stretches, words[start:]) if one]

    def _is_preferred(self, opening: Words) -> bool:
        """Whether a preferred phrase begins so, or the opening begins with one."""
        return any(one[: len(opening)] == opening[: len(one)] for one in self._prefer.get(opening[0], ()))


def _worn(counts: Counter[Words], least: float) -> list[tuple[Words, int]]:
    """What is there so often, the most frequent first."""
    return sorted(((one, n) for one, n in counts.items() if n >= least), key=lambda found: (-found[1], found[0]))


def _low(one: OpeningsWorn) -> bool:
    return one.distinct_2 is not None and one.distinct_2 < LOW_DISTINCT


def _grams(words: Words, n: int) -> list[Words]:
    return [words[at : at + n] for at in range(len(words) - n + 1)]


class WornVersions(Frozen):
    """What was worn at each change, and which change held for the attempts that were under way at a later one."""

    versions: tuple[tuple[str, ...], ...] = ()
    under_way: dict[str, int] = {}
    """By the id of an attempt, a place in ``versions``; -1: nothing was worn yet."""


class Worn:
    """Which openings hold for which attempt, the same before a kill and after it.

    Kept when what is worn changes, and before anybody is told, with the attempts that are under way. An attempt begun
    later is asked by the newest version; so is one that begins for the first time after a restart. Writes the store.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._documents = workspace.documents
        self._kept = self._documents.get(KIND, KEY, WornVersions) or WornVersions()
        self._known = dict(self._kept.under_way)
        self._began: dict[str, int] = {}

    def begin(self, example_id: str) -> tuple[str, ...]:
        """The openings that the attempt's author is told; the same ones however often it is asked."""
        newest = len(self._kept.versions) - 1
        at = self._known.get(example_id, self._began.get(example_id, newest))
        self._began[example_id] = at
        return self._kept.versions[at] if at >= 0 else ()

    def end(self, example_id: str) -> None:
        """Its answer is stored: nobody asks it again."""
        self._began.pop(example_id, None)
        self._known.pop(example_id, None)

    def change(self, openings: Sequence[str]) -> None:
        """Have attempts that begin from now on told these."""
        if self._kept.versions and self._kept.versions[-1] == tuple(openings):
            return
        if not self._kept.versions and not openings:
            return
        self._known |= self._began
        versions = (*self._kept.versions, tuple(openings))
        self._kept = WornVersions(versions=versions, under_way=self._known)
        self._documents.put(KIND, KEY, self._kept)


def avoid_text(openings: Sequence[str]) -> str:
    """What the author is told; empty where nothing is worn."""
    if not openings:
        return ""
    named = ", ".join(f'"{one} ..."' for one in openings)
    return (
        f"Many replies begin alike by now. Do not begin the persona's reply with: {named}, nor with a variant of them."
    )


def recent(workspace: Workspace) -> list[Messages]:
    """The conversations of the newest examples, oldest first. Reads the store."""
    store = workspace.examples
    count = store.count(Filter())
    return [row.example.messages for row in store.rows(Filter(), offset=max(0, count - WINDOW), limit=WINDOW)]


class CollapseMonitor:
    """The meter of a run, and what its author is told of it. ``prefer`` as for :class:`CollapseMeter`."""

    def __init__(self, prefer: Iterable[str], workspace: Workspace) -> None:
        self._workspace, self._meter, self._worn = workspace, CollapseMeter(prefer), Worn(workspace)
        self._news: OpeningsWorn | None = None
        """What is worn, where that changed and was not told yet."""

    @property
    def line(self) -> str:
        """What is worn, for a person; empty where nothing is."""
        return self._meter.told.line

    async def fill(self) -> None:
        """Take what is stored already, and tell nothing."""
        await asyncio.to_thread(lambda: self._meter.fill(recent(self._workspace)))

    def avoid(self, example_id: str) -> str:
        """What the author of an attempt is told, from now on under way; empty where nothing is worn."""
        return avoid_text(self._worn.begin(example_id))

    async def add(self, messages: Messages) -> None:
        """Take what an author wrote. One at a time."""
        self._news = await asyncio.to_thread(self._meter.add, messages) or self._news

    def end(self, example_id: str) -> None:
        """The attempt is stored."""
        self._worn.end(example_id)

    def changed(self) -> list[OpeningsWorn]:
        """What is worn, once it has changed: kept first, so that attempts under way are asked the same after a kill."""
        if self._news is None:
            return []
        news, self._news = self._news, None
        self._worn.change(news.openings)
        return [news]
