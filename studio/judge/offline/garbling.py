"""Words that a small model copied wrongly."""

from __future__ import annotations

from collections.abc import Sequence

from studio.judge.offline.text import SMALL_WORDS, Text

_ENDINGS = frozenset(
    """s es 's d ed r er ers st est e en n t ed ing ings ly y ze zed zes zing ies ied ier ily ize ise ized ised
    izing ising ization isation ate ated ates ating ation ations ion ions or ors al ally ity ities ive ment ments ness
    ful fully able ible ance ence ous ious ism ist ted ting ter ned ning ped ping ged ging med ming bed bing""".split()
)
_LEAST_STEM = 3


def garbled(reply: Text, missing: Sequence[str], known: frozenset[str]) -> str:
    """A word of the reply that begins like a word it should have repeated and is no form of it; empty if none.

    Small models copy so: ``harciate`` for ``harvest``, ``trop`` for ``trophy``. ``known`` are words above suspicion.
    """
    for word in missing:
        for other in reply.words:
            strange = other not in known and other not in SMALL_WORDS
            if strange and other[:_LEAST_STEM] == word[:_LEAST_STEM] and not _same_family(word, other):
                return other
    return ""


def _same_family(word: str, other: str) -> bool:
    """Whether two words look like forms of one: a long common beginning, and endings that English has."""
    common = 0
    while common < min(len(word), len(other)) and word[common] == other[common]:
        common += 1
    rests = (word[common:], other[common:])
    return common >= max(_LEAST_STEM, 0.6 * min(len(word), len(other))) and all(
        not rest or rest in _ENDINGS for rest in rests
    )
