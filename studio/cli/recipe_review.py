"""A sitting of reviews in the shell: one thing that a recipe made after the other, a key each; or a file out, and its
verdicts in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from studio.errors import UserError
from studio.files import write_atomic
from studio.generate.recipes import RecipeMade, Review
from studio.generate.recipes.review import REASONS

HELP = "a accept (valid)   r reject   s skip   u undo   q quit (what is answered is kept)"
REJECT = "why? w wrong   u unclear   p not this person's   t trivial   o otherwise"
VERDICTS = ("valid", "invalid")
Say = Callable[[str], None]


def sit(review: Review, keys: Iterator[str], show: Say, *, by: str = "") -> bool:
    """Ask one after the other until the sample is done, or ``q``, or there are no more keys; whether to go on with
    another sample."""
    show(HELP)
    while (made := review.next()) is not None:
        show(f"\n--- {review.done + 1} of {review.wanted} ---\n{page(made)}\n\n[a r s u q]")
        match next(keys, "q"):
            case "a":
                review.say(made.id, "valid", by=by)
            case "r":
                show(REJECT)
                while (key := next(keys, "o")) not in REASONS:
                    show(REJECT)
                review.say(made.id, "invalid", reason=REASONS[key], by=by)
            case "s":
                review.skip(made.id)
            case "u":
                show("took back the verdict before" if review.undo() else "nothing to undo")
            case "q":
                return False
            case _:
                show(HELP)
    return True


def page(made: RecipeMade) -> str:
    """All of it: the recipe and the person first."""
    return "\n\n".join(f"{label}: {text}" for label, text in made.page.items())


def write_sample(reviews: Sequence[Review], path: Path) -> int:
    """One a line, with the verdict to be filled in; how many. Raises UserError where the file is there already."""
    if path.exists():
        raise UserError("is there already, maybe with verdicts in it", where=str(path), remedy="choose another name")
    lines = []
    for review in reviews:
        while (made := review.next()) is not None:
            lines.append(json.dumps({"id": made.id, **made.page, "verdict": None, "reason": ""}, ensure_ascii=False))
            review.skip(made.id)
    write_atomic(path, "".join(f"{line}\n" for line in lines))
    return len(lines)


def read_verdicts(reviews: Sequence[Review], path: Path, *, by: str = "") -> int:
    """Take the verdicts of an export that was filled in; how many. Lines without a verdict are passed over.

    Raises UserError with the line of the first that cannot be taken; those before it are kept.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError("cannot be read as text", where=str(path)) from error
    taken = 0
    for number, line in enumerate(lines, 1):
        where = f"{path}:{number}"
        try:
            found = json.loads(line) if line.strip() else {"verdict": None}
            verdict, id = found["verdict"], found.get("id")
        except (ValueError, TypeError, KeyError, AttributeError):
            raise UserError('expected {"id": ..., "verdict": "valid"}', where=where) from None
        if verdict is None:
            continue
        if verdict not in VERDICTS:
            raise UserError(f"expected valid or invalid, found {verdict!r}", where=where)
        review = next((one for one in reviews if one.has(str(id))), None)
        if review is None:
            raise UserError(f"nothing with the id {id!r} was made here", where=where)
        review.say(str(id), verdict, reason=str(found.get("reason") or ""), by=by)
        taken += 1
    return taken
