"""The held-out probes of a persona, which neither side was trained on, and the required terms of a reply to one."""

from __future__ import annotations

import hashlib
import re

from studio.chatml import system, user
from studio.evaluate.types import Probe
from studio.spec import LoadedSpec, probe_text
from studio.text.normalize import UNSPACED
from studio.text.words import words_of

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
    return tuple(found)


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
