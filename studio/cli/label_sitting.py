"""A sitting of labels in the shell: one reply after the other, a key a trait; or a file out, and its answers in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from studio.errors import UserError
from studio.evaluate.labelling import Choice, Item, Labelling
from studio.files import write_atomic

HELP = "0 1 2 score   b boundary   s skip   u undo   q quit (what is answered is kept)   ? the anchors again"
PAIR_HELP = "h left   l right   t tie   s skip   u undo   q quit (what is answered is kept)"
CHOICE: TypeAdapter[Choice] = TypeAdapter(Choice)
CHOICES: dict[str, Choice] = {"h": "left", "l": "right", "t": "tie"}
Say = Callable[[str], None]


def sit(sitting: Labelling, keys: Iterator[str], show: Say) -> None:
    """Ask item by item until enough is answered, or ``q``, or there are no more keys."""
    show(PAIR_HELP if sitting.pairs else HELP)
    while (item := sitting.next_item()) is not None:
        show(f"\n--- {sitting.done + 1} of {sitting.wanted} ---")
        show(_conversation(item))
        if not (_choose if sitting.pairs else _score_traits)(sitting, item, keys, show):
            return


def _score_traits(sitting: Labelling, item: Item, keys: Iterator[str], show: Say) -> bool:
    """One key a trait; the answer is kept with the last one. Whether to go on."""
    marks: list[int] = []
    boundary: str | None = None
    show(_anchors(sitting))
    while len(marks) < len(sitting.traits):
        name = sitting.traits[len(marks)].name
        show(f"{name} (0 1 2)?")
        match next(keys, "q"):
            case "0" | "1" | "2" as key:
                marks.append(int(key))
                show(f"{name} {key}")
            case "b":
                boundary = _boundary(sitting, keys, show)
            case "u" if marks:
                marks.pop()
            case "?":
                show(_anchors(sitting))
            case "u" | "s" | "q" as key:
                return _leave(sitting, item, key, show)
            case _:
                show(HELP)
    names = (trait.name for trait in sitting.traits)
    sitting.answer(item.id, dict(zip(names, marks, strict=True)), boundary)
    return True


def _choose(sitting: Labelling, item: Item, keys: Iterator[str], show: Say) -> bool:
    while (key := next(keys, "q")) not in (*CHOICES, "u", "s", "q"):
        show(PAIR_HELP)
    if key not in CHOICES:
        return _leave(sitting, item, key, show)
    sitting.prefer(item.id, CHOICES[key])
    return True


def _leave(sitting: Labelling, item: Item, key: str, show: Say) -> bool:
    """Leave an item without an answer: undo the one before, skip it or quit; whether the sitting goes on."""
    if key == "u":
        show("took back the answer before" if sitting.undo() else "nothing to undo")
    elif key == "s":
        sitting.skip(item.id)
    return key != "q"


def _boundary(sitting: Labelling, keys: Iterator[str], show: Say) -> str | None:
    """The boundary that is crossed, by the letter it is listed under; any other key: none."""
    letters = {chr(ord("a") + place): one for place, one in enumerate(sitting.boundaries)}
    if not letters:
        show("the spec has no boundaries")
        return None
    for letter, one in letters.items():
        show(f"  {letter}  {one.id}: {one.never}")
    found = letters.get(next(keys, ""))
    show(f"crosses {found.id}" if found else "crosses none")
    return found.id if found else None


def _conversation(item: Item) -> str:
    asked = [f"{message.role}: {message.content}" for message in item.messages]
    names = ("left", "right") if len(item.replies) == 2 else ("reply",)
    return "\n\n".join([*asked, *(f"[{name}] {reply}" for name, reply in zip(names, item.replies, strict=True))])


def _anchors(sitting: Labelling) -> str:
    lines = []
    for trait in sitting.traits:
        anchors = "; ".join(f"{score} {text}" for score, text in sorted(trait.anchors.items(), reverse=True))
        lines.append(f"  {trait.name}: {anchors or trait.is_}")
    return "\n".join(lines)


def write_items(sitting: Labelling, path: Path) -> int:
    """One item a line, with its labels to be filled in; how many. Raises UserError where the file is there already."""
    if path.exists():
        raise UserError("is there already, maybe with answers in it", where=str(path), remedy="choose another name")
    lines = []
    for item in sitting.items(max(sitting.wanted - sitting.done, 0)):
        line: dict[str, Any] = {"id": item.id, "messages": [message.model_dump() for message in item.messages]}
        if sitting.pairs:
            line |= {"left": item.replies[0], "right": item.replies[1], "winner": None}
        else:
            labels = {trait.name: None for trait in sitting.traits}
            line |= {"reply": item.replies[0], "labels": labels, "boundary": None}
        lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    write_atomic(path, "".join(lines))
    return len(lines)


def read_answers(sitting: Labelling, path: Path) -> None:
    """Take the answers of an export that was filled in. Lines that nobody filled in are passed over.

    Raises UserError with the line of the first that cannot be taken; those before it are kept.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError("cannot be read as text", where=str(path)) from error
    expected = '{"id": ..., "winner": "left"}' if sitting.pairs else '{"id": ..., "labels": {...}, "boundary": null}'
    for number, line in enumerate(lines, 1):
        try:
            if line.strip():
                _take(sitting, json.loads(line))
        except (ValueError, TypeError, KeyError, AttributeError):
            raise UserError(f"expected {expected}", where=f"{path}:{number}") from None
        except UserError as error:
            raise UserError(error.message, where=f"{path}:{number}", remedy=error.remedy) from None


def _take(sitting: Labelling, line: dict[str, Any]) -> None:
    if sitting.pairs:
        if line.get("winner") is not None:
            sitting.prefer(line["id"], CHOICE.validate_python(line["winner"]))
        return
    labels = {name: score for name, score in (line.get("labels") or {}).items() if score is not None}
    if labels or line.get("boundary") is not None:
        sitting.answer(line["id"], labels, line.get("boundary"))
