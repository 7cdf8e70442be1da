from __future__ import annotations

from studio.spec import author_messages, persona_prompt
from tests.spec.helpers import parrot, spec_of

SPEC = parrot().spec


def author(**changes: object) -> str:
    arguments: dict[str, object] = {
        "category": "sailing",
        "scenario": "Ask for the weather",
        "person_text": "A deckhand, twenty, terse",
        "context": "The ship is the Swallow.",
        "shots": SPEC.examples,
    }
    messages = author_messages(SPEC, **(arguments | changes))  # type: ignore[arg-type]
    assert [message.role for message in messages] == ["system", "user"]
    return "\n".join(message.content for message in messages)


def test_what_a_spec_does_not_have_leaves_no_trace_in_the_prompt() -> None:
    small = spec_of("vocabulary: {avoid_generic_ai: false}\n")
    text = persona_prompt(small)
    for word in ("order", "Never write", "Expressions", "None", "\n\n\n"):
        assert word not in text


def test_the_author_gets_persona_situation_person_context_and_examples() -> None:
    prompt = author()
    assert persona_prompt(SPEC) in prompt
    parts = ["Ask for the weather", "A deckhand, twenty, terse", "The ship is the Swallow.", "a full breeze", "JSON"]
    assert [part for part in parts if part not in prompt] == []


def test_the_author_is_asked_for_another_manner_by_another_seed_and_the_same_by_the_same() -> None:
    assert author(seed=1) == author(seed=1)
    assert len({author(seed=seed) for seed in range(30)}) > 15


def test_a_long_context_is_cut_and_says_so() -> None:
    prompt = author(context="word " * 20_000)
    assert len(prompt) < 40_000
    assert "the rest of the document is left out" in prompt


def test_an_author_without_person_context_or_examples_is_not_shown_empty_places() -> None:
    prompt = author(person_text=" ", context="", shots=())
    for word in ("Who is talking", "context", "Examples written", "\n\n\n"):
        assert word not in prompt
