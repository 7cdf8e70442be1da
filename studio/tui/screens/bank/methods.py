"""How people come to be: a table with a row a method, from which the choice, the form and the job follow.

Another method is one more row of :data:`METHODS`.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast, get_args

from pydantic import BaseModel

from studio.bank import MOST_BUILT, BankParams
from studio.bank.from_text import WHO
from studio.bank.model_job import EnrichTask, FromTextTask, PeopleParams, ProfilesTask, RelationsTask, Task, WriteTask
from studio.bank.relations import MOST_HOPS
from studio.build import Session
from studio.build.people import people_job
from studio.errors import UserError
from studio.store.records import Method as MadeBy

Values = Mapping[str, str]
JobOf = Callable[[Session, Values], tuple[str, BaseModel]]
"""The entry of the job and its parameters, from what was typed. Raises UserError for what cannot be."""

NO_MODEL = (
    "There is none yet. Press escape, 3, then w: that lists who could write on this machine, and how. Or start the"
    " window with --endpoint URL --model NAME, or with OPENAI_API_KEY set. Without a model: compose, or i imports a"
    " file of people."
)
NO_NAME = "An endpoint is set, and no model is named: start the window with --model NAME, or set STUDIO_MODEL."
COMPOSING = "studio.bank.job:main"
SEED = "Another seed makes other people; the same one goes on where it was."
LANGUAGE = "language is the tag of what people are written in, such as en or de; any takes all."


@dataclass(frozen=True)
class Method:
    """``fields`` are names and what stands there at first. ``stage``: under which its job is started, one of those
    that the window follows for this screen."""

    id: str
    tells: str
    """What it does, in a sentence or two."""
    job: JobOf
    fields: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    """What is to be known to fill the form in."""
    needs: str = ""
    """What there has to be besides a model, in a few words."""
    model: bool = True
    stage: str = "bank"

    def wants(self) -> str:
        """What it needs, in a few words."""
        return " and ".join(part for part in ("a model" if self.model else "", self.needs) if part) or "no model"

    def missing(self, session: Session) -> str:
        """What is to be done before it can start; empty where it can."""
        settings = session.settings
        if not self.model:
            return ""
        if settings.author_offline:
            return NO_MODEL
        return NO_NAME if settings.author_local is None and settings.model is None else ""


def number(values: Values, name: str, least: int, most: int = 1_000_000) -> int:
    """A whole number that was typed. Raises UserError for another one."""
    text = values[name].strip()
    if not (text.isascii() and text.isdecimal()):
        raise UserError(f"{name}: {text or 'nothing'} is no number")
    if not least <= int(text) <= most:
        raise UserError(f"{name}: expected {least} to {most}, found {text}")
    return int(text)


def files(text: str) -> tuple[str, ...]:
    """Names of files and folders, as in a shell. Raises UserError where one is not there."""
    try:
        paths = [Path(name).expanduser().absolute() for name in shlex.split(text)]
    except ValueError as error:
        raise UserError(f"files: {error}", remedy="quote a name with spaces on both sides") from None
    if not paths:
        raise UserError("files: name a file or a folder")
    for path in paths:
        if not path.exists():
            raise UserError("there is no such file", where=str(path))
    return tuple(map(str, paths))


def _compose(session: Session, values: Values) -> tuple[str, BaseModel]:
    spec, root, count = str(session.loaded.path), str(session.root), number(values, "count", 0, MOST_BUILT)
    return COMPOSING, BankParams(spec_path=spec, workspace=root, count=count, seed=number(values, "seed", 0))


def _model(task_of: Callable[[Values], Task]) -> JobOf:
    def job(session: Session, values: Values) -> tuple[str, BaseModel]:
        language = values["language"].strip()
        spoken = None if language in ("", "any") else language
        return people_job(session, task_of(values), seed=number(values, "seed", 0), language=spoken)

    return job


def _from_text(values: Values) -> Task:
    who = values["who"].replace(",", " ").split()
    if not who or not set(who) <= set(WHO):
        raise UserError(f"who: expected some of {', '.join(WHO)}")
    return FromTextTask.model_validate(
        {
            "paths": files(values["files"]),
            "count": number(values, "count", 1),
            "asked": tuple(who),
            "column": values["column"].strip() or None,
        }
    )


def _relations(values: Values) -> Task:
    roots, known = values["from"].strip(), [name for name in get_args(MadeBy) if name]
    if roots not in ("", *known):
        raise UserError(f"from: expected nothing, or one of {', '.join(known)}")
    hops, budget = number(values, "hops", 1, MOST_HOPS), number(values, "budget", 1)
    return RelationsTask(hops=hops, budget=budget, roots=cast(MadeBy, roots))


def _enrich(values: Values) -> Task:
    return EnrichTask(count=number(values, "count", 1) if values["count"].strip() else None)


_MODEL_FIELDS = {"language": "en", "seed": "0"}
_MODEL_NOTE = f"{LANGUAGE} {SEED}"

METHODS = (
    Method(
        "compose",
        "People put together from lists of work, age, family, place and habits that fit each other, beside those of the"
        " spec's profiles. Quick, costs nothing, and knows no more than the lists do.",
        _compose,
        {"count": "200", "seed": "0"},
        f"count is how many composed people the bank is to have, {MOST_BUILT} at most. {SEED}",
        model=False,
    ),
    Method(
        "write",
        "The model writes a person a call, from work, age and circumstances that code has drawn, unlike those before.",
        _model(lambda values: WriteTask(count=number(values, "count", 1))),
        {"count": "100", **_MODEL_FIELDS},
        _MODEL_NOTE,
    ),
    Method(
        "write extreme",
        "As write, from harder circumstances: people who are hostile, erratic, overwhelmed or at a loss. They are"
        " marked as extreme.",
        _model(lambda values: WriteTask(count=number(values, "count", 1), extreme=True)),
        {"count": "50", **_MODEL_FIELDS},
        _MODEL_NOTE,
    ),
    Method(
        "from-text",
        "The model infers who would read, write, like or dislike a text, as finely as the text is.",
        _model(_from_text),
        {"files": "", "count": "100", "who": ", ".join(WHO), "column": "", **_MODEL_FIELDS},
        "files: files or folders of text, JSON lines or Parquet, with spaces between them. column: the field that holds"
        f" the text, where it is not told by its name. {_MODEL_NOTE}",
        needs="files of text",
    ),
    Method(
        "relations",
        "The model writes people close to those who are there, from patient to complainant, hop by hop. Tells how far"
        " each hop drifts, and stops where diversity falls.",
        _model(_relations),
        {"hops": "2", "budget": "50", "from": "", **_MODEL_FIELDS},
        "budget: people a hop, at most. from: begin with those made by one method, such as import; with all if empty."
        f" {_MODEL_NOTE}",
        needs="somebody in the bank",
    ),
    Method(
        "enrich",
        "The model makes whole people of short ones, such as imported lines. They take their place.",
        _model(_enrich),
        {"count": "", **_MODEL_FIELDS},
        f"count: short people at most; all if empty. {_MODEL_NOTE}",
        needs="short people in the bank",
    ),
    Method(
        "profiles",
        "The model writes a fresh person and a query for the topics and user types of the spec's file, in turn.",
        _model(lambda values: ProfilesTask(count=number(values, "count", 1))),
        {"count": "100", **_MODEL_FIELDS},
        _MODEL_NOTE,
        needs="profiles in the spec",
    ),
)


def again(session: Session, entry: str, params: Mapping[str, object]) -> tuple[str, BaseModel] | None:
    """The job that goes on with one that ended early, by the models that are set now; None where it is none that has
    anything to go on with."""
    if entry == COMPOSING:
        return entry, BankParams.model_validate(params, extra="ignore")
    if entry not in ("studio.bank.model_job:main", "studio.build.people:main"):
        return None
    asked = PeopleParams.model_validate(params, extra="ignore")
    entry, now = people_job(session, asked.task)
    return entry, asked.model_copy(update={"settings": now.settings})
