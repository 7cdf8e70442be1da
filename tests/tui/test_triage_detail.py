"""An example in full says who decided on it."""

from __future__ import annotations

import pytest

from studio.store import Row
from studio.store.records import Decision, Status
from studio.tui.screens.triage_detail import example_page
from tests.store.making import decision, example, judgement


@pytest.mark.parametrize(
    ("made", "status", "said"),
    [
        (None, "accepted", "accepted by the judge "),
        (decision("one", "accept"), "accepted", "accepted by you "),
        (decision("one", "reject", "tone"), "rejected", "rejected by you: tone "),
        (decision("one", "edit", reply="Done."), "accepted", "accepted by you: edited "),
    ],
)
def test_whose_word_stands_is_said_once(made: Decision | None, status: Status, said: str) -> None:
    one = example("one")
    row = Row(seq=1, example=one, judgement=judgement(), decision=made, status=status, messages=one.messages)
    assert said in example_page(row, 80).plain.splitlines()[0]
