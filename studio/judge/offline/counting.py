"""Making ``neighbours.txt`` again: ``python -m studio.judge.offline.counting FILE...``, with texts of good English.

The table that is shipped was counted in 2.9 million words of English: the texts of Debian's packages ``fortunes``,
``anarchism`` and ``debian-handbook``, and the example sentences of ``wordnet-base``.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from studio.judge.offline.neighbours import OTHERS, STEP, TABLE, WORST, classes_of
from studio.judge.offline.text import SMALL_WORDS

SMOOTHING = 3
"""Added to each count and to what chance gives: a pair of rare words proves nothing."""


def counted(texts: Iterable[str]) -> str:
    """The table: of each class of words a line, with a letter for each class that may follow it."""
    pairs: Counter[tuple[str, str]] = Counter()
    for text in texts:
        for sentence in classes_of(text, SMALL_WORDS):
            pairs.update(pairwise(sentence))
    before, after = Counter[str](), Counter[str]()
    for (first, second), count in pairs.items():
        before[first] += count
        after[second] += count
    total = pairs.total()

    def letter(first: str, second: str) -> str:
        chance = before[first] * after[second] / total
        found = math.log((pairs[first, second] + SMOOTHING) / (chance + SMOOTHING))
        return chr(ord("a") + min(25, max(0, round((found - WORST) / STEP))))

    names = sorted(SMALL_WORDS | OTHERS)
    return "\n".join(f"{first} {''.join(letter(first, second) for second in names)}" for first in names) + "\n"


if __name__ == "__main__":
    texts = (Path(name).read_text(encoding="utf-8", errors="replace") for name in sys.argv[1:])
    TABLE.write_text(counted(texts), encoding="utf-8")
