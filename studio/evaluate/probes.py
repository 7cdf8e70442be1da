"""The held-out probes of a persona, in three parts, and the required terms of a reply to one.

Neither side was trained on them. One part is to diagnose with, one to choose among runs by, one is locked away for the
verdict.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from itertools import cycle

from studio.chatml import system, user
from studio.evaluate.types import Evaluation, Part, Probe, ProbeResult
from studio.spec import LoadedSpec, probe_text
from studio.text.normalize import UNSPACED
from studio.text.words import words_of

PARTS: tuple[Part, ...] = ("diagnose", "locked", "tune")
"""In the order in which they are dealt: of two probes one is locked."""
_STEM = 5
"""Letters by which a longer word is known again with another ending: ``reviewing`` for ``review``."""
_WHOLE = 4
"""Letters from which a shorter word may go on: ``texting`` for ``text``, but not ``amber`` for ``am``."""
_UNSPACED = re.compile(f"[{UNSPACED}]")


def probes(loaded: LoadedSpec) -> tuple[Probe, ...]:
    """Every item of every held-out category, in the order of the file: one user turn, as the deployed persona would get
    it."""
    deployed = loaded.spec.deployment.system_prompt
    found = []
    for category, rows in loaded.spec.scenarios.items():
        for item in rows.items if rows.holdout else ():
            text, kept = probe_text(item)
            found.append(
                Probe(
                    id=hashlib.sha256(f"{category}\0{item}".encode()).hexdigest()[:12],
                    category=category,
                    scenario=item,
                    messages=(system(deployed), user(text)) if deployed else (user(text),),
                    keep=kept,
                )
            )
    return dealt(found)


def dealt(probes: Sequence[Probe]) -> tuple[Probe, ...]:
    """The same probes in the same order, each with its part.

    Each category is dealt out in the order of a hash of its probes' ids, and the next goes on where it ended: parts
    differ by one probe at most in every category and as a whole. A list of probes that changed is dealt anew, but
    for what an evaluation saw open before, which stays so (:func:`studio.evaluate.looks.looked`).
    """
    turn, found = cycle(PARTS), dict[str, Part]()
    for category in dict.fromkeys(probe.category for probe in probes):
        ids = [probe.id for probe in probes if probe.category == category]
        found |= {name: next(turn) for name in sorted(ids, key=lambda id: hashlib.sha256(id.encode()).digest())}
    return tuple(probe.model_copy(update={"part": found[probe.id]}) for probe in probes)


def part_sizes(probes: Iterable[Probe]) -> dict[Part, int]:
    """How many probes are in each part."""
    parts = [probe.part for probe in probes]
    return {part: parts.count(part) for part in ("diagnose", "tune", "locked")}


def diagnosable(evaluation: Evaluation) -> tuple[ProbeResult, ...]:
    """The results that a diagnosis, and whoever writes examples for it, may see: those of the part for it alone.

    Of an evaluation from before probes had parts, those of the part that they would be in.
    """
    part = {probe.id: probe.part for probe in dealt([row.probe for row in evaluation.results])}
    return tuple(row for row in evaluation.results if (row.probe.part or part[row.probe.id]) == "diagnose")


def keeps(reply: str, phrases: tuple[str, ...]) -> bool | None:
    """Whether every word of every phrase is in ``reply``, in any order and with any ending; None without phrases.

    A phrase in a script without spaces has to be there as it is: its characters, one by one, mean nothing.
    """
    wanted = [(phrase, words) for phrase in phrases if (words := words_of(phrase))]
    if not wanted:
        return None
    said = words_of(reply)
    return all(
        _in_a_row(words, said) if _UNSPACED.search(phrase) else all(_is_said(word, said) for word in words)
        for phrase, words in wanted
    )


def _is_said(word: str, said: tuple[str, ...]) -> bool:
    inflects = word.isalpha() and len(word) >= _WHOLE
    return word in said or (inflects and any(one.startswith(word[:_STEM]) for one in said))


def _in_a_row(words: tuple[str, ...], said: tuple[str, ...]) -> bool:
    return any(said[at : at + len(words)] == words for at in range(len(said) - len(words) + 1))
