from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.spec import probe_text, targets
from studio.spec.scenarios import WEIGHTS
from tests.spec.helpers import MINIMAL, spec_of

HEAD = MINIMAL.partition("scenarios:")[0]


def spread(rows: list[tuple[str, int]], examples: int) -> list[int]:
    scenarios = "".join(
        f"  c{number}: {{priority: {priority}, target: {target}, items: [x{number}]}}\n"
        for number, (priority, target) in enumerate(rows)
    )
    spec = spec_of(base=f"{HEAD}scenarios:\n{scenarios}success: {{examples: {examples}}}\n")
    return list(targets(spec).values())


def test_the_rest_is_spread_by_priority() -> None:
    assert spread([("high", 10), ("medium", 10), ("low", 10)], 42) == [16, 14, 12]


def test_the_largest_remainders_get_what_is_left_and_equals_go_in_order() -> None:
    assert spread([("low", 0), ("low", 0), ("low", 0)], 2) == [1, 1, 0]
    assert spread([("high", 0), ("low", 0)], 3) == [2, 1]


def test_targets_that_reach_the_number_of_examples_are_left_alone() -> None:
    assert spread([("high", 30), ("low", 20)], 50) == [30, 20]
    assert spread([("high", 30), ("low", 20)], 10) == [30, 20]


def test_held_out_categories_have_no_target() -> None:
    spec = spec_of("  kept: {holdout: true, items: [Wave]}\n")
    assert targets(spec) == {"daily": 200}


@given(
    st.lists(st.tuples(st.sampled_from(sorted(WEIGHTS)), st.integers(0, 50)), min_size=1, max_size=6),
    st.integers(1, 400),
)
def test_targets_add_up_and_none_is_below_its_own(rows: list[tuple[str, int]], examples: int) -> None:
    wanted = spread(rows, examples)
    assert sum(wanted) == max(examples, sum(target for _, target in rows))
    assert all(got >= target for got, (_, target) in zip(wanted, rows, strict=True))


@pytest.mark.parametrize(
    ("item", "message", "kept"),
    [
        ("Remind me to [text Lucy] [at 8 am]", "Remind me to text Lucy at 8 am", ("text Lucy", "at 8 am")),
        ("Hello there", "Hello there", ()),
        ("  [ call   Mark ] now ", "call   Mark  now", ("call Mark",)),
        ("[] nothing", "nothing", ()),
        ("提醒我[给妈妈打电话]", "提醒我给妈妈打电话", ("给妈妈打电话",)),
    ],
)
def test_brackets_of_a_probe_mark_the_words_to_keep(item: str, message: str, kept: tuple[str, ...]) -> None:
    assert probe_text(item) == (message, kept)
