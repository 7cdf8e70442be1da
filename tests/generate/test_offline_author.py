"""The offline author: grammatical, to the point, the same for the same seed, and with few honest mistakes."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from studio.generate.offline import writer as writer_module
from studio.generate.offline.mistakes import MISTAKE_RATE
from studio.generate.offline.writer import Writer
from studio.generate.offline_author import offline_author

from studio.bank import people_source
from studio.chatml import Messages, assistant, last_reply, user
from studio.generate.schema import Authored
from studio.judge.rules import LengthBounds, check_reply
from studio.llm import ModelError, Request
from studio.spec import LoadedSpec, Rules, load, probe_text
from studio.store.records import Person
from tests.generate.making import SPECS, brief, loaded_spec, taskmaster

PETS = [
    {"scenario": "Found a pet", "user": "I found a cat.", "assistant": "Lovely. A cat needs water. Is the cat calm?"},
]


@pytest.fixture
def without_mistakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "MISTAKE_RATE", 0.0)


def written(loaded: LoadedSpec, scenario: str, seeds: range, person: Person | None = None) -> list[Messages]:
    author = Writer(loaded)
    briefs = (brief(loaded, scenario, seed, *([person] if person else [])) for seed in seeds)
    return [author.written(one) for one in briefs]


def pets(spec: dict[str, Any], person: Person) -> list[Messages]:
    return written(loaded_spec(**spec), "Found a pet", range(80), person)


def test_the_same_brief_gives_the_same_conversation_and_another_seed_another() -> None:
    loaded = taskmaster()
    first = written(loaded, "Create a simple task", range(40))
    assert written(loaded, "Create a simple task", range(40)) == first
    assert len(set(first)) > 35


@pytest.mark.usefixtures("without_mistakes")
def test_the_reply_is_about_the_task_and_the_date_that_the_user_named() -> None:
    dates = [value.casefold() for value in taskmaster().spec.slots["date"]]
    for turns in written(taskmaster(), "Create a task with a due date", range(200)):
        asked, reply = turns[0].content.casefold(), turns[1].content.casefold()
        task = re.search(r"(?<!\w)'([^']+)'", reply)
        assert task is not None and task[1] in asked
        named = [date for date in dates if re.search(rf"\b{date}\b", reply)]
        assert named and max(named, key=len) in asked


@pytest.mark.usefixtures("without_mistakes")
@pytest.mark.parametrize("name", ["taskmaster", "bank-support", "lost-and-found"])
def test_every_scenario_of_the_shipped_specs_is_written_within_the_rules(name: str) -> None:
    loaded = load(SPECS / f"{name}.yaml")
    rules, bounds = Rules.of(loaded.spec), LengthBounds.of(loaded.spec)
    source, author = people_source(loaded), Writer(loaded)
    for scenario in (item for one in loaded.spec.scenarios.values() if not one.holdout for item in one.items):
        for seed in range(15):
            person = source.draw(Random(seed), "", scenario)
            turns = author.written(brief(loaded, scenario, seed, person))
            assert not check_reply(rules, loaded.spec.language, turns, bounds), turns
            assert all(turn.content == turn.content.strip() and "  " not in turn.content for turn in turns)


def test_nothing_that_is_held_out_is_ever_written() -> None:
    loaded = taskmaster()
    probes = [probe_text(item) for one in loaded.spec.scenarios.values() if one.holdout for item in one.items]
    messages = {message.casefold().strip(".!?") for message, _ in probes}
    kept = {word.casefold() for _, words in probes for word in words if len(word) > 6}
    nosy = Person(id="x", source="bank", things=("paint the fence", "Repair the gate", "knit a hat"))
    author = Writer(loaded)
    for scenario in (item for one in loaded.spec.scenarios.values() if not one.holdout for item in one.items):
        for seed in range(12):
            for turn in author.written(brief(loaded, scenario, seed, nosy)):
                assert turn.content.casefold().strip(".!?") not in messages
                assert not [word for word in kept if word in turn.content.casefold()], turn.content


@pytest.mark.usefixtures("without_mistakes")
def test_exchanged_words_keep_grammar_and_capitals_in_both_turns() -> None:
    loaded = loaded_spec(examples=PETS, slots={"pet": ["cat", "owl", "eagle"]})
    said = {" | ".join(turn.content for turn in turns) for turns in written(loaded, "Found a pet", range(60))}
    plain = {text for text in said if text.startswith("I found") and text.split(" |")[0].endswith(".")}
    assert plain == {
        "I found a cat. | Lovely. A cat needs water. Is the cat calm?",
        "I found an owl. | Lovely. An owl needs water. Is the owl calm?",
        "I found an eagle. | Lovely. An eagle needs water. Is the eagle calm?",
    }


@pytest.mark.usefixtures("without_mistakes")
def test_two_words_of_a_kind_stay_two() -> None:
    for turns in written(taskmaster(), "Rename a task", range(100)):
        tasks = re.findall(r"(?<!\w)'([^']+)'", turns[1].content)
        assert len(tasks) == 2 and tasks[0] != tasks[1]


@pytest.mark.usefixtures("without_mistakes")
def test_a_word_at_the_beginning_of_a_sentence_has_a_capital_whatever_its_kind_holds() -> None:
    example = {"scenario": "Found a pet", "user": "When? Friday.", "assistant": "Good. We meet Friday. See you."}
    loaded = loaded_spec(examples=[example], slots={"day": ["Friday", "tomorrow"]})
    spoken = {turns[0].content.split("?")[1].strip(" .") for turns in written(loaded, "Found a pet", range(60))}
    assert spoken - {"when", "friday", "tomorrow"} == {"Friday", "Tomorrow"}
    replies = {turns[1].content for turns in written(loaded, "Found a pet", range(60))}
    assert replies == {"Good. We meet Friday. See you.", "Good. We meet tomorrow. See you."}


@pytest.mark.usefixtures("without_mistakes")
def test_what_is_on_the_person_s_mind_becomes_a_task() -> None:
    person = Person(id="x", source="bank", things=("tune the harp", "feed the children's owl"))
    replies = [turns[1].content for turns in written(taskmaster(), "Create a simple task", range(60), person)]
    assert 10 < sum("'tune the harp'" in reply for reply in replies) < 50
    assert not any("children" in reply for reply in replies), "its apostrophe would break the quotation"


@pytest.mark.usefixtures("without_mistakes")
def test_a_profile_s_own_question_is_asked_where_a_reply_fits_it() -> None:
    loaded = load(SPECS / "bank-support.yaml")
    person = next(p for p in people_source(loaded).people if p.query.startswith("The app is locked"))
    asked = [turns[0].content for turns in written(loaded, "Locked out of the app", range(40), person)]
    assert 10 < asked.count(person.query) < 40
    other = [turns[0].content for turns in written(loaded, "Apply for a loan", range(40), person)]
    assert person.query not in other


@pytest.mark.usefixtures("without_mistakes")
def test_what_a_profile_owns_fills_the_slots_that_the_spec_names_for_it() -> None:
    spec: dict[str, Any] = {
        "examples": PETS,
        "slots": {"pet": ["cat", "owl"]},
        "users": {"things": {"profiles": ["pet"]}},
    }
    own = Person(id="x", source="profiles", things=("blue tortoise",))
    assert sum("blue tortoise" in turns[1].content for turns in pets(spec, own)) > 20
    built_in = Person(id="y", source="bank", things=("walk the dog",))
    assert not any("walk the dog" in turns[1].content for turns in pets(spec, built_in))


@pytest.mark.usefixtures("without_mistakes")
def test_a_person_says_what_their_own_words_speak_of() -> None:
    examples = [
        {"scenario": "Found a pet", "user": "I found a cat in my garden.", "assistant": "Lovely. A cat is shy. Is it?"},
        {"scenario": "Found a pet", "user": "A cat is at the office.", "assistant": "Oh. A cat is there. Is it?"},
    ]
    spec: dict[str, Any] = {"examples": examples, "slots": {"pet": ["cat", "owl", "eagle", "rabbit", "hare"]}}
    gardener = Person(id="x", source="profiles", background="Has a garden next to a wood where a rabbit lives.")
    said = [turns[0].content.casefold() for turns in pets(spec, gardener)]
    assert sum("garden" in message for message in said) > 2 * sum("office" in message for message in said)
    assert sum("rabbit" in message for message in said) > 2 * sum("eagle" in message for message in said)


@pytest.mark.usefixtures("without_mistakes")
@pytest.mark.parametrize(("name", "share"), [("taskmaster", 0.7), ("bank-support", 0.55), ("lost-and-found", 0.7)])
def test_another_person_writes_another_conversation_from_the_same_seed(name: str, share: float) -> None:
    loaded = load(SPECS / f"{name}.yaml")
    source, author, random = people_source(loaded), Writer(loaded), Random(0)
    scenarios = [item for one in loaded.spec.scenarios.values() if not one.holdout for item in one.items]
    differ = 0
    for scenario in scenarios:
        for seed in range(3):
            one, other = (source.draw(random, "", scenario) for _ in range(2))
            differ += one != other and author.written(brief(loaded, scenario, seed, one)) != author.written(
                brief(loaded, scenario, seed, other)
            )
    assert differ / (3 * len(scenarios)) >= share


@pytest.mark.usefixtures("without_mistakes")
def test_a_spec_without_slots_gets_other_days_times_names_and_sums_but_keeps_its_facts() -> None:
    example = {
        "scenario": "Found a pet",
        "user": "Meet Anna on Monday at 3 pm with 40 dollars; you open at 9 am.",
        "assistant": "Anna gets 40 dollars on Monday at 3 pm. We open at 9 am, on Sunday too.",
    }
    replies = [
        turns[1].content
        for turns in written(loaded_spec("We open at 9 am.", examples=[example]), "Found a pet", range(60))
    ]
    assert len(set(replies)) > 30
    assert all("We open at 9 am, on Sunday too." in reply for reply in replies)
    for word in ("Anna", "40 dollars", "Monday", "3 pm"):
        assert not all(word in reply for reply in replies), word


@pytest.mark.usefixtures("without_mistakes")
def test_other_languages_and_scripts_are_exchanged_and_joined_as_they_are_written() -> None:
    spec: dict[str, Any] = {
        "language": "ja",
        "examples": [{"scenario": "Found a pet", "user": "猫を見つけました。", "assistant": "いいですね。猫に水を。"}],
        "slots": {"pet": ["猫", "犬"]},
        "patterns": [
            {"step": "greet", "how": "褒める", "phrases": ["いいですね。", "すばらしい。"]},
            {"step": "tell", "how": "答える"},
        ],
    }
    said = {(t[0].content.rstrip("。"), t[1].content) for t in written(loaded_spec(**spec), "Found a pet", range(60))}
    assert said == {
        (f"{pet}を見つけました", f"{opening}{pet}に水を。")
        for pet in ("猫", "犬")
        for opening in ("いいですね。", "すばらしい。")
    }


@pytest.mark.usefixtures("without_mistakes")
def test_the_tone_shows_in_the_wording_and_never_in_the_task() -> None:
    def asked(tone: str) -> list[str]:
        person = Person(id="x", source="bank", tone=tone)
        return [turns[0].content for turns in written(taskmaster(), "Mark a task as done", range(80), person)]

    assert all(message == message.lower() for message in asked("all lower case (without capitals)"))
    assert sum("lease" in message for message in asked("polite")) > 30
    assert not any("lease" in message for message in asked("blunt"))
    assert sum(message[-1] not in ".!?" for message in asked("hurried")) > 30


@pytest.mark.usefixtures("without_mistakes")
def test_a_cheerful_person_is_not_cheerful_about_a_trouble() -> None:
    examples = [
        {"scenario": "Found a pet", "user": "My cat died.", "assistant": "Oh. I am sorry. Is it long ago?"},
        {"scenario": "Found a pet", "user": "I found it.", "assistant": "Good. It needs water. Is it calm?"},
    ]
    cheerful = Person(id="x", source="bank", tone="cheerful")
    said = {turns[0].content for turns in pets({"examples": examples}, cheerful)}
    assert {one for one in said if "died" in one.casefold()} <= {
        "My cat died.",
        "My cat died",
        "my cat died.",
        "my cat died",
    }
    assert any(one.startswith(("Hi!", "Hello!", "Hey!")) for one in said)


def test_mistakes_come_at_their_known_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded, made = taskmaster(), 0
    author = Writer(loaded)
    make = author._mistakes.make

    def counted(*args: object) -> Messages:
        nonlocal made
        made += 1
        return make(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(author._mistakes, "make", counted)
    for seed in range(1500):
        author.written(brief(loaded, "Create a simple task", seed))
    assert abs(made / 1500 - MISTAKE_RATE) < 0.025


BROKEN: dict[str, Callable[[str], bool]] = {
    "avoided_phrase": lambda reply: "banned" in kinds_of(reply),
    "generic_opener": lambda reply: "generic" in kinds_of(reply),
    "doubled_punctuation": lambda reply: "punctuation" in kinds_of(reply),
    "lecture": lambda reply: "length" in kinds_of(reply),
    "flat": lambda reply: "'" in reply and len(re.findall(r"[.!?]", reply)) == 1,
    "task_lost": lambda reply: "'" not in re.sub(r"\w'\w", "", reply),
    "near_duplicate": lambda reply: any(reply == example.turns[-1].content for example in taskmaster().spec.examples),
}


def kinds_of(reply: str) -> set[str]:
    spec = taskmaster().spec
    turns = (user("Add a task."), assistant(reply))
    return {found.kind for found in check_reply(Rules.of(spec), "en", turns, LengthBounds.of(spec))}


@pytest.mark.parametrize("name", BROKEN)
def test_each_mistake_is_the_one_it_is_called(name: str) -> None:
    author, loaded = Writer(taskmaster()), taskmaster()
    mistake = author._mistakes.kinds()[name]
    for seed in range(20):
        spoiled = mistake(author._draft(brief(loaded, "Create a simple task", seed), Random(seed)), Random(seed))
        assert spoiled is not None and BROKEN[name](last_reply(spoiled)), spoiled


def test_all_kinds_of_mistakes_are_covered_here() -> None:
    assert set(BROKEN) == set(Writer(taskmaster())._mistakes.kinds())


def test_a_scenario_without_examples_is_written_from_its_category() -> None:
    loaded = loaded_spec(examples=PETS, scenarios={"pets": {"items": ["Lost a pet", "Found a pet"]}})
    assert written(loaded, "Lost a pet", range(1))[0][0].role == "user"


async def test_too_little_to_write_from_says_what_to_add_and_where() -> None:
    loaded = loaded_spec(examples=PETS, scenarios={"pets": {"items": ["Found a pet"]}, "cars": {"items": ["A crash"]}})
    request = Request(purpose="author", messages=(), brief=brief(loaded, "A crash"))
    with pytest.raises(ModelError, match=r"'A crash'.*add two examples.*examples.*scenario: A crash") as caught:
        await offline_author(loaded).structured(request, Authored)
    assert caught.value.kind == "too_little"


def test_an_example_without_a_scenario_goes_where_its_words_fit() -> None:
    examples = [{"user": "I crashed the car.", "assistant": "Oh. Is all well?"}]
    scenarios = {"pets": {"items": ["Found a pet"]}, "cars": {"items": ["A crash with the car"]}}
    loaded = loaded_spec(examples=examples, scenarios=scenarios)
    assert "crashed" in written(loaded, "A crash with the car", range(1))[0][0].content.casefold()
    with pytest.raises(ModelError):
        written(loaded, "Found a pet", range(1))


async def test_it_stands_behind_the_interface_of_a_real_author() -> None:
    loaded = taskmaster()
    author = offline_author(loaded)
    request = Request(purpose="author", messages=(), brief=brief(loaded, "Two dates for one task", 3))
    answer = await author.structured(request, Authored)
    assert author.name == "offline author" and answer.completion.usage.cost_usd == 0
    assert Authored.model_validate_json((await author.complete(request)).text).turns == answer.value.turns
    with pytest.raises(ModelError, match="AuthorBrief"):
        await author.structured(Request(purpose="author", messages=()), Authored)


@pytest.mark.usefixtures("without_mistakes")
def test_openings_are_exchanged_only_between_replies_to_the_same_kind_of_message() -> None:
    examples = [
        {"scenario": "Found a pet", "user": "Hi there.", "assistant": "Welcome. I am here. What is it?"},
        {"scenario": "Found a pet", "user": "Good day.", "assistant": "Nice to see you. I am here. What is it?"},
        {"scenario": "Found a pet", "user": "Many thanks.", "assistant": "With pleasure. I am here. Till then?"},
    ]
    loaded = loaded_spec(examples=examples, slots={"hello": ["Hi there", "Good day"], "thanks": ["Many thanks"]})
    for turns in written(loaded, "Found a pet", range(60)):
        thanked = "thanks" in turns[0].content.casefold()
        assert turns[1].content.startswith("With pleasure." if thanked else ("Welcome.", "Nice to see you.")), turns
    greeted = {t[1].content for t in written(loaded, "Found a pet", range(60)) if "thanks" not in t[0].content.lower()}
    assert len(greeted) == 2


@pytest.mark.usefixtures("without_mistakes")
def test_a_phrase_that_only_ever_follows_questions_is_not_put_after_a_statement() -> None:
    def example(user: str, opening: str) -> dict[str, str]:
        return {"scenario": "Found a pet", "user": user, "assistant": f"{opening} It needs water. Is it calm?"}

    phrases = ["Good that you ask.", "Thank you for telling us.", "Fine."]
    loaded = loaded_spec(
        examples=[
            *(example(f"Is number {number} mine?", phrases[0]) for number in "ABC"),
            *(example(f"I found number {number}.", phrases[1]) for number in "ABC"),
        ],
        patterns=[{"step": "greet", "how": "Greet", "phrases": phrases}, {"step": "tell", "how": "Tell"}],
    )
    seen = set()
    for turns in written(loaded, "Found a pet", range(80)):
        question = turns[0].content.endswith("?")
        assert not turns[1].content.startswith(phrases[1] if question else phrases[0]), turns
        seen.add((question, turns[1].content.split(".")[0]))
    assert len(seen) == 4, "both go with the third phrase"


@pytest.mark.usefixtures("without_mistakes")
def test_praise_opens_a_reply_only_where_the_examples_praise() -> None:
    def example(scenario: str, user: str, opening: str) -> dict[str, str]:
        return {"scenario": scenario, "user": user, "assistant": f"{opening} It needs water. Is it calm?"}

    phrases = ["Well done!", "Good move!", "Let's see."]
    loaded = loaded_spec(
        scenarios={"pets": {"items": ["Fed a pet", "Asks about a pet"]}},
        examples=[
            *(example("Fed a pet", f"I fed number {number}.", phrases[at % 2]) for at, number in enumerate("ABC")),
            *(example("Asks about a pet", f"Tell me of {number}.", phrases[2]) for number in "ABC"),
            *(example("Asks about a pet", f"Is {number} well?", phrases[1]) for number in "AB"),
        ],
        patterns=[{"step": "greet", "how": "Greet", "phrases": phrases}, {"step": "tell", "how": "Tell"}],
    )
    told = {turns[1].content.split(" It")[0] for turns in written(loaded, "Fed a pet", range(80))}
    assert told == {"Well done!", "Good move!"}
    asked = written(loaded, "Asks about a pet", range(80))
    assert {t[1].content.split(" It")[0] for t in asked if t[0].content.casefold().startswith("tell")} == {"Let's see."}


@pytest.mark.usefixtures("without_mistakes")
def test_no_question_to_taskmaster_is_praised_like_a_deed() -> None:
    deeds = {phrase for step in taskmaster().spec.patterns[:1] for phrase in step.phrases}
    items = taskmaster().spec.scenarios["task_queries"].items
    for turns in (turns for scenario in items for turns in written(taskmaster(), scenario, range(30))):
        if turns[-2].content.endswith("?"):
            assert not turns[-1].content.startswith(tuple(deeds)), turns
