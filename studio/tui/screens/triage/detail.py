"""One example in full: the conversation, what the judge said of it, and why it is here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from textual.content import Content

from studio.bank import person_text
from studio.build import Session
from studio.chatml import Messages
from studio.judge import NOBODY
from studio.store.records import Person, Row
from studio.text.word_diff import Piece, word_diff
from studio.tui.text import clip, join, line, lines, score, shown
from studio.tui.widgets.layout import facts
from studio.tui.widgets.row_line import SIGNS, TRAIT_NAME, score_of, trait_marks

TWO_SIDES = 90
"""Cells from which an edit and its original stand side by side."""
ROLES = {"user": "bold", "assistant": "$primary bold", "system": "$quiet"}


def example_page(row: Row, width: int) -> Content:
    """Status, conversation, judgement."""
    parts = [_status(row), Content("")]
    if row.messages == row.example.messages:
        parts.append(conversation(row.messages))
    else:
        parts.append(edit_diff(row.example.messages, row.messages, width))
    parts += [Content(""), *_judged(row, width)]
    return lines(parts)


def conversation(messages: Messages, style: str = "") -> Content:
    """Turns one under the other, each with its role."""
    return lines(join((f"{one.role}  ", style or ROLES[one.role]), shown(one.content, style)) for one in messages)


def edit_diff(before: Messages, after: Messages, width: int) -> Content:
    """An edit against the original, by words: what was removed, what was added; side by side where there is room."""
    both = [word_diff(one, two) for one, two in zip_longest(_contents(before), _contents(after), fillvalue="")]
    roles = [one.role for one in (after if len(after) >= len(before) else before)]
    old = [_turn(role, pieces, "$error strike") for role, (pieces, _) in zip(roles, both, strict=True)]
    new = [_turn(role, pieces, "$success bold") for role, (_, pieces) in zip(roles, both, strict=True)]
    heads = join(("as edited", "$success bold")), join(("before the edit", "$error bold"))
    if width < TWO_SIDES:
        return lines([heads[0], *new, Content(""), heads[1], *old])
    half = (width - 3) // 2
    sides = [heads, *zip(new, old, strict=True)]
    return lines(_beside(left, right, half) for left, right in sides)


def _contents(messages: Messages) -> list[str]:
    return [one.content for one in messages]


def _turn(role: str, pieces: Sequence[Piece], style: str) -> Content:
    words = (shown(piece.text, style if piece.changed else "") for piece in pieces)
    return join((f"{role}  ", ROLES[role]), *words)


def _beside(left: Content, right: Content, half: int) -> Content:
    rows = zip_longest(left.wrap(half), right.wrap(half), fillvalue=Content(""))
    return lines(join(one, " " * (half - one.cell_length), (" │ ", "$quiet"), two) for one, two in rows)


def _status(row: Row) -> Content:
    sign, style = SIGNS[row.status]
    total = row.judgement.total if row.judgement else None
    before = " before the edit" if total is not None and not row.judged else ""
    told = score_of(row)[0] if total is None else f"{score(total)} of 10{before}"
    return join(
        (f"{sign} {row.status}", f"{style} bold"),
        (f" {_by(row)}  ", "$quiet"),
        (told, "$quiet" if before else "bold"),
        (f"  {row.example.category}: {row.example.scenario}", "$quiet"),
    )


def _by(row: Row) -> str:
    """Whose word the status is: a person's, or that of who judged."""
    if row.decision:
        why = row.decision.reason or ("edited" if row.decision.action == "edit" else "")
        return f"by you: {why}" if why else "by you"
    if row.judgement is None or row.judgement.verdict in ("unscored", "error"):
        return "until you decide"
    return f"by {clip(row.judgement.judge, 24)}"


def _judged(row: Row, width: int) -> Iterator[Content]:
    judgement = row.judgement
    if judgement is None:
        yield join(("not judged yet: a accepts it, r rejects it; where there is a judge, 3 and s score it", "$quiet"))
        return
    before = "" if row.judged else "  the text before the edit: generating (3, s) judges it again"
    if judgement.judge == NOBODY:
        yield join(
            ("unscored: no model judges, and there are no labels to learn from; a accepts it, r rejects it", "$warning")
        )
    else:
        yield join(("judge  ", "bold"), judgement.judge, (f"  {judgement.verdict}", "$quiet"), (before, "$warning"))
    if judgement.error:
        yield join(("not scored: ", "$error"), judgement.error)
    for violation in judgement.violations:
        quote = f' "{violation.quote}"' if violation.quote else ""
        yield join((f"  violated {violation.kind} {violation.name}", "$error"), quote)
    if judgement.traits:
        yield trait_marks(judgement, width)
    told = [
        ("fits who asks", f"{fit.score} of 2 by {fit.by}: {fit.reason}" if (fit := judgement.fit) else ""),
        ("steps", ", ".join(f"{name} {'✓' if there else '✗'}" for name, there in judgement.steps.items())),
        ("preferred", ", ".join(judgement.preferred)),
        ("rejected for", ", ".join(judgement.reasons)),
    ]
    yield facts(told, width, name_width=TRAIT_NAME)


def read_origin(session: Session, row: Row) -> tuple[Person | None, Row | None]:
    """Who asked, and the nearest neighbour. Reads the store."""
    store, near = session.workspace.examples, row.example.neighbour
    return store.person(row.example.person_id), store.row(near.id) if near else None


def provenance_page(row: Row, person: Person | None, neighbour: Row | None, spec_hash: str, width: int) -> Content:
    """Why this example is here: scenario, person, author, prompt, nearest neighbour."""
    example = row.example
    stale = "" if example.spec_hash == spec_hash else "  (the spec was changed since)"
    near = example.neighbour
    pairs = [
        ("example", f"{example.id}, number {row.seq}"),
        ("scenario", f"{example.category}: {example.scenario}"),
        ("person", line(person_text(person)) if person else example.person_id),
        ("author", f"{example.author} ({example.origin}), seed {example.seed}"),
        ("made", f"{example.created:%Y-%m-%d %H:%M:%S}, job {example.job_id or 'none'}"),
        ("spec", join(example.spec_hash[:12], (stale, "$warning"))),
        ("nearest", f"{near.similarity:.2f} alike: {near.id}" if near else "nothing like it before"),
    ]
    parts = [join(("why it is here", "$primary bold")), facts(pairs, width)]
    if neighbour is not None:
        parts.append(conversation(neighbour.messages, "$quiet"))
    if example.prompt:
        parts += [Content(""), join(("what the author was sent", "$primary bold"))]
        parts += [lines([shown(one.role, "bold"), shown(one.content)]) for one in example.prompt]
    return lines(parts)
