"""Writing what people were used for to a file: the form that each kind of it has, and what is then written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.bank.chart import svg as shares_svg
from studio.bank.study import svg as study_svg
from studio.bank.talk import KIND as TALK
from studio.bank.talk import Side, Talk, export_talks
from studio.build import Session
from studio.errors import UserError
from studio.files import as_seen, write_atomic
from studio.generate.effect_chart import svg as effect_svg
from studio.generate.recipes import RecipeRun, export_recipes
from studio.queries import Asking, Query
from studio.queries.ask import answers_of
from studio.queries.mismatches import markdown
from studio.queries.stored import export_queries
from studio.tui.screens.bank.results import Result
from studio.tui.screens.bank.use_reports import asking_report, compared_queries, effect_of, studied
from studio.tui.screens.bank.uses import one_of, yes

Values = Mapping[str, str]
Write = Callable[[Session, Result, str, Path, Values], str]
"""Session, what is written, the id of the record under the cursor, where to, and what was typed; what was written, in
words. Reads, measures and writes: for a thread."""
SIDES: dict[str, tuple[Side, ...]] = {"first": ("first",), "second": ("second",), "both": ("first", "second")}
SHAPES = ("hub", "messages")


@dataclass(frozen=True)
class Export:
    """How one kind is written: endings of names, the first one offered; more fields, and what is to be known."""

    endings: tuple[str, ...]
    write: Write
    fields: Mapping[str, str]
    note: str


def form_of(result: Result) -> dict[str, str]:
    """The fields of its form, filled in."""
    about, export = result.about, EXPORTS[result.use]
    name = result.kind.replace(" ", "-")
    if isinstance(about, RecipeRun):
        name = about.recipe.name
    elif isinstance(about, Asking):
        name = f"answers-{about.id}"
    elif result.use == "queries":
        name = result.name.replace(" ", "-").replace(",", "")
    elif result.use == "effect":
        name = "effect"
    return {"file": f"{name}{export.endings[0]}", **export.fields}


def check(result: Result, values: Values) -> Path:
    """Where to. Raises UserError for what was typed and cannot be."""
    endings, path = EXPORTS[result.use].endings, Path(values["file"]).expanduser().absolute()
    if path.suffix.lower() not in endings:
        raise UserError(f"expected a name that ends in {' or '.join(endings)}", where=path.name or "file")
    if path.is_dir():
        raise UserError("this is a folder", where=as_seen(path))
    for name in ("all", "system"):
        if name in values:
            yes(values, name)
    if "side" in values:
        one_of(values, "side", tuple(SIDES))
    if "as" in values:
        shape = one_of(values, "as", SHAPES)
        if shape == "messages" and path.suffix.lower() == ".parquet":
            raise UserError("messages are JSON lines", remedy="name a file that ends in .jsonl")
    return path


def _recipe(session: Session, result: Result, record: str, path: Path, values: Values) -> str:
    assert isinstance(result.about, RecipeRun)
    shape: Any = values["as"]
    try:
        n = export_recipes(session.workspace.documents, [result.about], path, shape=shape, force=True)
    except UserError as error:
        remedy = (error.remedy or "").replace("leave --messages out", "write it as hub")
        raise UserError(error.message, where=error.where, remedy=remedy) from None
    return f"{n:,} of {result.n:,} by {result.about.title}"


def _queries(session: Session, result: Result, record: str, path: Path, values: Values) -> str:
    if path.suffix.lower() == ".svg":
        found = compared_queries(session, result.seed)
        write_atomic(path, shares_svg([(arm.arm, arm.as_written) for arm in found.arms], "queries"))
        return "the picture of both kinds"
    full = yes(values, "all")
    n = export_queries(session.workspace.documents.readable(result.kind, Query), path, full=full)
    return f"{n:,} {result.name}"


def _answers(session: Session, result: Result, record: str, path: Path, values: Values) -> str:
    assert isinstance(result.about, Asking)
    answers = answers_of(session.workspace.documents, result.about)
    write_atomic(path, markdown(asking_report(session, result.about), answers))
    return f"the report of {len(answers):,} answers"


def _talks(session: Session, result: Result, record: str, path: Path, values: Values) -> str:
    talks = session.workspace.documents.readable(TALK, Talk)
    n = export_talks(talks, path, SIDES[values["side"]], with_system=yes(values, "system"))
    return f"{n:,} lines of {len(talks):,} conversations"


def _study(session: Session, result: Result, record: str, path: Path, values: Values) -> str:
    write_atomic(path, study_svg(studied(session, result, record)))
    return "the box plots"


def _effect(session: Session, result: Result, record: str, path: Path, values: Values) -> str:
    write_atomic(path, effect_svg(effect_of(session, result)))
    return "the picture of the effect"


EXPORTS: Mapping[str, Export] = {
    "recipe": Export(
        (".jsonl", ".parquet"),
        _recipe,
        {"as": "hub"},
        "as: hub, the JSON lines of Persona Hub; or messages, conversations as ChatML. A .parquet has every field.",
    ),
    "queries": Export(
        (".jsonl", ".csv", ".svg"),
        _queries,
        {"all": "no"},
        "all: every field, as JSON lines. A .svg is the picture that compares queries of people with naive ones.",
    ),
    "ask": Export((".md",), _answers, {}, "The report as Markdown, with the first mismatches in full."),
    "talk": Export(
        (".jsonl",),
        _talks,
        {"side": "both", "system": "yes"},
        "side: whose turns are the assistant's, first, second or both. system: the person before it.",
    ),
    "study": Export((".svg",), _study, {}, "The box plots of the study under the cursor, as a picture."),
    "effect": Export((".svg",), _effect, {}, "The shares with their intervals, as a picture."),
}
"""By use; what is not here is only looked at."""
