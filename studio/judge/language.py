"""Whether a reply is in the persona's language: by its script first, and by a classifier only where it is sure."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from typing import Any

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


def wrong_language(reply: str, language: str, said: str = "") -> str | None:
    """The language or script that ``reply`` is in where it surely is not ``language`` (BCP 47), else None.

    What the reply repeats of ``said`` or puts in quotes is left out: it is the user's, in whatever language.
    """
    primary = language.split("-")[0].lower()
    words = _own_words(reply, said)
    if script := _wrong_script(words, primary, language):
        return script
    if len(words) < LEAST_WORDS or _plainly(words, primary):
        return None
    return _classified(" ".join(words), primary)


def _own_words(reply: str, said: str) -> list[str]:
    repeated = {word.lower() for word in _WORD.findall(said)}
    return [word for word in _WORD.findall(_QUOTED.sub(" ", reply)) if word.lower() not in repeated]


def _wrong_script(words: list[str], primary: str, language: str) -> str | None:
    counts = Counter(_script(character) for word in words for character in word)
    total = sum(counts.values())
    if total < LEAST_LETTERS:
        return None
    expected = {"LATIN"} if "-latn" in language.lower() else _SCRIPTS.get(primary, {"LATIN"})
    if primary == "ja" and counts["CJK"] == total and any(_CHINESE & set(word) for word in words):
        return "CJK script"
    if sum(counts[script] for script in expected) * 2 >= total:
        return None
    return f"{counts.most_common(1)[0][0].title()} script"


@lru_cache(maxsize=4096)
def _script(character: str) -> str:
    return unicodedata.name(character, "UNKNOWN").split("-")[0].split()[0]


def _plainly(words: list[str], primary: str) -> bool:
    """Whether the language's most frequent words are there, more of them than of any other language's."""
    said = [word.lower() for word in words]
    shares = {name: sum(word in frequent for word in said) / len(said) for name, frequent in _FREQUENT.items()}
    own = shares.get(primary, 0.0)
    return own >= PLAIN_SHARE and own == max(shares.values())


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
