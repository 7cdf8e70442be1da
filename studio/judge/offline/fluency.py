"""Whether a reply reads as whole sentences: repetitions and loose ends."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from studio.judge.offline.text import FINAL_MARKS, Text, spaced

FLAWED, BROKEN = 0.75, 0.4
"""Below the first a reader stumbles, below the second there is nothing to read."""
_LEAST_WORDS_TO_END = 4
_TWICE = re.compile(r"(?<![\w'-])([^\W\d_]+)(?=\s+\1(?![\w'-]))", re.IGNORECASE)
_MAY_DOUBLE = frozenset("very so that had no bye well now there yes really ha far many much long".split())
# An apostrophe before a word opens, one after it closes; after s and n it may only stand for letters.
_APOSTROPHE = re.compile(
    r"(?<![\w.!?,)])(?P<opens>'(?!(?:til|em|cause|bout|tis|twas|round)\b)(?=\s?[^\W\d]))|(?<=[snxz])(?P<either>'(?!\w))"
    r"|(?<=[\w.!?,)])(?P<closes>'(?!\w))",
    re.IGNORECASE,
)
_PARTNERS = (("(", ")"), ("[", "]"), ("{", "}"))


@dataclass(frozen=True)
class Fluency:
    """0..1, and what took it down."""

    value: float
    flaw: str = ""
    quote: str = ""

    @property
    def flawed(self) -> bool:
        return self.value < FLAWED

    @property
    def broken(self) -> bool:
        return self.value < BROKEN


@dataclass(frozen=True)
class Flaw:
    """What takes fluency down, by ``cost``."""

    cost: float
    why: str
    quote: str = ""


def fluency(flaws: Sequence[Flaw]) -> Fluency:
    """What is left after the flaws; the worst of them is named."""
    worst = max(flaws, key=lambda flaw: flaw.cost, default=Flaw(0.0, ""))
    return Fluency(max(0.0, 1.0 - sum(flaw.cost for flaw in flaws)), worst.why, worst.quote)


def flaws_of(reply: Text, *, english: bool, ends_marked: bool) -> list[Flaw]:
    """``ends_marked``: the persona ends its replies with a mark."""
    return [*(_repeated_words(reply) if english else ()), *_repeated_parts(reply), *_loose_ends(reply, ends_marked)]


def _repeated_words(reply: Text) -> list[Flaw]:
    """``a a``, ``cad cad cad``. Other languages double words in good sentences: ``vous vous``, ``die, die``."""
    runs = [match[1] for match in _TWICE.finditer(reply.plain) if match[1].lower() not in _MAY_DOUBLE]
    return [Flaw(min(0.8, 0.35 * len(runs)), f"'{runs[0]}' is said twice in a row")] if runs else []


def _repeated_parts(reply: Text) -> list[Flaw]:
    """The same sentence twice, or the same three words again and again."""
    told = Counter(sentence.words for sentence in reply.sentences if len(sentence.words) > 1)
    again = sum(count - 1 for count in told.values())
    if again:
        quote = max(reply.sentences, key=lambda sentence: told[sentence.words]).text
        return [Flaw(min(0.9, 0.4 * again), "repeats a sentence", quote)]
    triples = (
        Counter(zip(reply.words, reply.words[1:], reply.words[2:], strict=False)) if spaced(reply.words) else Counter()
    )
    repeats = sum(count - 1 for count in triples.values())
    if repeats >= 2 and repeats / triples.total() > 0.06:
        return [Flaw(0.4, "goes round in circles", " ".join(triples.most_common(1)[0][0]))]
    return []


def _loose_ends(reply: Text, ends_marked: bool) -> list[Flaw]:
    found = []
    tail = reply.plain.rstrip("'\")]} ")
    if ends_marked and len(reply.words) >= _LEAST_WORDS_TO_END and tail and not _ends(tail):
        found.append(Flaw(0.3, "stops in mid-sentence", reply.last))
    if _open_quote(reply.plain) or any(
        reply.plain.count(left) != reply.plain.count(right) for left, right in _PARTNERS
    ):
        found.append(Flaw(0.3, "opens a quote or bracket and never closes it"))
    return found


def _ends(tail: str) -> bool:
    """A final mark, or a character that is no letter or digit: an emoji ends a sentence too."""
    return tail[-1] in FINAL_MARKS or not (tail[-1].isalnum() or tail[-1] in ",;:-")


def _open_quote(plain: str) -> bool:
    """Odd double quotes, or single ones without a partner; "users'", "goin'" and "'til" have none and need none."""
    if plain.count('"') % 2:
        return True
    kinds = Counter(match.lastgroup for match in _APOSTROPHE.finditer(plain))
    opened, closed, either = kinds["opens"], kinds["closes"], kinds["either"]
    return closed > opened or opened > closed + either
