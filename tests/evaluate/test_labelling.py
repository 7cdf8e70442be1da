"""Which replies a person is shown, and what becomes of the answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.errors import UserError
from studio.evaluate import Evaluation, evaluation_of, restate, save
from studio.evaluate.labelling import TABLE, Item, Labelling, Session, draw_replies
from studio.evaluate.types import ProbeResult
from studio.judge.types import JudgeInfo
from studio.spec import Spec
from studio.store import Workspace
from tests.evaluate.making import NOON, evaluation, judgement, result

SPEC = Spec.model_validate(
    {
        "schema": 2,
        "name": "Harbour",
        "purpose": "Answers.",
        "traits": [{"name": "t0", "is": "calm"}, {"name": "t1", "is": "warm"}],
        "boundaries": [{"id": "rude", "never": "Rude"}],
        "scenarios": {"calls": {"items": ["A boat calls"]}},
    }
)
NOBODY = JudgeInfo(name="unscored", kind="nobody")


def rows(count: int = 60) -> tuple[ProbeResult, ...]:
    """Replies whose text tells their side; the judge gives the tuned ones from 0 to 10 in turn."""
    return tuple(
        result(f"p{i:03}", judgement(0, i % 2), judgement(i % 3, i % 3)).model_copy(
            update={"base": f"base {i}", "tuned": f"tuned {i}"}
        )
        for i in range(count)
    )


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    opened = Workspace.open(tmp_path, "harbour")
    yield opened
    opened.close()


def kept(workspace: Workspace, count: int = 60, judge: JudgeInfo = NOBODY, seed: int = 1) -> Evaluation:
    found = restate(evaluation(rows(count), judge=judge))
    (workspace.runs_dir / found.run_id).mkdir(exist_ok=True)
    save(workspace, found)
    workspace.studio.put(TABLE, found.run_id, Session(seed=seed, begun=NOON))
    return found


def sitting(
    workspace: Workspace, found: Evaluation, *, pairs: bool = False, wanted: int = 60, by: str = ""
) -> Labelling:
    return Labelling(workspace, SPEC, found, pairs=pairs, wanted=wanted, by=by)


def current(one: Labelling) -> Item:
    item = one.next_item()
    assert item is not None
    return item


def answer_all(one: Labelling, score: int = 2) -> list[str]:
    said = []
    while (item := one.next_item()) is not None:
        said.append(item.replies[0])
        one.answer(item.id, {"t0": score, "t1": score})
    return said


def test_sixty_answers_hold_fifty_tuned_replies_among_ten_of_the_base_in_no_fixed_place(workspace: Workspace) -> None:
    said = answer_all(sitting(workspace, kept(workspace)))
    sides = [text.split()[0] for text in said]
    assert Counter(sides) == {"tuned": 50, "base": 10} and len(set(said)) == 60
    places = {place % 6 for place, side in enumerate(sides) if side == "base"}
    assert len(places) > 2, "nobody can count which one is the base"


def test_all_replies_come_where_all_are_wanted(workspace: Workspace) -> None:
    one = sitting(workspace, kept(workspace), wanted=500)
    assert one.wanted == 120
    assert Counter(text.split()[0] for text in answer_all(one)) == {"tuned": 60, "base": 60}


def test_an_item_tells_nothing_of_its_side(workspace: Workspace) -> None:
    found = kept(workspace)
    item = current(sitting(workspace, found))
    assert set(Item.model_fields) == {"id", "messages", "replies"}
    assert item.messages[-1].role == "user" and not {"base", "tuned"} & set(item.id.split("-"))
    other = current(sitting(workspace, kept(workspace, seed=2)))
    assert other.id != item.id, "ids and order are of the sitting's seed"


def test_the_first_answers_are_spread_over_the_judges_scores() -> None:
    """A third of the replies has each score; of any thirty tuned ones nearly ten do."""
    for seed in range(20):
        drawn = [one for one in draw_replies(rows(), seed)[:36] if one.side == "tuned"]
        counts = Counter(one.row.tuned_judgement.total for one in drawn)
        assert sum(counts.values()) == 30 and all(8 <= count <= 12 for count in counts.values())


def test_every_reply_has_the_same_chance_to_be_among_the_first() -> None:
    drawn: Counter[str] = Counter()
    for seed in range(600):
        drawn.update(one.row.tuned for one in draw_replies(rows(12), seed)[:6] if one.side == "tuned")
    assert len(drawn) == 12 and sum(drawn.values()) == 3000
    assert all(200 <= count <= 300 for count in drawn.values()), "250 each are expected, give or take 14"


def test_a_sitting_goes_on_where_it_was_and_asks_nothing_twice(workspace: Workspace) -> None:
    found = kept(workspace)
    first = sitting(workspace, found, by="ada")
    items = list(first.items(60))
    for item in items[:7]:
        first.answer(item.id, {"t0": 1, "t1": 1})
    again = sitting(workspace, found, by="bo")
    assert again.done == 7 and [item.id for item in again.items(60)][:53] == [item.id for item in items[7:]]


def test_what_is_answered_is_stored_with_who_said_it(workspace: Workspace) -> None:
    one = sitting(workspace, kept(workspace), by="ada")
    item = current(one)
    one.answer(item.id, {"t0": 2, "t1": 0}, "rude")
    (label,) = workspace.labels.of_run("run-1")
    assert (label.labels, label.boundary, label.by) == ({"t0": 2, "t1": 0}, "rude", "ada")
    assert label.side == item.replies[0].split()[0]


def test_undo_takes_back_ones_own_newest_answer_which_comes_next_again(workspace: Workspace) -> None:
    one = sitting(workspace, kept(workspace), by="ada")
    assert not one.undo()
    first = current(one)
    one.answer(first.id, {"t0": 2, "t1": 2})
    second = current(one)
    one.answer(second.id, {"t0": 0, "t1": 0})
    assert one.undo() and current(one) == second and one.done == 1
    assert not sitting(workspace, kept(workspace), by="bo").undo()
    assert one.undo() and current(one) == first


def test_what_is_skipped_comes_last(workspace: Workspace) -> None:
    one = sitting(workspace, kept(workspace, count=3), wanted=6)
    skipped = current(one)
    one.skip(skipped.id)
    said = [item.id for item in one.items(6)]
    assert len(said) == 6 and said[-1] == skipped.id
    answer_all(one)
    assert one.undo() and current(one) == skipped


@pytest.mark.parametrize(
    ("labels", "boundary"), [({"t0": 3}, None), ({"t9": 1}, None), ({}, None), ({"t0": 1}, "unknown")]
)
def test_an_answer_that_is_none_is_refused(workspace: Workspace, labels: dict[str, int], boundary: str | None) -> None:
    one = sitting(workspace, kept(workspace))
    with pytest.raises(UserError):
        one.answer(current(one).id, labels, boundary)
    with pytest.raises(UserError):
        one.answer("nothing", {"t0": 1, "t1": 1})
    assert one.done == 0


def test_a_spec_with_other_traits_is_to_be_evaluated_anew(workspace: Workspace) -> None:
    with pytest.raises(UserError, match="traits are others"):
        sitting(workspace, kept(workspace).model_copy(update={"traits": ("t0",)}))


def test_sixty_labels_decide_gates_that_nobody_decided_and_that_is_kept(workspace: Workspace) -> None:
    found = kept(workspace)
    statuses = {gate.name: gate.status for gate in found.gates}
    assert statuses["overall"] == statuses["trait:t0"] == statuses["violations"] == "UNDECIDED"
    one = sitting(workspace, found)
    answer_all(one)
    decided = one.finish()
    after = {gate.name: gate.status for gate in decided.gates}
    assert after["overall"] == after["trait:t0"] == after["trait:t1"] == "PASS"
    assert evaluation_of(workspace, "run-1") == decided and decided.id != found.id
    assert one.finish() == decided


def test_pairs_are_shown_on_either_side_and_votes_are_of_the_side_that_was_meant(workspace: Workspace) -> None:
    one = sitting(workspace, kept(workspace), pairs=True)
    lefts: Counter[str] = Counter()
    while (item := one.next_item()) is not None:
        lefts[item.replies[0].split()[0]] += 1
        one.prefer(item.id, "left" if item.replies[0].startswith("tuned") else "right")
    assert min(lefts["tuned"], lefts["base"]) > 15 and one.done == 60
    decided = one.finish()
    assert decided.win_rate is not None and (decided.win_rate.value, decided.win_rate.labels) == (1.0, 60)
    assert decided.votes == 60
    assert one.undo() and one.done == 59 and one.next_item() is not None
    assert {vote.winner for vote in workspace.labels.votes_of_run("run-1")} == {"tuned"}
