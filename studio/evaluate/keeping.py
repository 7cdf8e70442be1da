"""Whether a reply carries over the words of the request that it ought to."""

from __future__ import annotations

from itertools import pairwise

from studio.judge.offline.slots import in_order
from studio.judge.offline.text import content, heard, words_of
from studio.letters import folded

Words = tuple[str, ...]


def keeps(reply: str, phrases: tuple[str, ...], request: str = "") -> bool | None:
    """Whether every one of ``phrases`` is in ``reply``; None where they hold nothing to keep.

    Each word that carries meaning has to be there, in any order and with any English ending; in a script without
    spaces the phrase as it stands. Where ``request`` has one phrase *to* another (rename this to that), a reply with
    the two exchanged keeps neither.
    """
    said, asked = words_of(folded(reply)), words_of(folded(request))
    wanted = [words for phrase in phrases if content(words := words_of(folded(phrase)))]
    if not wanted:
        return None
    return all(_has(said, words) for words in wanted) and not any(
        in_order((*first, "to", *second), asked) and in_order((*second, "to", *first), said)
        for first, second in pairwise(wanted)
    )


def _has(said: Words, words: Words) -> bool:
    if all(len(word) == 1 and not word.isascii() for word in words):
        return in_order(words, said)
    vocabulary = frozenset(said)
    return all(heard(word, vocabulary) for word in content(words))
