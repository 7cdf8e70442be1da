"""Names and notes of runs, finding a run by them, and its end. They are in ``studio.json`` (``runs``), not in the run's
folder, which a training worker writes.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from studio.chatml import Frozen, Unicode
from studio.errors import UserError, disk_error
from studio.train.run import runs
from studio.train.types import Run

if TYPE_CHECKING:
    from studio.store import Workspace

TABLE = "runs"
DELETED = ".deleted-runs"
"""Where folders go before they are removed: a kill in between leaves no half of a run in the list."""
_NAME = re.compile(r"[^\W_][\w.-]{0,39}")
MOST_NOTE = 500


class Tag(Frozen):
    """What people call a run, and what they noted of it."""

    name: Unicode = ""
    note: Unicode = ""


def tags(workspace: Workspace) -> dict[str, Tag]:
    """By the id of the run."""
    return workspace.studio.items(TABLE, Tag)


def name_run(workspace: Workspace, run: Run, name: str) -> Tag:
    """Give a run a name, in the place of an earlier one; an empty one takes it away.

    Raises :class:`UserError` where it is no name, another run has it, or a run's id begins so.
    """
    run_id = run.plan.run_id
    if name and not _NAME.fullmatch(name):
        remedy = "use letters, digits, '.', '_' and '-', 40 at most, beginning with a letter or a digit"
        raise UserError(f"not a name of a run: {name}", remedy=remedy)
    known = runs(workspace)
    if name and (alike := next((one.plan.run_id for one in known if one.plan.run_id.startswith(name)), None)):
        raise UserError(f"{name} is how the id of {alike} begins", remedy="choose another name")

    def named(tables: dict[str, dict[str, object]]) -> None:
        table = tables.setdefault(TABLE, {})
        taken = {Tag.model_validate(tag, extra="ignore").name.casefold(): of for of, tag in table.items()}
        holder = taken.get(name.casefold())
        if name and holder not in (None, run_id):
            raise UserError(f"{name} is the name of {holder}", remedy=f"studio runs name {holder} '' takes it away")
        before = Tag.model_validate(table.get(run_id, {}), extra="ignore")
        table[run_id] = before.model_copy(update={"name": name}).model_dump(mode="json")

    workspace.studio.change(named)
    return tags(workspace)[run_id]


def note_run(workspace: Workspace, run: Run, note: str) -> Tag:
    """Keep a note on a run, in the place of the one before; an empty one takes it away."""
    if len(note) > MOST_NOTE:
        raise UserError(f"a note of {len(note)} characters", remedy=f"say it in {MOST_NOTE}")
    return workspace.studio.update(
        TABLE, run.plan.run_id, Tag, lambda tag: (tag or Tag()).model_copy(update={"note": note})
    )


def find_run(workspace: Workspace, named: str) -> Run:
    """The run of this id, this name (in any case), or with an id that begins so and no other does, with or without
    ``run-``. Raises :class:`UserError` where there is none, or several."""
    known = {run.plan.run_id: run for run in runs(workspace)}
    if named in known:
        return known[named]
    by_name = {tag.name.casefold(): id for id, tag in tags(workspace).items() if tag.name}
    if (run_id := by_name.get(named.casefold())) in known and run_id is not None:
        return known[run_id]
    begin = [id for id in known if named and id.startswith((named, f"run-{named}"))]
    if len(begin) > 1:
        raise UserError(f"{len(begin)} runs begin so", where=named, remedy=f"one of: {', '.join(begin)}")
    if not begin:
        raise UserError("no such run", where=named, remedy=f"runs: {', '.join(known) or 'none yet'}")
    return known[begin[0]]


def size_of(folder: Path) -> int:
    """Bytes that the files in ``folder`` take on the disk; a file with several names counts where it is the last."""
    return sum(
        stat.st_blocks * 512
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and (stat := path.stat()).st_nlink == 1
    )


def remove_run(workspace: Workspace, run: Run) -> int:
    """Remove the folder of a run with its adapter, checkpoints and data, and its name and note. Gives the bytes freed.

    Whether anything needs it is for the caller to know. Raises :class:`UserError` where the disk refuses.
    """
    folder, away = workspace.runs_dir / run.plan.run_id, workspace.folder / DELETED
    freed = size_of(folder)
    try:
        shutil.rmtree(away, ignore_errors=True)
        away.mkdir(mode=0o700, exist_ok=True)
        folder.rename(away / folder.name)
        shutil.rmtree(away)
    except OSError as error:
        raise disk_error(error, folder, doing="not deleted") from error
    workspace.studio.remove(TABLE, run.plan.run_id)
    return freed
