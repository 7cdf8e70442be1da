"""An example in full says who decided on it."""

from __future__ import annotations

from typing import Literal

import pytest

from studio.chatml import digest
from studio.judge import NOBODY
from studio.store import Row
from studio.store.records import Decision, Status, TraitScore
from studio.tui.screens.triage.detail import example_page
from studio.tui.text import UNKNOWN
from studio.tui.widgets.row_line import row_line
from tests.store.making import decision, example, judgement


@pytest.mark.parametrize(
    ("made", "status", "said"),
    [
        (None, "accepted", "accepted by test judge "),
        (decision("one", "accept"), "accepted", "accepted by you "),
        (decision("one", "reject", "tone"), "rejected", "rejected by you: tone "),
        (decision("one", "edit", reply="Done."), "accepted", "accepted by you: edited "),
    ],
)
def test_whose_word_stands_is_said_once(made: Decision | None, status: Status, said: str) -> None:
    one = example("one")
    row = Row(seq=1, example=one, judgement=judgement(), decision=made, status=status, messages=one.messages)
    assert said in example_page(row, 80).plain.splitlines()[0]


def test_a_judgement_of_the_text_before_an_edit_is_not_shown_as_that_of_the_edited_one() -> None:
    one = example("one")
    edit = decision("one", "edit", reply="Done.")
    assert edit.messages
    row = Row(seq=1, example=one, judgement=judgement(), decision=edit, status="accepted", messages=edit.messages)
    told = example_page(row, 100).plain
    assert "of 10 before the edit" in told.splitlines()[0] and "judges it again" in told
    assert row_line(row, 100).plain.split()[1] == UNKNOWN
    again = row.model_copy(update={"judgement": judgement().model_copy(update={"digest": digest(edit.messages)})})
    assert "of 10 before the edit" not in example_page(again, 100).plain
    assert row_line(again, 100).plain.split()[1] == "7.0"


@pytest.mark.parametrize(
    ("verdict", "judge", "said"),
    [("unscored", NOBODY, "unscored"), ("error", "gpt-5-mini", "error")],
)
def test_what_nobody_could_score_is_not_told_as_an_error(
    verdict: Literal["unscored", "error"], judge: str, said: str
) -> None:
    one = example("one")
    found = judgement().model_copy(update={"verdict": verdict, "judge": judge, "total": None, "traits": {}})
    row = Row(seq=1, example=one, judgement=found, decision=None, status="pending", messages=one.messages)
    assert row_line(row, 80).plain.split()[1] == said
    page = example_page(row, 80).plain
    assert page.splitlines()[0].startswith("? pending until you decide") and said in page.splitlines()[0]
    assert ("no model judges, and there are no labels" in page) == (verdict == "unscored")


def test_a_regressions_estimate_stands_beside_its_score_with_who_gave_it() -> None:
    one = example("one")
    traits = {"calm": TraitScore(score=2, estimate=1.63)}
    found = judgement().model_copy(update={"judge": "learned judge", "traits": traits, "total": 8.15})
    row = Row(seq=1, example=one, judgement=found, decision=None, status="accepted", messages=one.messages)
    page = example_page(row, 80).plain
    assert "accepted by learned judge" in page and "calm              2  1.63 expected" in page
