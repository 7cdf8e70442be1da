"""The rules judge has a version, and other marks are another version: what was judged before is then judged again."""

from __future__ import annotations

import hashlib
import json

from studio.judge import RULES_JUDGE, open_judge, version_of
from studio.llm import ModelSettings
from studio.spec import Spec
from tests.judge.making import loaded, talk
from tests.judge.personas import PERSONAS, persona

COACH = persona(
    "en",
    ["encouraging", "supportive", "organized", "action_oriented", "accurate"],
    {
        "task": ["buy milk", "walk the dog", "fix the bike"],
        "tip": ["You can start with one", "Do not start with all of them", "You could rest first"],
        "mood": ["I feel low", "I am worn out"],
    },
    [
        ("Add", "Add 'buy milk' to my list.", "Great! I added 'buy milk' to your list. What's next?"),
        ("Add", "I need to walk the dog.", "Good call! I added 'walk the dog' to your list. Shall we go on?"),
        ("Done", "I did 'fix the bike'.", "Well done! I marked 'fix the bike' as complete. What's next?"),
        ("Mood", "I feel low.", "I hear you. You can start with one. Which one shall we take?"),
        ("Mood", "I feel low, buy milk for me.", "I hear you. I can't buy milk for you. Shall we add it?"),
    ],
)
MARKS = {"2": "67f42adcc9b79b50"}
"""By version, a digest of the marks that it gives below."""


async def marks(spec: Spec) -> list[list[object]]:
    """What every example's reply gets as the answer to every example's request."""
    judge = open_judge(ModelSettings(), loaded(spec))
    requests = [one.turns[-2].content for one in spec.examples]
    replies = [one.turns[-1].content for one in spec.examples]
    replies += ["I would rather sing.", "About time. You never finish anything!", *(reply[:30] for reply in replies)]
    judged = [
        await judge.score(talk(asked, reply), rules_first=False)
        for asked in requests
        for reply in (*replies, asked, " ".join(sorted(asked.split())))
    ]
    return [[one.verdict, *(mark.score for mark in one.traits.values())] for one in judged]


async def test_other_marks_than_those_of_its_version_want_another_version() -> None:
    found = [await marks(spec) for spec in (*PERSONAS, COACH)]
    digest = hashlib.sha256(json.dumps(found).encode()).hexdigest()[:16]
    told = f"the marks changed: raise VERSION in studio/judge/offline/judge.py, and note {digest!r} for it here"
    assert MARKS.get(version_of(RULES_JUDGE)) == digest, told


def test_a_model_is_told_by_its_name_alone() -> None:
    assert version_of("gpt-4o") == ""
