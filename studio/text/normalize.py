"""What every room needs to know of writing: marks that vary without a meaning, and scripts without spaces."""

from __future__ import annotations

import unicodedata

VARIANTS = {
    "'": "\u2018\u2019\u201b\u02bc\u2032\uff07",
    '"': "\u201c\u201d\u201e\u201f\uff02",
    "-": "\u2010\u2011\u2012",
}
"""Apostrophe, quote and hyphen, and what keyboards, word processors and models write in their place."""
_INVISIBLE = "\u00ad\u200b\u2060\ufeff"

UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf"  # Thai, Lao, Burmese, Khmer, Tai
    "\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uaa60-\uaa7f\uf900-\ufaff\uff66-\uff9f\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
"""The characters of scripts that put no spaces between words, to stand inside the ``[]`` of a regular expression."""

_ONE_KIND: dict[int, str | None] = {ord(variant): mark for mark, variants in VARIANTS.items() for variant in variants}
_ONE_KIND.update(dict.fromkeys(map(ord, _INVISIBLE)))


def one_kind(text: str) -> str:
    """``text`` with one kind of apostrophe, quote and hyphen, and without invisible characters."""
    return text.translate(_ONE_KIND)


def folded(text: str) -> str:
    """As :func:`one_kind`, and composed (NFC)."""
    return one_kind(unicodedata.normalize("NFC", text))
