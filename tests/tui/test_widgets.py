"""What needs no window: charts, bars, figures, pages of rows, conversations as text, folds of events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.bank import BankFinished, BankStarted
from studio.bank.quality import Reason
from studio.bank.types import HopFinished, PeopleFinished, PeopleProgressed, PeopleStarted, PersonFailed, PersonTaken
from studio.chatml import Message, assistant, user
from studio.errors import UserError
from studio.generate.types import CallFailed, CategoryTarget, GenerateFinished, GenerateProgressed, GenerateStarted
from studio.jobs.record import Event
from studio.tui import text as figures
from studio.tui.live.progress import fold_bank, fold_generate
from studio.tui.screens.triage.decisions import as_text, from_text
from studio.tui.text import cells, pad
from studio.tui.widgets.layout import bar, coverage, facts
from studio.tui.widgets.loss_chart import decimate, plot
from studio.tui.widgets.pages import Pages

FINITE = st.floats(min_value=-1e6, max_value=1e6)


def event(value: Any) -> Event:
    return Event(at=datetime(2026, 1, 1, tzinfo=UTC), kind=value.kind, data=value.model_dump(mode="json"))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(FINITE, min_size=1, max_size=500), st.integers(min_value=1, max_value=80))
def test_a_decimated_curve_keeps_its_mean_range_and_width(values: list[float], columns: int) -> None:
    kept = decimate(values, columns)
    assert len(kept) == min(len(values), columns)
    assert min(values) - 1e-6 <= min(kept) and max(kept) <= max(values) + 1e-6


@given(st.lists(FINITE, min_size=1, max_size=60), st.integers(min_value=1, max_value=12))
def test_a_plot_has_its_height_and_a_dot_a_column(values: list[float], height: int) -> None:
    rows = plot(values, min(values), max(values), height)
    assert len(rows) == height
    assert {len(row) for row in rows} == {(len(values) + 1) // 2}
    for x in range(len(values)):
        assert any(ord(row[x // 2]) - 0x2800 & (0x47 if x % 2 == 0 else 0xB8) for row in rows)


def test_a_falling_curve_falls() -> None:
    first, last = plot([4, 3, 2, 1], 1, 4, 2)
    assert ord(first[0]) & 0x01 and not ord(first[1]) & 0xB8
    assert ord(last[1]) & 0x80 and not ord(last[0]) & 0x47


@pytest.mark.parametrize(("done", "whole", "full"), [(0, 9, 0), (1, 999, 1), (5, 10, 5), (99, 100, 9), (9, 9, 10)])
def test_a_bar_is_neither_empty_nor_full_before_its_time(done: int, whole: int, full: int) -> None:
    assert bar(done, whole, 10).plain == "━" * full + "─" * (10 - full)


def test_a_line_of_coverage_fits_and_tells_the_numbers() -> None:
    content = coverage("a_very_long_name_of_a_category", 3, 7, 40)
    assert content.cell_length <= 40 and content.plain.endswith("3/7")


@given(st.text(max_size=40), st.integers(min_value=0, max_value=40))
def test_padded_text_takes_exactly_its_cells(text: str, width: int) -> None:
    assert cells(pad(text, width)) == width


def test_wide_characters_take_two_cells() -> None:
    assert pad("港の番人さん", 14) == "港の番人さん  "
    assert pad("港の番人さん", 8) == "港の番 …"


def test_facts_wrap_under_themselves_and_leave_out_what_is_empty() -> None:
    content = facts([("name", "one two three four"), ("none", "")], 21, name_width=6)
    assert content.plain.splitlines() == ["name   one two three", "       four"]


def test_figures_say_what_is_not_known() -> None:
    assert [figures.duration(s) for s in (None, 8, 72, 7390)] == ["-", "8 s", "1:12", "2:03:10"]
    assert [figures.rate(r) for r in (0, 3.24, 0.25)] == ["-", "3.2/s", "15.0/min"]
    assert [figures.share(*pair) for pair in ((0, 0), (7, 8))] == ["-", "88 %"]
    assert [figures.counted(n, "problem") for n in (1, 2)] == ["1 problem", "2 problems"]


def test_pages_are_asked_for_once_and_old_rows_stay_until_replaced() -> None:
    asked: list[int] = []
    pages: Pages[str] = Pages(asked.append, size=2, kept=2)
    assert pages.get(3) is None and pages.get(2) is None and asked == [1]
    assert pages.fill(1, ["c", "d"], pages.generation) == [2, 3]
    assert pages.get(3) == "d" and asked == [1]
    pages.renew()
    assert pages.get(3) == "d" and asked == [1, 1]
    assert pages.fill(1, ["c", "D"], pages.generation) == [3]
    pages.fill(0, ["a", "b"], pages.generation)
    pages.fill(2, ["e"], pages.generation)
    assert pages.get(3) is None, "the oldest page made room"


def test_an_answer_to_an_older_question_is_shown_and_asked_again() -> None:
    asked: list[int] = []
    pages: Pages[str] = Pages(asked.append, size=2)
    pages.get(0)
    before = pages.generation
    pages.renew()
    pages.fill(0, ["old"], before)
    assert pages.get(0) == "old" and asked == [0, 0]


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1).map(str.strip).filter(bool),
        min_size=1,
    )
)
def test_a_conversation_survives_being_edited_as_text(texts: list[str]) -> None:
    messages = tuple(turn for text in texts for turn in (user(text), assistant(text)))
    if not any(one.content.startswith("===") or "\n===" in one.content for one in messages):
        assert from_text(as_text(messages)) == messages


@pytest.mark.parametrize(
    "text", ["", "no headings", "=== user ===\n\n=== assistant ===\nx", "=== user ===\nonly a question"]
)
def test_a_text_that_is_no_conversation_is_refused(text: str) -> None:
    with pytest.raises(UserError):
        from_text(text)


def test_a_system_turn_keeps_its_role() -> None:
    messages = (Message(role="system", content="be kind"), user("hello"), assistant("hi"))
    assert from_text(as_text(messages)) == messages


def test_the_bank_folds_its_events() -> None:
    begun = fold_bank(None, [event(BankStarted(people=9, seed=0))])
    assert begun.brief == "0/9"
    done = fold_bank(begun, [event(BankFinished(added=9, known=0, complete=True, seconds=1))])
    assert isinstance(done.finished, BankFinished) and done.finished.added == 9


def test_the_bank_folds_the_events_of_people_that_a_model_writes() -> None:
    reasons: dict[Reason, int] = {"meaning": 2}
    told = PeopleProgressed(
        done=3, wanted=5, removed=2, errors=0, reasons=reasons, cost_usd=0.5, rate=1.0, eta_s=2.0, waiting=None
    )
    hop = HopFinished(
        hop=1, people=3, n=3, vendi=2.0, nearest_distance=0.4, first_vendi=2.0, age_divergence=0.1, job_divergence=0.2
    )
    end = PeopleFinished(
        method="relations", done=4, wanted=5, known=1, removed=2, reasons=reasons, errors=0, calls=5, cost_usd=0.5,
        seconds=9, complete=False, note="nobody new in the last 100 answers",
    )  # fmt: skip
    began = PeopleStarted(method="relations", model="m", wanted=5, known=1)
    first = fold_bank(None, [event(began), event(PersonTaken(id="a")), event(PersonTaken(id="b"))])
    assert (first.brief, first.model, first.method) == ("3/5", "m", "relations")
    assert fold_bank(first, [event(PersonFailed(id="c", error="500"))]).last_error == "500"
    now = fold_bank(first, [event(told), event(hop), event(hop.model_copy(update={"vendi": 2.5}))])
    assert now.last == told and [(one.hop, one.vendi) for one in now.hops] == [(1, 2.5)]
    now = fold_bank(now, [event(end)])
    assert now.finished == end and now.done == 4 and now.note == end.note
    again = fold_bank(now, [event(began.model_copy(update={"known": 4}))])
    assert (again.done, again.finished, again.hops) == (4, None, ())


def test_generating_folds_its_events_and_keeps_errors_apart() -> None:
    targets = (
        CategoryTarget(category="depths", target=4, accepted=1),
        CategoryTarget(category="wind", target=2, accepted=5),
    )
    now = fold_generate(None, [event(GenerateStarted(author="a", judge="j", targets=targets))])
    assert now.brief == "3/6", "what is over a target does not fill another"
    now = fold_generate(now, [event(CallFailed(purpose="judge", error="no route"))])
    assert (now.errors, now.last_error) == (1, "judge: no route")
    told = GenerateProgressed(
        targets=targets, generated=8, accepted=6, rejected=2, errors=1, rate=2.0, eta_s=3, cost_usd=None, reasons={}
    )
    now = fold_generate(now, [event(told)])
    assert (now.rate, now.eta_s) == (2.0, 3)
    ended = GenerateFinished(
        complete=False,
        targets=targets,
        generated=8,
        accepted=6,
        rejected=2,
        errors=1,
        seconds=4,
        cost_usd=0.0,
        note="x",
    )
    now = fold_generate(now, [event(ended)])
    assert now.finished is not None and now.eta_s is None and now.rate == 2.0, "what it came to stays"


@pytest.mark.parametrize("done", [3, 337, 12345])
def test_a_bar_of_a_category_keeps_to_its_width_whatever_its_figures(done: int) -> None:
    assert coverage("pets", done, 30000, 46).cell_length == 46
