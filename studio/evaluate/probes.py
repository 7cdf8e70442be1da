"""The held-out probes of a persona: what neither side was trained on."""

from __future__ import annotations

import hashlib
import re

from studio.chatml import Messages, system, user
from studio.evaluate.types import Probe
from studio.spec import LoadedSpec, probe_text

_WORD = re.compile(r"\w+(?:['\u2019:]\w+)*")
_SMALL_WORDS = frozenset(
    "a an the my your our his her their its to of on in at by for with and or is are be this that it i you".split()
)


def probes(loaded: LoadedSpec) -> tuple[Probe, ...]:
    """Every item of every held-out category, in the order of the file."""
    spec = loaded.spec
    found = []
    for category, rows in spec.scenarios.items():
        for item in rows.items if rows.holdout else ():
            text, kept = probe_text(item)
            found.append(
                Probe(
                    id=hashlib.sha256(f"{category}\0{item}".encode()).hexdigest()[:12],
                    category=category,
                    scenario=item,
                    messages=conversation(text, spec.deployment.system_prompt),
                    keep=content_words(kept),
                )
            )
    return tuple(found)


def conversation(text: str, system_prompt: str | None) -> Messages:
    """One user turn, as the deployed persona would get it."""
    return (system(system_prompt), user(text)) if system_prompt else (user(text),)


def content_words(phrases: tuple[str, ...]) -> tuple[str, ...]:
    """The words of ``phrases`` that carry their meaning, lower-cased: without articles, possessives and the like."""
    words = [word.lower() for phrase in phrases for word in _WORD.findall(phrase)]
    return tuple(dict.fromkeys(word for word in words if word not in _SMALL_WORDS))


def keeps(reply: str, words: tuple[str, ...]) -> bool | None:
    """Whether every one of ``words`` is in ``reply`` (an ending may be added); None where there is nothing to keep."""
    if not words:
        return None
    said = [word.lower() for word in _WORD.findall(reply)]
    return all(any(heard.startswith(word) for heard in said) for word in words)
