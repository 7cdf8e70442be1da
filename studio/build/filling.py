"""Filling a cell of the coverage table: the focused run that writes for its scenario and its column."""

from __future__ import annotations

from studio.build.items import check_model, items_job, items_stage
from studio.build.session import Session, Tell
from studio.chatml import Frozen
from studio.errors import UserError
from studio.generate.coverage_map import CoverageMap, length_band
from studio.generate.focus import Focus, FocusParams
from studio.inference import ItemsFinished
from studio.jobs import Job, start

STAGE = "targeted"
ENTRY = "studio.generate.focus:main"


class CellAt(Frozen):
    """A cell by its row and column."""

    row: int
    column: int


def cell_of(table: CoverageMap, scenario: str, column: str) -> CellAt:
    """The cell of a scenario and a column by name. Raises :class:`UserError` where there is none."""
    rows = [at for at, one in enumerate(table.rows) if one.scenario == scenario]
    if not rows:
        raise UserError(f"no such scenario: {scenario}", remedy="studio coverage lists them")
    if column not in table.columns:
        raise UserError(f"no such column: {column}", remedy=f"one of: {', '.join(table.columns)}")
    return CellAt(row=rows[0], column=table.columns.index(column))


def fill_params(session: Session, table: CoverageMap, at: CellAt, count: int) -> FocusParams:
    """What the run is asked. One that was stopped goes on; once it has its count, another begins."""
    row, name = table.rows[at.row], table.columns[at.column]
    if table.by == "trait":
        focus = Focus(trait=name)
    elif table.by == "person":
        focus = Focus(group=name)
    else:
        least, most = length_band(name)
        focus = Focus(least=least, most=most)
    params = FocusParams(
        spec_path=str(session.loaded.path),
        workspace=str(session.root),
        settings=session.settings,
        seed=session.seed,
        concurrency=session.concurrency,
        name="",
        focus=focus,
        scenarios=((row.category, row.scenario),),
        count=count,
    )
    documents, number = session.workspace.documents, 1
    while True:
        named = params.model_copy(update={"name": f"{row.category} {row.scenario} {name} {number}"})
        if documents.count(named.kind) < count:
            return named
        number += 1


async def fill_stage(tell: Tell, session: Session, params: FocusParams) -> ItemsFinished:
    """Write them, and follow the job to its end."""
    return await items_stage(tell, session, STAGE, ENTRY, params)


def begin_filling(session: Session, params: FocusParams) -> Job:
    """Start the job. Raises :class:`UserError` where nobody is there to write."""
    check_model(session, STAGE)
    return start(session.workspace.jobs_dir, STAGE, *items_job(ENTRY, params))
