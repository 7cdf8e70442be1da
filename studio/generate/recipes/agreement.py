"""Agreement of final answers: exact after normalisation, or equal by algebra (self-consistency, Wang et al., 2022).

An answer is one value or several: ``12``, ``12.0``, ``24/2``, ``50%``, ``$1,200``, ``x = 3``, ``\\boxed{3}``, ``3 km``,
``2 and -3``, ``(2, 5)``, ``yes``. Values are compared as fractions with their units; a unit, a currency or a label that
only one of two answers names does not tell them apart. Several values agree in any order, but not those of a tuple or
with labels of their own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from studio.generate.recipes.expression import CONSTANTS, FUNCTIONS, ExpressionError, exact, parse, plain

MAJORITY = 2
"""The least number of answers that agree."""
_LEAD = re.compile(
    r"^(?:so |therefore,? |thus,? )?(?:the )?(?:final )?(?:answers?|results?)(?: is| are|:)\s*", re.IGNORECASE
)
_GROUPED = re.compile(r"(?<![\d.])(\d{1,3})((?:,\d{3})+)(?!\d)")
_NUMBER = r"(?:\d+(?:\.\d+)?|\.\d+)"
_QUANTITY = re.compile(
    rf"([-+]?)\s*([$€£¥]?)\s*([-+]?)((?:\d+ +\d+/\d+)|{_NUMBER}(?:\s*/\s*{_NUMBER})?)(\s*)([^\d\s].*)?$"
)
_LABEL = re.compile(r"^\(?([a-z]|i{1,3})\)\s+|^([A-Za-z]\w{0,30})\s*(?:=|≈)\s*|^([^\W\d][\w ]{0,40}):\s+")
_SPLIT = re.compile(r"\s*;\s*|\s*,\s+(?:and |or )?|\s+(?:and|or)\s+|\n+", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:the|a|an)\s+")
_WORDS = re.compile(r"[^\W_]+")
_MATHS = re.compile(r"[\d^*/+()]|\bpi\b")
"""What a word is told from a product of variables by."""
_COUNTS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
_COUNTS += " seventeen eighteen nineteen twenty"
_NUMBERS = {word: str(number) for number, word in enumerate(_COUNTS.split())}
_LETTERS = frozenset("mghslLNJWVAKCB")
"""Single letters that are units where a space is before them; others are variables."""
_UNITS = {
    "dollar": "$",
    "usd": "$", "$": "$", "euro": "€", "eur": "€", "€": "€", "pound": "£", "gbp": "£", "£": "£", "¥": "¥",
    "percent": "%", "per cent": "%", "%": "%", "kilometre": "km", "kilometer": "km", "metre": "m", "meter": "m",
    "centimetre": "cm", "centimeter": "cm", "millimetre": "mm", "millimeter": "mm", "kilogram": "kg", "kilo": "kg",
    "gram": "g", "litre": "l", "liter": "l", "hour": "h", "hr": "h", "minute": "min", "second": "s", "sec": "s",
    "degree": "°", "°": "°",
}  # fmt: skip


class Equality(Protocol):
    """Whoever tells whether two expressions are equal: :class:`studio.generate.recipes.algebra.Algebra`."""

    def equal(self, first: str, second: str) -> bool | None: ...


@dataclass(frozen=True)
class Value:
    """One value: a number with its unit, an expression, or words."""

    text: str
    number: Fraction | None = None
    unit: str = ""
    label: str = ""


@dataclass(frozen=True)
class FinalAnswer:
    values: tuple[Value, ...]
    ordered: bool = False


def read_answer(text: str) -> FinalAnswer:
    """A final answer as its values. Never fails: what is no number and no expression is words."""
    text = _bare(text)
    ordered = len(text) > 2 and text[0] in "([" and _closed(text) and bool(_SPLIT.search(text))
    if ordered or (len(text) > 2 and text[0] == "{" and _closed(text)):
        text = text[1:-1]
    head = _LABEL.match(text)
    if head and head[2] and (inner := text[head.end() :]) and inner[0] in "{(" and _closed(inner):  # x = {1, 2}
        return read_answer(inner)
    parts = [part for part in _SPLIT.split(text) if part and part.strip()]
    if not ordered and any(part.count("(") != part.count(")") for part in parts):
        parts = [text]
    return FinalAnswer(tuple(_value(part.strip()) for part in parts) or (Value(""),), ordered)


def same_answer(first: FinalAnswer, second: FinalAnswer, algebra: Equality | None = None) -> bool:
    """Whether two final answers are one."""
    if len(first.values) != len(second.values):
        return False
    if first.ordered and second.ordered:
        return all(_same(a, b, algebra) for a, b in zip(first.values, second.values, strict=True))
    left = list(second.values)
    for value in first.values:
        found = next(
            (n for n, one in enumerate(left) if _matching(value, one, len(left)) and _same(value, one, algebra)), -1
        )
        if found < 0:
            return False
        del left[found]
    return True


def agreeing(answers: Sequence[str], algebra: Equality | None = None) -> tuple[int, ...]:
    """Places of the answers in the largest group that agrees; the first of two as large. Empty for no answers."""
    read = [read_answer(answer) for answer in answers]
    groups: list[list[int]] = []
    for place, one in enumerate(read):
        group = next((group for group in groups if same_answer(read[group[0]], one, algebra)), None)
        if group is None:
            groups.append([place])
        else:
            group.append(place)
    most = max(map(len, groups), default=0)
    return next((tuple(group) for group in groups if len(group) == most), ())


def wanted(samples: int) -> int:
    """How many of so many samples have to agree: two of three, and always more than half."""
    return max(MAJORITY, samples // 2 + 1)


def _matching(first: Value, second: Value, several: int) -> bool:
    return first.label == second.label or not (first.label and second.label) or several == 1


def _same(first: Value, second: Value, algebra: Equality | None) -> bool:
    if first.number is not None and second.number is not None:
        a, b, units = first.number, second.number, {first.unit, second.unit} - {""}
        if units == {"%"} and first.unit != second.unit:  # a half, 50 % and "50" per cent
            return a == b or (a == b * 100 if first.unit else b == a * 100)
        return a == b and len(units) <= 1
    if first.text == second.text:
        return True
    if first.number is None and second.number is None and _folded(first.text) == _folded(second.text):
        return True
    if algebra is None or not (_MATHS.search(first.text) and _MATHS.search(second.text)):
        return False
    try:
        parse(first.text), parse(second.text)
    except ExpressionError:
        return False
    return algebra.equal(first.text, second.text) is True


def unwrapped(text: str) -> str:
    """An answer without what wraps it: ``\\boxed``, the dollars of LaTeX, ``the answer is``, a full stop."""
    at = text.rfind("\\boxed{")
    if at >= 0:
        depth, start = 1, at + len("\\boxed{")
        for place in range(start, len(text)):
            depth += {"{": 1, "}": -1}.get(text[place], 0)
            if not depth:
                text = text[start:place]
                break
    text = text.strip().strip("*`").strip().replace("\\(", "").replace("\\)", "").strip()
    bare = _LEAD.sub("", text).strip()
    if bare.count("$") >= 2 and bare.startswith("$") and bare.endswith("$"):
        bare = bare.strip("$").strip()
    return bare.removesuffix(".") if bare.count(".") == 1 else bare


def _bare(text: str) -> str:
    """The same as it is typed, not set: without LaTeX and the commas of thousands."""
    text = unwrapped(text).replace("\\$", "$ ").replace("\\%", "%").replace("\\{", "{").replace("\\}", "}")
    text = _GROUPED.sub(lambda m: m[1] + m[2].replace(",", ""), plain(text).strip())
    return text.rstrip(".").strip()


def _closed(text: str) -> bool:
    """Whether the bracket at the beginning is closed at the end and nowhere before."""
    ends, depth = {"(": ")", "[": "]", "{": "}"}[text[0]], 0
    for place, one in enumerate(text):
        depth += (one == text[0]) - (one == ends)
        if not depth:
            return place == len(text) - 1
    return False


def _value(text: str) -> Value:
    label = ""
    if match := _LABEL.match(text):
        label, text = next(one for one in match.groups() if one).lower(), text[match.end() :].strip()
    text = text.rsplit("=", 1)[-1].strip() or text
    spelled = text.split()
    if spelled and spelled[0].lower() in _NUMBERS:
        text = " ".join([_NUMBERS[spelled[0].lower()], *spelled[1:]])
    if match := _QUANTITY.match(text):
        sign, currency, inner, number, space, unit = match.groups()
        unit = (unit or "").strip()
        if _is_unit(unit, bool(space)):
            value = _fraction(number)
            if value is not None:
                minus = (sign == "-") != (inner == "-")
                name = _unit(currency or unit)
                return Value(text, -value if minus else value, name, label)
    try:
        return Value(text, exact(parse(text)), "", label)
    except ExpressionError:
        return Value(text, None, "", label)


def _fraction(text: str) -> Fraction | None:
    try:
        if " " in text.strip() and "/" in text:  # 1 1/2
            whole, _, rest = text.partition(" ")
            return Fraction(whole) + Fraction(rest.strip().replace(" ", ""))
        above, _, below = text.partition("/")
        return Fraction(above.strip()) / Fraction(below.strip() or "1")
    except (ValueError, ZeroDivisionError):
        return None


def _is_unit(text: str, apart: bool) -> bool:
    """Whether what follows a number is its unit, not mathematics."""
    if not text or text in ("%", "°", "$", "€", "£", "¥"):
        return True
    if not text[0].isalpha() and text[0] not in "°µ":
        return False
    words = re.findall(r"[A-Za-z]+", text)
    if any(word in (*FUNCTIONS, *CONSTANTS) for word in words) or re.search(r"[-+*=(]", text):
        return False
    return (apart and text[:1] in _LETTERS) if len(text) == 1 else apart or len(words[0] if words else text) > 1


def _unit(text: str) -> str:
    found = " ".join(text.lower().split())
    one = found.removesuffix(".")
    return _UNITS.get(one) or _UNITS.get(one.removesuffix("s"), one.removesuffix("s") if len(one) > 2 else one)


def _folded(text: str) -> str:
    """Words alone, without an article before them."""
    bare = _ARTICLE.sub("", unicodedata.normalize("NFKC", text).casefold().strip())
    words = _WORDS.findall(bare)
    return " ".join(_NUMBERS.get(word, word) for word in words) or bare
