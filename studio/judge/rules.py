"""The rules that a reply must keep before any model is asked about it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from studio.chatml import Messages
from studio.judge.language import wrong_language
from studio.spec import Rules, Spec
from studio.store.records import Violation

# The same mark twice. Three dots are an ellipsis, two between digits or before a slash a range or a folder, "?!" is for
# the spec's own patterns to forbid, "::" is code.
_DOUBLED = re.compile(r"([!?,;\u3001\u3002\uff0c\uff01\uff1f])\1|(?<![.\d])\.\.(?![./])|(?<=\d)\.\.(?![./\d])|\.{4,}")
_LEAKS = (
    # Chat templates' own tokens: ChatML, Llama 2 and 3, Gemma, Alpaca and reasoning models.
    re.compile(r"<\|[A-Za-z0-9_]{1,40}\|>|</?s>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|</?think>"),
    re.compile(r"###\s*(?:instruction|response|input|human|assistant|user|system)\b", re.IGNORECASE),
    re.compile(r"^\s*(?:user|assistant|human)\s*:", re.IGNORECASE | re.MULTILINE),
    # "System: macOS" is a fact; it is a role where the turns of a conversation begin the reply or follow.
    re.compile(r"\A\s*(?:ai|bot)\s*:|^\s*system\s*:(?=.*^\s*(?:user|assistant|human)\s*:)", re.I | re.M | re.S),
    re.compile(r"(?<=[.!?'\"])\s+(?:User|Assistant|System|Human)\s*:"),
)


@dataclass(frozen=True)
class LengthBounds:
    """Characters that a reply may have. The defaults are for a spec without examples."""

    least: int = 2
    most: int = 2000

    @classmethod
    def of(cls, spec: Spec) -> LengthBounds:
        """A fifth of the shortest and three times the longest hand-written reply, never tighter than 2 to 400."""
        lengths = [len(m.content) for example in spec.examples for m in example.turns if m.role == "assistant"]
        if not lengths:
            return cls()
        return cls(least=max(2, min(lengths) // 5), most=max(400, 3 * max(lengths)))


def check_reply(
    rules: Rules, language: str, messages: Messages, bounds: LengthBounds | None = None
) -> tuple[Violation, ...]:
    """Every rule that an assistant turn of ``messages`` breaks, each rule once; empty where all are kept.

    Kinds: ``empty``, ``length``, ``banned``, ``pattern``, ``generic``, ``punctuation``, ``leak``, ``unprintable`` and
    ``language``. ``language`` is a BCP 47 tag. Boundary cues are not rules: they are for the judge to weigh.
    """
    bounds = bounds or LengthBounds()
    said = "\n".join(m.content for m in messages if m.role == "user")
    replies = [m.content for m in messages if m.role == "assistant"]
    if not replies:
        return (Violation(kind="empty", name="no reply"),)
    found = [violation for reply in replies for violation in _check_turn(rules, language, bounds, said, reply)]
    return tuple({(violation.kind, violation.name): violation for violation in reversed(found)}.values())[::-1]


def _check_turn(rules: Rules, language: str, bounds: LengthBounds, said: str, reply: str) -> Iterator[Violation]:
    text = reply.strip()
    if not text:
        yield Violation(kind="empty", name="blank reply")
        return
    if not bounds.least <= len(text) <= bounds.most:
        yield Violation(kind="length", name="too short" if len(text) < bounds.least else "too long", quote=text[:40])
    for hit in rules.broken(reply):
        if hit.kind != "boundary":
            yield Violation(kind=hit.kind, name=hit.name, quote=hit.quote)
    if doubled := _DOUBLED.search(reply):
        yield Violation(kind="punctuation", name="doubled", quote=doubled[0])
    if leak := next((match for pattern in _LEAKS if (match := pattern.search(reply))), None):
        yield Violation(kind="leak", name="role marker", quote=leak[0].strip())
    if unprintable := next(filter(_unprintable, reply), None):
        yield Violation(kind="unprintable", name=f"U+{ord(unprintable):04X}")
    if other := wrong_language(reply, language, said):
        yield Violation(kind="language", name=other)


def _unprintable(character: str) -> bool:
    """Control characters and U+FFFD, which a tokenizer leaves where it decoded half a character."""
    return character == "\ufffd" or (unicodedata.category(character) == "Cc" and character not in "\n\t\r")
