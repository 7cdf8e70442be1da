"""The prompts of a study: a free one, which leaves all to the person, and ones with a fixed task and form."""

from __future__ import annotations

from pathlib import Path

from studio.bank.person import Person, person_text
from studio.chatml import Messages, user
from studio.errors import UserError
from studio.spec.describe import block

PERSON = "{person}"
"""Where a prompt has the person; one without it has the person before it."""
TASKS = {
    "free": "Write the first message that this person sends to a chat assistant: whatever they would really ask it "
    "about, in their own words. The message alone.",
    "constrained": "Write the message with which this person cancels an appointment on Tuesday at half past nine. "
    "Exactly two sentences: the first names day and time and cancels, the second asks for a date in the week after. "
    "The message alone.",
    "math": "Write a mathematics word problem from the world of this person. Exactly three sentences: two give one "
    "quantity each, the third asks for one number. No solution. The problem alone.",
}
"""By name. ``math`` is a recipe: the task is fixed, its world is the person's."""
DEFAULT = ("free", "constrained")


def read_prompt(path: Path) -> tuple[str, str]:
    """Name and text of a prompt of the user's own, which may hold ``{person}``. Raises UserError."""
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError("the prompt cannot be read", where=str(path), remedy="name a text file in UTF-8") from error
    if not text:
        raise UserError("the prompt is empty", where=str(path), remedy="write into it what the model is to do")
    return path.stem, text


def messages(prompt: str, person: Person) -> Messages:
    """What is sent for one person."""
    who = block("person", person_text(person))
    return (user(prompt.replace(PERSON, who) if PERSON in prompt else f"{who}\n\n{prompt}"),)
