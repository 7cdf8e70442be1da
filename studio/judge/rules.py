"""The rules that a reply must keep before any model is asked about it: the spec's phrases, form, and language.

Whether a reply is in the persona's language is told by its script first, and by a classifier only where it is sure.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from studio.chatml import Messages
from studio.spec import Rules, Spec
from studio.store.records import Violation
from studio.text.inert import unfit

LEAST_WORDS = 8
"""Words below which the classifier is not asked: it guesses on short text."""
SURE = 0.98
"""Probability that the classifier must give to another language."""
UNLIKELY = 0.005
"""Probability of the persona's own language below which another one is believed."""
LEAST_LETTERS = 4
PLAIN_SHARE = 0.12
"""Share of a language's most frequent words from which it needs no classifier."""

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_QUOTED = re.compile(r"(?<!\w)['\"\u2018\u201c\u00ab].{1,200}?['\"\u2019\u201d\u00bb](?!\w)", re.DOTALL)

# The first word of a character's Unicode name tells its script.
_SCRIPTS = {
    "am": {"ETHIOPIC"}, "ar": {"ARABIC"}, "as": {"BENGALI"}, "be": {"CYRILLIC"}, "bg": {"CYRILLIC"},
    "bn": {"BENGALI"}, "el": {"GREEK"}, "fa": {"ARABIC"}, "gu": {"GUJARATI"}, "he": {"HEBREW"},
    "hi": {"DEVANAGARI"}, "hy": {"ARMENIAN"}, "ja": {"CJK", "HIRAGANA", "KATAKANA"}, "ka": {"GEORGIAN"},
    "kk": {"CYRILLIC"}, "km": {"KHMER"}, "kn": {"KANNADA"}, "ko": {"HANGUL", "CJK"}, "ky": {"CYRILLIC"},
    "lo": {"LAO"}, "mk": {"CYRILLIC"}, "ml": {"MALAYALAM"}, "mn": {"CYRILLIC", "MONGOLIAN"},
    "mr": {"DEVANAGARI"}, "my": {"MYANMAR"}, "ne": {"DEVANAGARI"}, "pa": {"GURMUKHI"}, "ps": {"ARABIC"},
    "ru": {"CYRILLIC"}, "sa": {"DEVANAGARI"}, "si": {"SINHALA"}, "sr": {"CYRILLIC", "LATIN"}, "ta": {"TAMIL"},
    "te": {"TELUGU"}, "tg": {"CYRILLIC"}, "th": {"THAI"}, "uk": {"CYRILLIC"}, "ur": {"ARABIC"},
    "yi": {"HEBREW"}, "yue": {"CJK"}, "zh": {"CJK"},
}  # fmt: skip

# Words of which any text of the language is full: where they are, the classifier (1.6 s, 100 MB) is not loaded.
_FREQUENT = {
    "de": "der die das und ist ich nicht du wir zu es mit auf für ein eine den dem was".split(),
    "en": "the to a you it is and of your i that we for on be in this what with can have my me they not".split(),
    "es": "que de la el en y los una un es por para con las no tu te lo".split(),
    "fr": "de la le et les des que une un est vous pour je pas en du ce tu".split(),
    "it": "di che la il un una per non sono con i del ti le è in".split(),
    "nl": "de het een en van ik is dat je niet op te in met voor".split(),
    "pt": "de que o a e um uma para com não os do da em se você".split(),
}
# Pronouns and particles that Chinese of some length is full of and that Japanese does not write.
_CHINESE = frozenset("\u4f60\u60a8\u4eec\u5011\u8fd9\u9019\u5417\u55ce\u5427\u5462\u4e48\u9ebc\u6ca1\u6c92\u8bf4\u5f88")
_RELATED = {"no": {"nb", "nn", "da"}, "hr": {"bs", "sr"}, "id": {"ms"}, "en": {"pcm"}, "zh": {"yue", "wuu"}}

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
_USERS_SHARE = 4
"""A user may paste what they ask about: so many times as long as a reply may be."""


class ReplyRules(Rules):
    """The phrases of the spec, and the built-in checks of ``spec.rules``."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self._settings, self._language = spec.rules, spec.language

    def check(self, messages: Messages) -> tuple[Violation, ...]:
        """Every rule that ``messages`` break, each rule once; empty where all are kept. What the user says is learnt
        from too: it may hold no more than a person would write.

        Kinds: ``empty``, ``length``, ``banned``, ``pattern``, ``generic``, ``boundary`` (by its phrases),
        ``punctuation``, ``role_label``, ``unprintable`` and ``language``; ``user_text`` of a user's turn; and
        ``pattern_timeout``, which fails nothing (:func:`broken`): that pattern could not be checked.
        """
        said = "\n".join(m.content for m in messages if m.role == "user")
        replies = [m.content for m in messages if m.role == "assistant"]
        if not replies:
            return (Violation(kind="empty", name="no reply"),)
        found = [violation for reply in replies for violation in self._check_turn(said, reply)]
        found += [violation for m in messages if m.role == "user" for violation in self._check_said(m.content)]
        return tuple({(violation.kind, violation.name): violation for violation in reversed(found)}.values())[::-1]

    def _check_said(self, said: str) -> Iterator[Violation]:
        settings = self._settings
        if settings.max_chars is not None and len(said) > _USERS_SHARE * settings.max_chars:
            yield Violation(kind="user_text", name="too long", quote=said[:40])
        if settings.unprintable == "reject" and (sign := _unprintable(said)):
            yield Violation(kind="user_text", name=sign)

    def _check_turn(self, said: str, reply: str) -> Iterator[Violation]:
        settings, text = self._settings, reply.strip()
        if not text:
            yield Violation(kind="empty", name="blank reply")
            return
        if settings.max_chars is not None and len(text) > settings.max_chars:
            yield Violation(kind="length", name="too long", quote=text[:40])
        for hit in self.broken(reply):
            yield Violation(kind=hit.kind, name=hit.name, quote=hit.quote)
        prose = _CODE.sub(" code ", reply)
        if settings.punctuation == "reject" and (doubled := _DOUBLED.search(prose)):
            yield Violation(kind="punctuation", name="doubled", quote=doubled[0])
        labels = (match[0].strip() for pattern in _ROLE_LABELS if (match := pattern.search(prose)))
        if settings.role_labels == "reject" and (label := next(labels, "")):
            yield Violation(kind="role_label", name="role label", quote=label)
        if settings.unprintable == "reject" and (sign := _unprintable(reply)):
            yield Violation(kind="unprintable", name=sign)
        if settings.language == "reject" and (other := wrong_language(reply, self._language, said)):
            yield Violation(kind="language", name=other)


def broken(violations: Iterable[Violation]) -> tuple[Violation, ...]:
    """Those that fail a reply: all but the patterns that could not be checked."""
    return tuple(violation for violation in violations if violation.kind != "pattern_timeout")


def _unprintable(text: str) -> str:
    """What nobody writes, and U+FFFD, which a tokenizer leaves where it decoded half a character."""
    return "U+FFFD" if "\ufffd" in text else unfit(text)


def wrong_language(reply: str, language: str, said: str = "") -> str | None:
    """The language or script that ``reply`` is in where it surely is not ``language`` (BCP 47), else None.

    What the reply repeats of ``said`` or puts in quotes is left out: it is the user's, in whatever language.
    """
    primary = language.split("-")[0].lower()
    repeated = {word.lower() for word in _WORD.findall(said)}
    words = [word for word in _WORD.findall(_QUOTED.sub(" ", reply)) if word.lower() not in repeated]
    expected = {"LATIN"} if "-latn" in language.lower() else _SCRIPTS.get(primary, {"LATIN"})
    if script := _wrong_script(words, primary, expected):
        return script
    if len(words) < LEAST_WORDS:
        return None
    said_in = {name: sum(word.lower() in frequent for word in words) for name, frequent in _FREQUENT.items()}
    own = said_in.get(primary, 0)
    if own / len(words) >= PLAIN_SHARE and own == max(said_in.values()):
        return None
    return _classified(" ".join(words), primary)


def _wrong_script(words: list[str], primary: str, expected: set[str]) -> str | None:
    counts = Counter(_script(character) for word in words for character in word)
    total = counts.total()
    if total < LEAST_LETTERS:
        return None
    if primary == "ja" and counts["CJK"] == total and any(_CHINESE & set(word) for word in words):
        return "CJK script"
    if sum(counts[script] for script in expected) * 2 >= total:
        return None
    return f"{counts.most_common(1)[0][0].title()} script"


@lru_cache(maxsize=4096)
def _script(character: str) -> str:
    return unicodedata.name(character, "UNKNOWN").split("-")[0].split()[0]


def _classified(text: str, primary: str) -> str | None:
    identifier = _identifier()
    if primary not in identifier.labels:
        return None
    ranked = dict(identifier.rank(text))
    best = max(ranked, key=lambda name: ranked[name])
    if best in _RELATED.get(primary, ()) or ranked[best] < SURE or ranked.get(primary, 0.0) > UNLIKELY:
        return None
    return str(best)


@lru_cache(maxsize=1)
def _identifier() -> Any:
    """py3langid's model with probabilities that add up to 1."""
    from py3langid import langid

    return langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
