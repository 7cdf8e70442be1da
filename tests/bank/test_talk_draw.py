"""Who talks with whom: the relation first, its own law of ages, nobody too often, no pair twice; and code's ending."""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from statistics import fmean

import pytest

from studio.bank import compose
from studio.bank.person import Person
from studio.bank.talk.draw import Pairs
from studio.bank.talk.relations import Relation, relations
from studio.bank.talk.scene import Scene, Subject, known_of, part_text, turn_messages
from studio.bank.talk.transcript import Transcript, Turn, closing, speaks_as_other
from tests.bank.making import person

BANK = list(compose.people(2000, 0))


def drawn(people: list[Person], count: int, seed: int = 0) -> list[tuple[Relation, Person, Person]]:
    pairs = Pairs(people, seed)
    found = (pairs.draw(random.Random(f"{seed} {number}")) for number in range(count))
    return [one for one in found if one is not None]


def test_each_relation_keeps_its_own_law_of_ages() -> None:
    gaps: defaultdict[str, list[int]] = defaultdict(list)
    for relation, first, second in drawn(BANK, 3000):
        assert first.age is not None and second.age is not None
        gaps[relation.kind].append(first.age - second.age)
    assert set(gaps) == set(relations()) and len(gaps) >= 20
    for kind, found in gaps.items():
        mean, spread, least, most = relations()[kind].gap
        assert least <= min(found) and max(found) <= most, kind
        # a bank has ages from 19 to 75, which pulls wide gaps towards its middle
        assert abs(fmean(found) - mean) < max(2.0, spread / 2), (kind, fmean(found))


def test_relations_come_by_their_weights_and_each_fits_the_two() -> None:
    found = drawn(BANK, 3000)
    counts, total = Counter(relation.kind for relation, _, _ in found), sum(one.weight for one in relations().values())
    for kind, relation in relations().items():
        assert counts[kind] / 3000 == pytest.approx(relation.weight / total, abs=0.025), kind
    for relation, first, second in found:
        assert relation.role("first").fits(first) and relation.role("second").fits(second)
        if relation.same:
            assert getattr(first, relation.same) == getattr(second, relation.same)
    teachers = {first.profession for relation, first, _ in found if relation.kind == "teacher and pupil"}
    assert teachers and not [job for job in teachers if "assistant" in job or "retired" in job]


def test_nobody_is_drawn_much_more_often_than_others_and_no_pair_twice() -> None:
    found = drawn(BANK, 4000)
    uses = Counter(one.id for _, *two in found for one in two)
    assert len({frozenset(one.id for one in two) for _, *two in found}) == 4000
    assert max(uses.values()) <= 4 + 2 + 1 and min(uses[one.id] for one in BANK) >= 2


def test_a_small_bank_gives_every_pair_it_has_and_then_none() -> None:
    few = [one.model_copy(update={"language": "en", "place": "Leeds, England"}) for one in BANK[:6]]
    pairs, found = Pairs(few, 0), list[frozenset[str]]()
    while (one := pairs.draw(random.Random(len(found)))) is not None:
        found.append(frozenset((one[1].id, one[2].id)))
    assert len(found) == len(set(found)) and 10 <= len(found) <= 15


def test_pairs_drawn_before_are_passed_over_and_the_draws_after_them_are_the_same() -> None:
    whole = drawn(BANK[:60], 50)
    again = Pairs(BANK[:60], 0)
    for _, first, second in whole[:20]:
        assert again.add(first.id, second.id)
    assert not again.add("nobody", BANK[0].id)
    rest = [again.draw(random.Random(f"0 {number}")) for number in range(20, 50)]
    assert rest == whole[20:]


def test_whoever_has_no_name_or_no_age_takes_no_part() -> None:
    pairs = Pairs([person(1), person(2, age=None), person(3, name="")], 0)
    assert [one.id for one in pairs.people] == ["p1"] and pairs.draw(random.Random(0)) is None


def test_a_hundred_thousand_people_are_drawn_from_without_a_table_of_their_pairs() -> None:
    many = [BANK[number % 2000].model_copy(update={"id": f"m{number}"}) for number in range(100_000)]
    began = time.process_time()
    assert len(drawn(many, 2000)) == 2000
    assert time.process_time() - began < 20  # 3 s; a table of five thousand million pairs would take hours


def scene(kind: str, first: Person, second: Person) -> Scene:
    one = relations()[kind]
    return Scene(
        kind=kind,
        first=first,
        second=second,
        familiarity=one.familiarity[0],
        emotion="worried",
        formality=one.formality[0],
        medium=next(iter(one.media)),
    )


SUBJECT = Subject(topic="a bicycle", situation="It broke.", first_wants="the money", second_wants="some peace")


@pytest.mark.parametrize(
    ("kind", "told", "kept"),
    [
        ("siblings", {"name", "age", "profession", "place", "background"}, set()),
        ("colleagues", {"name", "profession"}, {"place", "background"}),
        ("neighbours", {"name", "age"}, {"profession", "background"}),
        ("strangers with a matter", set(), {"name", "profession", "place", "background"}),
    ],
)
def test_each_knows_of_the_other_what_the_relation_lets_it_know(kind: str, told: set[str], kept: set[str]) -> None:
    first, second = person(1, place="Oslo", profession="baker"), person(2, place="Lima", profession="notary")
    for side, own, whole in (("first", first, second), ("second", second, first)):
        part = part_text(scene(kind, first, second), SUBJECT, side)  # type: ignore[arg-type]
        assert own.background in part and own.chatting_style in part
        assert all(str(getattr(whole, name)).rstrip(".") in part for name in told)
        assert not [name for name in kept if str(getattr(whole, name)) in part]
    assert "the money" in part_text(scene(kind, first, second), SUBJECT, "first")
    assert "the money" not in part_text(scene(kind, first, second), SUBJECT, "second")


def test_an_online_acquaintance_is_known_by_the_username() -> None:
    first, second = person(1), person(2, username="acorn_9")
    assert known_of(scene("online acquaintances", first, second), "first") == "acorn_9."


def test_each_side_hears_all_that_was_said_from_the_first_turn_on() -> None:
    said = (
        Turn(side="first", text="one", finished=True),
        Turn(side="second", text="two"),
        Turn(side="first", text="three"),
    )
    now = scene("friends", person(1), person(2))
    second = turn_messages(now, SUBJECT, "second", said, "de")
    assert [message.role for message in second] == ["system", "user", "assistant", "user"]
    assert (second[1].content, second[3].content) == ("one", "three") and '"two"' in second[2].content
    first = turn_messages(now, SUBJECT, "first", said[:2], "de")
    assert [message.role for message in first] == ["system", "user", "assistant", "user"]
    assert '"one","finished":true' in first[2].content and "in German" in first[0].content


ANNA, TOM = person(1, name="Anna Berg"), person(2, name="Tom Li")


def said(*turns: str | tuple[str, bool], cap: int = 12) -> Transcript:
    found = Transcript(ANNA, TOM, cap)
    for turn in turns:
        found.add(*((turn, False) if isinstance(turn, str) else turn))
    return found


def test_it_ends_when_both_have_finished_and_not_when_one_has() -> None:
    once = said("The dog is ill again.", ("I know, I saw it.", True), "And the vet is away until Monday.")
    assert once.ended == ""
    both = said("The dog is ill again.", ("I will drive you there.", True), ("Then that is settled.", True))
    assert (both.ended, len(both.turns)) == ("finished", 3)


def test_two_goodbyes_end_it_whatever_the_model_says_of_being_finished() -> None:
    loop = said("The dog is better.", "Good to hear it.", "Right, bye then!", "Bye, take care.")
    assert (loop.ended, len(loop.turns)) == ("closed", 4)
    assert not closing(said("Take care of the dog while I am away this week.").turns[0])


def test_it_ends_at_the_cap_and_where_a_turn_says_an_earlier_one_again() -> None:
    assert said(*(f"word{n} about matter{n} and thing{n}" for n in range(4)), cap=4).ended == "cap"
    again = said("Where did you put the key?", "On the hook by the door.", "Where did you put the key")
    assert (again.ended, len(again.turns)) == ("repeated", 2)
    assert said("Where is it?", "Here.", "Ok.", "Ok.").ended == ""


@pytest.mark.parametrize(
    "text",
    [
        "Anna: I have no time",
        "Hello, this is Anna, I am calling about the dog",
        "Anna here, hello",
        "Hi Tom, how are you",
        "my name is Anna Berg and I need help",
        "I see.\nAnna: and then what?",
    ],
)
def test_a_turn_of_the_other_is_a_role_flip(text: str) -> None:
    flipped = said("The dog is ill.", text)
    assert (flipped.ended, flipped.fault, len(flipped.turns)) == ("fault", "role flip", 2)


@pytest.mark.parametrize(
    "text",
    [
        "Hi Anna, how are you",
        "This is Anna's fault",
        "Tom here",
        "Tom: I have no time",
        "I am Tom, hello",
        "Annabel: no",
    ],
)
def test_a_turn_of_ones_own_is_none(text: str) -> None:
    assert not speaks_as_other(text, TOM, ANNA) and said("The dog is ill.", text).fault == ""


def test_ones_own_name_before_a_turn_and_quotes_around_it_are_taken_off() -> None:
    found = said('Anna Berg: "Where is the dog?"', "**Tom:** asleep on the mat")
    assert [turn.text for turn in found.turns] == ["Where is the dog?", "asleep on the mat"]


def test_a_conversation_that_came_whole_goes_the_same_way() -> None:
    whole = Transcript(ANNA, TOM, 6)
    whole.add_all([("second", "x"), ("first", "One."), ("first", "Two."), ("second", "Three."), ("first", "Bye then.")])
    assert [turn.text for turn in whole.turns] == ["One.\nTwo.", "Three.", "Bye then."] and whole.ended == "finished"
    looped = Transcript(ANNA, TOM, 9)
    looped.add_all([(("first", "second")[n % 2], f"Bye {n}") for n in range(9)])
    assert (looped.ended, len(looped.turns)) == ("closed", 2)
