"""Measuring what people were used for: the report of a collection, made off the UI thread and laid out as a page."""

from __future__ import annotations

from studio.bank.study import Study
from studio.bank.talk import KIND as TALK
from studio.bank.talk import Talk
from studio.build import Session
from studio.embed import disk_embedder
from studio.errors import UserError
from studio.generate.effect import Effect
from studio.generate.effect_job import EffectParams, asked_effect, stored_effect
from studio.generate.recipes import RecipeRun, report
from studio.queries import Asking
from studio.queries.ask import answers_of
from studio.queries.compare import QueryReport, query_report
from studio.queries.mismatches import AskReport, ask_report
from studio.queries.review import upheld
from studio.tui.screens.bank.results import Result, author_of
from studio.tui.screens.bank.use_pages import (
    asking_page,
    effect_page,
    queries_page,
    recipe_page,
    study_page,
    talks_page,
)
from studio.tui.widgets.page import Shown


def report_of(session: Session, result: Result, record: str = "") -> Shown:
    """``record``: the id of the one under the cursor, of which studies have a report each. Reads and measures, for
    seconds: for a thread. Raises UserError where there is too little to measure."""
    documents = session.workspace.documents
    if isinstance(result.about, RecipeRun):
        (found,) = report(documents, [result.about])
        return lambda width: recipe_page(found, width)
    if isinstance(result.about, Asking):
        told = asking_report(session, result.about)
        return lambda width: asking_page(told, width)
    if result.use == "queries":
        compared = compared_queries(session, result.seed)
        return lambda width: queries_page(compared, width)
    if result.use == "talk":
        talks = documents.readable(TALK, Talk)
        return lambda width: talks_page(talks, width)
    if result.use == "study":
        study = studied(session, result, record)
        return lambda width: study_page(study, width)
    effect = effect_of(session, result)
    return lambda width: effect_page(effect, width)


def asking_report(session: Session, asking: Asking) -> AskReport:
    answers = answers_of(session.workspace.documents, asking)
    return ask_report(asking, answers, upheld(session.workspace, answers))


def compared_queries(session: Session, seed: int) -> QueryReport:
    try:
        return query_report(session.workspace.documents, disk_embedder(), seed=seed)
    except UserError as error:
        remedy = f"both kinds are compared: x makes them, queries and queries naive, with the seed {seed}"
        raise UserError(error.message, remedy=remedy) from None


def studied(session: Session, result: Result, record: str) -> Study:
    """Raises UserError where it went meanwhile."""
    study = session.workspace.documents.get(result.kind, record, Study)
    if study is None:
        raise UserError("this study is not there any more")
    return study


def effect_of(session: Session, result: Result) -> Effect:
    """Of the sample that was written, else of the examples that are there."""
    asked = result.about
    if result.n and isinstance(asked, EffectParams):
        author = author_of(asked)
        return asked_effect(session.loaded, session.workspace, asked.ask, asked.seed, author, disk_embedder())
    try:
        return stored_effect(session.loaded, session.workspace, disk_embedder())
    except UserError as error:
        raise UserError(error.message, where=error.where, remedy="x, effect has a sample written") from None
