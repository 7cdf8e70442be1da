"""One exchange's particulars: every slot of a template is drawn once, and then stays the same."""

from __future__ import annotations

from studio.train.pocket import words
from studio.train.pocket.lexicon import Lexicon

_TASKS = ("task", "other", "third")


class Scene(dict[str, str]):
    """Fills templates: ``Scene(lexicon).fill("Move {'task'} to {date}.")``.

    Slots: ``task``, ``other``, ``third`` (three different tasks) and of each ``Task`` (capitalised), ``thing`` (without
    its verb), ``Thing``, ``did`` (in the past tense), ``'task'`` (in quotation marks of any kind); ``date``, ``Date``,
    ``time``, ``when``, ``weekday``, ``span``, ``priority``, ``project``, ``name``, ``topic``, ``word``, ``place``,
    ``off``, ``Off``, ``done`` and ``open`` and ``all`` (numbers).
    """

    def __init__(self, lexicon: Lexicon) -> None:
        super().__init__()
        self._lexicon = lexicon

    def fill(self, template: str) -> str:
        return template.format_map(self)

    def tasks(self) -> list[str]:
        """Those that have been named so far."""
        return [self[slot] for slot in _TASKS if slot in self]

    def __missing__(self, slot: str) -> str:
        if slot.startswith("'"):
            return self._quoted(self[slot.strip("'")])  # not kept: people quote now this way, now that
        if slot in _PARTS:
            part, of = _PARTS[slot]
            value = part(self[of])
        elif slot in _NUMBERS:
            self._count()
            return self[slot]
        else:
            value = self._draw(slot)
        self[slot] = value
        return value

    def _draw(self, slot: str) -> str:
        draw = self._lexicon
        if slot in _TASKS:
            return draw.task()
        if slot in _LISTS:
            return draw.any(_LISTS[slot])
        draws = {
            "name": draw.name,
            "topic": draw.topic,
            "when": draw.when,
            "date": draw.date,
            "word": draw.word,
            "place": draw.place,
            "off": draw.off_topic,
        }
        if slot in draws:
            return draws[slot]()
        raise KeyError(f"no such slot: {slot}")

    def _count(self) -> None:
        rng = self._lexicon.rng
        done, whole = rng.randint(1, 9), rng.randint(9, 15)
        self.update(done=str(done), all=str(whole), open=str(whole - done))

    def _quoted(self, text: str) -> str:
        return self._lexicon.any((f"'{text}'", f"'{text}'", f'"{text}"', f"'{capitalised(text)}'"))


def capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def without_verb(task: str) -> str:
    """``review the budget`` -> ``the budget``."""
    return task.partition(" ")[2] or task


def past(task: str) -> str:
    """``review the budget`` -> ``reviewed the budget``."""
    verb, _, rest = task.partition(" ")
    if verb in words.IRREGULAR_PAST:
        done = words.IRREGULAR_PAST[verb]
    elif verb.endswith("e"):
        done = f"{verb}d"
    elif verb.endswith("y") and verb[-2] not in "aeiou":
        done = f"{verb[:-1]}ied"
    else:
        done = f"{verb}ed"
    return f"{done} {rest}".strip()


_LISTS = {
    "time": words.TIMES,
    "weekday": (*words.WEEKDAYS, "today", "tomorrow"),
    "span": words.SPANS,
    "priority": words.PRIORITIES,
    "project": words.PROJECTS,
}
_NUMBERS = ("done", "open", "all")
_PARTS = {
    "Task": (capitalised, "task"),
    "Other": (capitalised, "other"),
    "Third": (capitalised, "third"),
    "thing": (without_verb, "task"),
    "Thing": (capitalised, "thing"),
    "did": (past, "task"),
    "Date": (capitalised, "date"),
    "Off": (capitalised, "off"),
}
