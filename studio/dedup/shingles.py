"""Text as the set of its pieces: words, and pairs of characters where a script writes no spaces."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator

from studio.text.normalize import UNSPACED, one_kind

# Runs of anything but white space and punctuation, so that combining marks stay inside their words; an apostrophe
# between letters belongs to the word.
_BREAKS = (
    r"\s!\"#$%&()*+,\-./:;<=>?@\[\\\]^`{|}~\u00a1\u00ab\u00b7\u00bb\u00bf\u0964\u0965"
    r"\u2010-\u2017\u201c-\u205e\u3000-\u3003\u3008-\u3020\u30a0\u30fb"
)
_WORD = re.compile(f"[^{_BREAKS}'][^{_BREAKS}]*")
_UNSPACED = re.compile(f"[{UNSPACED}]+")


def shingles(text: str) -> frozenset[str]:
    """The pieces of ``text``; equal for texts that differ in case, punctuation, white space or word order alone.

    A piece that comes again is a piece of its own, so the set is the bag of words. Chinese, Japanese, Thai, Lao,
    Khmer and Burmese give overlapping pairs of characters: their clauses have no spaces, and would be one word each.
    A text without any word (``?!``, an emoji) is one piece, itself; an empty one has none.
    """
    counts = Counter(pieces(text))
    if not counts:
        return frozenset([bare]) if (bare := " ".join(_plain(text).split())) else frozenset()
    found = set(counts)
    found.update(f"{piece} {again}" for piece, count in counts.items() for again in range(2, count + 1))
    return frozenset(found)


def pieces(text: str) -> tuple[str, ...]:
    """The pieces of ``text`` in their order, each as often as it comes."""
    return tuple(_pieces(_plain(text)))


def _plain(text: str) -> str:
    return one_kind(unicodedata.normalize("NFKC", text).casefold())


def _pieces(plain: str) -> Iterator[str]:
    for match in _WORD.finditer(plain):
        word = match[0].rstrip("'")
        end = 0
        for run in _UNSPACED.finditer(word):
            if run.start() > end:
                yield word[end : run.start()]
            yield from _pairs(run[0])
            end = run.end()
        if end < len(word):
            yield word[end:]


def _pairs(run: str) -> Iterator[str]:
    if len(run) == 1:
        yield run
    for start in range(len(run) - 1):
        yield run[start : start + 2]
