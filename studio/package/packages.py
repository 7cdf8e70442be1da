"""Packages of a workspace, and whether one is still what was packed, by the SHA-256 of its files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from studio.chatml import Frozen
from studio.errors import UserError
from studio.evaluate.types import Evaluation
from studio.files import write_atomic
from studio.package.types import Package
from studio.store import Workspace

TABLE = "packages"
MANIFEST = "package.json"


class Check(Frozen):
    """The files of a package against its manifest."""

    package: str
    files: int
    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    """That the manifest does not list."""

    @property
    def whole(self) -> bool:
        return not (self.changed or self.missing or self.added)


def package_id(slug: str, evaluation: Evaluation) -> str:
    """The same run and evaluation always come to the same package."""
    return f"{slug}-{evaluation.id}"


def write_manifest(package: Package, folder: Path) -> None:
    """``package.json``. The folder is deployed elsewhere: no path of this machine is in it."""
    write_atomic(folder / MANIFEST, package.model_copy(update={"path": "."}).model_dump_json(indent=2) + "\n")


def check(folder: Path) -> Check:
    """Every file in ``folder`` against the manifest. Raises :class:`UserError` where there is none to compare with."""
    where = str(folder / MANIFEST)
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        name, listed = str(manifest["id"]), {str(file): str(digest) for file, digest in manifest["files"].items()}
    except OSError:
        raise UserError("not a package: it has no manifest", where=where, remedy="name a package's folder") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError("the manifest is damaged", where=where, remedy="pack it again: studio package SPEC") from None
    found = checksums(folder)
    found.pop(MANIFEST, None)
    return Check(
        package=name,
        files=len(listed),
        changed=tuple(file for file, digest in listed.items() if found.get(file, digest) != digest),
        missing=tuple(sorted(set(listed) - set(found))),
        added=tuple(sorted(set(found) - set(listed))),
    )


def checksums(folder: Path) -> dict[str, str]:
    """File (relative, POSIX) -> SHA-256 hex, of everything in ``folder``, in order of name."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_sha256(path) for path in files}


def file_sha256(path: Path) -> str:
    """In hex. Weights are read in parts."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def keep_package(workspace: Workspace, package: Package) -> None:
    """Remember a package, by its place in the workspace, which may be moved."""
    place = (workspace.packages_dir / package.id).relative_to(workspace.folder)
    workspace.studio.put(TABLE, package.id, package.model_copy(update={"path": place.as_posix()}))


def packages(workspace: Workspace) -> list[Package]:
    """Those whose folder is still there, newest first, each with the path that it has now."""
    known = workspace.studio.readable(TABLE, Package)
    here = [one.model_copy(update={"path": str(workspace.packages_dir / one.id)}) for one in known]
    kept = [package for package in here if Path(package.path).is_dir()]
    return sorted(kept, key=lambda package: package.created, reverse=True)


def find_package(workspace: Workspace, name: str) -> Package | None:
    """A verified package of that name, as it was packed; one that failed its proof or was damaged is made again."""
    found = next((package for package in packages(workspace) if package.id == name), None)
    proven = found is not None and found.verification.verified
    return found if found and proven and is_whole(Path(found.path), found.files) else None


def is_whole(folder: Path, files: dict[str, str]) -> bool:
    """Whether ``folder`` still holds ``files`` as they were packed."""
    found = checksums(folder)
    return all(found.get(name) == digest for name, digest in files.items())
