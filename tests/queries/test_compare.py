"""People against naive: diversity at the same n, and a blind vote whose sides tell nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.errors import UserError
from studio.inference.run import Removed
from studio.queries import Query
from studio.queries.compare import query_report
from studio.queries.rates import by_group, wilson
from studio.queries.voting import Voting, pairs, realism, votes_of
from studio.store import Workspace
from tests.bank.making import WordVectors
from tests.queries.making import EXPECTED, query

TOPICS = [*EXPECTED]


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    opened = Workspace.open(tmp_path, "p")
    yield opened
    opened.close()


def naive(place: int, text: str, topic: str = TOPICS[0], fit: int = 2) -> Query:
    return Query.model_validate({"id": f"n{place}", "arm": "naive", "query": text, "topic": topic, "fit": fit})


def fill(workspace: Workspace) -> None:
    """60 people's queries; 20 naive ones that count, 40 that repeat them, 5 off topic."""
    for place in range(60):
        one = query(place, TOPICS[place % 12])
        workspace.documents.put("query", one.id, one)
    for place in range(20):
        one = naive(place, f"What are the rules for {TOPICS[place % 12]} on day {place}?", TOPICS[place % 12])
        workspace.documents.put("query naive", one.id, one)
    for place in range(20, 65):
        reason, fit = ("off topic", 0) if place >= 60 else ("duplicate in words", 2)
        one = naive(place, f"What are the rules for {TOPICS[place % 12]} on day {place % 3}?", TOPICS[place % 12], fit)
        gone = Removed(id=one.id, reason=reason, body=one.model_dump_json())
        workspace.documents.put("query naive removed", one.id, gone)


def test_the_less_diverse_arm_is_told_at_the_same_number_and_length(workspace: Workspace) -> None:
    fill(workspace)
    found = query_report(workspace.documents, WordVectors())
    people, others = found.arms
    assert (found.n, people.as_written.measures.n, others.as_written.measures.n) == (60, 60, 60)
    assert people.as_written.measures.words == others.as_written.measures.words == found.words
    assert people.as_kept.n == others.as_kept.n == 20
    one, two = people.as_written.measures, others.as_written.measures
    assert one.vendi > 2 * two.vendi and one.distinct_2 > 2 * two.distinct_2 and one.compression < two.compression
    assert one.nearest_distance > two.nearest_distance and one.mean_distance > two.mean_distance
    assert (others.written, others.kept, others.removed) == (65, 20, {"duplicate in words": 40, "off topic": 5})
    assert (others.fits.events, others.fits.n, people.fits.share) == (60, 65, 1.0)
    assert others.lengths.p5 <= others.lengths.median <= others.lengths.p95
    assert found.realism.wins.n == 0


def test_an_arm_that_was_not_made_says_how_to_make_it(workspace: Workspace) -> None:
    with pytest.raises(UserError, match="people arm"):
        query_report(workspace.documents, WordVectors())
    for place in range(3):
        workspace.documents.put("query", f"q{place}", query(place))
    with pytest.raises(UserError, match="naive arm") as caught:
        query_report(workspace.documents, WordVectors())
    assert "--naive" in caught.value.remedy


def test_pairs_share_a_topic_use_each_query_once_and_are_shuffled_the_same_way_each_time(workspace: Workspace) -> None:
    people = [query(place, TOPICS[place % 12]) for place in range(60)]
    others = [naive(place, f"naive {place}", TOPICS[place % 12]) for place in range(60)]
    found = pairs(people, others)
    assert len(found) == 60
    assert all({one.arm for one in pair.queries} == {"people", "naive"} for pair in found)
    assert all(one.topic == pair.topic for pair in found for one in pair.queries)
    assert len({one.id for pair in found for one in pair.queries}) == 120
    assert {pair.id for pair in found} == {pair.id for pair in pairs(people[::-1], others[::-1])}
    first = sum(pair.queries[0].arm == "people" for pair in found)
    assert 18 <= first <= 42  # neither side tells who wrote it
    assert len({pair.topic for pair in found[:12]}) == 12


def test_votes_are_kept_at_once_undone_and_told_with_an_interval(workspace: Workspace) -> None:
    fill(workspace)
    voting = Voting(workspace.documents, n=4, by="ann")
    for winner in ("people", "people", "naive", "tie"):
        pair = voting.next_pair()
        assert pair is not None
        arms = [one.arm for one in pair.queries]
        voting.vote(pair, "tie" if winner == "tie" else ("1", "2")[arms.index(winner)])  # type: ignore[arg-type]
        assert votes_of(workspace.documents)[-1].winner == winner
    assert voting.next_pair() is None and voting.done == 4
    found = realism(votes_of(workspace.documents))
    assert (found.wins.events, found.wins.n, found.ties) == (2.5, 4, 1)
    assert voting.undo() and len(votes_of(workspace.documents)) == 3 and voting.next_pair() is not None
    again = Voting(workspace.documents, n=4)
    assert again.done == 3 and not again.undo()
    skipped = again.next_pair()
    assert skipped is not None
    again.skip(skipped)
    other = again.next_pair()
    assert other is not None and other.id != skipped.id


def test_wilson_s_interval_is_the_published_one() -> None:
    # Newcombe (1998), table I, method 3: 81 of 263 is .2553 to .3662; 0 of 20 is 0 to .1611
    found = wilson(81, 263)
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)
    assert (wilson(0, 20).low, round(wilson(0, 20).high, 4)) == (0.0, 0.1611)
    assert wilson(0, 0).text == "-"
    assert [one.name for one in by_group([("a", False), ("b", True), ("a", True)])] == ["b", "a"]
