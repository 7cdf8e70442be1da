"""``studio triage review``: the sample review in the shell, example by example; or a file out, and its answers in."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from studio.cli.options import DEFAULT_SPEC, WORKSPACE, AsJson, WorkspaceFolder, open_session
from studio.cli.output import cut, say, say_json, tell
from studio.cli.terminal_keys import terminal_keys
from studio.errors import UserError
from studio.files import write_atomic
from studio.store import Row
from studio.text.inert import inert_line
from studio.triage import ALL_CHECKS, LIMIT, Check, ReviewStatus, SampleReview
from studio.triage.checklist import CHECKS, MORE_CHECKS

HELP = "a figure: it fails that   enter: the next page, and keep   s skip   u undo   q quit (what is answered is kept)"
Say = Callable[[str], None]


def review(
    file: Annotated[
        Path | None, typer.Argument(metavar="SPEC", help="The persona's YAML file; --spec as well.")
    ] = None,
    spec: Annotated[Path, typer.Option("--spec", metavar="FILE", help="The persona's YAML file.")] = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    limit: Annotated[
        float, typer.Option(metavar="SHARE", min=0.001, max=0.999, help="The error rate that is good enough.")
    ] = LIMIT,
    more: Annotated[int, typer.Option("--more", metavar="N", min=0, help="Look at so many more.")] = 0,
    anew: Annotated[bool, typer.Option("--anew", help="Draw a new sample of what is accepted now.")] = False,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Whose answers these are.")] = "",
    listed: Annotated[bool, typer.Option("--list", help="List the sample, and ask nothing.")] = False,
    export: Annotated[
        Path | None, typer.Option("--export", metavar="FILE", help="Write what is to be looked at.")
    ] = None,
    answers: Annotated[Path | None, typer.Option("--import", metavar="FILE", help="Read a filled-in export.")] = None,
    as_json: AsJson = False,
) -> None:
    """Review a stratified 10 % of what will be trained on, and estimate the error rate of all of it.

    In a terminal, a key a check. In a script: --export FILE writes one example a line, --import FILE reads them back
    with the failed checks filled in. Example: studio triage review specs/mine.yaml --limit 0.05
    """
    if export and answers:
        raise UserError("--export and --import at once", remedy="export first, fill in what failed, then import")
    with open_session(file or spec, workspace) as session:
        sitting = SampleReview(session.workspace, session.loaded, by=by, limit=limit, anew=anew)
        if more:
            sitting.look_at_more(more)
        if export:
            tell(f"{write_sample(sitting, export)} to answer: {export}")
        elif answers:
            read_reviews(sitting, answers)
        elif listed and not as_json:
            _list(sitting)
        elif not (as_json or listed) and sys.stdin.isatty() and sitting.next_item() is not None:
            with terminal_keys() as keys:
                sit(sitting, keys, say)
        status = sitting.status()
        rows = sitting.rows() if listed else []
    if as_json:
        told = {**status.model_dump(mode="json"), "ids": sitting.sample.ids, "verdict": status.text}
        examples = [
            row.model_dump(mode="json") | {"review": found and found.model_dump(mode="json")} for row, found in rows
        ]
        say_json(told | ({"examples": examples} if listed else {}))
    else:
        print_status(status)


def print_status(status: ReviewStatus) -> None:
    """The verdict, what failed, and how far the judge agrees with the reviews."""
    asks = {check.slug: check.asks for check in ALL_CHECKS}
    for slug, count in status.failed.items():
        say(f"{count:>4} failed {slug} (it ought to hold: {asks[slug]})")
    if (found := status.agreement) is not None and found.share is not None:
        interval = (
            "" if found.low is None or found.high is None else f" ({100 * found.low:.0f} to {100 * found.high:.0f})"
        )
        say(f"judge and reviews agree on passing in {100 * found.share:.0f} %{interval} of {found.n}; of what was")
        say("accepted alone: it says how far a pass can be trusted, and nothing of rejections")
    say(status.text)
    if status.changed:
        tell(f"{status.changed} examples came or went since the sample was drawn; --anew draws from what is there now")


def sit(sitting: SampleReview, keys: Iterator[str], show: Say) -> None:
    """Ask example by example until all are answered, or ``q``, or there are no more keys."""
    show(HELP)
    while (row := sitting.next_item()) is not None:
        show(f"\n--- {sitting.done + 1} of {sitting.wanted}: {row.example.category}, {row.example.scenario} ---")
        show("\n\n".join(f"{message.role}: {message.content}" for message in row.messages))
        if not _ask(sitting, row, keys, show):
            return


def _ask(sitting: SampleReview, row: Row, keys: Iterator[str], show: Say) -> bool:
    """Both pages; the answer is kept with the last key. Whether to go on."""
    failed: set[str] = set()
    by_key = {check.key: check.slug for check in ALL_CHECKS}
    for page in (CHECKS, MORE_CHECKS):
        _show_page(page, failed, show)
        while (key := next(keys, "q")) not in ("\n", "\r"):
            if key in by_key:
                failed ^= {by_key[key]}
                show(f"{'fails' if by_key[key] in failed else 'passes'} {by_key[key]}")
            elif key == "q":
                return False
            elif key == "s":
                sitting.skip(row)
                return True
            elif key == "u":
                show("took back the review before" if sitting.undo() else "nothing to undo")
                return True
            else:
                show(HELP)
    sitting.answer(row, failed)
    show("fails: " + ", ".join(sorted(failed)) if failed else "passes")
    return True


def _show_page(page: tuple[Check, ...], failed: set[str], show: Say) -> None:
    show("")
    for check in page:
        show(f"  {check.key} {'✗' if check.slug in failed else ' '} {check.slug}: {check.asks}")


def _list(sitting: SampleReview) -> None:
    for row, found in sitting.rows():
        told = "to do" if found is None else "fails " + ", ".join(found.failed) if found.failed else "passes"
        words = " / ".join(inert_line(message.content) for message in row.messages)
        say(f"{row.example.id}  {told:<8}  {cut(words, 100)}")


def write_sample(sitting: SampleReview, path: Path) -> int:
    """What is left to look at, one line each, its ``failed`` to be filled in; how many. Raises UserError where the file
    is there already."""
    if path.exists():
        raise UserError("is there already, maybe with answers in it", where=str(path), remedy="choose another name")
    left = [row for row, found in sitting.rows() if found is None]
    lines = [
        {"id": row.example.id, "messages": [one.model_dump() for one in row.messages], "failed": None} for row in left
    ]
    write_atomic(path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    return len(left)


def read_reviews(sitting: SampleReview, path: Path) -> None:
    """Take the answers of an export: ``failed`` is a list of checks, ``[]`` where it passes; lines with null are passed
    over. Raises UserError with the line of the first that cannot be taken; those before it are kept."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError("cannot be read as text", where=str(path)) from error
    rows = {row.example.id: row for row, _ in sitting.rows()}
    for number, line in enumerate(lines, 1):
        where = f"{path}:{number}"
        if not line.strip():
            continue
        try:
            found = json.loads(line)
            id_, failed, said = found["id"], found.get("failed"), found.get("messages")
            if failed is not None and not all(isinstance(one, str) for one in failed):
                raise TypeError
        except (ValueError, TypeError, KeyError, AttributeError):
            raise UserError('expected {"id": ..., "failed": ["generic"]}, or [] where it passes', where=where) from None
        if failed is None:
            continue
        row = rows.get(id_)
        if row is None:
            raise UserError(f"{id_} is not in the sample", where=where, remedy="export the sample anew")
        if said is not None and said != [one.model_dump() for one in row.messages]:
            raise UserError(f"{id_} was edited since the export", where=where, remedy="export what is left anew")
        try:
            sitting.answer(row, failed)
        except UserError as error:
            raise UserError(error.message, where=where, remedy=error.remedy) from None
