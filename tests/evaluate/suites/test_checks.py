"""Rule checks: each with a reply that holds and one that does not."""

from __future__ import annotations

from typing import Any

import pytest

from studio.evaluate.suites.checks import Checks, failed

TABLE = "| City | River |\n| --- | --- |\n| Vienna | Danube |"


@pytest.mark.parametrize(
    ("check", "holds", "fails"),
    [
        ({"words_at_most": 3}, "one two three", "one two three four"),
        ({"words_at_least": 3}, "one two three", "one two"),
        ({"lines": 2}, "a\n\nb\n", "a"),
        ({"bullets": 2}, "- a\n* b", "- a\n- b\n- c"),
        ({"numbered": 2}, "1. a\n2) b", "a\nb"),
        ({"table_columns": 2}, TABLE, "Vienna | Danube"),
        ({"table_columns": 3}, "a | b | c\n--|:-:|--\n1 | 2 | 3", TABLE),
        ({"case": "upper"}, "ALL OF IT, 3 TIMES", "ALL of it"),
        ({"case": "lower"}, "all of it", "All of it"),
        ({"without": ("red", "hot")}, "a reddish glow", "It is Hot."),
        ({"contains": ("group by", "customer_id")}, "... GROUP  BY customer_id", "group by customer"),
        ({"contains": ("7",)}, "[2,3,5,7]", "[2,3,5,77]"),
        ({"contains_any": ("Zug", "Bahn")}, "Die Bahn fährt", "Die Bahnen"),
        ({"contains_any": (r"\d{4}",)}, r"^\d{4}$", r"^\d+$"),
        ({"starts_with": "A clock is"}, "a clock is round", "The clock"),
        ({"ends_with": "and that was all."}, "So it went, and that was all.\n", "and that was all of it."),
        ({"equals": "2021-03-09"}, '"2021-03-09".', "It is 2021-03-09"),
        ({"number": 132}, "12 times 11 is 132.", "132 or 133"),
        ({"number": 1200.5}, "1,200.5", "1,200"),
        ({"is_json": True}, "```json\n[1, 2]\n```", "[1, 2"),
        ({"json_keys": ("a", "b")}, '{"b": 1, "a": {}}', '{"a": 1}'),
        ({"python": True}, "```python\ndef f(a):\n    return a\n```", "def f(a) return a"),
        ({"python": True}, "x = 1", "Sure"),
    ],
)
def test_a_check_tells_a_reply_that_holds_from_one_that_does_not(check: dict[str, Any], holds: str, fails: str) -> None:
    checks = Checks.model_validate(check)
    assert failed(checks, holds) == ()
    assert failed(checks, fails) == tuple(check)


def test_a_blank_reply_fails_all_and_no_check_is_no_check() -> None:
    assert failed(Checks(words_at_most=3, without=("a",)), " \n") == ("words_at_most", "without")
    assert not Checks() and Checks(python=True)
    assert failed(Checks(), "anything") == ()


def test_only_the_checks_that_fail_are_named() -> None:
    assert failed(Checks(words_at_most=2, contains=("Tokyo",)), "It is Tokyo") == ("words_at_most",)


@pytest.mark.parametrize("hostile", ["[" * 100_000, "(" * 10_000, "a" * 200_000, "\x00", '"\\ud800'])
def test_hostile_replies_fail_and_raise_nothing(hostile: str) -> None:
    assert failed(Checks(is_json=True, python=True, table_columns=2), hostile)
