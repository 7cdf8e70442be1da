"""``studio bank dedup`` and ``report``: who is in a bank twice, and how diverse it is."""

from __future__ import annotations

import time
from collections import deque
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from studio.bank.chart import figures, svg
from studio.bank.diversity import SAMPLE, WORDS, Diversity, compare, diversity
from studio.bank.export import export_people
from studio.bank.file_dedup import (
    Deduplicated,
    dedup_at_scale,
    dedup_people,
    read_all,
    write_kept,
    write_removed,
)
from studio.bank.person import Person
from studio.bank.quality import Removal
from studio.cli import options
from studio.cli.display import QUIET_S, duration
from studio.cli.options import DEFAULT_SPEC, WORKSPACE, open_session
from studio.cli.output import cell, out, say, say_json, tell
from studio.embed import disk_embedder
from studio.errors import UserError
from studio.files import as_seen, write_atomic


class Engine(StrEnum):
    PLAIN = "plain"
    WORDS = "words"
    DAFT = "daft"


STRICT = "Take two for one from half of their words or meaning on, instead of nine tenths."
Strict = Annotated[bool, typer.Option("--strict", help=STRICT)]
LANGUAGE = "The language that people are to be in, as a tag such as en; any takes all."
Language = Annotated[str, typer.Option("--language", metavar="TAG", help=LANGUAGE)]
FIELDS = "What a field of the file is: NAME for the text of a person, or name=NAME, age=NAME, ..."
Fields = Annotated[list[str] | None, typer.Option("--field", metavar="[OURS=]NAME", help=FIELDS)]
SPEC_OF = "The persona whose bank is meant, where no file is named."
SVG = "Write the picture there: bars of the shares, and the measures."
REMOVED = "Write who went there, as JSON lines: record, reason, twin, similarity."
REMOVE = "Remove who goes from the workspace's bank, but for those whom an example names."
ENGINE = "plain: words, then meaning. words: those alone. daft: those alone, for millions, JSON lines or Parquet."
RAY = "Run daft on the Ray cluster at this address, which sees the file; local starts one here."
QUALITY = "Also remove by the heuristics: length, refusals, template leftovers, repeated names and openings."


def dedup(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A file of people; the workspace's bank if not given.")
    ] = None,
    kept: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write who stays there, in the format of the file.")
    ] = None,
    removed: Annotated[Path | None, typer.Option("--removed", metavar="FILE", help=REMOVED)] = None,
    remove: Annotated[bool, typer.Option("--remove", help=REMOVE)] = False,
    spec: Annotated[Path, typer.Option("--spec", metavar="SPEC", help=SPEC_OF)] = DEFAULT_SPEC,
    workspace: options.WorkspaceFolder = WORKSPACE,
    field: Fields = None,
    strict: Strict = False,
    quality: Annotated[bool, typer.Option("--quality", help=QUALITY)] = False,
    language: Language = "any",
    engine: Annotated[Engine, typer.Option("--engine", help=ENGINE)] = Engine.PLAIN,
    ray: Annotated[str | None, typer.Option("--ray", metavar="ADDRESS", help=RAY)] = None,
    as_json: options.AsJson = False,
) -> None:
    """Find people who are there twice, in words (MinHash, verified) and in meaning (embeddings); the first stays.

    Example: studio bank dedup people.jsonl --out kept.jsonl --removed twins.jsonl
    """
    if remove and file is not None:
        raise UserError("--remove is for the workspace's bank", remedy="--out FILE writes who stays of a file")
    if engine is Engine.DAFT or ray is not None:
        if file is None or quality or language != "any":
            remedy = "it compares words: --quality and --language are of the plain engine"
            raise UserError("--engine daft is for a file alone", remedy=remedy)
        _at_scale(file, kept, removed, field or [], strict=strict, ray=ray, as_json=as_json)
        return
    _, people = _bank(file, spec, workspace, field or [])
    removals, found = dedup_people(
        people,
        None if engine is Engine.WORDS else disk_embedder(),
        strict=strict,
        quality=quality,
        language=None if language == "any" else language,
        progress=_Progress("dedup", len(people)),
    )
    if kept is not None and file is not None:
        write_kept(file, kept, [removal is None for removal in removals])
    elif kept is not None:
        stay = (person for person, removal in zip(people, removals, strict=True) if removal is None)
        export_people(stay, kept, full=True)
    if removed is not None:
        write_removed(removed, removals)
    gone = _remove(spec, workspace, people, removals) if remove else None
    _tell(found, kept, removed, gone, as_json=as_json)


def _at_scale(
    file: Path,
    kept: Path | None,
    removed: Path | None,
    fields: list[str],
    *,
    strict: bool,
    ray: str | None,
    as_json: bool,
) -> None:
    stays, removals, found = dedup_at_scale(
        file, fields, strict=strict, ray=ray, told=lambda said: tell(f"dedup     {said}")
    )
    if kept is not None:
        write_kept(file, kept, stays)
    if removed is not None:
        write_removed(removed, removals)
    if found.crowds:
        tell(f"dedup     {found.crowds} keys were shared by too many to compare all with all: a twin may be left")
    _tell(found, kept, removed, None, as_json=as_json)


def _tell(found: Deduplicated, kept: Path | None, removed: Path | None, gone: int | None, *, as_json: bool) -> None:
    """``gone`` are those removed from the bank; None where that was not asked for."""
    if as_json:
        files = {"out": _named(kept), "removed_file": _named(removed), "removed_from_bank": gone or 0}
        say_json(found.model_dump(mode="json") | files)
        return
    why = reasons_line(found.reasons)
    say(f"{found.kept} of {found.people} stay, {found.removed} go{why}; {duration(found.seconds)}")
    if gone is not None:
        say(f"{gone} were removed from the bank" + (", examples name the others" if gone < found.removed else ""))
    elif kept is None and found.removed:
        say("nothing was changed: --out FILE keeps who stays, --removed FILE who goes, with their twins")


def report(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A file of people; the workspace's bank if not given.")
    ] = None,
    against: Annotated[Path | None, typer.Option("--against", metavar="FILE", help="Another bank beside it.")] = None,
    spec: Annotated[Path, typer.Option("--spec", metavar="SPEC", help=SPEC_OF)] = DEFAULT_SPEC,
    workspace: options.WorkspaceFolder = WORKSPACE,
    picture: Annotated[Path | None, typer.Option("--svg", metavar="FILE", help=SVG)] = None,
    n: Annotated[int, typer.Option("--sample", metavar="N", min=2, help="People drawn for the measures.")] = SAMPLE,
    words: Annotated[int, typer.Option("--words", metavar="N", min=3, help="Words kept of each of them.")] = WORDS,
    field: Fields = None,
    as_json: options.AsJson = False,
) -> None:
    """Tell who is in a bank and how diverse it is, at a fixed number and length; two banks side by side.

    Example: studio bank report people.jsonl --against other.jsonl --svg diversity.svg
    """
    name, people = _bank(file, spec, workspace, field or [])
    found = [(name, diversity(people, disk_embedder(), n, words))] if against is None else []
    if against is not None:
        one, other = compare(people, read_all(against, field or ()), disk_embedder(), n, words)
        found = [(name, one), (against.name, other)]
    if picture is not None:
        write_atomic(picture, svg(found))
    if as_json:
        banks = [{"bank": name, **one.model_dump(mode="json")} for name, one in found]
        say_json({"banks": banks, "svg": _named(picture)})
        return
    _tables(found)
    if picture is not None:
        say(f"picture: {as_seen(picture)}")


def register(group: typer.Typer) -> None:
    """Add these commands to those of ``studio bank``."""
    group.command("dedup")(dedup)
    group.command("report")(report)


def reasons_line(reasons: Any) -> str:
    told = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items(), key=lambda one: -one[1]))
    return f" ({told})" if told else ""


def _bank(file: Path | None, spec: Path, workspace: Path, fields: list[str]) -> tuple[str, list[Person]]:
    if file is not None:
        return file.name, read_all(file, fields)
    with open_session(spec, workspace) as session:
        people = session.workspace.examples.people()
        name = session.loaded.spec.name
    if not people:
        raise UserError("nobody is in the bank", where=name, remedy="studio bank compose or write make people")
    return name, people


def _tables(found: list[tuple[str, Diversity]]) -> None:
    first = found[0][1]
    measures = Table(box=None, pad_edge=False)
    for title in (f"{first.measures.n} people, {first.measures.words} words", *(name for name, _ in found)):
        measures.add_column(cell(title), justify="left" if title[0].isdigit() and not measures.columns else "right")
    measures.add_row(cell("people in all"), *(cell(one.people) for _, one in found))
    for row in zip(*(figures(one.measures) for _, one in found), strict=True):
        measures.add_row(cell(row[0][0]), *(cell(figure) for _, figure in row))
    out.print(measures)
    for place, attribute in enumerate(first.shares):
        shares = Table(box=None, pad_edge=False)
        shares.add_column(cell(f"\n{attribute.attribute}"))
        of = [{share.value: share.share for share in one.shares[place].values} for _, one in found]
        for name, one in found:
            about = f"{one.shares[place].different} different, evenness {one.shares[place].evenness:.2f}"
            shares.add_column(cell(f"{name}\n{about}" if len(found) > 1 else f"\n{about}"), justify="right")
        for value in dict.fromkeys(value for one in of for value in one):
            shares.add_row(cell(value), *(cell(f"{one.get(value, 0):.1%}") for one in of))
        out.print(shares)


def _remove(spec: Path, workspace: Path, people: list[Person], removals: list[Removal | None]) -> int:
    with open_session(spec, workspace) as session:
        gone = [person.id for person, removal in zip(people, removals, strict=True) if removal is not None]
        return session.workspace.examples.remove_people(gone)


def _named(path: Path | None) -> str | None:
    return None if path is None else as_seen(path)


class _Progress:
    """A line now and then of how many are done, and how long the others will take at the rate of the last minutes."""

    def __init__(self, what: str, total: int) -> None:
        self._what, self._total, self._last = what, total, time.monotonic()
        self._seen: deque[tuple[float, int]] = deque([(self._last, 0)], maxlen=64)

    def __call__(self, done: int) -> None:
        now = time.monotonic()
        self._seen.append((now, done))
        if now - self._last >= QUIET_S and done < self._total:
            self._last = now
            (then, before) = self._seen[0]
            left = (self._total - done) * (now - then) / max(1, done - before)
            tell(f"{self._what:<9} {done}/{self._total} people, about {duration(left)} left")
