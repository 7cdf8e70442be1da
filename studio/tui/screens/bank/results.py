"""What people were used for: every collection that a workspace holds, with its records, its report and its export."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from studio.bank.study import KIND as STUDY
from studio.bank.study import Output, Study
from studio.bank.talk import KIND as TALK
from studio.bank.talk import Talk
from studio.build import Session
from studio.errors import UserError
from studio.generate.effect_job import EffectParams, EffectTurn, sample_kind
from studio.generate.recipes import RecipeMade, RecipeRun, recipe_runs
from studio.inference import Record
from studio.jobs import list_jobs
from studio.queries import Answered, Asking, Query
from studio.queries.ask import askings
from studio.tui.screens.bank.uses import EFFECT

Use = Literal["recipe", "queries", "ask", "talk", "study", "outputs", "effect"]


@dataclass(frozen=True)
class Result:
    """One collection: ``kind`` of documents, ``n`` of them. ``about`` tells it from others of its use."""

    use: Use
    name: str
    kind: str
    record: type[Record]
    n: int
    seed: int = 0
    about: RecipeRun | Asking | EffectParams | None = None


def results(session: Session) -> list[Result]:
    """Those that hold anything; the effect of the person last, which needs no sample of its own. Reads the store."""
    documents = session.workspace.documents
    kinds = documents.kinds()
    found = [
        Result("recipe", f"recipe {run.title}", run.kind, RecipeMade, kinds[run.kind], about=run)
        for run in recipe_runs(documents)
        if kinds.get(run.kind)
    ]
    found += _queries(kinds)
    found += [
        Result("ask", f"answers {one.title}", one.kind, Answered, kinds[one.kind], one.seed, one)
        for one in reversed(askings(documents))
        if kinds.get(one.kind)
    ]
    if kinds.get(TALK):
        found.append(Result("talk", "talk: conversations of two people", TALK, Talk, kinds[TALK]))
    if kinds.get(STUDY):
        found.append(Result("study", "study: of the person's weight in outputs", STUDY, Study, kinds[STUDY]))
        found += [
            Result("outputs", f"outputs of the study of {study.at:%Y-%m-%d %H:%M}", kind, Output, kinds[kind])
            for study in reversed(documents.readable(STUDY, Study))
            if kinds.get(kind := f"{STUDY} {study.id}")
        ]
    sample, asked = _effect(session)
    found.append(
        Result("effect", "effect of the person on the text", sample, EffectTurn, kinds.get(sample, 0), about=asked)
    )
    return found


def author_of(asked: EffectParams) -> str:
    """Under whose name a sample of turns is kept."""
    return asked.settings.author_local or asked.settings.model or ""


def _queries(kinds: Mapping[str, int]) -> Iterator[Result]:
    for kind in sorted(kinds):
        found = re.fullmatch(r"query( naive)?(?: seed (\d+))?", kind)
        if found:
            name = ("naive queries" if found[1] else "queries of people") + (f", seed {found[2]}" if found[2] else "")
            yield Result("queries", name, kind, Query, kinds[kind], int(found[2] or 0))


def _effect(session: Session) -> tuple[str, EffectParams | None]:
    """The kind of the turns of the newest sample, and what it was asked; nothing where there is none."""
    for job in list_jobs(session.workspace.jobs_dir, "effect"):
        try:
            params = job.request.params
            params = params["params"] if params.get("entry") == EFFECT else params
            asked = EffectParams.model_validate(params, extra="ignore")
        except (UserError, ValueError):  # another version's
            continue
        return sample_kind(session.loaded, author_of(asked)), asked
    return "", None
