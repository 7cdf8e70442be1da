"""The folder of one persona's work, and whose it is."""

from __future__ import annotations

import os
from pathlib import Path

from studio.chatml import Frozen, Unicode
from studio.errors import UserError, disk_error
from studio.store.database import BUSY_S, GivesUp
from studio.store.documents import Documents, RunLabels
from studio.store.examples import ExampleStore
from studio.store.studiofile import StudioFile

EXAMPLES, SETTINGS = "examples.db", "studio.json"
_TABLE, _KEY = "persona", "owner"


class Owner(Frozen):
    """A persona by its name and by the file of its spec: names that differ in signs alone (C++ Coach, C# Coach) come
    to the same folder."""

    name: Unicode
    spec: Unicode

    @classmethod
    def of(cls, name: str, spec: Path) -> Owner:
        return cls(name=name, spec=str(spec.resolve()))

    def may_follow(self, before: Owner) -> bool:
        """Whether it is the same persona: moved to another file, or given another name in its own."""
        return self.spec == before.spec or _plain(self.name) == _plain(before.name)


class Workspace:
    """``<root>/<slug>/``. Any number of processes may have it open; only its owner may look into it."""

    def __init__(self, folder: Path, gives_up: GivesUp | None = None) -> None:
        """As :meth:`open`, whoever it belongs to."""
        self.folder = folder
        self.jobs_dir = folder / "jobs"
        self.runs_dir = folder / "runs"
        self.exports_dir = folder / "exports"
        self.packages_dir = folder / "packages"
        self._make_folders()
        check_begun(folder)
        self.examples = ExampleStore(folder / EXAMPLES, BUSY_S, gives_up)
        self.labels = RunLabels(self.examples.database)
        self.documents = Documents(self.examples.database)
        self.studio = StudioFile(folder / SETTINGS)
        try:
            self.documents.move_from(self.studio)
        except UserError:
            self.close()
            raise

    @classmethod
    def open(cls, root: Path, slug: str, owner: Owner | None = None, gives_up: GivesUp | None = None) -> Workspace:
        """Open the workspace of a persona, making what is missing; where it cannot be written it is read.

        Raises :class:`UserError` where it belongs to another persona than ``owner``; a job, which is given its
        workspace by whoever started it, need not say whose it is. With ``gives_up``, as jobs have it, a write waits
        for other programs until that says yes, and not for 15 seconds only.
        """
        if not slug or Path(slug).name != slug or slug.startswith("."):
            raise ValueError(f"not a folder name: {slug!r}")
        workspace = cls(root / slug, gives_up)
        if owner is not None:
            try:
                workspace._claim(owner)
            except UserError:
                workspace.close()
                raise
        return workspace

    @property
    def read_only(self) -> bool:
        return self.examples.database.read_only

    def close(self) -> None:
        self.examples.close()
        self.studio.close()

    def _make_folders(self) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not os.access(self.folder, os.W_OK):
                return  # what is there can be read
            for part in (self.jobs_dir, self.runs_dir, self.exports_dir, self.packages_dir):
                part.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            remedy = "choose another folder with --workspace, or look at the permissions of this one"
            raise disk_error(error, self.folder, doing="cannot be made", remedy=remedy) from error

    def _claim(self, owner: Owner) -> None:
        """Keep the name of the persona; raises :class:`UserError` in the workspace of another one."""
        try:
            before = self.studio.get(_TABLE, _KEY, Owner)
        except UserError:
            return  # whatever needs that file will say what is wrong with it
        if before == owner:
            return
        if before is not None and not owner.may_follow(before):
            raise UserError(
                f"holds the work of {before.name} ({before.spec}), not of {owner.name}",
                where=str(self.folder),
                remedy="give one of them a name with other letters, or choose another --workspace; "
                f"where {before.name} was renamed, write its new name into {SETTINGS}",
            )
        if not self.read_only:
            self.studio.put(_TABLE, _KEY, owner)


def check_begun(folder: Path) -> None:
    """Raises :class:`UserError` where there was work but ``examples.db`` is empty or gone: no place to begin anew."""
    path = folder / EXAMPLES
    try:
        if path.exists() and path.stat().st_size:
            return
        parts = [folder / name for name in ("jobs", "runs")]
        if not any(entry for part in parts if part.is_dir() for entry in part.iterdir()):
            return
    except OSError as error:
        raise disk_error(error, folder, doing="cannot be read") from error
    state = "is empty" if path.exists() else "is gone"
    remedy = "studio workspace restore --from BACKUP brings a copy back; to begin anew, move this folder away"
    raise UserError(f"{EXAMPLES} {state}, though jobs have written to it", where=str(folder), remedy=remedy)


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())
