"""What a plain YAML scalar means: the YAML 1.2 core schema. ``yes``, ``no`` and dates stay text."""

from __future__ import annotations

import math
import re

Scalar = str | int | float | bool | None

_NULL = frozenset(["", "~", "null", "Null", "NULL"])
_TRUE = frozenset(["true", "True", "TRUE"])
_FALSE = frozenset(["false", "False", "FALSE"])
_INT = re.compile(r"[-+]?[0-9]+\Z")
MAX_DIGITS = 300
"""Of a whole number; a float holds 308."""
_FLOAT = re.compile(
    r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"
)


def resolve(text: str) -> Scalar:
    """The value of an unquoted scalar. Raises ValueError for NaN, the infinities and what overflows."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INT.match(text):
        if len(text) > MAX_DIGITS:
            raise ValueError(f"expected a number of at most {MAX_DIGITS} digits")
        return int(text)
    if _FLOAT.match(text):
        number = float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        if not math.isfinite(number):
            raise ValueError(f"expected a finite number, found {text}")
        return number
    return text
