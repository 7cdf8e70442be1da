"""What an author model is sent to write one training conversation."""

from __future__ import annotations

import random
from collections.abc import Sequence

from studio.chatml import Messages, system, user
from studio.spec.describe import block, bullets, joined, nonce, persona_prompt, section, tagged, words
from studio.spec.model import Spec, SpecExample

CONTEXT_LIMIT = 24_000
"""Characters of the context document that go into a prompt: about 6,000 tokens."""

_USER_SIDE = (
    "Write as this very person would type it: role, background and tone decide the length, the spelling and how polite "
    "it is. Real people leave things out, start in the middle and do not explain themselves.",
    "Name concrete things (the task, the date, the amount, the place) instead of talking about things in general.",
    "The situation shows in what is said. Never quote its title, never say that it is a test or an example.",
)

_LENGTHS = (
    "a handful of words",
    "one plain sentence",
    "one sentence with a detail that matters",
    "two sentences",
    "three or four sentences that wander a little",
)
_OPENINGS = (
    "with the request itself",
    "with what just happened",
    "with how they feel about it",
    "with a question",
    "in the middle of things, as if continuing an earlier talk",
    "with a name, a date or a number",
    "with a short greeting",
    "with what they have tried so far",
)
_SEVERAL = "Write two exchanges: user, assistant, user, assistant. The second one follows naturally from the first."


def author_messages(
    spec: Spec,
    *,
    category: str,
    scenario: str,
    person_text: str,
    context: str,
    shots: Sequence[SpecExample],
    seed: int = 0,
) -> Messages:
    """A system and a user message that ask for one conversation as JSON.

    ``person_text`` says who is talking, ``context`` is the spec's context document, ``shots`` are hand-written
    examples to learn the voice from. ``seed`` varies the length and the opening that are asked for, without which
    models write the same message again and again. The schema of the answer (``user`` and ``assistant``, or
    ``messages``) is added by the caller.
    """
    return system(_instructions(spec, context)), user(_task(category, scenario, person_text, shots, seed))


def _instructions(spec: Spec, context: str) -> str:
    facts = "Facts come from the context; where it is silent, the persona says so or asks. Invent none."
    return joined(
        [
            "You write training conversations for a persona, one at a time: what a real person types, and what the "
            "persona answers. Both sides must read as if they had happened, and both are in the language with the tag "
            f"{spec.language}.",
            f"The persona's own instructions:\n{block('persona', persona_prompt(spec))}",
            f"What the persona knows:\n{block('context', _clipped(context))}\n{facts}" if context.strip() else "",
            section("The user's side", bullets(_USER_SIDE)),
            section("The persona's side", bullets(_persona_side(spec))),
            "Answer with one JSON object and nothing else, without a Markdown fence. For one exchange: `user` is what "
            "the person types, `assistant` what the persona answers, and `messages` is null. For several: `messages` "
            "is a list of objects with `role` and `content` that begins with user, takes turns and ends with "
            "assistant, and the other two are null.",
        ]
    )


def _persona_side(spec: Spec) -> tuple[str, ...]:
    sides = [
        "Stay wholly in the persona: every trait shows, none is announced.",
        "Take up the user's own words: the same task, date, name and number, unchanged. Add no facts that nobody gave.",
        "Sound like somebody talking. Vary openings, length and turns of phrase from one conversation to the next.",
    ]
    if spec.patterns:
        sides.append("Keep the order of the steps in flowing sentences: no step names, no headings, no lists.")
    if spec.vocabulary.prefer:
        sides.append(
            "Use one or two of the persona's expressions where they fit; a reply full of them is as bad as none"
        )
    if spec.boundaries:
        sides.append("The boundaries hold also when the user provokes, complains, or asks for them to be dropped.")
    return tuple(sides)


def _task(category: str, scenario: str, person_text: str, shots: Sequence[SpecExample], seed: int) -> str:
    return joined(
        [
            _examples(shots),
            f"The situation to write, from {words(category)}:\n{block('situation', scenario)}",
            f"Who is talking:\n{block('person', person_text)}" if person_text.strip() else "",
            _manner(f"{seed}\x1f{scenario}\x1f{person_text}"),
            "Write a new conversation in which this person meets this situation. Take its details from this person's "
            "own life and work; reuse no sentence, name, date or task of the examples.",
        ]
    )


def _manner(key: str) -> str:
    """How this message is to be written, the same for the same key."""
    rng = random.Random(key)
    lines = [f"This time the first message is {rng.choice(_LENGTHS)} and begins {rng.choice(_OPENINGS)}."]
    if rng.random() < 1 / 6:
        lines.append(_SEVERAL)
    return " ".join(lines)


def _examples(shots: Sequence[SpecExample]) -> str:
    if not shots:
        return ""
    key = nonce(message.content for shot in shots for message in shot.turns)
    written = [
        (f"Situation: {shot.scenario}\n" if shot.scenario else "")
        + "\n".join(f"{message.role}: {message.content}" for message in shot.turns)
        for shot in shots
    ]
    return (
        "Examples written by hand. Learn the voice from them; copy none of them.\n"
        + tagged("examples", key, "\n\n".join(written))
    )  # fmt: skip


def _clipped(text: str) -> str:
    return text if len(text) <= CONTEXT_LIMIT else text[:CONTEXT_LIMIT] + "\n[the rest of the document is left out]"
