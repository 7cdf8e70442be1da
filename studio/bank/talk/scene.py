"""The scene of a conversation: two people, what they are to each other, and the situation; and its prompts.

Code draws relation, people, familiarity, emotion, formality and medium; the model writes topic and aims. Each side is
told its own person whole, and of the other only what the relation lets it know.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field, field_validator

from studio.bank.person import Person, person_text
from studio.bank.talk.relations import Knows, Medium, Relation, Side, relations
from studio.bank.talk.transcript import Turn
from studio.chatml import Frozen, Messages, Unicode, assistant, system, user
from studio.spec.describe import block, bullets, joined, section

ANY = "any"
"""In the place of a tag: no language is asked for."""
LANGUAGES = {
    **{"en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "pt": "Portuguese"},
    **{"nl": "Dutch", "pl": "Polish", "tr": "Turkish", "ru": "Russian", "uk": "Ukrainian", "ar": "Arabic"},
    **{"hi": "Hindi", "ja": "Japanese", "ko": "Korean", "zh": "Chinese", "sv": "Swedish", "cs": "Czech"},
}
_LONG: dict[Medium, str] = {
    "chat app": "in a chat app: a few words up to three short sentences a turn, typed as this person types",
    "forum": "in a thread of a forum that others read: some sentences a turn, typed as this person types",
    "phone call": "on the phone: spoken, one to three sentences a turn, nothing that can only be seen",
    "face to face": "face to face: spoken, one to three sentences a turn, no description of what is done",
}
_KNOWN: dict[Knows, tuple[str, ...]] = {
    "life": ("name", "age", "profession", "place", "traits", "background"),
    "work": ("name", "profession"),
    "face": ("name", "age"),
    "name": ("name",),
    "nothing": (),
}


class Scene(Frozen):
    """What code has drawn. ``kind`` is the relation's; ``emotion`` is that of the first, who begins."""

    kind: str
    first: Person
    second: Person
    familiarity: str
    emotion: str
    formality: str
    medium: Medium

    @property
    def relation(self) -> Relation:
        return relations()[self.kind]

    def person(self, side: Side) -> Person:
        return self.first if side == "first" else self.second


class Subject(BaseModel):
    """What a conversation is about."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    topic: Unicode = Field(description="What it is about, in at most twelve words; a concrete thing, not a theme")
    situation: Unicode = Field(description="Why they talk now, in one or two sentences that both of them know")
    first_wants: Unicode = Field(
        description="What the first wants out of it, in one sentence; the other cannot know it"
    )
    second_wants: Unicode = Field(description="What the second wants, in one sentence; it need not fit the other's")

    @field_validator("topic", "situation", "first_wants", "second_wants")
    @classmethod
    def _says_something(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("expected some words")
        return " ".join(value.split())

    def wants(self, side: Side) -> str:
        return self.first_wants if side == "first" else self.second_wants


class TurnAnswer(BaseModel):
    """The next turn of a conversation."""

    model_config = ConfigDict(extra="ignore")

    text: Unicode = Field(description="What you say now, and nothing else")
    finished: bool = Field(description="true once the matter is settled for you, or you want to end it; else false")

    @field_validator("text")
    @classmethod
    def _says_something(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("expected some words")
        return value.strip()


class SpokenTurn(BaseModel):
    """One turn."""

    model_config = ConfigDict(extra="ignore")

    speaker: Side
    text: Unicode = Field(description="What is said, without the speaker's name")


class WholeAnswer(Subject):
    """A whole conversation: what it is about, and its turns, first and second in turn."""

    turns: list[SpokenTurn] = Field(min_length=1)


def other(side: Side) -> Side:
    return "second" if side == "first" else "first"


def known_of(scene: Scene, side: Side) -> str:
    """What ``side`` knows of the other before they talk; empty where that is nothing."""
    whole = scene.person(other(side))
    knows = scene.relation.knows
    if knows == "name" and whole.username:
        return f"{whole.username}."
    kept = {name: getattr(whole, name) for name in _KNOWN[knows]}
    return person_text(Person(id="", source="bank", **kept)) if kept else ""


def part_text(scene: Scene, subject: Subject, side: Side, *, tags: bool = True) -> str:
    """Who ``side`` is, who the other is to them, and what they talk about: all that they know when it begins.

    With ``tags`` what is said of people stands between tags that it cannot close, as a prompt wants it.
    """
    person, relation = scene.person(side), scene.relation
    known, who = known_of(scene, side), person_text(person)
    if tags:
        known, who = block("other", known) if known else "", block("you", who)
    feels = f"How you feel: {scene.emotion}" if side == "first" else ""
    lines = [
        f"Between the two of you: {scene.familiarity}; tone: {scene.formality}",
        f"You talk {_LONG[scene.medium]}",
        f"It is about: {subject.topic}",
        f"Both of you know: {subject.situation}",
        f"What you want, and may keep to yourself: {subject.wants(side)}",
        feels,
    ]
    return joined(
        [
            f"You are {person.name}, and nobody else.",
            who,
            f"You talk with {relation.is_to_other(other(side))}."
            + (f" What you know of them:\n{known}" if known else " You know nothing about them."),
            section("The conversation", bullets(filter(None, lines))),
        ]
    )


def turn_messages(scene: Scene, subject: Subject, side: Side, turns: Sequence[Turn], language: str) -> Messages:
    """What is sent for the next turn of ``side``: its part, and every turn so far as it heard or said it."""
    rules = [
        f"Write {spoken(language)}, in this person's own words, spelling and length; never better than they would.",
        "One turn at a time, your own words alone: no name before them, no stage directions, nothing for the other.",
        "You may disagree, be slow to agree, misunderstand, change the subject or keep back what you would not tell.",
        "Do not repeat what was said. Do not be helpful beyond what this person would be.",
        "Once the matter is settled for you, or you have had enough, set finished to true and say so in one short "
        "turn; after a goodbye there is no second one.",
        "Answer with the JSON object alone: text and finished.",
    ]
    part = joined([part_text(scene, subject, side), section("How to talk", bullets(rules))])
    said = [
        assistant(TurnAnswer(text=turn.text, finished=turn.finished).model_dump_json())
        if turn.side == side
        else user(turn.text)
        for turn in turns
    ]
    begins = not turns or turns[0].side == side
    opening = (user("(Nobody has said anything yet. The first turn is yours.)"),) if begins else ()
    return (system(part), *opening, *said)


def subject_messages(scene: Scene, not_like: tuple[str, ...], language: str) -> Messages:
    """What is sent for the topic: both people whole, what is drawn, and topics that are not to come again."""
    task = joined(
        [
            "You think of what two people talk about. It follows from their lives and from what they are to each "
            "other, it is small enough to be settled or left open in a few minutes, and it is not about the weather, "
            "a meeting for coffee or a surprise party.",
            f"Write {spoken(language)}. Answer with the JSON object alone.",
        ]
    )
    return system(task), user(joined([_both(scene), _not_like(not_like)]))


def whole_messages(scene: Scene, not_like: tuple[str, ...], cap: int, language: str) -> Messages:
    """What is sent where the whole conversation is one answer."""
    rules = [
        f"At most {cap} turns. The first begins, and they take turns.",
        "End where the matter ends, with one goodbye each at most.",
        f"They talk {_LONG[scene.medium]}.",
        f"Write {spoken(language)}, each in their own words, spelling and length; the two must not sound alike.",
        f"Each knows of the other what {scene.relation.kind} know; strangers know nothing.",
        "No names before turns, no stage directions, no moral. They may disagree and end without agreement.",
    ]
    task = joined(
        [
            "You write a conversation between two people, and first what it is about: something small that follows "
            "from their lives and from what they are to each other.",
            section("Rules", bullets(rules)),
            "Answer with the JSON object alone.",
        ]
    )
    return system(task), user(joined([_both(scene), _not_like(not_like)]))


def spoken(language: str) -> str:
    """``in German``; of other tags ``in the language with the tag xx``; of :data:`ANY` what the two would talk."""
    if language == ANY:
        return "in the language that the two would talk with each other"
    name = LANGUAGES.get(language.partition("-")[0].lower())
    return f"in {name}" if name else f"in the language with the tag {language}"


def _both(scene: Scene) -> str:
    relation = scene.relation
    drawn = [
        f"relation: {scene.kind}; to the second, the first is {relation.first}",
        f"between them: {scene.familiarity}",
        f"tone: {scene.formality}",
        f"medium: {scene.medium}",
        f"the first, who begins, is {scene.emotion}",
    ]
    people = [
        f"The first:\n{block('first', person_text(scene.first))}",
        f"The second:\n{block('second', person_text(scene.second))}",
    ]
    return joined([*people, section("Given", bullets(drawn))])


def _not_like(topics: tuple[str, ...]) -> str:
    return section("Not like these: another matter, another part of life", bullets(topics)) if topics else ""
