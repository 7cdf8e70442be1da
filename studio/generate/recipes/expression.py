"""Expressions: what a model wrote as mathematics, read as a tree of a few known kinds and never evaluated as code.

LaTeX and everyday notation (``\\frac{1}{2}``, ``2x^2``, ``3(x+1)``) become the text of a Python expression, of which
the parser of the standard library makes a tree; whatever is in it besides numbers, names, the arithmetic operators and
a few functions is refused. Numbers are computed as fractions within bounds; all else is left to :mod:`.algebra`.
"""

from __future__ import annotations

import ast
import re
from fractions import Fraction

LONGEST = 300
"""Characters of an expression."""
MOST_EXPONENT = 64
_MOST_BITS = 4096
FUNCTIONS = ("sqrt", "cbrt", "log", "ln", "exp", "sin", "cos", "tan", "abs", "factorial")
CONSTANTS = ("pi", "e")
_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)
_SIGNS = str.maketrans(
    {"−": "-", "–": "-", "×": "*", "·": "*", "⋅": "*", "÷": "/", "⁄": "/", "π": " pi ", "²": "^2", "³": "^3"}  # noqa: RUF001
)
_FRACTION = re.compile(r"\\[dt]?frac\s*(?:\{([^{}]*)\}|(\d))\s*(?:\{([^{}]*)\}|(\d))")
_ROOT = re.compile(r"\\sqrt\s*\{([^{}]*)\}|\\sqrt\s*(\d)")
_LATEX = {r"\cdot": "*", r"\times": "*", r"\div": "/", r"\pi": " pi ", r"\left": "", r"\right": "", r"\ln": " ln "}
_LATEX |= {r"\log": " log ", r"\sin": " sin ", r"\cos": " cos ", r"\tan": " tan ", r"\,": "", r"\;": "", r"\!": ""}
_LATEX |= {r"\ ": " ", r"\displaystyle": ""}
_COMMAND = re.compile(r"\\(?:[a-zA-Z]+|.)")
_TOKEN = re.compile(r"\d+(?:\.\d+)?|\.\d+|[A-Za-z]+|\*\*|[-+*/^()!]|\s+")


class ExpressionError(ValueError):
    """What is no expression that can be compared."""


def plain(text: str) -> str:
    """``text`` without LaTeX: fractions, roots and signs as they are typed."""
    text = text.translate(_SIGNS)
    for _ in range(8):  # from the innermost out
        bare = _FRACTION.sub(lambda m: f"(({m[1] or m[2]})/({m[3] or m[4]}))", text)
        bare = _ROOT.sub(lambda m: f" sqrt({m[1] or m[2]})", bare)
        bare = re.sub(r"\\(?:text|mathrm|mbox|operatorname)\s*\{([^{}]*)\}", r" \1 ", bare)
        bare = re.sub(r"\^\s*\{([^{}]*)\}", r"^(\1)", bare)
        if bare == text:
            break
        text = bare
    text = re.sub(r"√\s*(\d+(?:\.\d+)?)", r" sqrt(\1)", text).replace("√", " sqrt")
    return _COMMAND.sub(lambda m: _LATEX.get(m[0], m[0]), text)


def parse(text: str) -> ast.expr:
    """The tree of an expression. Raises :class:`ExpressionError` for anything else."""
    if len(text) > LONGEST:
        raise ExpressionError("too long")
    try:
        tree = ast.parse(_typed(plain(text)), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ExpressionError(str(error)) from None
    _check(tree)
    return tree


def _typed(text: str) -> str:
    """With ``**`` for powers and ``*`` where a product is only written side by side."""
    found: list[str] = []
    at = 0
    for match in _TOKEN.finditer(text):
        if match.start() != at:
            raise ExpressionError(f"expected an expression, found {text[at : match.start()]!r}")
        at = match.end()
        if not match[0].isspace():
            found += _words(match[0])
    if at != len(text):
        raise ExpressionError(f"expected an expression, found {text[at:]!r}")
    typed: list[str] = []
    for token in found:
        before = typed[-1] if typed else ""
        ends = before == ")" or (before[-1:].isalnum() and before not in FUNCTIONS)
        begins = token == "(" or token[:1].isalnum() or token[:1] == "."
        if ends and begins:
            if before[0].isdigit() and token[0].isdigit():
                raise ExpressionError("two numbers side by side")
            typed.append("*")
        typed.append({"^": "**"}.get(token, token))
    if "!" in typed:
        raise ExpressionError("factorials are written as factorial(n)")
    return " ".join(typed)


def _words(token: str) -> list[str]:
    """A run of letters that is no known name is a product of variables."""
    if not token.isalpha() or token in FUNCTIONS or token in CONSTANTS:
        return [token]
    return list(token) if len(token) <= 3 else _refuse(token)


def _refuse(token: str) -> list[str]:
    raise ExpressionError(f"expected an expression, found the word {token!r}")


def _check(node: ast.AST) -> None:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant):
            good = type(part.value) in (int, float)
        elif isinstance(part, ast.BinOp):
            good = isinstance(part.op, _OPERATORS)
        elif isinstance(part, ast.UnaryOp):
            good = isinstance(part.op, ast.UAdd | ast.USub)
        elif isinstance(part, ast.Call):
            good = isinstance(part.func, ast.Name) and part.func.id in FUNCTIONS and len(part.args) == 1
            good = good and not part.keywords
        else:
            good = isinstance(part, (ast.Name, ast.Load, ast.unaryop, ast.operator))
        if not good:
            raise ExpressionError(f"expected an expression, found {type(part).__name__}")


def exact(node: ast.expr) -> Fraction | None:
    """The value of an expression of numbers alone; None where it has names, is irrational, or grows too large."""
    try:
        return _value(node)
    except (ZeroDivisionError, OverflowError, ExpressionError, RecursionError):
        return None


def _value(node: ast.expr) -> Fraction:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return Fraction(str(node.value))
    if isinstance(node, ast.UnaryOp):
        value = _value(node.operand)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left), _value(node.right)
        if isinstance(node.op, ast.Add):
            return left + right
        if isinstance(node.op, ast.Sub):
            return left - right
        if isinstance(node.op, ast.Mult):
            return left * right
        if isinstance(node.op, ast.Div):
            return left / right
        size = max(left.numerator.bit_length(), left.denominator.bit_length())
        if right.denominator == 1 and abs(right) <= MOST_EXPONENT and size * abs(right) <= _MOST_BITS:
            return Fraction(left ** int(right))
    raise ExpressionError("no number of its own")
