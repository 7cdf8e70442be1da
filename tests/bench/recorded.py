"""How varied recorded conversations are: openings, near-copies, distinct-2, and what each scenario has.

    python -m tests.bench.recorded specs/taskmaster.recorded.jsonl [MORE.jsonl ...]

Distinct-2 is the share of different word pairs among all word pairs (Li et al., 2016). Word Jaccard is taken over
sets of words, between user messages and between replies of different conversations.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from itertools import combinations
from pathlib import Path

WORD = re.compile(r"[\w']+")


def words(text: str) -> list[str]:
    return WORD.findall(text.casefold())


def distinct_2(texts: list[str]) -> float:
    pairs = [pair for text in texts for pair in zip(words(text), words(text)[1:], strict=False)]
    return len(set(pairs)) / max(1, len(pairs))


def openings(texts: list[str]) -> list[tuple[str, int]]:
    return Counter(" ".join(words(text)[:3]) for text in texts).most_common(5)


def near_copies(texts: list[tuple[int, str]], over: float = 0.6) -> list[tuple[float, int, int, str]]:
    """Pairs of texts of different conversations whose word Jaccard is over the limit, with their line numbers."""
    sets = [(line, set(words(text)), text) for line, text in texts]
    found = []
    for (a, left, text), (b, right, _) in combinations(sets, 2):
        if a != b and left and right:
            share = len(left & right) / len(left | right)
            if share > over:
                found.append((share, a, b, text))
    return sorted(found, reverse=True)


def report(path: Path) -> None:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    sides: dict[str, list[tuple[int, str]]] = {"user": [], "assistant": []}
    for number, row in enumerate(rows, 1):
        roles = [message["role"] for message in row["messages"]]
        if roles != ["user", "assistant"] * (len(roles) // 2) or not roles:
            print(f"line {number}: turns must alternate, user first: {roles}")
        for message in row["messages"]:
            sides[message["role"]].append((number, message["content"]))
    several = sum(len(row["messages"]) > 2 for row in rows)
    print(f"{path}: {len(rows)} conversations, {several} of several turns (one in {len(rows) / max(1, several):.1f})")
    for scenario, count in Counter(row["scenario"] for row in rows).items():
        print(f"  {count:4} {scenario}")
    for role, found in sides.items():
        texts = [text for _, text in found]
        lengths = sorted(len(words(text)) for text in texts)
        print(f"{role}: {len(texts)} texts, median {lengths[len(lengths) // 2]} words, longest {lengths[-1]}")
        print(f"  distinct-2 {distinct_2(texts):.3f}")
        for opening, count in openings(texts):
            print(f"  opening {count:3} = {count / len(texts):.1%}  {opening!r}")
        for share, a, b, text in near_copies(found)[:10]:
            print(f"  near-copy {share:.2f} lines {a} and {b}: {text[:80]!r}")


if __name__ == "__main__":
    if not sys.argv[1:]:
        sys.exit(__doc__)
    for name in sys.argv[1:]:
        report(Path(name))
