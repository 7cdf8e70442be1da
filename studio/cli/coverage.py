"""``studio coverage``: scenarios against traits, who asks, and lengths, as a table or a picture; and filling a cell."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer

from studio.build.filling import cell_of, fill_params, fill_stage
from studio.cli import options
from studio.cli.display import show
from studio.cli.options import DEFAULT_SPEC, OFFLINE, WORKSPACE, asks_models, open_session
from studio.cli.output import say, say_json, tell
from studio.errors import UserError
from studio.files import as_seen, write_atomic
from studio.generate.coverage_chart import figure, svg
from studio.generate.coverage_map import By, CoverageMap, coverage_map
from studio.llm import ModelSettings

ROOM, CELL = 30, 8
"""Columns of a scenario's name, and of a cell."""
FILL = "Write examples for this scenario and --column, and show the table after it."
COUNT = "Examples to write; the number that the cell is short of where it is not given."


@asks_models()
def coverage_command(
    spec: options.SpecFile = DEFAULT_SPEC,
    workspace: options.WorkspaceFolder = WORKSPACE,
    by: Annotated[By, typer.Option("--by", help="What scenarios are crossed with.")] = "trait",
    picture: Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="Write it as a picture.")] = None,
    fill: Annotated[str | None, typer.Option("--fill", metavar="SCENARIO", help=FILL)] = None,
    column: Annotated[str | None, typer.Option("--column", metavar="NAME", help="The column to fill.")] = None,
    count: Annotated[int | None, typer.Option("--count", "-n", metavar="N", min=1, help=COUNT)] = None,
    examples: options.Examples = None,
    settings: ModelSettings = OFFLINE,
    as_json: options.AsJson = False,
) -> None:
    """How many accepted examples each scenario has by trait (mean mark), person group or length.

    Example: studio coverage specs/taskmaster.yaml --by person --svg coverage.svg
    """
    if (fill is None) != (column is None):
        raise UserError("--fill and --column go together", remedy="name a scenario and a column of the table")
    with open_session(spec, workspace, settings, examples=examples) as session:
        table = coverage_map(session.loaded, session.workspace, by, session.examples)
        if fill is not None and column is not None:
            at = cell_of(table, fill, column)
            wanted = count or table.want(at.row, at.column)
            if not wanted:
                raise UserError(
                    "the cell has all it is to have", where=f"{fill}, {column}", remedy="--count N writes on"
                )
            show(fill_stage, session, fill_params(session, table, at, wanted))
            table = coverage_map(session.loaded, session.workspace, by, session.examples)
        name = session.loaded.spec.name
    if picture is not None:
        write_atomic(picture, svg(table, name), mode=0o644)
        tell(f"written: {as_seen(picture)}")
    if as_json:
        say_json(table.model_dump(mode="json") | {"accepted": table.accepted})
    else:
        _print(table)


def _print(table: CoverageMap) -> None:
    """A line a scenario, a column a cell: the mean mark of a trait, else the count."""
    heads = "".join(f"{name[: CELL - 1]:>{CELL}}" for name in table.columns)
    what = "mean mark of 2" if table.by == "trait" else "accepted"
    say(f"{what:<{ROOM}}{'n':>6}{heads}")
    number = 0
    for category, rows in groupby(table.rows, key=lambda one: one.category):
        say(category)
        for row in rows:
            cells = "".join(f"{figure(table, number, at):>{CELL}}" for at in range(len(table.columns)))
            say(f"  {row.scenario[: ROOM - 3]:<{ROOM - 2}}{row.accepted:>6}{cells}")
            number += 1
