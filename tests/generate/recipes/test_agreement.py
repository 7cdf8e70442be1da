"""Whether two final answers are one: by value and unit, in any notation, and by algebra that never runs a text."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from studio.generate.recipes.agreement import agreeing, read_answer, same_answer, unwrapped, wanted
from studio.generate.recipes.algebra import Algebra
from studio.generate.recipes.expression import ExpressionError, exact, parse


@pytest.fixture(scope="module")
def algebra() -> Iterator[Algebra]:
    one = Algebra(limit_s=2.0)
    yield one
    one.close()


SAME = [
    ("12", "12.0"),
    ("1/2", "50%"),
    ("0.5", "50 %"),
    ("50", "50%"),
    ("$1,200", "1200"),
    ("$1,200", "1200 dollars"),
    ("\\$5", "5"),
    ("x = 3", "3"),
    ("\\boxed{3}", "3"),
    ("The final answer is \\boxed{\\frac{3}{4}}.", "0.75"),
    ("$x = \\frac{3}{4}$", "3/4"),
    ("3 km", "3"),
    ("3 km", "3 kilometres"),
    ("1530 cm^3", "1530 cm³"),
    ("10/3 hours", "3 1/3 h"),
    ("x=2 or x=-3", "-3 and 2"),
    ("{2, -3}", "-3, 2"),
    ("x = {2, -3}", "-3; 2"),
    ("x = 3, y = 4", "3; 4"),
    ("(2, 3)", "(2, 3.0)"),
    ("2\\sqrt{3}", "sqrt(12)"),
    ("(x+1)^2", "x^2+2x+1"),
    ("2\\pi", "2π"),
    ("2^{10}", "1024"),
    ("3 = 6/2 = 3", "3"),
    ("three", "3"),
    ("The baker", "baker"),
    ("yes", "Yes."),
    ("Anna, Ben", "ben and anna"),
    ("-5", "−5"),  # noqa: RUF001
]
OTHER = [
    ("12", "13"),
    ("3 km", "3 m"),
    ("$5", "€5"),
    ("50%", "5"),
    ("x = 3, y = 4", "x = 4, y = 3"),
    ("(2, 3)", "(3, 2)"),
    ("2 and 3", "2"),
    ("1,200", "1, 200"),
    ("14:30", "7:15"),
    ("2x", "2y"),
    ("x^2", "2^x"),
    ("2pi", "6.283"),
    ("yes", "no"),
    ("Eva", "Ave"),
    ("__import__('os').system('true')", "0"),
]


@pytest.mark.parametrize(("first", "second"), SAME)
def test_the_same_answer_in_two_notations_agrees(first: str, second: str, algebra: Algebra) -> None:
    assert same_answer(read_answer(first), read_answer(second), algebra)
    assert same_answer(read_answer(second), read_answer(first), algebra)


@pytest.mark.parametrize(("first", "second"), OTHER)
def test_another_answer_does_not(first: str, second: str, algebra: Algebra) -> None:
    assert not same_answer(read_answer(first), read_answer(second), algebra)
    assert not same_answer(read_answer(second), read_answer(first), algebra)


@pytest.mark.parametrize("tower", ["9**9**9", "9^9^9^9", "((2^999)^999)^999", "factorial(9^9)", "exp(exp(exp(99)))"])
def test_a_number_too_large_to_write_down_does_not_hang(tower: str, algebra: Algebra) -> None:
    began = time.monotonic()
    assert not same_answer(read_answer(tower), read_answer("7"), algebra)
    assert time.monotonic() - began < 10
    assert algebra.equal("2*x + x", "3*x") is True, "the next comparison is answered"


@pytest.mark.parametrize(
    "hostile",
    ["__import__('os')", "().__class__", "x.y", "[1,2]", "lambda: 1", "1 if 1 else 2", "open(1)", "'a'*9", "a" * 400,
     "(" * 150 + "1" + ")" * 150, "1_000", "sqrt(1, 2)", "{x}", "x := 1", "~1", "1 // 2"],
)  # fmt: skip
def test_only_arithmetic_is_an_expression(hostile: str) -> None:
    with pytest.raises(ExpressionError):
        parse(hostile)
    read_answer(hostile)


def test_numbers_are_computed_as_fractions_within_bounds() -> None:
    assert exact(parse("0.1 + 0.2")) == exact(parse("3/10"))
    assert exact(parse("2^64")) == 2**64
    assert exact(parse("2^65")) is None and exact(parse("9^9^9")) is None and exact(parse("1/0")) is None


def test_the_largest_group_agrees_and_more_than_half_have_to(algebra: Algebra) -> None:
    assert agreeing(["3", "4", "x = 3"], algebra) == (0, 2)
    assert agreeing(["3", "4", "5"], algebra) == (0,) and agreeing([], algebra) == ()
    assert [wanted(samples) for samples in (2, 3, 4, 5, 9)] == [2, 2, 3, 3, 5]


def test_an_answer_is_kept_without_its_wrapping() -> None:
    assert unwrapped("The final answer is \\boxed{12}.") == "12"
    assert unwrapped("**Answer: $3/8$**") == "3/8" and unwrapped("$1,200") == "$1,200" and unwrapped("3.5") == "3.5"
