"""``studio triage list`` and ``like``: which examples, in which order; and which ids a command means."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, get_args

import typer
from rich.cells import cell_len, set_cell_size

from studio.build import Session
from studio.cli.options import DEFAULT_SPEC, WORKSPACE, AsJson, WorkspaceFolder, open_session
from studio.cli.output import cut, out, say, say_json, tell
from studio.errors import UserError
from studio.store import Filter, Row, Status
from studio.store.lists import Sort
from studio.store.records import Origin
from studio.text.inert import inert_line
from studio.triage.similar import LEAST, SimilarExamples

STATUSES: tuple[str, ...] = get_args(Status)
ORIGINS: tuple[str, ...] = get_args(Origin)
SORTS: tuple[str, ...] = get_args(Sort)
SHOWN = 5
"""Ids that an ambiguous beginning is answered with."""
WORDS, LEAST_WORDS = 160, 20
"""Columns of the conversation where there is no terminal, and on the narrowest one."""
EITHER = "The persona's YAML file; --spec FILE means the same."
EitherSpec = Annotated[Path | None, typer.Argument(metavar="SPEC", help=EITHER)]
SpecOption = Annotated[Path, typer.Option("--spec", metavar="FILE", help="The persona's YAML file.")]
OnlyIds = Annotated[bool, typer.Option("--ids", help="The ids alone, one a line, for accept - and reject -.")]
_MARK = re.compile(r"(?P<trait>.+?)=(?P<least>[012])(?:\.\.(?P<most>[012]))?")


def listing(
    file: EitherSpec = None,
    spec: SpecOption = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    status: Annotated[str | None, typer.Option(help="accepted, rejected or pending.")] = None,
    category: Annotated[str | None, typer.Option(help="A category of the spec.")] = None,
    scenario: Annotated[str | None, typer.Option(metavar="ITEM", help="A scenario of the spec.")] = None,
    person: Annotated[str | None, typer.Option(metavar="ID", help="Who asks.")] = None,
    origin: Annotated[str | None, typer.Option(help="generated, hand, chat, asked or imported.")] = None,
    job: Annotated[str | None, typer.Option("--job", metavar="ID", help="The run that made it.")] = None,
    judge: Annotated[str | None, typer.Option(metavar="NAME", help="Who judged it.")] = None,
    mark: Annotated[
        list[str] | None, typer.Option(metavar="TRAIT=0..2", help="What the judge gave a trait; again for another.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why it was rejected, as the judge or a person said.")] = None,
    text: Annotated[str | None, typer.Option("--search", help="Words in the conversation.")] = None,
    min_words: Annotated[int | None, typer.Option(min=0, metavar="N", help="Words of the reply at least.")] = None,
    max_words: Annotated[int | None, typer.Option(min=0, metavar="N", help="Words of the reply at most.")] = None,
    decided: Annotated[bool | None, typer.Option("--decided/--undecided", help="By a person.")] = None,
    edited: Annotated[bool | None, typer.Option("--edited/--unedited", help="By a person.")] = None,
    unscored: Annotated[bool | None, typer.Option("--unscored/--scored", help="By any judge.")] = None,
    flagged: Annotated[bool | None, typer.Option("--flagged/--unflagged", help="In a sample review.")] = None,
    sort: Annotated[str, typer.Option(help="arrival, newest, unsure, against (judge and rules) or gap.")] = "arrival",
    limit: Annotated[int, typer.Option(min=1, help="Rows at most.")] = 50,
    only_ids: OnlyIds = False,
    as_json: AsJson = False,
) -> None:
    """List examples with their scores; all that is asked for has to hold.

    Example: studio triage list --status rejected --mark calm=0..1 --sort unsure --limit 20
    """
    for name, value, allowed in (("status", status, STATUSES), ("origin", origin, ORIGINS), ("sort", sort, SORTS)):
        if value not in (None, *allowed):
            raise UserError(f"no such {name}: {value}", remedy=", ".join(allowed))
    asked = {
        **{"status": status, "category": category, "scenario": scenario, "person_id": person, "origin": origin},
        **{"job_id": job, "judge": judge, "reason": reason, "text": text, "decided": decided, "edited": edited},
        **{"unscored": unscored, "flagged": flagged, "min_words": min_words, "max_words": max_words},
    }
    with open_session(file or spec, workspace) as session:
        examples, has = session.workspace.examples, session.loaded.spec
        known = {*has.scenarios, *(one.category for one in examples.counts())}
        if category is not None and category not in known:
            raise UserError(f"no such category: {category}", remedy=f"one of {', '.join(sorted(known))}")
        marks = tuple(_marks(one, has.trait_names) for one in mark or ())
        order = {"sort": sort, "pivot": has.success.accept_score}
        wanted = Filter.model_validate({**asked, **order, "marks": marks})
        found = examples.count(wanted)
        ids = examples.list_ids(wanted) if only_ids else []
        rows = [] if only_ids else examples.rows(wanted, limit=limit)
    if only_ids:
        print_ids(ids, as_json)
        return
    print_rows(rows, as_json)
    if len(rows) < found:
        tell(f"{len(rows)} of {found}; --limit N shows more")
    elif not found:
        tell("no example is like that" if wanted.narrows else "no examples yet; studio generate writes some")


def like(
    name: Annotated[str, typer.Argument(metavar="ID", help="An example, by id or by how it begins.")],
    least: Annotated[float, typer.Option("--at-least", min=-1, max=1, help="Cosine similarity, up to 1.")] = LEAST,
    limit: Annotated[int, typer.Option(min=1, help="Rows at most.")] = 50,
    spec: SpecOption = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    only_ids: OnlyIds = False,
    as_json: AsJson = False,
) -> None:
    """List examples like one example, the most alike first, each with its similarity.

    Example: studio triage like 3f2a --at-least 0.9 --ids | studio triage reject - --reason duplicate
    """
    with open_session(spec, workspace) as session:
        store = session.workspace.examples
        found = SimilarExamples(store).like(known_ids(session, [name])[0], least, limit)
        rows = store.rows_of([one.example_id for one in found])
    if only_ids:
        print_ids([one.example_id for one in found], as_json)
    elif as_json:
        say_json([{"example_id": one.example_id, "similarity": round(one.similarity, 4)} for one in found])
    else:
        for one in found:
            row = rows[one.example_id]
            words = " / ".join(inert_line(message.content) for message in row.messages) if row else ""
            say(f"{one.similarity:.2f}  {one.example_id}  {row.status if row else '':<8}  {cut(words, 100)}")


def known_ids(session: Session, beginnings: Sequence[str]) -> list[str]:
    """Full ids of examples, each given whole or by its first characters; ``-`` alone reads them from stdin, one a line.

    Raises UserError for none and for several.
    """
    if list(beginnings) == ["-"]:
        beginnings = sys.stdin.read().split()
        if not beginnings:
            raise UserError("no id came on stdin", where="-", remedy="studio triage list --ids gives some")
    ids, known = [name for _, name in session.workspace.examples.ids()], []
    whole = set(ids)
    for beginning in beginnings:
        if beginning in whole:
            known.append(beginning)
            continue
        found = [name for name in ids if name.startswith(beginning)] if beginning else []
        if not found:
            raise UserError(f"no example {beginning}", remedy="studio triage list shows the ids")
        if len(found) > 1:
            several = ", ".join(sorted(found)[:SHOWN]) + (", ..." if len(found) > SHOWN else "")
            raise UserError(f"{len(found)} examples begin with {beginning}", remedy=f"one of {several}")
        known.append(found[0])
    return known


def print_ids(ids: Sequence[str], as_json: bool) -> None:
    if as_json:
        say_json(list(ids))
    else:
        for id_ in ids:
            say(id_)


def print_rows(rows: Sequence[Row], as_json: bool) -> None:
    """A line a row, on a terminal no longer than that is wide."""
    if as_json:
        say_json([row.model_dump(mode="json") for row in rows])
        return
    width = max((cell_len(inert_line(row.example.category)) for row in rows), default=0)
    for row in rows:
        total = row.judgement.total if row.judgement and row.judged else None
        score = "  - " if total is None else f"{total:4.1f}"
        category = set_cell_size(inert_line(row.example.category), width)
        line = f"{row.example.id}  {row.status:<8} {score}  {category}  "
        words = " / ".join(inert_line(message.content) for message in row.messages)
        room = max(LEAST_WORDS, out.width - cell_len(line) - 1) if out.is_terminal else WORDS
        say(line + cut(words, room))


def _marks(asked: str, traits: Sequence[str]) -> tuple[str, int, int]:
    """``calm=0`` or ``calm=0..1``. Raises UserError for anything else."""
    found = _MARK.fullmatch(asked)
    if found is None or found["trait"] not in traits:
        expected = f"TRAIT=0..2, with a trait of {', '.join(traits)}"
        raise UserError(f"expected {expected}, found {asked}", where="--mark", remedy=f"such as {traits[0]}=0..1")
    return found["trait"], int(found["least"]), int(found["most"] or found["least"])
