"""The folder of one persona's work."""

from __future__ import annotations

from pathlib import Path

from studio.errors import UserError
from studio.store.examples import ExampleStore
from studio.store.owner import Owner, claim
from studio.store.run_labels import RunLabels
from studio.store.studiofile import StudioFile


class Workspace:
    """``<root>/<slug>/``. Any number of processes may have it open."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.jobs_dir = folder / "jobs"
        self.runs_dir = folder / "runs"
        self.exports_dir = folder / "exports"
        self.packages_dir = folder / "packages"
        try:
            for part in (self.jobs_dir, self.runs_dir, self.exports_dir, self.packages_dir):
                part.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            remedy = "choose another folder with --workspace, or look at the permissions of this one"
            raise UserError(f"cannot be made: {error.strerror}", where=str(folder), remedy=remedy) from error
        self.examples = ExampleStore(folder / "examples.db")
        self.labels = RunLabels(self.examples.database)
        self.studio = StudioFile(folder / "studio.json")

    @classmethod
    def open(cls, root: Path, slug: str, owner: Owner | None = None) -> Workspace:
        """Open the workspace of a persona, making what is missing.

        Raises :class:`UserError` where it belongs to another persona than ``owner``; a job, which is given its
        workspace by whoever started it, need not say whose it is.
        """
        if not slug or Path(slug).name != slug or slug.startswith("."):
            raise ValueError(f"not a folder name: {slug!r}")
        workspace = cls(root / slug)
        if owner is not None:
            try:
                claim(workspace.studio, owner)
            except UserError:
                workspace.close()
                raise
        return workspace

    def close(self) -> None:
        self.examples.close()
        self.studio.close()
