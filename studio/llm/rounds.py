"""Asking until the reply is usable: a bounded round of answers, each correction told what was wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from studio.chatml import Messages
from studio.llm.abilities import Abilities, Format
from studio.llm.asking import Answered, Ask, Asker
from studio.llm.failures import AttemptError
from studio.llm.jsontext import mostly_white, validated
from studio.llm.paid import Paid
from studio.llm.schema import correction
from studio.llm.thoughts import without_thoughts
from studio.llm.types import Completion, Reply, Usage
from studio.llm.usage import total

Value = TypeVar("Value")
ANSWERS = 4
"""Answers to one request before it is given up: enough for each format once and one correction."""
CUT_OFF = "it was cut off before its end; be brief"


@dataclass(frozen=True)
class Good(Generic[Value]):
    value: Value


Check = Callable[[Completion], "Good[Value] | str"]
"""What a completion is worth: its value, or one line on why it has none."""


def check_text(completion: Completion) -> Good[str] | str:
    """Free text counts even when it was cut, but not when there is nothing beside thoughts."""
    text = without_thoughts(completion.text)
    return CUT_OFF if completion.finish != "stop" and not text.strip() else Good(text)


def check_schema(schema: type[Reply]) -> Check[Reply]:
    """JSON that fits ``schema``. What was cut off never counts: it may be valid and yet lack its end."""

    def check(completion: Completion) -> Good[Reply] | str:
        if completion.finish != "stop":
            return CUT_OFF
        found = validated(completion.text, schema)
        return found if isinstance(found, str) else Good(found)

    return check


async def ask_until_good(asker: Asker, ask: Ask, paid: Paid, check: Check[Value]) -> tuple[Value, Completion]:
    """The first good value, and its completion with the usage of the whole round.

    Answers on record come first: a good one ends it without a call, a round that was cut short goes on, and
    one that ended in vain is followed by another. Raises :class:`AttemptError`.
    """
    recalled = paid.recall()
    spent = recalled[len(recalled) - len(recalled) % ANSWERS :]
    if recalled and isinstance(good := check(recalled[-1]), Good):
        last_round = recalled[(len(recalled) - 1) // ANSWERS * ANSWERS :]
        return good.value, _summed(recalled[-1], last_round)
    problem = check(spent[-1]) if spent else ""
    turns = _turns(ask, spent[-1], problem) if spent and isinstance(problem, str) else ()
    used: Format = "plain" if ask.schema is None else asker.endpoint.abilities.best_format()
    while len(spent) < ANSWERS:
        answered = await asker.answer(Ask(ask.request, ask.name, ask.schema, turns), used)
        completion = answered.completion
        paid.keep(completion)
        spent.append(completion)
        verdict = check(completion)
        used = _learn(asker.endpoint.abilities, ask, answered, valid=isinstance(verdict, Good))
        if isinstance(verdict, Good):
            return verdict.value, _summed(completion, spent)
        problem, turns = verdict, _turns(ask, completion, verdict)
    raise AttemptError("malformed", f"{len(spent)} answers, the last one: {problem}")


def _learn(abilities: Abilities, ask: Ask, answered: Answered, *, valid: bool) -> Format:
    """Take note of how it went; the format to ask in next.

    A reply that was cut for want of room says nothing of the format, but one that looped on white space does.
    """
    if not valid and answered.completion.finish == "length" and not mostly_white(answered.completion.text):
        abilities.more_room(answered.room)
        return answered.used
    if ask.schema is None:
        return "plain"
    abilities.judged(answered.used, valid=valid)
    return abilities.next_format(answered.used)


def _turns(ask: Ask, completion: Completion, problem: str) -> Messages:
    """Free text is asked again as it was; JSON with what was wrong."""
    return () if ask.schema is None else correction(without_thoughts(completion.text), problem)


def _summed(completion: Completion, spent: list[Completion]) -> Completion:
    usage: Usage = total(part.usage for part in spent)
    return completion.model_copy(update={"usage": usage})
