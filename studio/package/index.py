"""The packages of a workspace."""

from __future__ import annotations

from pathlib import Path

from studio.evaluate.types import Evaluation
from studio.package.contents import is_whole
from studio.package.types import Package
from studio.store import Workspace

TABLE = "packages"


def package_id(slug: str, evaluation: Evaluation) -> str:
    """The same run and evaluation always come to the same package."""
    return f"{slug}-{evaluation.id}"


def keep_package(workspace: Workspace, package: Package) -> None:
    """Remember a package, by its place in the workspace, which may be moved."""
    place = (workspace.packages_dir / package.id).relative_to(workspace.folder)
    workspace.studio.put(TABLE, package.id, package.model_copy(update={"path": place.as_posix()}))


def packages(workspace: Workspace) -> list[Package]:
    """Those whose folder is still there, newest first, each with the path that it has now."""
    known = workspace.studio.all(TABLE, Package)
    here = [one.model_copy(update={"path": str(workspace.packages_dir / one.id)}) for one in known]
    kept = [package for package in here if Path(package.path).is_dir()]
    return sorted(kept, key=lambda package: package.created, reverse=True)


def find_package(workspace: Workspace, name: str) -> Package | None:
    """A verified package of that name, as it was packed; one that failed its proof or was damaged is made again."""
    found = next((package for package in packages(workspace) if package.id == name), None)
    proven = found is not None and found.verification.verified
    return found if found and proven and is_whole(Path(found.path), found.files) else None
