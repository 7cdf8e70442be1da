"""The rules that a reply must keep before any model is asked about it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from studio.chatml import Messages
from studio.judge.language import wrong_language
from studio.spec import Rules, Spec
from studio.store.records import Violation

# The same mark twice. Three dots are an ellipsis, two between digits or before a slash a range or a folder, "?!" is for
# the spec's own patterns to forbid, "::" is code.
_DOUBLED = re.compile(r"([!?,;\u3001\u3002\uff0c\uff01\uff1f])\1|(?<![.\d])\.\.(?![./])|(?<=\d)\.\.(?![./\d])|\.{4,}")
_ROLE_LABELS = (
    # Chat templates' own tokens: ChatML, Llama 2 and 3, Gemma, Alpaca and reasoning models.
    re.compile(r"<\|[A-Za-z0-9_]{1,40}\|>|</?s>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|</?think>"),
    re.compile(r"###\s*(?:instruction|response|input|human|assistant|user|system)\b", re.IGNORECASE),
    re.compile(r"^\s*(?:user|assistant|human)\s*:", re.IGNORECASE | re.MULTILINE),
    # "System: macOS" is a fact; it is a role where the turns of a conversation begin the reply or follow.
    re.compile(r"\A\s*(?:ai|bot)\s*:|^\s*system\s*:(?=.*^\s*(?:user|assistant|human)\s*:)", re.I | re.M | re.S),
    re.compile(r"(?<=[.!?'\"])\s+(?:User|Assistant|System|Human)\s*:"),
)


# Code, fenced or between single backticks: what stands in it is neither punctuation nor markup of the reply.
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)


class ReplyRules:
    """The built-in checks of ``spec.rules`` and the phrases of the spec, compiled once."""

    def __init__(self, spec: Spec) -> None:
        self._settings, self._language, self._phrases = spec.rules, spec.language, Rules(spec)

    def preferred(self, reply: str) -> tuple[str, ...]:
        """The preferred expressions in ``reply``, as the spec has them."""
        return self._phrases.preferred(reply)

    def check(self, messages: Messages) -> tuple[Violation, ...]:
        """Every rule that an assistant turn of ``messages`` breaks, each rule once; empty where all are kept.

        Kinds: ``empty``, ``length``, ``banned``, ``pattern``, ``generic``, ``boundary`` (by its phrases),
        ``punctuation``, ``role_label``, ``unprintable`` and ``language``; and ``pattern_timeout``, which fails nothing
        (:func:`broken`): that pattern could not be checked.
        """
        said = "\n".join(m.content for m in messages if m.role == "user")
        replies = [m.content for m in messages if m.role == "assistant"]
        if not replies:
            return (Violation(kind="empty", name="no reply"),)
        found = [violation for reply in replies for violation in self._check_turn(said, reply)]
        return tuple({(violation.kind, violation.name): violation for violation in reversed(found)}.values())[::-1]

    def _check_turn(self, said: str, reply: str) -> Iterator[Violation]:
        settings, text = self._settings, reply.strip()
        if not text:
            yield Violation(kind="empty", name="blank reply")
            return
        if settings.max_chars is not None and len(text) > settings.max_chars:
            yield Violation(kind="length", name="too long", quote=text[:40])
        for hit in self._phrases.broken(reply):
            yield Violation(kind=hit.kind, name=hit.name, quote=hit.quote)
        prose = _CODE.sub(" code ", reply)
        if settings.punctuation == "reject" and (doubled := _DOUBLED.search(prose)):
            yield Violation(kind="punctuation", name="doubled", quote=doubled[0])
        if settings.role_labels == "reject" and (label := _first(_ROLE_LABELS, prose)):
            yield Violation(kind="role_label", name="role label", quote=label)
        if settings.unprintable == "reject" and (sign := next(filter(_unprintable, reply), None)):
            yield Violation(kind="unprintable", name=f"U+{ord(sign):04X}")
        if settings.language == "reject" and (other := wrong_language(reply, self._language, said)):
            yield Violation(kind="language", name=other)


def broken(violations: Iterable[Violation]) -> tuple[Violation, ...]:
    """Those that fail a reply: all but the patterns that could not be checked."""
    return tuple(violation for violation in violations if violation.kind != "pattern_timeout")


def _first(patterns: Iterable[re.Pattern[str]], text: str) -> str:
    return next((match[0].strip() for pattern in patterns if (match := pattern.search(text))), "")


def _unprintable(character: str) -> bool:
    """Control characters and U+FFFD, which a tokenizer leaves where it decoded half a character."""
    return character == "\ufffd" or (unicodedata.category(character) == "Cc" and character not in "\n\t\r")
